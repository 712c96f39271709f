// SPDX-License-Identifier: Apache-2.0
// Whole names of functions of programs, by their BTF: the kernel itself keeps 15 bytes of one.
import { openProgram } from "../../kernel/bpf.ts";
import { functionInfos } from "../../kernel/objects/program-details.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { KernelProgram } from "../../model/kernel.ts";
import { btfOf } from "../maps/map-view.ts";

const kernelNameBytes = 15;

/** The name of a function by its type in a program's BTF; empty where it is not told. */
export function functionName(id: ProgramId, typeId: number): string {
    using fd = openProgram(id);
    if (fd === undefined) return "";
    return nameIn(functionInfos(fd).btfId, typeId);
}

function nameIn(btfId: number, typeId: number): string {
    try {
        const type = btfOf(btfId)?.type(typeId);
        return type?.kind === "function" ? type.name : "";
    } catch {
        // BTF of a newer kind
        return "";
    }
}

/** What programs are called; what is shorter than the kernel's limit is whole already. */
export class ProgramNames {
    readonly #known = new Map<ProgramId, string>();

    of({ id, name, btfId }: KernelProgram): string {
        if (btfId === 0 || Buffer.byteLength(name) < kernelNameBytes) return name;
        const known = this.#known.get(id);
        if (known !== undefined) return known;
        using fd = openProgram(id);
        const [first] = fd === undefined ? [] : functionInfos(fd).functions;
        const whole = first === undefined ? "" : nameIn(btfId, first.typeId);
        const found = whole.startsWith(name) ? whole : name;
        this.#known.set(id, found);
        return found;
    }

    forget(living: ReadonlySet<ProgramId>): void {
        for (const id of this.#known.keys()) if (!living.has(id)) this.#known.delete(id);
    }
}
