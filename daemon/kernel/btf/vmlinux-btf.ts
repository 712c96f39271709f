// SPDX-License-Identifier: Apache-2.0
// Ids of types in the kernel's own BTF, by name. The whole of it is 5 MB and 150,000 types, so nothing is decoded:
// names are found in the string section first, then the types are walked once for their name offsets.
import fs from "node:fs";

export const kernelBtfPath = "/sys/kernel/btf/vmlinux";
/** BTF_KIND_* */
export const btfKind = { typedef: 8, function: 12 } as const;

/** 32-bit words after a type's first three, by kind; times vlen where that counts. */
const fixedWords = [0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0];
const memberWords = [0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3];

export class KernelBtf {
    readonly #bytes: Buffer;
    readonly #header: number;
    readonly #base: KernelBtf | undefined;
    /** base: the kernel's own, whose strings a module's continue */
    constructor(bytes: Buffer, base?: KernelBtf) {
        this.#bytes = bytes;
        this.#base = base;
        this.#header = bytes.readUInt32LE(4);
    }

    /** undefined where this kernel was built without BTF. */
    static read(): KernelBtf | undefined {
        try {
            return new KernelBtf(fs.readFileSync(kernelBtfPath));
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
            throw error;
        }
    }

    #strings(): Buffer {
        const start = this.#header + this.#bytes.readUInt32LE(16);
        return this.#bytes.subarray(start, start + this.#bytes.readUInt32LE(20));
    }

    /** Whether anything is called so: a type, a member, an enumerator. */
    names(name: string): boolean {
        return this.#strings().includes(`\0${name}\0`, 0, "latin1");
    }

    /** The ids of these types; those that the kernel does not have are absent. */
    ids<Name extends string>(wanted: Readonly<Record<Name, number>>): Map<Name, number> {
        const strings = this.#strings();
        const byOffset = new Map<number, { name: Name; kind: number }>();
        for (const [name, kind] of Object.entries(wanted) as [Name, number][]) {
            const at = strings.indexOf(`\0${name}\0`, 0, "latin1");
            if (at >= 0) byOffset.set(at + 1, { name, kind });
        }
        const found = new Map<Name, number>();
        for (const { id, kind, nameOffset } of this.#types()) {
            const match = byOffset.get(nameOffset);
            if (match?.kind === kind) found.set(match.name, id);
            if (found.size === byOffset.size) break;
        }
        return found;
    }

    /** The names of all types of a kind. */
    namesOf(kind: number): string[] {
        const names: string[] = [];
        for (const type of this.#types()) if (type.kind === kind) names.push(this.#name(type.nameOffset));
        return names;
    }

    /** The names of these types; of a module the ids go on where the kernel's end. */
    namesById(wanted: ReadonlySet<number>): Map<number, string> {
        const found = new Map<number, string>();
        const first = this.#base === undefined ? 0 : this.#base.count();
        for (const type of this.#types()) {
            if (!wanted.has(type.id + first)) continue;
            found.set(type.id + first, this.#name(type.nameOffset));
            if (found.size === wanted.size) break;
        }
        return found;
    }

    /** How many types there are; their ids begin with 1. */
    count(): number {
        let count = 0;
        for (const _ of this.#types()) count++;
        return count;
    }

    #name(offset: number): string {
        const base = this.#base === undefined ? Buffer.alloc(0) : this.#base.#strings();
        const [strings, at] = offset < base.length ? [base, offset] : [this.#strings(), offset - base.length];
        const end = strings.indexOf(0, at);
        return strings.toString("latin1", at, end < 0 ? undefined : end);
    }

    *#types(): Generator<{ id: number; kind: number; nameOffset: number }> {
        // the file is read into memory of its own: aligned as an Uint32Array wants it
        const start = this.#header + this.#bytes.readUInt32LE(8);
        const length = this.#bytes.readUInt32LE(12);
        const words = new Uint32Array(Uint8Array.from(this.#bytes.subarray(start, start + length)).buffer);
        for (let at = 0, id = 1; at + 3 <= words.length; id += 1) {
            const info = words[at + 1] ?? 0;
            const kind = (info >>> 24) & 0x1f;
            yield { id, kind, nameOffset: words[at] ?? 0 };
            const fixed = fixedWords[kind];
            const perMember = memberWords[kind];
            if (fixed === undefined || perMember === undefined) return;
            at += 3 + fixed + perMember * (info & 0xffff);
        }
    }
}
