// SPDX-License-Identifier: Apache-2.0
// BPF filters of classic traffic control at the interfaces of the calling thread's network namespace: what tc filter
// shows. Layouts: struct tcmsg of include/uapi/linux/rtnetlink.h, and pkt_cls.h.
import type { Direction, ProgramId } from "../model.ts";
import { dumpMessages } from "./netlink.ts";
import { attributes, number, text } from "./netlink-messages.ts";

const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
const tcmsgBytes = 20;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_ID = 11;
/** the clsact qdisc with its two hooks */
const parents: readonly (readonly [Direction, number])[] = [
    ["ingress", 0xffff_fff2],
    ["egress", 0xffff_fff3],
];

export interface TcFilter {
    readonly ifindex: number;
    readonly direction: Direction;
    readonly priority: number;
    readonly programId: ProgramId;
}

export function tcFilters(ifindexes: readonly number[]): TcFilter[] {
    const found = new Map<string, TcFilter>();
    for (const ifindex of ifindexes)
        for (const [direction, parent] of parents) {
            const body = Buffer.alloc(tcmsgBytes);
            body.writeInt32LE(ifindex, 4);
            body.writeUInt32LE(parent, 12);
            for (const { type, payload } of dumpMessages(RTM_GETTFILTER, body, "list the filters of tc")) {
                if (type !== RTM_NEWTFILTER || payload.length < tcmsgBytes) continue;
                const parts = attributes(payload.subarray(tcmsgBytes));
                const options = parts.get(TCA_OPTIONS);
                if (text(parts.get(TCA_KIND)) !== "bpf" || options === undefined) continue;
                const programId = number(attributes(options).get(TCA_BPF_ID));
                // the filter's chain comes first, without a program
                if (programId === undefined) continue;
                const priority = payload.readUInt32LE(16) >>> 16;
                const key = `${ifindex} ${direction} ${priority} ${programId}`;
                found.set(key, { ifindex, direction, priority, programId: programId as ProgramId });
            }
        }
    return [...found.values()];
}
