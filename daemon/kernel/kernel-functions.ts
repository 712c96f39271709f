// SPDX-License-Identifier: Apache-2.0
// The functions that this kernel has: for kprobes by its symbols, for fentry, fexit and LSM by its BTF.
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { suggestAmong } from "./near-names.ts";
import { btfKind, KernelBtf, kernelBtfPath } from "./vmlinux-btf.ts";

export interface Lookup {
    readonly found: boolean;
    /** near names, where it was not found */
    readonly near: readonly string[];
}

const yes: Lookup = { found: true, near: [] };

/** A function's symbol in the kernel or in a module of it. */
export async function kernelSymbol(name: string): Promise<Lookup> {
    // ADDRESS TYPE NAME [MODULE]; the addresses are zeros for many readers, the names are not hidden
    const names: string[] = [];
    // takes the kernel some tenths of a second: nobody else waits for it
    const all = await readFile("/proc/kallsyms", "latin1");
    for (const line of all.split("\n")) {
        const [, type, symbol] = line.split(/[ \t]/, 3);
        if (symbol === undefined || !/^[tTwW]$/.test(type ?? "")) continue;
        if (symbol === name) return yes;
        names.push(symbol);
    }
    return { found: false, near: suggestAmong(name, names) };
}

/** A function that the kernel's BTF, or that of a module, describes. undefined: this kernel has no BTF. */
export function btfFunction(name: string, prefix = ""): Lookup | undefined {
    const btf = KernelBtf.read();
    if (btf === undefined) return undefined;
    const full = `${prefix}${name}`;
    if (btf.ids({ [full]: btfKind.function }).has(full)) return yes;
    // a module's BTF holds the names that the kernel's own does not have
    const folder = kernelBtfPath.replace(/[^/]*$/, "");
    for (const module of fs.readdirSync(folder))
        if (module !== "vmlinux" && new KernelBtf(fs.readFileSync(`${folder}${module}`)).names(full)) return yes;
    const names = btf.namesOf(btfKind.function).filter(other => other.startsWith(prefix));
    const near = suggestAmong(
        name,
        names.map(other => other.slice(prefix.length)),
    );
    return { found: false, near };
}

/** A raw tracepoint: the kernel's BTF has a type btf_trace_NAME of each. undefined: this kernel has no BTF. */
export function rawTracepoint(name: string): Lookup | undefined {
    const prefix = "btf_trace_";
    const btf = KernelBtf.read();
    if (btf === undefined) return undefined;
    const names = btf.namesOf(btfKind.typedef).filter(other => other.startsWith(prefix));
    const known = names.map(other => other.slice(prefix.length));
    return known.includes(name) ? yes : { found: false, near: suggestAmong(name, known) };
}
