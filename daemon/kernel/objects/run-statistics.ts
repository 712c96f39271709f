// SPDX-License-Identifier: Apache-2.0
// The kernel's run statistics: it counts runs and time of every program while one descriptor of BPF_ENABLE_STATS is
// open, whoever holds it, or while the sysctl kernel.bpf_stats_enabled is on.
import fs from "node:fs";
import type { ProgramId } from "../../model/ids.ts";
import type { RunCounts } from "../../model/statistics.ts";
import { check } from "../errors.ts";
import { Fd } from "../fd.ts";
import { address, errno, errnoName, libc } from "../ffi.ts";

const BPF_PROG_GET_FD_BY_ID = 13;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_ENABLE_STATS = 32;
const BPF_STATS_RUN_TIME = 0;

/** What keeps the kernel counting until it is closed; else why it does not count, one sentence. */
export function enableRunStatistics(): Fd | string {
    const attr = Buffer.alloc(4);
    attr.writeUInt32LE(BPF_STATS_RUN_TIME, 0);
    // the kernel makes it close-on-exec (kernel/bpf/syscall.c, bpf_enable_runtime_stats)
    const result = libc.bpf(BPF_ENABLE_STATS, attr);
    if (result >= 0) return new Fd(result);
    const name = errnoName(result);
    const why =
        name === "EPERM"
            ? "this daemon lacks the capability CAP_SYS_ADMIN"
            : name === "EINVAL"
              ? "it knows no BPF_ENABLE_STATS (Linux 5.8)"
              : "BPF_ENABLE_STATS failed";
    return `the kernel does not count runs: ${why} (${name})`;
}

/** kernel.bpf_stats_enabled: whether the administrator has the kernel count all the time. */
export const countsAlways = (): boolean =>
    fs.readFileSync("/proc/sys/kernel/bpf_stats_enabled", "latin1").trim() !== "0";

/** struct bpf_prog_info up to run_cnt: the kernel tells what there is room for. */
const infoBuffer = Buffer.alloc(208);
const infoAttr = Buffer.alloc(16);
infoAttr.writeUInt32LE(infoBuffer.length, 4);
infoAttr.writeBigUInt64LE(address(infoBuffer), 8);
const idAttr = Buffer.alloc(12);

/**
 * undefined where there is no such program any more. Called for every program of the host at each look: nothing is made
 * that the next call can use again.
 */
export function runCounts(id: ProgramId): RunCounts | undefined {
    idAttr.fill(0);
    idAttr.writeUInt32LE(id, 0);
    const fd = libc.bpf(BPF_PROG_GET_FD_BY_ID, idAttr);
    if (fd === -(errno["ENOENT"] ?? 2)) return undefined;
    check(fd, `open program ${id}`);
    infoBuffer.fill(0);
    infoAttr.writeUInt32LE(fd, 0);
    infoAttr.writeUInt32LE(infoBuffer.length, 4);
    const result = libc.bpf(BPF_OBJ_GET_INFO_BY_FD, infoAttr);
    libc.close(fd);
    check(result, `read the run statistics of program ${id}`);
    return { timeNs: infoBuffer.readBigUInt64LE(192), runs: infoBuffer.readBigUInt64LE(200) };
}
