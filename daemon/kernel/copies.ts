// SPDX-License-Identifier: Apache-2.0
// Second copies of a loaded program, made from its kept bytes with the same maps: as a freplace program for a
// dispatcher, without multi-buffer support for a chain that has none, as a stand-in while a TCX link moves.
import type { ProgramRecord } from "../model.ts";
import { programType } from "./bpf.ts";
import type { BpfFs } from "./bpffs.ts";
import { withoutFrags, withoutMapValues } from "./elf-edit.ts";
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
        const name = this.name(program, kind);
        if (this.#bpffs.exists(name)) return name;
        const stage = `staging/copy_${program.id}_${kind}`;
        this.#bpffs.remove(stage);
        this.#bpffs.makeFolder(stage);
        try {
            const extension = kind === "ext" || kind === "libxdp";
            const kept = this.#readObject(program.objectSha256);
            const object = withoutMapValues(kind === "plain" ? withoutFrags(kept) : kept);
            const chain = program.type === "xdp" ? "xdp" : "tc";
            const original = loaderProgram(program.name, chain, program.frags && kind !== "plain");
            await this.#loader.load(
                {
                    objectName: "copy",
                    programs: [extension ? { ...original, progType: programType.ext, flags: 0 } : original],
                    arrayMembers: [],
                    target: extension ? { pin: this.#bpffs.path(dispatcher), function: "prog0" } : undefined,
                    reuse: Object.fromEntries([...program.mapIds].map(([map, id]) => [mapKey(map), id])),
                    globals: [],
                    stage: this.#bpffs.path(stage),
                    pinMaps: false,
                },
                object,
            );
            this.#bpffs.rename(`${stage}/p0`, name);
        } finally {
            this.#bpffs.remove(stage);
        }
        return name;
    }

    /** Removes every copy of a program. */
    remove(program: ProgramRecord): void {
        for (const kind of ["ext", "libxdp", "plain", "double"] as const) this.#bpffs.remove(this.name(program, kind));
    }
}
