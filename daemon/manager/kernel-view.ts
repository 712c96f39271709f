// SPDX-License-Identifier: Apache-2.0
// What the kernel has, read with few calls: what cannot change under an id is read once.
import * as bpf from "../kernel/bpf.ts";
import { countsAlways } from "../kernel/objects/run-statistics.ts";
import type { KernelLinkId, MapId, ProgramId } from "../model/ids.ts";
import type { KernelLink, KernelMap, KernelProgram, KernelRunStats } from "../model/kernel.ts";

export class KernelView {
    // ids are given out in a cycle of 2^31 and not again within it (kernel/bpf/syscall.c, idr_alloc_cyclic)
    readonly #programs = new Map<ProgramId, KernelProgram>();
    #most = 64;

    /** The ids of every program in the kernel, ascending. */
    programIds(): ProgramId[] {
        return bpf.programIds();
    }

    /** Those that are gone, once they may be the most of what is remembered. */
    #forget(): void {
        if (this.#programs.size <= this.#most) return;
        const living = new Set(bpf.programIds());
        for (const id of this.#programs.keys()) if (!living.has(id)) this.#programs.delete(id);
        this.#most = 2 * this.#programs.size + 64;
    }

    /** undefined where there is no such program (any more). The caller knows the id to be alive, or asks isAlive. */
    program(id: ProgramId): KernelProgram | undefined {
        const known = this.#programs.get(id);
        if (known !== undefined) return known;
        using fd = bpf.openProgram(id);
        if (fd === undefined) return undefined;
        const program = bpf.programInfo(fd);
        this.#programs.set(id, program);
        this.#forget();
        return program;
    }

    /** Asks the kernel, past what is remembered. */
    isAlive(id: ProgramId): boolean {
        using fd = bpf.openProgram(id);
        if (fd === undefined) this.#programs.delete(id);
        return fd !== undefined;
    }

    /** undefined while kernel.bpf_stats_enabled is off. */
    runStats(id: ProgramId): KernelRunStats | undefined {
        if (!countsAlways()) return undefined;
        using fd = bpf.openProgram(id);
        return fd === undefined ? undefined : bpf.programRunStats(fd);
    }

    map(id: MapId): KernelMap | undefined {
        using fd = bpf.openMap(id);
        return fd === undefined ? undefined : bpf.mapInfo(fd);
    }

    link(id: KernelLinkId): KernelLink | undefined {
        using fd = bpf.openLink(id);
        return fd === undefined ? undefined : bpf.linkInfo(fd);
    }
}
