// SPDX-License-Identifier: Apache-2.0
// What the kernel has, by bpftool: the page's word is not enough.
import { execFileSync } from "node:child_process";

interface ProgramInfo {
    readonly id: number;
    readonly type: string;
    readonly name?: string;
    readonly map_ids?: number[];
}

interface MapInfo {
    readonly id: number;
    readonly type: string;
}

function bpftool(netns: string, ...args: string[]): unknown {
    const text = execFileSync("nsenter", [`--net=${netns}`, "bpftool", "--json", ...args], { encoding: "utf8" });
    return JSON.parse(text);
}

/** In a namespace, as its path. */
export class Kernel {
    readonly #netns: string;

    constructor(netns: string) {
        this.#netns = netns;
    }

    programs(): ProgramInfo[] {
        return this.#ask("prog", "show") as ProgramInfo[];
    }

    hasProgram(id: number): boolean {
        return this.programs().some(program => program.id === id);
    }

    mapsOf(programId: number): MapInfo[] {
        const { map_ids: ids = [] } = this.#ask("prog", "show", "id", String(programId)) as ProgramInfo;
        return ids.map(id => this.#ask("map", "show", "id", String(id)) as MapInfo);
    }

    programName(id: number): string {
        return this.programs().find(program => program.id === id)?.name ?? "";
    }

    /** The programs that packets meet at the XDP hook, by name and in order. */
    xdpOrder(device: string): string[] {
        const [net] = this.#ask("net") as { xdp: { devname: string; id: number }[] }[];
        const hook = net?.xdp.find(entry => entry.devname === device);
        return hook ? this.#inside(hook.id) : [];
    }

    /** How many kernel links the program has; bpftool 7.1 knows no more of a TCX link. */
    linkCount(programId: number): number {
        return (this.#ask("link", "show") as { prog_id: number }[]).filter(link => link.prog_id === programId).length;
    }

    /** Of a lone program itself; of a dispatcher what its slots hold, be they tail calls or freplace links. */
    #inside(id: number): string[] {
        const program = this.#ask("prog", "show", "id", String(id)) as ProgramInfo;
        const links = (
            this.#ask("link", "show") as { prog_id: number; target_obj_id?: number; target_btf_id?: number }[]
        )
            .filter(link => link.target_obj_id === id)
            .sort((a, b) => (a.target_btf_id ?? 0) - (b.target_btf_id ?? 0));
        if (links.length > 0) return links.map(link => this.programName(link.prog_id));
        for (const map of program.map_ids ?? []) {
            const { type } = this.#ask("map", "show", "id", String(map)) as { type: string };
            if (type !== "prog_array") continue;
            const slots = this.#ask("map", "dump", "id", String(map)) as { key: string[]; value: string[] }[];
            return slots
                .map(slot => ({ key: littleEndian(slot.key), id: littleEndian(slot.value) }))
                .sort((a, b) => a.key - b.key)
                .map(slot => this.programName(slot.id));
        }
        return [program.name ?? ""];
    }

    #ask(...args: string[]): unknown {
        return bpftool(this.#netns, ...args);
    }
}

function littleEndian(bytes: readonly string[]): number {
    return bytes.reduceRight((value, byte) => value * 256 + Number(byte), 0);
}
