// SPDX-License-Identifier: Apache-2.0
// rtnetlink messages as bytes, no I/O: the request for all interfaces, and what its answers and the notifications say.
// Layouts: include/uapi/linux/netlink.h, rtnetlink.h, if_link.h.

export const headerBytes = 16;
const interfaceHeaderBytes = 16;
const attributeHeaderBytes = 4;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
const NLA_F_NESTED = 0x8000;
export const NLM_F_DUMP = 0x300;
export const NLM_F_DUMP_INTR = 0x10;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const IFLA_XDP = 43;
const IFLA_INFO_KIND = 1;
const IFLA_XDP_FD = 1;
const IFLA_XDP_ATTACHED = 2;
const IFLA_XDP_FLAGS = 3;
const IFLA_XDP_PROG_ID = 4;
const IFLA_XDP_DRV_PROG_ID = 5;
const IFLA_XDP_SKB_PROG_ID = 6;
const IFLA_XDP_HW_PROG_ID = 7;
const IFLA_XDP_EXPECTED_FD = 8;
const XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
const XDP_FLAGS_REPLACE = 16;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFF_UP = 1;
/** bit 15: nested, bit 14: network byte order */
const attributeTypeMask = 0x3fff;

/** XDP_ATTACHED_DRV, _SKB, _HW, _MULTI */
const xdpModes = [undefined, "native", "generic", "offload", "multi"] as const;
export type AttachedXdpMode = Exclude<(typeof xdpModes)[number], undefined>;

export interface LinkInterface {
    readonly name: string;
    readonly ifindex: number;
    /** set up by the administrator (IFF_UP), with or without a carrier */
    readonly up: boolean;
    readonly mtu: number;
    /** empty where it has none */
    readonly mac: string;
    /** veth, bridge, …; empty for hardware and loopback */
    readonly kind: string;
    /** the XDP program at the interface; with several (multi) the driver's, else the hardware's */
    readonly xdp: { readonly mode: AttachedXdpMode; readonly programId: number } | undefined;
}

export interface Message {
    readonly type: number;
    readonly flags: number;
    readonly sequence: number;
    readonly payload: Buffer;
}

/** A request for every interface of the namespace, without the statistics that make most of an answer. */
export function dumpRequest(sequence: number): Buffer {
    const message = Buffer.alloc(headerBytes + interfaceHeaderBytes + attributeHeaderBytes + 4);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(RTM_GETLINK, 4);
    message.writeUInt16LE(NLM_F_REQUEST | NLM_F_DUMP, 6);
    message.writeUInt32LE(sequence, 8);
    const attribute = headerBytes + interfaceHeaderBytes;
    message.writeUInt16LE(attributeHeaderBytes + 4, attribute);
    message.writeUInt16LE(IFLA_EXT_MASK, attribute + 2);
    message.writeUInt32LE(RTEXT_FILTER_SKIP_STATS, attribute + attributeHeaderBytes);
    return message;
}

export interface XdpChange {
    readonly ifindex: number;
    /** descriptor of the program; -1: none */
    readonly program: number;
    /** descriptor of the program that must be there; -1: none must be */
    readonly expected: number;
    /** XDP_FLAGS_SKB_MODE or XDP_FLAGS_DRV_MODE */
    readonly flags: number;
}

/** A request to put an XDP program to an interface, only if the expected one is there (net/core/dev.c, dev_xdp_attach). */
export function xdpRequest(sequence: number, { ifindex, program, expected, flags }: XdpChange): Buffer {
    const first = expected < 0;
    const values: [type: number, value: number][] = [
        [IFLA_XDP_FD, program],
        [IFLA_XDP_FLAGS, flags | (first ? XDP_FLAGS_UPDATE_IF_NOEXIST : XDP_FLAGS_REPLACE)],
        ...(first ? [] : ([[IFLA_XDP_EXPECTED_FD, expected]] satisfies [number, number][])),
    ];
    const nestedAt = headerBytes + interfaceHeaderBytes;
    const valueBytes = attributeHeaderBytes + 4;
    const message = Buffer.alloc(nestedAt + attributeHeaderBytes + values.length * valueBytes);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(RTM_SETLINK, 4);
    message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
    message.writeUInt32LE(sequence, 8);
    message.writeInt32LE(ifindex, headerBytes + 4);
    message.writeUInt16LE(message.length - nestedAt, nestedAt);
    message.writeUInt16LE(IFLA_XDP | NLA_F_NESTED, nestedAt + 2);
    for (const [index, [type, value]] of values.entries()) {
        const at = nestedAt + attributeHeaderBytes + index * valueBytes;
        message.writeUInt16LE(valueBytes, at);
        message.writeUInt16LE(type, at + 2);
        message.writeInt32LE(value, at + attributeHeaderBytes);
    }
    return message;
}

/** The messages of one datagram; one that is cut off ends the list. */
export function* messages(bytes: Buffer): Generator<Message> {
    for (let at = 0; at + headerBytes <= bytes.length; ) {
        const length = bytes.readUInt32LE(at);
        if (length < headerBytes || at + length > bytes.length) return;
        yield {
            type: bytes.readUInt16LE(at + 4),
            flags: bytes.readUInt16LE(at + 6),
            sequence: bytes.readUInt32LE(at + 8),
            payload: bytes.subarray(at + headerBytes, at + length),
        };
        at += (length + 3) & ~3;
    }
}

export function attributes(bytes: Buffer): Map<number, Buffer> {
    const found = new Map<number, Buffer>();
    for (let at = 0; at + attributeHeaderBytes <= bytes.length; ) {
        const length = bytes.readUInt16LE(at);
        if (length < attributeHeaderBytes || at + length > bytes.length) break;
        found.set(
            bytes.readUInt16LE(at + 2) & attributeTypeMask,
            bytes.subarray(at + attributeHeaderBytes, at + length),
        );
        at += (length + 3) & ~3;
    }
    return found;
}

export function text(bytes: Buffer | undefined): string {
    if (bytes === undefined) return "";
    const end = bytes.indexOf(0);
    return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

export function number(bytes: Buffer | undefined): number | undefined {
    return bytes !== undefined && bytes.length >= 4 ? bytes.readUInt32LE(0) : undefined;
}

function attachedXdp(nested: Buffer | undefined): LinkInterface["xdp"] {
    if (nested === undefined) return undefined;
    const found = attributes(nested);
    const mode = xdpModes[found.get(IFLA_XDP_ATTACHED)?.[0] ?? 0];
    if (mode === undefined) return undefined;
    const ids = [IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_HW_PROG_ID, IFLA_XDP_SKB_PROG_ID];
    const programId = ids.map(id => number(found.get(id))).find(id => id !== undefined && id !== 0);
    return { mode, programId: programId ?? 0 };
}

/** What the payload of RTM_NEWLINK or RTM_DELLINK says; undefined where it is too short to say anything. */
export function parseInterface(payload: Buffer): LinkInterface | undefined {
    if (payload.length < interfaceHeaderBytes) return undefined;
    const found = attributes(payload.subarray(interfaceHeaderBytes));
    const info = found.get(IFLA_LINKINFO);
    const mac = found.get(IFLA_ADDRESS);
    return {
        name: text(found.get(IFLA_IFNAME)),
        ifindex: payload.readInt32LE(4),
        up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
        mtu: number(found.get(IFLA_MTU)) ?? 0,
        mac: mac === undefined ? "" : Array.from(mac, byte => byte.toString(16).padStart(2, "0")).join(":"),
        kind: info === undefined ? "" : text(attributes(info).get(IFLA_INFO_KIND)),
        xdp: attachedXdp(found.get(IFLA_XDP)),
    };
}

export interface InterfaceEvent {
    /** lost: notifications were dropped, so anything may have happened */
    readonly kind: "created" | "changed" | "deleted" | "lost";
    /** 0 and empty for lost */
    readonly ifindex: number;
    readonly name: string;
}

/** The events of one datagram of notifications. */
export function interfaceEvents(bytes: Buffer): InterfaceEvent[] {
    const events: InterfaceEvent[] = [];
    for (const { type, payload } of messages(bytes)) {
        if (type === NLMSG_OVERRUN) events.push({ kind: "lost", ifindex: 0, name: "" });
        if (type !== RTM_NEWLINK && type !== RTM_DELLINK) continue;
        const found = parseInterface(payload);
        // a bridge tells of its ports with its own family; the interface itself is as it was
        if (found === undefined || payload[0] !== 0) continue;
        // ifi_change of all ones: the device is new (register_netdevice, rtnl_configure_link in net/core)
        const fresh = payload.readUInt32LE(12) === 0xffffffff;
        const kind = type === RTM_DELLINK ? "deleted" : fresh ? "created" : "changed";
        events.push({ kind, ifindex: found.ifindex, name: found.name });
    }
    return events;
}
