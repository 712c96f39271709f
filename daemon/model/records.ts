// SPDX-License-Identifier: Apache-2.0
// What is wanted: rows of the store.
import type { Hook, HookKey, ProbeHook, ProgramType, XdpMode } from "./hooks.ts";
import type { KernelLinkId, LinkId, MapId, ProgramId } from "./ids.ts";
import type { ImageOrigin } from "./images.ts";

export interface ProgramRecord {
    readonly id: ProgramId;
    readonly bootId: string;
    /** the kernel's tag, hex: with the id and the boot it tells that an object is ours */
    readonly tag: string;
    readonly name: string;
    readonly type: ProgramType;
    readonly section: string;
    readonly frags: boolean;
    /** as in ProgramSpec */
    readonly attachFunction: string;
    readonly sourcePath: string;
    readonly image?: ImageOrigin | undefined;
    readonly objectSha256: string;
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    readonly metadata: ReadonlyMap<string, string>;
    readonly mapOwnerId: ProgramId | undefined;
    /** programs of one map set share their maps */
    readonly mapSet: number;
    /** the set's maps by name, internal ones (.rodata, .bss) too */
    readonly mapIds: ReadonlyMap<string, MapId>;
    readonly license: string;
    readonly gplCompatible: boolean;
    /** RFC 3339 */
    readonly createdAt: string;
    readonly createdBy: string;
}

export interface LinkRecord {
    readonly id: LinkId;
    readonly bootId: string;
    readonly programId: ProgramId;
    readonly hook: Hook;
    /** empty where the hook is not of a network interface, as the fields up to proceedOn */
    readonly interface: string;
    /** path as it was given; empty: the daemon's own */
    readonly netns: string;
    readonly priority: number;
    /** empty for tcx */
    readonly proceedOn: readonly number[];
    /** ties: links made by a later request come first (xdp, tc) or last (tcx) … */
    readonly request: number;
    /** … and within one request in the order given */
    readonly requestIndex: number;
    readonly metadata: ReadonlyMap<string, string>;
    readonly createdAt: string;
    readonly createdBy: string;
    /** its own kernel link; undefined for xdp and tc, where the chain has it */
    readonly kernelLinkId: KernelLinkId | undefined;
    /** the others of a link that is several in the kernel: a perf_event on each CPU */
    readonly furtherKernelLinkIds: readonly KernelLinkId[];
}

export interface NetworkLinkRecord extends LinkRecord {
    readonly hook: HookKey;
}

export interface ProbeLinkRecord extends LinkRecord {
    readonly hook: ProbeHook;
}

export type Backend = "direct" | "freplace" | "tail-call" | "libxdp";

/** The bpf filter that holds a TC chain where the kernel has no TCX. */
export interface TcFilter {
    /** tc's pref: its place among filters of others */
    readonly priority: number;
    readonly handle: number;
    /** whether the qdisc is of our making */
    readonly ownQdisc: boolean;
}

/** One realisation of an XDP or TC chain in the kernel. */
export interface ChainRecord {
    readonly hook: HookKey;
    readonly bootId: string;
    readonly interface: string;
    readonly netns: string;
    readonly revision: number;
    readonly backend: Backend;
    readonly backendReason: string;
    /** xdp */
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
    readonly frags: boolean;
    /** its dispatcher counts what each link does, while somebody watches statistics */
    readonly counting: boolean;
    /** the program at the hook */
    readonly programId: ProgramId;
    readonly programTag: string;
    /** 0 for a chain that is attached without a link: shared by libxdp's protocol, or held by a filter */
    readonly kernelLinkId: KernelLinkId;
    readonly filter?: TcFilter | undefined;
    /** by position; the freplace links of a freplace chain, else undefined */
    readonly members: readonly ChainMemberRecord[];
}

export interface ChainMemberRecord {
    readonly linkId: LinkId;
    readonly kernelLinkId: KernelLinkId | undefined;
}
