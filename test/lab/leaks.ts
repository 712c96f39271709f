// SPDX-License-Identifier: Apache-2.0
// What a test must leave as it found it. Set BPFMAN_TEST_SHARED=1 where others load programs at the same time: then only
// what the daemon itself made is looked at.
import assert from "node:assert/strict";
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as bpf from "../../daemon/kernel/bpf.ts";

export interface Snapshot {
    readonly programs: readonly number[];
    readonly links: readonly number[];
    readonly maps: readonly number[];
    readonly namespaces: readonly string[];
    readonly mounts: readonly string[];
}

const list = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []);

function bpffsMounts(): string[] {
    const lines = fs.readFileSync("/proc/self/mounts", "utf8").split("\n");
    return lines.filter(line => line.includes(" bpf ")).map(line => line.split(" ")[1] ?? "");
}

export function snapshot(): Snapshot {
    return {
        programs: bpf.programIds(),
        links: bpf.linkIds(),
        maps: bpf.mapIds(),
        namespaces: list("/run/netns"),
        mounts: bpffsMounts(),
    };
}

/** The kernel frees some objects a moment later: waits for it, then asserts. */
export async function assertNothingLeft(before: Snapshot): Promise<void> {
    if (process.env["BPFMAN_TEST_SHARED"] === "1") return;
    const fresh = (now: readonly unknown[], then: readonly unknown[]) => now.filter(item => !then.includes(item));
    for (let waited = 0; ; waited += 50) {
        const now = snapshot();
        const left = {
            programs: fresh(now.programs, before.programs),
            links: fresh(now.links, before.links),
            maps: fresh(now.maps, before.maps),
            namespaces: fresh(now.namespaces, before.namespaces),
            mounts: fresh(now.mounts, before.mounts),
        };
        const nothing = { programs: [], links: [], maps: [], namespaces: [], mounts: [] };
        if (waited < 5000 && JSON.stringify(left) !== JSON.stringify(nothing)) await sleep(50);
        else {
            assert.deepEqual(left, nothing, "left behind");
            return;
        }
    }
}

/** Descriptors of bpf objects that a process holds; a daemon between calls holds none. */
export function bpfDescriptors(pid: number): string[] {
    return fs.readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
        try {
            const target = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
            return /^anon_inode:.*(bpf|perf_event|btf)/.test(target) ? [`${fd} ${target}`] : [];
        } catch {
            // closed since the folder was read
            return [];
        }
    });
}
