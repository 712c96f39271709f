// SPDX-License-Identifier: Apache-2.0
// Programs that a process put to a perf event without a link, as older tools do: the kernel tells them by the process's
// descriptor (BPF_TASK_FD_QUERY).
import fs from "node:fs";
import type { ProgramId } from "../../model/ids.ts";
import { address, libc } from "../ffi.ts";

const BPF_TASK_FD_QUERY = 20;
const maxDescriptors = 4096;
/** enum bpf_task_fd_type */
const words = ["raw_tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe"];

export interface TaskEvent {
    readonly programId: ProgramId;
    /** as "kprobe do_sys_open" */
    readonly hook: string;
}

export function taskEvents(pid: number): TaskEvent[] {
    let descriptors: string[];
    try {
        descriptors = fs.readdirSync(`/proc/${pid}/fd`).slice(0, maxDescriptors);
    } catch {
        return [];
    }
    return descriptors.flatMap(descriptor => {
        try {
            if (!fs.readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith("anon_inode:[perf_event]")) return [];
        } catch {
            return [];
        }
        const name = Buffer.alloc(1024);
        const attr = Buffer.alloc(48);
        attr.writeUInt32LE(pid, 0);
        attr.writeUInt32LE(Number(descriptor), 4);
        attr.writeUInt32LE(name.length, 12);
        attr.writeBigUInt64LE(address(name), 16);
        if (libc.bpf(BPF_TASK_FD_QUERY, attr) < 0) return [];
        const programId = attr.readUInt32LE(24) as ProgramId;
        const word = words[attr.readUInt32LE(28)];
        if (programId === 0 || word === undefined) return [];
        const offset = attr.readBigUInt64LE(32);
        const target = name.toString("utf8", 0, Math.max(0, name.indexOf(0)));
        return [{ programId, hook: `${word} ${target}${offset === 0n ? "" : `+${offset}`}` }];
    });
}
