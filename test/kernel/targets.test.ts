// SPDX-License-Identifier: Apache-2.0
// What completion offers is what there is, and what is offered can be attached to.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite } from "node:test";
import { kernelBtfPath } from "../../daemon/kernel/btf/vmlinux-btf.ts";
import { cgroupRoot } from "../../daemon/kernel/hooks/cgroup.ts";
import type { ListTargetsRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { refusal } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { sharedLab } from "../lab/shared-lab.ts";

async function names(lab: Lab, request: ListTargetsRequestJson): Promise<string[]> {
    const { targets = [] } = await lab.client.listTargets(request);
    return targets.map(({ name = "" }) => name);
}

suite("targets for completion", () => {
    const labTest = sharedLab();

    labTest("TracepointsAreThoseOfTracefs", async lab => {
        const { targets = [], total = 0 } = await lab.client.listTargets({ kind: "tracepoint", query: "sched_switch" });
        assert.equal(targets[0]?.name, "sched/sched_switch");
        assert.ok(total >= 1);
        const all = await lab.client.listTargets({ kind: "tracepoint", limit: 3 });
        assert.equal(all.targets?.length, 3);
        assert.ok((all.total ?? 0) > 100, `${all.total}`);
    });

    labTest("KernelFunctionsAreThoseOfTheKernel", async lab => {
        assert.equal((await names(lab, { kind: "kprobe", query: "vfs_read" }))[0], "vfs_read");
        const begins = await names(lab, { kind: "kprobe", query: "tcp_v4_", limit: 1000 });
        assert.ok(begins.length > 5 && begins[0]?.startsWith("tcp_v4_"), begins.slice(0, 5).join());
        const symbols = new Set(
            fs
                .readFileSync("/proc/kallsyms", "latin1")
                .split("\n")
                .map(line => line.split(/[ \t]/)[2] ?? ""),
        );
        for (const name of begins) assert.ok(symbols.has(name), name);
        const btf = fs.existsSync(kernelBtfPath);
        for (const [kind, query] of [
            ["fentry", "vfs_read"],
            ["lsm", "file_open"],
            ["raw_tracepoint", "sched_switch"],
        ] as const) {
            const answer = await lab.client.listTargets({ kind, query });
            if (btf) assert.equal(answer.targets?.[0]?.name, query, kind);
            else assert.match(answer.unavailable ?? "", /BTF/);
        }
    });

    labTest("FilesSymbolsAndLibraries", async lab => {
        const { targets: libraries = [] } = await lab.client.listTargets({ kind: "library", query: "libc.so" });
        assert.equal(libraries[0]?.name, "libc.so.6");
        const libc = libraries[0]?.detail ?? "";
        assert.ok(fs.existsSync(libc), libc);
        for (const place of ["libc", libc, libc]) {
            const symbols = await names(lab, { kind: "symbol", path: place, query: "malloc" });
            assert.equal(symbols[0], "malloc");
        }
        const inside = await names(lab, { kind: "symbol", path: "libc", containerPid: process.pid, query: "calloc" });
        assert.equal(inside[0], "calloc");
        const missing = await refusal(lab.client.listTargets({ kind: "symbol", path: "/no/such" }));
        assert.equal(missing.code, "NOT_FOUND");
        const text = await refusal(lab.client.listTargets({ kind: "symbol", path: "/etc/passwd" }));
        assert.match(text.message, /no ELF file/);
        fs.mkdirSync(path.join(lab.dir, "files/folder"), { recursive: true });
        fs.writeFileSync(path.join(lab.dir, "files/a.o"), "12345");
        fs.symlinkSync("nowhere", path.join(lab.dir, "files/broken"));
        const { targets } = await lab.client.listTargets({ kind: "file", path: path.join(lab.dir, "files") });
        assert.deepEqual(targets, [
            { name: "folder", folder: true },
            { name: "a.o", sizeBytes: "5" },
            { name: "broken" },
        ]);
        const nowhere = await refusal(lab.client.listTargets({ kind: "file", path: "/no/such" }));
        assert.deepEqual([nowhere.code, nowhere.detail?.errno], ["NOT_FOUND", "ENOENT"]);
        lab.assertNoDescriptors();
    });

    labTest("InterfacesNamespacesAndGroups", async lab => {
        const wire = lab.wire();
        assert.deepEqual(await names(lab, { kind: "interface", query: wire.interface, netns: wire.netns }), [
            wire.interface,
        ]);
        assert.ok((await names(lab, { kind: "interface", query: "lo" })).includes("lo"));
        // a namespace is offered by a name that leads to it
        const wanted = fs.statSync(wire.netns, { bigint: true }).ino;
        const offered = await names(lab, { kind: "netns", limit: 1000 });
        assert.ok(
            offered.some(name => fs.statSync(name, { bigint: true }).ino === wanted),
            offered.join(),
        );
        const root = cgroupRoot();
        if (root !== undefined) {
            const group = `bpfman-test-${process.pid}`;
            fs.mkdirSync(path.join(root, group));
            try {
                assert.deepEqual(await names(lab, { kind: "cgroup", query: group }), [group]);
            } finally {
                fs.rmdirSync(path.join(root, group));
            }
        } else assert.match((await lab.client.listTargets({ kind: "cgroup" })).unavailable ?? "", /cgroup2/);
        assert.ok((await names(lab, { kind: "perf_event", query: "cpu" })).includes("cpu-clock"));
        const unknown = await refusal(lab.client.listTargets({ kind: "planet" }));
        assert.match(unknown.message, /unknown kind of target "planet": one of tracepoint/);
    });
});
