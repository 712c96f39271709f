// SPDX-License-Identifier: Apache-2.0
// Second copies of a loaded program, made from its kept bytes with the same maps: as a freplace program for a
// dispatcher, without multi-buffer support for a chain that has none, as a stand-in while a TCX link moves.
import type { ProgramRecord } from "../../model/records.ts";
import { programType } from "../bpf.ts";
import type { BpfFs } from "../bpffs.ts";
import { withoutFrags, withoutMapValues } from "../elf/elf-edit.ts";
import type { Loader } from "./loader.ts";
import { type LoaderProgram, mapKey } from "./loader-protocol.ts";

/** ext: for our own dispatchers; libxdp: for those of a shared chain, which have another attach type */
export type CopyKind = "ext" | "libxdp" | "plain" | "double";

const BPF_F_XDP_HAS_FRAGS = 32;

/** What a program of ours is loaded with, whatever its section says: attach type 0, and frags where it asks for it. */
export function loaderProgram(name: string, kind: "xdp" | "tc", frags: boolean): LoaderProgram {
    return {
        name,
        progType: kind === "xdp" ? programType.xdp : programType.schedCls,
        attachType: 0,
        flags: frags ? BPF_F_XDP_HAS_FRAGS : 0,
    };
}

/** What one load can make: one object, the same maps, and no function twice. A program that is asked for twice is one. */
function batches(programs: readonly ProgramRecord[]): ProgramRecord[][] {
    const found: ProgramRecord[][] = [];
    const key = ({ objectSha256, mapIds }: ProgramRecord) => JSON.stringify([objectSha256, ...mapIds]);
    const distinct = new Map(programs.map(program => [program.id, program]));
    for (const program of distinct.values()) {
        const batch = found.find(
            ([first, ...rest]) =>
                first !== undefined &&
                key(first) === key(program) &&
                ![first, ...rest].some(({ name }) => name === program.name),
        );
        if (batch === undefined) found.push([program]);
        else batch.push(program);
    }
    return found;
}

export class Copies {
    readonly #bpffs: BpfFs;
    readonly #loader: Loader;
    readonly #readObject: (sha256: string) => Uint8Array;
    constructor(bpffs: BpfFs, loader: Loader, readObject: (sha256: string) => Uint8Array) {
        this.#bpffs = bpffs;
        this.#loader = loader;
        this.#readObject = readObject;
    }

    name(program: ProgramRecord, kind: CopyKind): string {
        return `copies/${program.id}_${kind}`;
    }

    /** The pin of a copy; loads it on first need. dispatcher: the pin that an ext copy is verified against. */
    async make(program: ProgramRecord, kind: CopyKind, dispatcher = ""): Promise<string> {
        await this.makeAll([program], kind, dispatcher);
        return this.name(program, kind);
    }

    /** Makes what is missing of several: one process loads those that share object and maps. */
    async makeAll(programs: readonly ProgramRecord[], kind: CopyKind, dispatcher = ""): Promise<void> {
        const missing = programs.filter(program => !this.#bpffs.exists(this.name(program, kind)));
        for (const batch of batches(missing)) await this.#load(batch, kind, dispatcher);
    }

    /** Programs of one object with the same maps. */
    async #load(programs: readonly ProgramRecord[], kind: CopyKind, dispatcher: string): Promise<void> {
        const [first] = programs;
        if (first === undefined) return;
        const stage = `staging/copy_${first.id}_${kind}`;
        this.#bpffs.remove(stage);
        this.#bpffs.makeFolder(stage);
        try {
            const extension = kind === "ext" || kind === "libxdp";
            const kept = this.#readObject(first.objectSha256);
            const object = withoutMapValues(kind === "plain" ? withoutFrags(kept) : kept);
            await this.#loader.load(
                {
                    objectName: "copy",
                    programs: programs.map(({ name, type, frags }) => {
                        const chain = type === "xdp" ? "xdp" : "tc";
                        const original = loaderProgram(name, chain, frags && kind !== "plain");
                        return extension ? { ...original, progType: programType.ext, flags: 0 } : original;
                    }),
                    arrayMembers: [],
                    target: extension ? { pin: this.#bpffs.path(dispatcher), function: "prog0" } : undefined,
                    reuse: Object.fromEntries([...first.mapIds].map(([map, id]) => [mapKey(map), id])),
                    globals: [],
                    stage: this.#bpffs.path(stage),
                    pinMaps: false,
                },
                object,
            );
            for (const [index, program] of programs.entries())
                this.#bpffs.rename(`${stage}/p${index}`, this.name(program, kind));
        } finally {
            this.#bpffs.remove(stage);
        }
    }

    /** Removes every copy of a program. */
    remove(program: ProgramRecord): void {
        for (const kind of ["ext", "libxdp", "plain", "double"] as const) this.#bpffs.remove(this.name(program, kind));
    }
}
