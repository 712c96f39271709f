// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "../ui/rows.ts";
import { inventoryRows, othersKey, searchTexts, sharesBy } from "./inventory.ts";

const rows = inventoryRows({
    programs: [
        {
            kernel: { id: 3, name: "restrict_filesy", typeName: "lsm", memlockBytes: 4096 },
            name: "restrict_filesystems",
            pids: [1],
            owner: "systemd",
            hooks: ["lsm file_open"],
        },
        { kernel: { id: 9, name: "", typeName: "kprobe", memlockBytes: 8192 }, pids: [50, 51], owner: "bpftrace" },
    ],
    maps: [{ map: { id: 4, name: "cgroup_hash", typeName: "hash_of_maps", memlockBytes: 100 }, owner: "systemd" }],
    links: [{ kernel: { id: 2, type: "tracing", programId: 3 }, hook: "lsm file_open", managedLinkId: 5 }],
    btf: [{ id: 1, name: "vmlinux", kernel: true, sizeBytes: 5_000_000 }],
    processes: [
        { pid: 1, name: "systemd", unit: "init.scope" },
        { pid: 50, name: "bpftrace", unit: "session-1.scope", container: "web", containerRuntime: "podman" },
        { pid: 51, name: "bpftrace", unit: "session-1.scope" },
    ],
});

test("every kind is a row, with what its processes tell", () => {
    assert.deepEqual(
        rows.map(row => row.key),
        ["program 3", "program 9", "map 4", "link 2", "btf 1"],
    );
    const [, traced, , link, btf] = rows;
    assert.equal(rows[0]?.name, "restrict_filesystems", "the whole name by BTF");
    assert.deepEqual(traced?.units, ["session-1.scope"], "each unit once");
    assert.deepEqual(traced?.containers, ["web"]);
    assert.deepEqual(
        [link?.managed, link?.managedLinkId, link?.programs],
        [true, 5, [{ id: 3, name: "restrict_filesystems" }]],
    );
    assert.equal(btf?.memoryBytes, 5_000_000);
});

test("a filter finds a row by its process, its container and its hook", () => {
    const found = (filter: string) => rows.filter(row => matches(searchTexts(row), filter)).map(row => row.key);
    assert.deepEqual(found("podman"), []);
    assert.deepEqual(found("web bpftrace"), ["program 9"]);
    assert.deepEqual(found("file_open"), ["program 3", "link 2"]);
    assert.deepEqual(found("restrict"), ["program 3", "link 2"], "what uses it, too");
    assert.deepEqual(found("map 4"), ["map 4"]);
});

test("shares are counted, the small ones together", () => {
    const all = sharesBy(rows, row => row.owner, "memoryBytes", 9);
    assert.deepEqual(
        all.map(share => share.key),
        ["kernel", "bpftrace", "systemd", ""],
    );
    assert.deepEqual(all[2], { key: "systemd", count: 2, memoryBytes: 4196 });
    const few = sharesBy(rows, row => row.owner, "memoryBytes", 2);
    assert.deepEqual(few[1], { key: othersKey, count: 4, memoryBytes: 12388 });
});
