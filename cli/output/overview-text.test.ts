// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InventoryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { ageText, overviewJson, overviewText } from "./overview-text.ts";
import { sizeText } from "./size-text.ts";

const now = Date.parse("2026-01-02T00:00:00Z");
const inventory: InventoryJson = {
    programs: [
        {
            kernel: { id: 3, typeName: "cgroup_device", loadedAt: "2026-01-01T22:30:00Z", memlockBytes: 4096 },
            name: "sd_devices",
            owner: "systemd",
            pids: [1],
            hooks: ["cgroup_device /system.slice/x.service"],
        },
        {
            kernel: { id: 9, typeName: "xdp", loadedAt: "2026-01-01T23:59:59Z", mapIds: [4, 5], memlockBytes: 4096 },
            name: "pass",
            owner: "bpfman",
            managed: true,
            hooks: ["xdp eth0"],
        },
        { kernel: { id: 11, typeName: "socket_filter" } },
    ],
    maps: [
        { map: { id: 4, typeName: "hash" }, name: "counts", programIds: [9] },
        { map: { id: 7, typeName: "array", memlockBytes: 300 }, name: "left", pinPaths: ["/sys/fs/bpf/x/left"] },
    ],
    processes: [{ pid: 1, name: "systemd", unit: "init.scope" }],
    totals: {
        programs: 3,
        maps: 2,
        links: 1,
        btf: 1,
        managedPrograms: 1,
        programMemoryBytes: "8192",
        btfBytes: "5500000",
    },
};

test("programs are grouped by owner, ours first", () => {
    assert.deepEqual(overviewText(inventory, now), [
        "Programs:     3, 1 of them by bpfman, 8.0 KiB",
        "Maps:         2, 0 B",
        "Links:        1",
        "BTF objects:  1, 5.2 MiB",
        "",
        "bpfman",
        "  ID  TYPE  NAME  HOOK      MAPS  MEMORY   AGE",
        "  9   xdp   pass  xdp eth0  4 5   4.0 KiB  1s",
        "",
        "systemd (systemd 1)",
        "  ID  TYPE           NAME        HOOK                                   MAPS  MEMORY   AGE",
        "  3   cgroup_device  sd_devices  cgroup_device /system.slice/x.service  -     4.0 KiB  1h 30m",
        "",
        "(owner not known)",
        "  ID  TYPE           NAME  HOOK  MAPS  MEMORY  AGE",
        "  11  socket_filter  -     -     -     0 B     -",
        "",
        "Maps that no program uses",
        "  ID  TYPE   NAME  OWNER  PINNED AT           MEMORY",
        "  7   array  left  -      /sys/fs/bpf/x/left  300 B",
    ]);
    const partly = overviewText({ ownersUnknown: "the iterator is refused" }, now);
    assert.equal(partly.at(-1), "Owners:       not all are known: the iterator is refused");
});

test("sizes and ages are short", () => {
    assert.deepEqual([0, 1023, 1536, 200 * 1024, 3 * 1024 ** 3].map(sizeText), [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "200 KiB",
        "3.0 GiB",
    ]);
    const ages = ["2026-01-02T00:00:00Z", "2025-12-30T00:00:05Z", "2026-01-01T23:00:00Z", ""];
    assert.deepEqual(
        ages.map(at => ageText(at, now)),
        ["0s", "2d 23h", "1h", "-"],
    );
});

test("scripts get every key, with numbers as numbers", () => {
    const json = overviewJson(inventory) as Record<string, Record<string, unknown>[]>;
    assert.deepEqual(Object.keys(json), "totals programs maps links btf processes owners_unknown".split(" "));
    assert.equal(
        Object.keys(json["programs"]?.[0] ?? {}).join(" "),
        "id name type tag managed owner part_of pids pin_paths hooks link_ids map_ids application loaded_at uid btf_id xlated_size jited_size memlock",
    );
    assert.equal(
        Object.keys(json["maps"]?.[0] ?? {}).join(" "),
        "id name type managed owner part_of pids pin_paths program_ids key_size value_size max_entries memlock",
    );
});
