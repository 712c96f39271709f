// SPDX-License-Identifier: Apache-2.0
// What every way to realise a chain shares: a backend builds a revision whole and pins it, it never touches the hook.
// revision.ts picks one.
import type { KernelLinkId, ProgramId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import { lastUserLeaves, mapInfo, openPin, programIdentity } from "../bpf.ts";
import type { BpfFs } from "../bpffs.ts";
import type { Fd } from "../fd.ts";
import type { Copies } from "../load/copies.ts";

export interface BuildMember {
    readonly program: ProgramRecord;
    readonly mask: number;
    readonly priority: number;
}

export interface BuildRequest {
    readonly kind: "xdp" | "tc" | "tc_clsact";
    readonly frags: boolean;
    /** by position */
    readonly members: readonly BuildMember[];
    /** the revision's folder in the bpffs; not there yet */
    readonly folder: string;
    /** the dispatcher counts what its slots do, in a map pinned as countsPin */
    readonly counting: boolean;
}

/** A revision that stands beside the running one, ready to be swapped in. */
export interface Built {
    /** the pin of the program that goes to the hook */
    readonly entry: string;
    readonly programId: ProgramId;
    readonly programTag: string;
    /** by position: the freplace link that carries the member, where there is one */
    readonly memberLinks: readonly (KernelLinkId | undefined)[];
}

export interface BuildContext {
    readonly bpffs: BpfFs;
    readonly copies: Copies;
}

/** In a revision's folder: what its slots did. */
export const countsPin = "counts";
/** In the folder of a revision that tail-calls: the PROG_ARRAY of its members. */
export const slotsPin = "slots";

/** Removes a revision's pins, or what is left of them. */
export function removeRevision(bpffs: BpfFs, folder: string): void {
    const slots = `${folder}/${slotsPin}`;
    if (bpffs.exists(slots)) {
        using fd = openPin(bpffs.path(slots));
        lastUserLeaves(mapInfo(fd).id);
    }
    bpffs.remove(folder);
}

export const programPin = (id: ProgramId): string => `prog_${id}`;

/** Opens a program's own pin and checks that the object in it is the recorded one. */
export function openRecorded(bpffs: BpfFs, program: ProgramRecord): Fd {
    const fd = openPin(bpffs.path(programPin(program.id)));
    const found = programIdentity(fd);
    if (found.id === program.id && found.tag === program.tag) return fd;
    fd[Symbol.dispose]();
    throw new Error(`the pin of program ${program.id} holds program ${found.id}`);
}
