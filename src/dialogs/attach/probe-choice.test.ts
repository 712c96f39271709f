// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeKind } from "../../text/words.ts";
import { initialProbe, offsetOf, type ProbeChoice, probeHook, sectionFunction } from "./probe-choice.ts";

function hook(kind: ProbeKind, section: string, change: Partial<ProbeChoice> = {}) {
    return probeHook({ ...initialProbe(kind, section), ...change }, kind);
}

test("a section says where a probe belongs", () => {
    assert.deepEqual(hook("tracepoint", "tracepoint/sched/sched_switch"), {
        tracepoint: { group: "sched", name: "sched_switch" },
    });
    assert.deepEqual(hook("raw_tracepoint", "raw_tp/sys_enter"), { rawTracepoint: { name: "sys_enter" } });
    assert.deepEqual(hook("kprobe", "kprobe/do_unlinkat+0x10"), { kprobe: { function: "do_unlinkat", offset: "16" } });
    const uprobe = { target: "/usr/bin/bash", function: "readline", offset: "8", pid: 0, containerPid: 0 };
    assert.deepEqual(hook("uretprobe", "uretprobe//usr/bin/bash:readline+8"), { uprobe });
    assert.deepEqual(hook("uprobe", "uprobe", { file: "libc", symbol: "malloc", pid: "7" }), {
        uprobe: { target: "libc", function: "malloc", offset: "0", pid: 7, containerPid: 0 },
    });
    assert.deepEqual(hook("fexit", "fexit/do_unlinkat"), { fexit: {} });
    assert.equal(sectionFunction("lsm.s/file_open"), "file_open");
    assert.equal(sectionFunction("kprobe/file_open"), "");
});

test("samples are by frequency or by period, on one CPU or all", () => {
    assert.deepEqual(hook("perf_event", "perf_event"), { perfEvent: { event: "cpu-clock", frequencyHz: 99 } });
    assert.deepEqual(hook("perf_event", "perf_event", { cpu: "0", rateBy: "period", rate: "1000000" }), {
        perfEvent: { event: "cpu-clock", cpu: 0, period: "1000000" },
    });
});

test("what is not complete makes no hook", () => {
    assert.equal(hook("tracepoint", "tp", { target: "sched" }), undefined);
    assert.equal(hook("tracepoint", "tp", { target: "a/b/c" }), undefined);
    assert.equal(hook("kprobe", "kprobe"), undefined);
    assert.equal(hook("kprobe", "kprobe/f", { offset: "-1" }), undefined);
    assert.equal(hook("uprobe", "uprobe", { file: "/bin/sh" }), undefined);
    assert.equal(hook("uprobe", "uprobe", { file: "/bin/sh", symbol: "main", pid: "x" }), undefined);
    assert.equal(hook("perf_event", "perf_event", { rate: "0" }), undefined);
    assert.equal(hook("cgroup", "cgroup/skb"), undefined);
    assert.equal(offsetOf("0xfffffffffffffffff"), undefined);
});
