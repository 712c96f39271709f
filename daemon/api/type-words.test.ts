// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { isOfType, linkKindWords, mapTypeWords, programTypeWords } from "./type-words.ts";

test("a type is known in every spelling that a table, JSON or an earlier release shows", () => {
    const words = ["xdp", "XDP", "perf-event", "schedcls", "sched_cls", "lwt-seg6-local", "probe", "extension", "tcx"];
    assert.deepEqual(
        words.flatMap(word => programTypeWords([word])),
        [...["xdp", "xdp", "perf_event", "sched_cls", "sched_cls", "lwt_seg6local", "probe", "extension", "tcx"]],
    );
    assert.deepEqual(mapTypeWords(["percpuarray", "percpu_array", "lru-hash"]), ["percpu_array", "lru_hash"]);
    assert.deepEqual(linkKindWords(["raw-tracepoint"]), ["raw_tracepoint"]);
});

test("an unknown type is refused with near names, or with those that there are", () => {
    const refused = (call: () => unknown, message: RegExp) =>
        assert.throws(call, { code: "INVALID_ARGUMENT", message });
    refused(() => programTypeWords(["xpd"]), /^unknown program type "xpd"; did you mean: xdp\?$/);
    refused(() => programTypeWords(["socket_filtr"]), /did you mean: socket_filter\?$/);
    refused(
        () => programTypeWords(["firewall"]),
        /^unknown program type "firewall"; one of xdp, tc, .* type of the kernel's/,
    );
    refused(() => mapTypeWords(["hsh"]), /^unknown map type "hsh"; did you mean: hash/);
    refused(() => programTypeWords(["x".repeat(1 << 20)]), /^a program type is longer than 255 bytes$/);
    refused(() => linkKindWords(["kprob"]), /^unknown kind of link "kprob"; did you mean: kprobe\?$/);
});

test("of programs of ours bpfman's word counts, of others the kernel's", () => {
    assert.ok(isOfType("kprobe", "kprobe", "kprobe"));
    assert.ok(!isOfType("kprobe", "uprobe", "kprobe"));
    assert.ok(isOfType("probe", "uprobe", "kprobe"));
    assert.ok(isOfType("kprobe", undefined, "kprobe"));
    assert.ok(isOfType("sched_cls", "tcx", "sched_cls"));
    assert.ok(!isOfType("tc", "tcx", "sched_cls"));
    assert.ok(isOfType("tc", undefined, "sched_cls"));
    assert.ok(isOfType("extension", undefined, "ext"));
    assert.ok(!isOfType("xdp", undefined, undefined));
});
