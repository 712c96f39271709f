// SPDX-License-Identifier: Apache-2.0
// Map types, each probed by the smallest map of its kind.
import { mapTypeNumbers } from "../enums.ts";
import { Fd } from "../fd.ts";
import { createMap, type MapProbe } from "./probe.ts";
import { type Answer, answer, type Bench, needs, no, type Probe } from "./probe-answer.ts";

const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;

type MapTypeName = keyof typeof mapTypeNumbers;

function map(since: string, type: MapTypeName, more: Omit<Partial<MapProbe>, "type"> = {}, option?: string): Probe {
    const run = (): Answer => answer(createMap({ type: mapTypeNumbers[type], ...more }));
    return { name: `map/${type}`, since, run, ...needs(option) };
}

function mapOfMaps(type: "array_of_maps" | "hash_of_maps"): Probe {
    return {
        name: `map/${type}`,
        since: "4.12",
        run() {
            const made = createMap({ type: mapTypeNumbers.array });
            if (made < 0) return answer(made);
            using inner = new Fd(made);
            return answer(createMap({ type: mapTypeNumbers[type], inner }));
        },
    };
}

/** Storage maps take no entries of their own, and their types must be known. */
function storage(since: string, type: MapTypeName, option?: string): Probe {
    const run = ({ btf }: Bench): Answer => {
        if (btf === undefined) return no("EINVAL", "The kernel takes no BTF of maps.");
        return answer(createMap({ type: mapTypeNumbers[type], maxEntries: 0, flags: BPF_F_NO_PREALLOC, btf }));
    };
    return { name: `map/${type}`, since, run, ...needs(option) };
}

/** a whole number of pages, also where a page has 64 KiB */
const ring = { keySize: 0, valueSize: 0, maxEntries: 64 << 10 };
const cgroupStorage = { keySize: 8, maxEntries: 0 };
export const mapProbes: readonly Probe[] = [
    map("3.19", "hash"),
    map("3.19", "array"),
    map("4.2", "prog_array"),
    map("4.3", "perf_event_array", {}, "CONFIG_PERF_EVENTS"),
    map("4.6", "percpu_hash"),
    map("4.6", "percpu_array"),
    map("4.6", "stack_trace", { valueSize: 8 }, "CONFIG_PERF_EVENTS"),
    map("4.8", "cgroup_array", {}, "CONFIG_CGROUPS"),
    map("4.10", "lru_hash"),
    map("4.10", "lru_percpu_hash"),
    map("4.11", "lpm_trie", { keySize: 8, flags: BPF_F_NO_PREALLOC }),
    mapOfMaps("array_of_maps"),
    mapOfMaps("hash_of_maps"),
    map("4.14", "devmap"),
    map("4.14", "sockmap"),
    map("4.15", "cpumap"),
    map("4.18", "xskmap", {}, "CONFIG_XDP_SOCKETS"),
    map("4.18", "sockhash"),
    map("4.19", "cgroup_storage", cgroupStorage, "CONFIG_CGROUP_BPF"),
    map("4.19", "reuseport_sockarray", { valueSize: 8 }),
    map("4.20", "percpu_cgroup_storage", cgroupStorage, "CONFIG_CGROUP_BPF"),
    map("4.20", "queue", { keySize: 0 }),
    map("4.20", "stack", { keySize: 0 }),
    storage("5.2", "sk_storage"),
    map("5.4", "devmap_hash"),
    map("5.8", "ringbuf", ring),
    storage("5.10", "inode_storage", "CONFIG_BPF_LSM"),
    storage("5.11", "task_storage"),
    map("5.16", "bloom_filter", { keySize: 0 }),
    map("6.1", "user_ringbuf", ring),
    storage("6.2", "cgrp_storage", "CONFIG_CGROUPS"),
    map("6.9", "arena", { keySize: 0, valueSize: 0, flags: BPF_F_MMAPABLE }, "CONFIG_MMU"),
];
