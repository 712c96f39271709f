// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as host from "../../proto/gen/bpfman/host/v1/host_pb.js";
import * as v1 from "../../proto/gen/bpfman/v1/bpfman_pb.js";
import { refusedSubject } from "./refused.ts";

const none = { programs: [], links: [], maps: [], names: [] };

test("a refused attachment is about its programs and hooks", () => {
    const request = create(host.AttachRequestSchema, {
        items: [
            { programId: 7, hook: { case: "xdp", value: { interface: "eth0", priority: 5 } } },
            { programId: 7, hook: { case: "tc", value: { interface: "eth1", direction: "ingress" } } },
            { programId: 8, hook: { case: "tracepoint", value: { group: "sched", name: "sched_switch" } } },
            { programId: 9, hook: { case: "kprobe", value: { function: "do_exit", retprobe: true } } },
            { programId: 9, hook: { case: "rawTracepoint", value: { name: "sys_enter" } } },
        ],
    });
    assert.deepEqual(refusedSubject(request), {
        ...none,
        programs: [7, 8, 9],
        names: [
            "xdp eth0",
            "tc eth1 ingress",
            "tracepoint sched/sched_switch",
            "kretprobe do_exit",
            "raw_tracepoint sys_enter",
        ],
    });
    const old = create(v1.AttachRequestSchema, {
        id: 7,
        attach: { info: { case: "xdpAttachInfo", value: { iface: "eth0" } } },
    });
    assert.deepEqual(refusedSubject(old), { ...none, programs: [7], names: ["xdp eth0"] });
});

test("a refused load is about its image and programs, an apply about its set, a map's change about the map", () => {
    const load = create(host.LoadRequestSchema, {
        bytecode: { case: "image", value: { url: "quay.io/a/b:1", auth: { username: "u", password: "secret" } } },
        programs: [{ name: "xdp_pass" }],
        metadata: { name: "no subject" },
    });
    assert.deepEqual(refusedSubject(load), { ...none, names: ["quay.io/a/b:1", "xdp_pass"] });
    const apply = create(host.ApplyRequestSchema, { set: "base", programs: [{ name: "one" }] });
    assert.deepEqual(refusedSubject(apply), { ...none, names: ["base"] });
    const map = create(host.UpdateMapRequestSchema, { map: { id: 3, name: "counts" } });
    assert.deepEqual(refusedSubject(map), { ...none, maps: [3], names: ["counts"] });
    const images = create(host.RemoveImageRequestSchema, { images: ["quay.io/a/b:1"] });
    assert.deepEqual(refusedSubject(images), { ...none, names: ["quay.io/a/b:1"] });
});

test("what is too much is left out, and what can't be read is about nothing", () => {
    const ids = Array.from({ length: 1000 }, (_, at) => at + 1);
    assert.equal(refusedSubject(create(host.DetachRequestSchema, { linkIds: ids })).links.length, 64);
    const long = refusedSubject(create(host.RemoveImageRequestSchema, { images: ["x".repeat(5000)] }));
    assert.equal(long.names[0]?.length, 201);
    assert.deepEqual(refusedSubject(undefined), none);
});
