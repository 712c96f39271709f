// SPDX-License-Identifier: Apache-2.0
// BPF_PROG_TEST_RUN: a program on a packet, without an interface. Offsets are those of union bpf_attr's "test" part in
// include/uapi/linux/bpf.h.
import type { Fd } from "../fd.ts";
import { address, libc } from "../ffi.ts";

const BPF_PROG_TEST_RUN = 10;
/** a program may make a packet longer: net/core/filter.c, __bpf_skb_max_len, and a frame's room for XDP */
const moreBytes = 64 << 10;

export interface RawRun {
    readonly returnCode: number;
    readonly packet: Uint8Array;
    /** the mean of all runs */
    readonly nsPerRun: number;
}

/** -errno where the kernel refuses. The packet is that after the last run: each run gets what the one before left. */
export function runOnPacket(program: Fd, packet: Uint8Array, repeat: number): RawRun | number {
    const out = Buffer.alloc(packet.length + moreBytes);
    const attr = Buffer.alloc(80);
    attr.writeInt32LE(program.number, 0);
    attr.writeUInt32LE(packet.length, 8);
    attr.writeUInt32LE(out.length, 12);
    attr.writeBigUInt64LE(address(packet), 16);
    attr.writeBigUInt64LE(address(out), 24);
    attr.writeUInt32LE(repeat, 32);
    const result = libc.bpf(BPF_PROG_TEST_RUN, attr);
    if (result < 0) return result;
    return {
        returnCode: attr.readUInt32LE(4),
        packet: Uint8Array.from(out.subarray(0, attr.readUInt32LE(12))),
        nsPerRun: attr.readUInt32LE(36),
    };
}
