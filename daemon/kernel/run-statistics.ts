// SPDX-License-Identifier: Apache-2.0
// The kernel's run statistics: it counts runs and time of every program while one descriptor of BPF_ENABLE_STATS is
// open, whoever holds it, or while the sysctl kernel.bpf_stats_enabled is on.
import fs from "node:fs";
import type { ProgramId, RunCounts } from "../model.ts";
import { openProgram, programRunStats } from "./bpf.ts";
import { Fd } from "./fd.ts";
import { errnoName, libc } from "./ffi.ts";

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

/** Whether the administrator has the kernel count all the time. */
export function countsAlways(): boolean {
    return fs.readFileSync("/proc/sys/kernel/bpf_stats_enabled", "latin1").trim() === "1";
}

/** undefined where there is no such program any more. */
export function runCounts(id: ProgramId): RunCounts | undefined {
    using fd = openProgram(id);
    if (fd === undefined) return undefined;
    const { runCount, runTimeNs } = programRunStats(fd);
    return { runs: runCount, timeNs: runTimeNs };
}

/** CPUs that are online now. */
export function onlineCpus(): number {
    const ranges = fs.readFileSync("/sys/devices/system/cpu/online", "latin1").trim().split(",");
    return ranges.reduce((sum, range) => {
        const [first = 0, last = first] = range.split("-").map(Number);
        return sum + last - first + 1;
    }, 0);
}
