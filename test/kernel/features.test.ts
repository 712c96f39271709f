// SPDX-License-Identifier: Apache-2.0
// The feature probes on the kernel that runs the test, held against the version that each feature came with.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { mapIds, mapInfo, openMap, openProgram, programIds, programInfo } from "../../daemon/kernel/bpf.ts";
import { btfKind, KernelBtf, kernelBtfPath } from "../../daemon/kernel/btf/vmlinux-btf.ts";
import { programTypeNumbers } from "../../daemon/kernel/enums.ts";
import { Fd } from "../../daemon/kernel/fd.ts";
import { kernelProbes, probeFeatures } from "../../daemon/kernel/features/features.ts";
import { createLink, createMap, loadProgram, queryPrograms } from "../../daemon/kernel/features/probe.ts";
import { trampolineNote } from "../../daemon/kernel/features/probe-answer.ts";
import { errnoName } from "../../daemon/kernel/ffi.ts";
import { atLeast } from "../vm/skips.ts";

/** The build options of the running kernel; undefined where it does not show them. */
function kernelConfig(): string | undefined {
    if (existsSync("/proc/config.gz")) return gunzipSync(readFileSync("/proc/config.gz")).toString();
    const path = `/boot/config-${os.release()}`;
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

const probeName = "bpfman_probe";

/** Programs and maps that a probe made and that are still there. */
function leftBehind(): string[] {
    const left: string[] = [];
    for (const id of programIds()) {
        using fd = openProgram(id);
        if (fd !== undefined && programInfo(fd).name === probeName) left.push(`program ${id}`);
    }
    for (const id of mapIds()) {
        using fd = openMap(id);
        if (fd !== undefined && mapInfo(fd).name === probeName) left.push(`map ${id}`);
    }
    return left;
}

describe("probeFeatures", { skip: process.getuid?.() === 0 ? false : "needs root" }, () => {
    const { kernel, libbpf, features } = probeFeatures();
    const byName = new Map(features.map(feature => [feature.name, feature]));

    it("names the kernel and libbpf, and each feature once", () => {
        assert.equal(kernel, os.release());
        assert.match(libbpf, /^\d+\.\d+/);
        assert.equal(byName.size, features.length);
        for (const { name } of features) assert.match(name, /^[a-z]+\/[\w./]+$/);
    });

    it("finds what this project can't do without", () => {
        for (const name of ["program/xdp", "program/sched_cls", "map/prog_array", "map/percpu_array", "link/xdp"]) {
            assert.equal(byName.get(name)?.supported, true, name);
        }
        assert.equal(byName.get("helper/xdp/bpf_xdp_adjust_tail")?.supported, true);
    });

    it("finds everything that this kernel's version has, or knows why not", t => {
        const config = kernelConfig();
        for (const { name, since, option } of kernelProbes) {
            const feature = byName.get(name);
            assert.ok(feature, name);
            if (feature.supported) continue;
            assert.notEqual(feature.errno, "", `${name} says why not`);
            if (!atLeast(kernel, since)) continue;
            const forbidden = feature.note === trampolineNote;
            const leftOut = option !== undefined && config !== undefined && !config.includes(`${option}=`);
            const mayBeLeftOut = option !== undefined && config === undefined;
            t.diagnostic(`${name}: ${feature.errno}. ${feature.note}`);
            assert.ok(
                forbidden || leftOut || mayBeLeftOut,
                `${name} came with Linux ${since}, this is ${kernel}, and the probe says ${feature.errno}`,
            );
        }
    });

    it("finds nothing that no kernel has", () => {
        assert.ok(loadProgram({ type: 9999 }).result < 0);
        assert.ok(createMap({ type: 9999 }) < 0);
        assert.notEqual(errnoName(queryPrograms(0x7fffffff, 9999)), "ENODEV");
        using program = new Fd(loadProgram({ type: programTypeNumbers.xdp }).result);
        assert.equal(errnoName(createLink(program, -1, 9999)), "EINVAL");
    });

    it("says of all programs that need trampolines the same", () => {
        const needing = ["program/fentry", "program/fexit", "program/ext"].map(name => byName.get(name));
        assert.equal(new Set(needing.map(feature => feature?.errno)).size, 1, JSON.stringify(needing));
    });

    it("leaves nothing behind", async () => {
        const fds = () => readdirSync("/proc/self/fd").length;
        const before = fds();
        const then = leftBehind();
        probeFeatures();
        assert.equal(fds(), before);
        // The kernel frees programs and maps after a grace period. A PROG_ARRAY that is opened by its id while it is being
        // emptied is never freed (kernel/bpf/arraymap.c, prog_array_map_clear takes a reference for work that is queued
        // already): so nobody looks at once, and one that another run left that way is not this one's.
        await wait(500);
        const left = () => leftBehind().filter(one => !then.includes(one));
        for (let tries = 0; tries < 50 && left().length > 0; tries += 1) await wait(100);
        assert.deepEqual(left(), []);
    });
});

describe("the kernel's BTF", { skip: existsSync(kernelBtfPath) ? false : "this kernel has no BTF" }, () => {
    it("gives the ids that bpftool gives", () => {
        const btf = KernelBtf.read();
        const ids = btf?.ids({ bpf_prog_load: btfKind.function, pid_t: btfKind.typedef, no_such_name: 12 });
        const maxBuffer = 256 << 20;
        const dump = execFileSync("bpftool", ["btf", "dump", "file", kernelBtfPath], { encoding: "utf8", maxBuffer });
        for (const [name, kind] of [
            ["bpf_prog_load", "FUNC"],
            ["pid_t", "TYPEDEF"],
        ] as const) {
            const id = new RegExp(`^\\[(\\d+)\\] ${kind} '${name}'`, "m").exec(dump)?.[1];
            assert.equal(ids?.get(name), Number(id), name);
        }
        assert.equal(ids?.has("no_such_name"), false);
    });

    it("knows the names of enumerators", () => {
        const btf = KernelBtf.read();
        assert.equal(btf?.names("BPF_PROG_TYPE_XDP"), true);
        assert.equal(btf?.names("BPF_PROG_TYPE_NONSENSE"), false);
    });
});
