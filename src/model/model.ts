// SPDX-License-Identifier: Apache-2.0
// The daemon's proto3 JSON with its left-out defaults filled in, as far as the page shows it.
import type {
    AdminSessionJson,
    ChainJson,
    ChainMemberJson,
    InterfaceJson,
    LinkJson,
    MapJson,
    ProgramJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type AttachKind, anyKind, hookKind } from "../text/words.ts";

export interface Program {
    readonly id: number;
    readonly name: string;
    /** bpfman's word where it is ours, else the kernel's */
    readonly type: string;
    readonly managed: boolean;
    readonly partOf: string;
    readonly application: string;
    readonly links: readonly Link[];
    readonly memoryBytes: number;
    readonly loadedAt: string;
    readonly json: ProgramJson;
}

export interface Link {
    readonly id: number;
    readonly programId: number;
    readonly programName: string;
    readonly kind: string;
    /** of xdp, tc and tcx links; of others what they are attached to, as sched/sched_switch */
    readonly interface: string;
    readonly netns: string;
    readonly direction: string;
    readonly priority: number;
    readonly position: number;
    readonly proceedOn: readonly number[];
}

/** With all that the daemon tells of it. */
export interface ListedLink extends Link {
    readonly json: LinkJson;
}

export interface BpfMap {
    readonly id: number;
    readonly name: string;
    readonly type: string;
    readonly keyBytes: number;
    readonly valueBytes: number;
    readonly maxEntries: number;
    readonly memoryBytes: number;
    readonly pinPath: string;
}

export interface Interface {
    readonly key: string;
    readonly name: string;
    readonly netns: string;
    readonly nsid: string;
    readonly up: boolean;
    readonly mtu: number;
    readonly mac: string;
    readonly kind: string;
    /** native, generic, offload, multi; empty where no XDP program runs */
    readonly xdpMode: string;
    readonly ifindex: number;
    readonly chains: readonly Chain[];
    readonly sessions: readonly Session[];
}

/** A connection of administration whose packets come in at an interface. */
export interface Session {
    /** ssh, cockpit */
    readonly service: string;
    readonly peer: string;
}

export interface Chain {
    readonly type: string;
    readonly interface: string;
    readonly revision: number;
    readonly backend: string;
    readonly backendReason: string;
    readonly mode: string;
    readonly modeReason: string;
    readonly members: readonly Member[];
}

export interface Member {
    readonly position: number;
    readonly priority: number;
    /** 0 for what others attached */
    readonly linkId: number;
    readonly programId: number;
    readonly programName: string;
    readonly proceedOn: readonly number[];
    readonly foreign: boolean;
}

export function programOf(json: ProgramJson): Program {
    const metadata = json.record?.metadata ?? {};
    return {
        id: json.id ?? 0,
        name: json.record?.name ?? json.kernel?.name ?? "",
        type: json.record?.type ?? json.kernel?.typeName ?? "",
        managed: json.record !== undefined,
        partOf: json.partOf ?? "",
        application: metadata["bpfman.io/application"] ?? metadata["bpfman_application"] ?? "",
        links: (json.links ?? []).map(linkOf),
        memoryBytes: json.kernel?.memlockBytes ?? 0,
        loadedAt: json.kernel?.loadedAt ?? "",
        json,
    };
}

export function linkOf(json: LinkJson): ListedLink {
    return {
        id: json.id ?? 0,
        programId: json.programId ?? 0,
        programName: json.programName ?? "",
        kind: json.kind ?? "",
        interface: hookKind(json.kind ?? "") ? (json.interface ?? "") : targetOf(json),
        netns: json.netns ?? "",
        direction: json.direction ?? "",
        priority: json.priority ?? 0,
        position: json.position ?? 0,
        proceedOn: json.proceedOn ?? [],
        json,
    };
}

/** Where a link is attached that is on no interface. */
function targetOf(link: LinkJson): string {
    const { tracepoint, kprobe, uprobe, perfEvent, rawTracepoint, cgroup } = link;
    if (tracepoint) return `${tracepoint.group ?? ""}/${tracepoint.name ?? ""}`;
    if (uprobe) return [uprobe.target, uprobe.function].filter(Boolean).join(" ");
    const bound = kprobe?.function ?? link.fentry?.function ?? link.fexit?.function ?? link.lsm?.hook;
    return bound ?? perfEvent?.event ?? rawTracepoint?.name ?? cgroup?.path ?? "";
}

export function mapOf(json: MapJson): BpfMap {
    return {
        id: json.id ?? 0,
        name: json.name ?? "",
        type: json.typeName ?? String(json.type ?? 0),
        keyBytes: json.keySize ?? 0,
        valueBytes: json.valueSize ?? 0,
        maxEntries: json.maxEntries ?? 0,
        memoryBytes: json.memlockBytes ?? 0,
        pinPath: json.pinPath ?? "",
    };
}

export function interfaceOf(json: InterfaceJson): Interface {
    return {
        key: `${json.nsid ?? "0"}:${json.ifindex ?? 0}`,
        name: json.name ?? "",
        netns: json.netns ?? "",
        nsid: json.nsid ?? "0",
        up: json.up ?? false,
        mtu: json.mtu ?? 0,
        mac: json.mac ?? "",
        kind: json.kind ?? "",
        xdpMode: json.xdpMode ?? "",
        ifindex: json.ifindex ?? 0,
        chains: (json.chains ?? []).map(chainOf).filter(chain => chain.members.length > 0),
        sessions: (json.sessions ?? []).map(sessionOf),
    };
}

function sessionOf(json: AdminSessionJson): Session {
    return { service: json.service ?? "", peer: json.peer ?? "" };
}

function chainOf(json: ChainJson): Chain {
    return {
        type: json.type ?? "",
        interface: json.interface ?? "",
        revision: json.revision ?? 0,
        backend: json.backend ?? "",
        backendReason: json.backendReason ?? "",
        mode: json.mode ?? "",
        modeReason: json.modeReason ?? "",
        members: (json.members ?? []).map(memberOf).sort((a, b) => a.position - b.position),
    };
}

function memberOf(json: ChainMemberJson): Member {
    return {
        position: json.position ?? 0,
        priority: json.priority ?? 0,
        linkId: json.linkId ?? 0,
        programId: json.programId ?? 0,
        programName: json.programName ?? "",
        proceedOn: json.proceedOn ?? [],
        foreign: json.foreign ?? false,
    };
}

/** The hook that a program of ours attaches to; undefined for what can't be attached here. */
export function attachKind(program: Program): AttachKind | undefined {
    return program.managed ? anyKind(program.type) : undefined;
}
