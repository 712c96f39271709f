// SPDX-License-Identifier: Apache-2.0
// Names of the functions that programs call: the verifier has put the distance from __bpf_call_base in place of a helper's
// number, so the kernel's symbols tell which one it is.
import { readFile } from "node:fs/promises";

export class CallNames {
    /** by distance; what no symbol stands for is empty */
    readonly #names = new Map<number, string>();

    name(imm: number): string {
        return this.#names.get(imm) ?? "";
    }

    /** Looks up those that are not known; nothing where this kernel hides its addresses. */
    async learn(distances: readonly number[]): Promise<void> {
        const wanted = new Set(distances.filter(distance => !this.#names.has(distance)));
        if (wanted.size === 0) return;
        const symbols = await readFile("/proc/kallsyms", "latin1");
        const line = /^([0-9a-f]+) \S __bpf_call_base$/m.exec(symbols)?.[1];
        const base = BigInt(`0x${line ?? "0"}`);
        // zeros: kernel.kptr_restrict, or no CAP_SYSLOG
        if (base === 0n) return;
        const byAddress = new Map<string, number>();
        for (const distance of wanted) {
            const address = BigInt.asUintN(64, base + BigInt(distance));
            byAddress.set(address.toString(16).padStart(16, "0"), distance);
            this.#names.set(distance, "");
        }
        for (const [, address = "", name = ""] of symbols.matchAll(/^([0-9a-f]{16}) \S (\S+)/gm)) {
            const distance = byAddress.get(address);
            if (distance !== undefined && this.#names.get(distance) === "") this.#names.set(distance, name);
        }
    }
}
