// SPDX-License-Identifier: Apache-2.0
// Who holds BPF objects, read from /proc: slower than the iterator, and works where the kernel refuses that. Bounded in
// time: a host may have a hundred thousand descriptors.
import fs from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { HeldKind, Holding } from "./owner-iterator.ts";

/** What the link of a descriptor says (anon_inode_getfd in kernel/bpf), and where fdinfo has the id. */
const link = { kind: "link", key: /^link_id:\s*(\d+)/m } as const;
const kinds: Readonly<Record<string, { readonly kind: HeldKind; readonly key: RegExp }>> = {
    "anon_inode:bpf-prog": { kind: "program", key: /^prog_id:\s*(\d+)/m },
    "anon_inode:bpf-map": { kind: "map", key: /^map_id:\s*(\d+)/m },
    "anon_inode:bpf_link": link,
    "anon_inode:bpf-link": link,
    "anon_inode:btf": { kind: "btf", key: /^btf_id:\s*(\d+)/m },
};

export interface ScannedHoldings {
    readonly holdings: Holding[];
    /** the time was over before all processes were looked at */
    readonly cut: boolean;
}

export async function scanDescriptors(maxMs: number, proc = "/proc"): Promise<ScannedHoldings> {
    const holdings: Holding[] = [];
    const until = performance.now() + maxMs;
    for (const entry of fs.readdirSync(proc)) {
        const pid = Number(entry);
        if (!Number.isInteger(pid) || pid === process.pid) continue;
        if (performance.now() > until) return { holdings, cut: true };
        holdings.push(...ofProcess(proc, pid));
        await yieldToOthers();
    }
    return { holdings, cut: false };
}

function ofProcess(proc: string, pid: number): Holding[] {
    const found = new Map<string, Holding>();
    let descriptors: string[];
    try {
        descriptors = fs.readdirSync(`${proc}/${pid}/fd`);
    } catch {
        // gone meanwhile, or not to be looked at
        return [];
    }
    for (const descriptor of descriptors) {
        try {
            const known = kinds[fs.readlinkSync(`${proc}/${pid}/fd/${descriptor}`)];
            if (known === undefined) continue;
            const text = fs.readFileSync(`${proc}/${pid}/fdinfo/${descriptor}`, "latin1");
            const id = Number(known.key.exec(text)?.[1] ?? 0);
            if (id > 0) found.set(`${known.kind} ${id}`, { kind: known.kind, id, pid });
        } catch {
            // closed meanwhile
        }
    }
    return [...found.values()];
}
