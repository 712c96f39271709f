// SPDX-License-Identifier: Apache-2.0
// The functions that this kernel has: for kprobes by its symbols, for fentry, fexit and LSM by its BTF.
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { btfKind, KernelBtf, kernelBtfPath } from "../btf/vmlinux-btf.ts";
import { suggestAmong } from "../near-names.ts";
import { traceableFunctions } from "./tracing-files.ts";

export interface Lookup {
    readonly found: boolean;
    /** near names, where it was not found */
    readonly near: readonly string[];
}

const btfFolder = kernelBtfPath.replace(/[^/]*$/, "");
const rawTracepointPrefix = "btf_trace_";
const yes: Lookup = { found: true, near: [] };

/** ADDRESS TYPE NAME [MODULE]; the addresses are zeros for many readers, the names are not hidden. */
async function* textSymbols(): AsyncGenerator<string> {
    // takes the kernel some tenths of a second: nobody else waits for it
    const all = await readFile("/proc/kallsyms", "latin1");
    for (const line of all.split("\n")) {
        const [, type, symbol] = line.split(/[ \t]/, 3);
        if (symbol !== undefined && /^[tTwW]$/.test(type ?? "")) yield symbol;
    }
}

/** The kernel's functions that a kprobe may name, sorted: by what ftrace knows, else by its symbols. */
export async function kernelFunctions(): Promise<string[]> {
    const names = new Set<string>();
    let traceable: string | undefined;
    try {
        traceable = traceableFunctions();
    } catch {
        // no tracefs at all
    }
    if (traceable === undefined) for await (const symbol of textSymbols()) names.add(symbol);
    // NAME [MODULE]; some kernels have lines of functions without a name
    else for (const line of traceable.split("\n")) names.add(line.split(/[ \t]/, 1)[0] ?? "");
    names.delete("");
    // parts and padding that compilers make; an address that the kernel could not name
    const shown = Array.from(names).filter(name => !/^(?:__(?:cfi|pfx)_|__ftrace_invalid_address___)/.test(name));
    return shown.sort();
}

/** Functions that the kernel's BTF and that of its modules describe, without the prefix, sorted; undefined: it has no BTF. */
export function btfFunctions(prefix: string): string[] | undefined {
    const btf = KernelBtf.read();
    if (btf === undefined) return undefined;
    const names = new Set(btf.namesOf(btfKind.function));
    for (const module of fs.readdirSync(btfFolder)) {
        if (module === "vmlinux") continue;
        for (const name of new KernelBtf(fs.readFileSync(`${btfFolder}${module}`), btf).namesOf(btfKind.function))
            names.add(name);
    }
    return Array.from(names)
        .filter(name => name.startsWith(prefix))
        .map(name => name.slice(prefix.length))
        .sort();
}

/** The names of all raw tracepoints, sorted; undefined: this kernel has no BTF. */
export function rawTracepoints(): string[] | undefined {
    const names = KernelBtf.read()?.namesOf(btfKind.typedef);
    return names
        ?.filter(name => name.startsWith(rawTracepointPrefix))
        .map(name => name.slice(rawTracepointPrefix.length))
        .sort();
}

/** A function's symbol in the kernel or in a module of it. */
export async function kernelSymbol(name: string): Promise<Lookup> {
    const names: string[] = [];
    for await (const symbol of textSymbols()) {
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
    for (const module of fs.readdirSync(btfFolder))
        if (module !== "vmlinux" && new KernelBtf(fs.readFileSync(`${btfFolder}${module}`)).names(full)) return yes;
    const names = btf.namesOf(btfKind.function).filter(other => other.startsWith(prefix));
    const near = suggestAmong(
        name,
        names.map(other => other.slice(prefix.length)),
    );
    return { found: false, near };
}

/** A raw tracepoint: the kernel's BTF has a type btf_trace_NAME of each. undefined: this kernel has no BTF. */
export function rawTracepoint(name: string): Lookup | undefined {
    const known = rawTracepoints();
    if (known === undefined) return undefined;
    return known.includes(name) ? yes : { found: false, near: suggestAmong(name, known) };
}
