// SPDX-License-Identifier: Apache-2.0
// All of the kernel's BPF, whoever made it.
import type { KernelLinkId, LinkId, MapId, ProgramId } from "./ids.ts";
import type { KernelLink, KernelMap, KernelProgram, KernelRunStats } from "./kernel.ts";

export interface OwnerProcess {
    readonly pid: number;
    readonly name: string;
    readonly command: string;
    readonly uid: number;
    readonly user: string;
    /** as sshd.service; empty where it is none, as container */
    readonly unit: string;
    readonly container: string;
    readonly containerRuntime: string;
}

interface InventoryItem {
    readonly pids: readonly number[];
    readonly pinPaths: readonly string[];
    /** one word for grouping; empty where it is not known */
    readonly owner: string;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
}

export interface InventoryProgram extends InventoryItem {
    readonly kernel: KernelProgram;
    readonly name: string;
    readonly managed: boolean;
    /** for people */
    readonly hooks: readonly string[];
    readonly stats: KernelRunStats | undefined;
    readonly application: string;
    readonly linkIds: readonly KernelLinkId[];
}

export interface InventoryMap extends InventoryItem {
    readonly kernel: KernelMap;
    readonly name: string;
    readonly managed: boolean;
    readonly programIds: readonly ProgramId[];
}

export interface InventoryLink extends InventoryItem {
    readonly kernel: KernelLink;
    readonly managedLinkId: LinkId | undefined;
    readonly hook: string;
}

export interface InventoryBtf {
    readonly id: number;
    readonly name: string;
    readonly sizeBytes: number;
    readonly kernel: boolean;
    readonly programIds: readonly ProgramId[];
    readonly mapIds: readonly MapId[];
    readonly pids: readonly number[];
}

export interface Inventory {
    readonly programs: readonly InventoryProgram[];
    readonly maps: readonly InventoryMap[];
    readonly links: readonly InventoryLink[];
    readonly btf: readonly InventoryBtf[];
    readonly processes: readonly OwnerProcess[];
    /** why owners are not, or not all, known; empty where they are */
    readonly ownersUnknown: string;
}
