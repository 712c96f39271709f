// SPDX-License-Identifier: Apache-2.0
// rtnetlink messages of traffic control as bytes, no I/O: clsact, and the bpf filters at it.
// Layouts: include/uapi/linux/rtnetlink.h, pkt_sched.h, pkt_cls.h.
import { attributes, headerBytes, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, number, text } from "./netlink-messages.ts";

/** struct tcmsg */
const tcBytes = 20;
export const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const RTM_GETQDISC = 38;
export const RTM_NEWTFILTER = 44;
const RTM_DELTFILTER = 45;
const RTM_GETTFILTER = 46;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLA_F_NESTED = 0x8000;

const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_CHAIN = 11;
const TCA_INGRESS_BLOCK = 13;
const TCA_EGRESS_BLOCK = 14;
const TCA_BPF_FD = 6;
const TCA_BPF_NAME = 7;
const TCA_BPF_FLAGS = 8;
const TCA_BPF_ID = 11;
const TCA_BPF_FLAG_ACT_DIRECT = 1;
/** TC_H_CLSACT, which is TC_H_INGRESS too: a device has one of the two qdiscs */
const clsactParent = 0xfffffff1;
const clsactHandle = 0xffff0000;
/** TC_H_MIN_INGRESS and _EGRESS of it; the ingress qdisc takes the first as its own */
const parents = { ingress: 0xfffffff2, egress: 0xfffffff3 } as const;
/** ETH_P_ALL in network order */
const allProtocols = 0x0300;

type Side = keyof typeof parents;

/** Where a filter of ours is: ids of its own, in chain 0, for packets of every protocol. */
export interface FilterPlace {
    readonly ifindex: number;
    readonly direction: Side;
    /** tc's pref */
    readonly priority: number;
    readonly handle: number;
}

/** The qdisc at the clsact place of an interface. */
export interface Qdisc {
    readonly ifindex: number;
    /** clsact or ingress */
    readonly kind: string;
    /** blocks of filters that it shares with other interfaces */
    readonly sharedBlocks: Readonly<Record<Side, boolean>>;
}

export interface Filter {
    readonly priority: number;
    readonly handle: number;
    readonly chain: number;
    readonly kind: string;
    /** of a bpf filter; 0 for others */
    readonly programId: number;
    readonly name: string;
}

function attribute(type: number, data: Buffer): Buffer {
    const bytes = Buffer.alloc((4 + data.length + 3) & ~3);
    bytes.writeUInt16LE(4 + data.length, 0);
    bytes.writeUInt16LE(type, 2);
    data.copy(bytes, 4);
    return bytes;
}

function u32(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value | 0, 0);
    return bytes;
}

const string = (value: string): Buffer => Buffer.from(`${value}\0`);

interface TcHead {
    readonly ifindex: number;
    readonly handle?: number;
    readonly parent: number;
    readonly info?: number;
}

function message(type: number, flags: number, sequence: number, head: TcHead, ...parts: Buffer[]): Buffer {
    const start = Buffer.alloc(headerBytes + tcBytes);
    const bytes = Buffer.concat([start, ...parts]);
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt16LE(type, 4);
    bytes.writeUInt16LE(NLM_F_REQUEST | flags, 6);
    bytes.writeUInt32LE(sequence, 8);
    bytes.writeInt32LE(head.ifindex, headerBytes + 4);
    bytes.writeUInt32LE(head.handle ?? 0, headerBytes + 8);
    bytes.writeUInt32LE(head.parent, headerBytes + 12);
    bytes.writeUInt32LE(head.info ?? 0, headerBytes + 16);
    return bytes;
}

/** The qdiscs of all interfaces: the kernel knows no question for one alone that others are not told of. */
export const qdiscDump = (sequence: number): Buffer =>
    message(RTM_GETQDISC, NLM_F_DUMP, sequence, { ifindex: 0, parent: 0 });

/** Adds clsact, only where nothing is in its place, or takes it away. */
export function clsactRequest(sequence: number, ifindex: number, action: "add" | "delete"): Buffer {
    const head = { ifindex, handle: clsactHandle, parent: clsactParent };
    const kind = attribute(TCA_KIND, string("clsact"));
    return action === "add"
        ? message(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence, head, kind)
        : message(RTM_DELQDISC, NLM_F_ACK, sequence, head, kind);
}

export const filterDump = (sequence: number, ifindex: number, direction: Side): Buffer =>
    message(RTM_GETTFILTER, NLM_F_DUMP, sequence, { ifindex, parent: parents[direction] });

const filterHead = ({ ifindex, direction, priority, handle }: FilterPlace): TcHead => ({
    ifindex,
    handle,
    parent: parents[direction],
    info: ((priority << 16) | allProtocols) >>> 0,
});

/**
 * Puts a direct-action program to a place: "add" only where no filter is, "replace" only where one is, whose program is
 * exchanged in one step (net/sched/cls_bpf.c, cls_bpf_change).
 */
export function putFilterRequest(
    sequence: number,
    place: FilterPlace,
    program: { readonly fd: number; readonly name: string },
    action: "add" | "replace",
): Buffer {
    const options = Buffer.concat([
        attribute(TCA_BPF_FD, u32(program.fd)),
        attribute(TCA_BPF_NAME, string(program.name)),
        attribute(TCA_BPF_FLAGS, u32(TCA_BPF_FLAG_ACT_DIRECT)),
    ]);
    return message(
        RTM_NEWTFILTER,
        NLM_F_ACK | (action === "add" ? NLM_F_CREATE | NLM_F_EXCL : 0),
        sequence,
        filterHead(place),
        attribute(TCA_KIND, string("bpf")),
        attribute(TCA_OPTIONS | NLA_F_NESTED, options),
    );
}

export const deleteFilterRequest = (sequence: number, place: FilterPlace): Buffer =>
    message(RTM_DELTFILTER, NLM_F_ACK, sequence, filterHead(place), attribute(TCA_KIND, string("bpf")));

/** What the payload of RTM_NEWQDISC says, where it is of the clsact place. */
export function parseQdisc(payload: Buffer): Qdisc | undefined {
    if (payload.length < tcBytes || payload.readUInt32LE(12) !== clsactParent) return undefined;
    const found = attributes(payload.subarray(tcBytes));
    const kind = text(found.get(TCA_KIND));
    const sharedBlocks = { ingress: found.has(TCA_INGRESS_BLOCK), egress: found.has(TCA_EGRESS_BLOCK) };
    return { ifindex: payload.readInt32LE(4), kind, sharedBlocks };
}

/** What the payload of RTM_NEWTFILTER says; undefined for the line that only tells of a priority. */
export function parseFilter(payload: Buffer): Filter | undefined {
    if (payload.length < tcBytes) return undefined;
    const found = attributes(payload.subarray(tcBytes));
    const kind = text(found.get(TCA_KIND));
    const options = found.get(TCA_OPTIONS);
    const handle = payload.readUInt32LE(8);
    if (options === undefined && handle === 0) return undefined;
    const bpf = kind === "bpf" && options !== undefined ? attributes(options) : new Map<number, Buffer>();
    return {
        priority: payload.readUInt32LE(16) >>> 16,
        handle,
        chain: number(found.get(TCA_CHAIN)) ?? 0,
        kind,
        programId: number(bpf.get(TCA_BPF_ID)) ?? 0,
        name: text(bpf.get(TCA_BPF_NAME)),
    };
}
