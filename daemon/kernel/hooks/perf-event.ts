// SPDX-License-Identifier: Apache-2.0
// perf_event_open(2): the events that kprobes, uprobes, tracepoints and samples are to BPF. Offsets are those of
// struct perf_event_attr in include/uapi/linux/perf_event.h.
import fs from "node:fs";
import { address, libc } from "../ffi.ts";

const PERF_FLAG_FD_CLOEXEC = 8;
/** PERF_ATTR_SIZE_VER5, Linux 4.1: newer kernels take it, and nothing here needs more */
const attrBytes = 112;
const PERF_TYPE_HARDWARE = 0;
const PERF_TYPE_SOFTWARE = 1;
const PERF_TYPE_TRACEPOINT = 2;
/** bit of the flags at 40 */
const FREQ = 1n << 10n;

export type PerfEvent =
    | { readonly kind: "tracepoint"; readonly id: number }
    | {
          readonly kind: "kprobe";
          readonly pmu: number;
          readonly function: string;
          readonly offset: number;
          readonly atReturn: boolean;
      }
    | {
          readonly kind: "uprobe";
          readonly pmu: number;
          readonly path: string;
          readonly offset: number;
          readonly atReturn: boolean;
      }
    | {
          readonly kind: "sample";
          readonly type: number;
          readonly config: number;
          readonly frequencyHz: number;
          readonly period: number;
      };

/** By the names that perf list shows. */
export const sampleEvents: Readonly<Record<string, { readonly type: number; readonly config: number }>> = {
    "cpu-clock": { type: PERF_TYPE_SOFTWARE, config: 0 },
    "task-clock": { type: PERF_TYPE_SOFTWARE, config: 1 },
    "page-faults": { type: PERF_TYPE_SOFTWARE, config: 2 },
    "context-switches": { type: PERF_TYPE_SOFTWARE, config: 3 },
    "cpu-migrations": { type: PERF_TYPE_SOFTWARE, config: 4 },
    "minor-faults": { type: PERF_TYPE_SOFTWARE, config: 5 },
    "major-faults": { type: PERF_TYPE_SOFTWARE, config: 6 },
    "alignment-faults": { type: PERF_TYPE_SOFTWARE, config: 7 },
    "emulation-faults": { type: PERF_TYPE_SOFTWARE, config: 8 },
    cycles: { type: PERF_TYPE_HARDWARE, config: 0 },
    instructions: { type: PERF_TYPE_HARDWARE, config: 1 },
    "cache-references": { type: PERF_TYPE_HARDWARE, config: 2 },
    "cache-misses": { type: PERF_TYPE_HARDWARE, config: 3 },
    branches: { type: PERF_TYPE_HARDWARE, config: 4 },
    "branch-misses": { type: PERF_TYPE_HARDWARE, config: 5 },
    "bus-cycles": { type: PERF_TYPE_HARDWARE, config: 6 },
    "ref-cycles": { type: PERF_TYPE_HARDWARE, config: 9 },
};

/** The number of a dynamic event source; undefined where this kernel has none of that name. */
export function pmuType(name: "kprobe" | "uprobe"): number | undefined {
    try {
        return Number(fs.readFileSync(`/sys/bus/event_source/devices/${name}/type`, "latin1"));
    } catch {
        return undefined;
    }
}

/** "0-3,6" as the kernel writes sets of CPUs. */
export function parseCpus(list: string): number[] {
    return list
        .trim()
        .split(",")
        .filter(part => part !== "")
        .flatMap(part => {
            const [first = 0, last = first] = part.split("-").map(Number);
            return Array.from({ length: last - first + 1 }, (_, index) => first + index);
        });
}

export const onlineCpus = (): number[] => parseCpus(fs.readFileSync("/sys/devices/system/cpu/online", "latin1"));

/** An event of all processes (pid -1) on a CPU, or of one process on every CPU (cpu -1): a descriptor or -errno. */
export function openPerfEvent(event: PerfEvent, pid: number, cpu: number): number {
    const attr = Buffer.alloc(attrBytes);
    attr.writeUInt32LE(attr.length, 4);
    // what config1 points to; the kernel copies it during the call
    let name: Buffer | undefined;
    switch (event.kind) {
        case "tracepoint":
            attr.writeUInt32LE(PERF_TYPE_TRACEPOINT, 0);
            attr.writeBigUInt64LE(BigInt(event.id), 8);
            attr.writeBigUInt64LE(1n, 16);
            break;
        case "kprobe":
        case "uprobe":
            attr.writeUInt32LE(event.pmu, 0);
            // /sys/bus/event_source/devices/{k,u}probe/format/retprobe: config:0
            attr.writeBigUInt64LE(event.atReturn ? 1n : 0n, 8);
            name = Buffer.from(`${event.kind === "kprobe" ? event.function : event.path}\0`);
            attr.writeBigUInt64LE(address(name), 56);
            attr.writeBigUInt64LE(BigInt(event.offset), 64);
            break;
        case "sample":
            attr.writeUInt32LE(event.type, 0);
            attr.writeBigUInt64LE(BigInt(event.config), 8);
            attr.writeBigUInt64LE(BigInt(event.frequencyHz > 0 ? event.frequencyHz : event.period), 16);
            if (event.frequencyHz > 0) attr.writeBigUInt64LE(FREQ, 40);
            break;
    }
    return libc.perfEventOpen(attr, pid, cpu, PERF_FLAG_FD_CLOEXEC);
}
