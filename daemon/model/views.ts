// SPDX-License-Identifier: Apache-2.0
// The join of what is wanted and what is: list and get show it.
import type { XdpMode } from "./hooks.ts";
import type { KernelLinkId, LinkId, ProgramId } from "./ids.ts";
import type { KernelLink, KernelMap, KernelProgram, KernelRunStats } from "./kernel.ts";
import type { Backend, ChainRecord, LinkRecord, ProgramRecord, TcFilter } from "./records.ts";

export interface MapView {
    readonly kernel: KernelMap;
    readonly pinPath: string;
}

export interface LinkView {
    readonly record: LinkRecord;
    readonly programName: string;
    readonly application: string;
    readonly position: number;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly pinPath: string;
    /** one for each kernel link of its own; for xdp and tc that of pinPath */
    readonly pinPaths: readonly string[];
    /** with several kernel links: all of them */
    readonly kernelSeen: boolean;
    readonly pinPresent: boolean;
    readonly kernel: KernelLink | undefined;
    /** undefined but for xdp and tc */
    readonly chain: ChainRecord | undefined;
}

export interface ProgramView {
    readonly id: ProgramId;
    readonly record: ProgramRecord | undefined;
    readonly kernel: KernelProgram | undefined;
    readonly links: readonly LinkView[];
    readonly maps: readonly MapView[];
    readonly mapUsedBy: readonly ProgramId[];
    readonly stats: KernelRunStats | undefined;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
    readonly pinPath: string;
    readonly mapPinPath: string;
    readonly objectPath: string;
    readonly pinPresent: boolean;
}

export interface ChainMemberView {
    readonly position: number;
    readonly priority: number;
    readonly linkId: LinkId | undefined;
    readonly programId: ProgramId;
    readonly programName: string;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly proceedOn: readonly number[];
    readonly foreign: boolean;
    readonly pinPath: string;
    readonly linkPinPath: string;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ChainView {
    /** xdp, tc-ingress, tc-egress, tcx-ingress, tcx-egress */
    readonly type: string;
    readonly nsid: bigint;
    readonly ifindex: number;
    readonly interface: string;
    readonly netns: string;
    readonly revision: number;
    readonly backend: Backend | "kernel" | "foreign";
    readonly backendReason: string;
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
    readonly frags: boolean;
    readonly programId: ProgramId | undefined;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly filter?: TcFilter | undefined;
    readonly members: readonly ChainMemberView[];
}

/** A connection of administration to this host. */
export interface AdminSession {
    readonly service: "ssh" | "cockpit";
    /** address and port */
    readonly peer: string;
    readonly local: string;
}

export interface InterfaceView {
    readonly name: string;
    readonly ifindex: number;
    readonly netns: string;
    readonly nsid: bigint;
    readonly up: boolean;
    readonly mtu: number;
    readonly mac: string;
    readonly kind: string;
    readonly xdpMode: string;
    readonly chains: readonly ChainView[];
    /** whose packets come in here; of the daemon's own namespace */
    readonly sessions: readonly AdminSession[];
}
