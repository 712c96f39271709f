// SPDX-License-Identifier: Apache-2.0
// Where a link of the kernel is attached, as its information says. Offsets are those of struct bpf_link_info in
// include/uapi/linux/bpf.h of Linux 6.18; a kernel that does not know a field leaves zeros.
import { attachTypeName, linkTypeName, linkTypeNumbers as types } from "../enums.ts";
import { check } from "../errors.ts";
import type { Fd } from "../fd.ts";
import { address, libc } from "../ffi.ts";
import { sampleEvents } from "./perf-event.ts";

export type LinkPlace =
    /** all that there is to say */
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "interface"; readonly hook: string; readonly ifindex: number }
    | { readonly kind: "cgroup"; readonly attachType: string; readonly cgroupId: bigint }
    | {
          readonly kind: "tracing";
          readonly attachType: string;
          /** of a BTF object; of freplace of a program */
          readonly objectId: number;
          readonly typeId: number;
      }
    | { readonly kind: "netns"; readonly attachType: string; readonly nsid: number }
    | { readonly kind: "map"; readonly hook: string; readonly mapId: number };

const BPF_OBJ_GET_INFO_BY_FD = 15;
const infoBytes = 128;
const name = Buffer.alloc(4096);

/** 0 or -errno. */
function ask(fd: Fd, info: Buffer): number {
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(fd.number, 0);
    attr.writeUInt32LE(info.length, 4);
    attr.writeBigUInt64LE(address(info), 8);
    return libc.bpf(BPF_OBJ_GET_INFO_BY_FD, attr);
}

function read(fd: Fd): Buffer {
    const info = Buffer.alloc(infoBytes);
    check(ask(fd, info), "read a link's information");
    return info;
}

export const linkIdOf = (fd: Fd): number => read(fd).readUInt32LE(4);

/**
 * Reads again with a buffer for a name, whose address and length go to these offsets. The name is empty where the kernel
 * has no such fields: it refuses what is not zero behind the end of its own structure (E2BIG), or leaves it.
 */
function withName(fd: Fd, addressAt: number, lengthAt: number): { info: Buffer; text: string } {
    const info = Buffer.alloc(infoBytes);
    name.fill(0);
    info.writeBigUInt64LE(address(name), addressAt);
    info.writeUInt32LE(name.length, lengthAt);
    if (ask(fd, info) < 0) return { info: read(fd), text: "" };
    return { info, text: name.toString("utf8", 0, Math.max(0, name.indexOf(0))) };
}

const direction = (attach: string): string => attach.replace(/^(tcx|netkit)_/, "$1 ");

export function linkPlace(fd: Fd): LinkPlace {
    const info = read(fd);
    const type = info.readUInt32LE(0);
    const text = (words: string): LinkPlace => ({ kind: "text", text: words });
    switch (type) {
        case types.raw_tracepoint:
            return text(`raw_tracepoint ${withName(fd, 16, 24).text}`);
        case types.tracing:
            return {
                kind: "tracing",
                attachType: attachTypeName(info.readUInt32LE(16)),
                objectId: info.readUInt32LE(20),
                typeId: info.readUInt32LE(24),
            };
        case types.cgroup:
            return {
                kind: "cgroup",
                cgroupId: info.readBigUInt64LE(16),
                attachType: attachTypeName(info.readUInt32LE(24)),
            };
        case types.iter:
            return text(`iter ${withName(fd, 16, 24).text}`);
        case types.netns:
            return { kind: "netns", nsid: info.readUInt32LE(16), attachType: attachTypeName(info.readUInt32LE(20)) };
        case types.xdp:
            return { kind: "interface", hook: "xdp", ifindex: info.readUInt32LE(16) };
        case types.tcx:
        case types.netkit: {
            const hook = direction(attachTypeName(info.readUInt32LE(20)));
            return { kind: "interface", hook, ifindex: info.readUInt32LE(16) };
        }
        case types.struct_ops:
            return { kind: "map", hook: "struct_ops", mapId: info.readUInt32LE(16) };
        case types.sockmap:
            return { kind: "map", hook: attachTypeName(info.readUInt32LE(20)), mapId: info.readUInt32LE(16) };
        case types.netfilter: {
            const family = families[info.readUInt32LE(16)] ?? `family ${info.readUInt32LE(16)}`;
            const hook = netfilterHooks[info.readUInt32LE(20)] ?? `hook ${info.readUInt32LE(20)}`;
            return text(`netfilter ${family} ${hook} priority ${info.readInt32LE(24)}`);
        }
        case types.kprobe_multi: {
            const count = info.readUInt32LE(24);
            return text(`${(info.readUInt32LE(28) & 1) !== 0 ? "kretprobe" : "kprobe"} on ${count} functions`);
        }
        case types.uprobe_multi: {
            const { info: more, text: path } = withName(fd, 16, 48);
            const probe = (more.readUInt32LE(56) & 1) !== 0 ? "uretprobe" : "uprobe";
            return text(`${probe} ${path} (${more.readUInt32LE(52)} places)`);
        }
        case types.perf_event:
            return text(perfText(fd));
        default:
            return text(linkTypeName(type));
    }
}

const families: Readonly<Record<number, string>> = { 2: "ipv4", 10: "ipv6" };
const netfilterHooks = ["prerouting", "input", "forward", "output", "postrouting"];
/** enum bpf_perf_event_type */
const perfTypes = ["", "uprobe", "uretprobe", "kprobe", "kretprobe", "tracepoint"];
const PERF_EVENT = 6;

/** What a perf event is, from Linux 6.6 on. */
function perfText(fd: Fd): string {
    const { info, text } = withName(fd, 24, 32);
    const type = info.readUInt32LE(16);
    if (type === PERF_EVENT) {
        const config = Number(info.readBigUInt64LE(24));
        const eventType = info.readUInt32LE(32);
        const known = Object.entries(sampleEvents).find(
            ([, event]) => event.type === eventType && event.config === config,
        );
        return `perf_event ${known?.[0] ?? `type ${eventType} config ${config}`}`;
    }
    const word = perfTypes[type] ?? "";
    if (word === "") return "perf_event";
    const offset = word === "tracepoint" ? 0 : info.readUInt32LE(36);
    return `${word} ${text}${offset === 0 ? "" : `+${offset}`}`;
}
