// SPDX-License-Identifier: Apache-2.0
// What is: the kernel's answers.
import type { KernelLinkId, MapId, ProgramId } from "./ids.ts";

export interface KernelProgram {
    readonly id: ProgramId;
    /** at most 15 bytes, as the kernel keeps it */
    readonly name: string;
    readonly type: number;
    /** lower-case name of enum bpf_prog_type: xdp, sched_cls, … */
    readonly typeName: string;
    readonly tag: string;
    readonly gplCompatible: boolean;
    /** RFC 3339 */
    readonly loadedAt: string;
    readonly uid: number;
    readonly btfId: number;
    readonly mapIds: readonly MapId[];
    readonly sizeXlated: number;
    readonly sizeJited: number;
    readonly verifiedInsns: number;
    readonly memlockBytes: number;
    /** fentry, fexit, lsm: the BTF object of the target (0 before Linux 5.17) and its function in it */
    readonly attachBtfObjId: number;
    readonly attachBtfId: number;
}

export interface KernelRunStats {
    readonly runTimeNs: bigint;
    readonly runCount: bigint;
    readonly recursionMisses: bigint;
}

export interface KernelMap {
    readonly id: MapId;
    readonly name: string;
    readonly type: number;
    readonly typeName: string;
    readonly keySize: number;
    readonly valueSize: number;
    readonly maxEntries: number;
    readonly flags: number;
    readonly btfId: number;
    readonly memlockBytes: number;
    readonly frozen: boolean;
    readonly mapExtra: bigint;
}

export interface KernelLink {
    readonly id: KernelLinkId;
    readonly programId: ProgramId;
    readonly type: number;
    readonly typeName: string;
    /** lower-case name of enum bpf_attach_type where the kernel tells */
    readonly attachType: string;
    readonly ifindex: number;
    readonly targetObjId: number;
    readonly targetBtfId: number;
    /** of a cgroup link; 0 once its group is gone */
    readonly cgroupId: bigint;
}

export interface Feature {
    readonly name: string;
    readonly supported: boolean;
    readonly errno: string;
    readonly note: string;
}
