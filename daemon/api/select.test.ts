// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgramId } from "../model/ids.ts";
import type { AttachItem } from "../model/requests.ts";
import { FakeManager, root } from "./fake-manager.ts";
import { applicationOf, hasMetadata, type ProgramSelection, selectsLink, selectsProgram } from "./select.ts";

const any: ProgramSelection = { types: [], application: "", metadata: new Map(), attached: undefined };

test("the application has two keys, the newer first", () => {
    assert.equal(applicationOf(new Map()), "");
    assert.equal(applicationOf(new Map([["bpfman_application", "old"]])), "old");
    const both = new Map([
        ["bpfman_application", "old"],
        ["bpfman.io/application", "new"],
    ]);
    assert.equal(applicationOf(both), "new");
    assert.ok(hasMetadata(both, new Map([["bpfman_application", "new"]])));
});

test("every metadata pair must match", () => {
    const metadata = new Map([
        ["a", "1"],
        ["b", "2"],
    ]);
    assert.ok(hasMetadata(metadata, new Map()));
    assert.ok(hasMetadata(metadata, new Map([["a", "1"]])));
    assert.ok(!hasMetadata(metadata, new Map([["a", "2"]])));
    assert.ok(!hasMetadata(metadata, new Map([["c", ""]])));
});

test("programs are selected by either word of their type, application, metadata and links", async () => {
    const manager = new FakeManager();
    const tc = manager.add({ type: "tc", metadata: new Map([["bpfman.io/application", "web"]]) });
    const foreign = manager.addForeign(99);
    const selects = (selection: Partial<ProgramSelection>, view = tc) => selectsProgram({ ...any, ...selection }, view);
    assert.ok(selects({}));
    assert.ok(selects({ types: ["tc"] }));
    assert.ok(selects({ types: ["xdp", "sched_cls"] }));
    assert.ok(!selects({ types: ["tcx"] }));
    assert.ok(selects({ types: ["xdp"] }, foreign));
    assert.ok(selects({ application: "web" }));
    assert.ok(!selects({ application: "db" }));
    assert.ok(!selects({ application: "web" }, foreign));
    assert.ok(!selects({ metadata: new Map([["k", "v"]]) }));
    assert.ok(selects({ attached: false }));
    assert.ok(!selects({ attached: true }));
});

test("links are selected by program, kind, application and their own metadata", async () => {
    const manager = new FakeManager();
    const program = manager.add({ metadata: new Map([["bpfman.io/application", "web"]]) });
    const item: AttachItem = {
        programId: program.id,
        hook: { kind: "xdp", interface: "eth0", netns: "", priority: 1, proceedOn: [], mode: "auto" },
        metadata: new Map([["k", "v"]]),
    };
    const [link] = await manager.attach([item], root);
    const selects = (selection: object) =>
        selectsLink({ programId: 0, kinds: [], application: "", metadata: new Map(), ...selection }, link!);
    assert.ok(selects({}));
    assert.ok(selects({ programId: program.id, kinds: ["tc", "xdp"], application: "web" }));
    assert.ok(!selects({ programId: (program.id + 1) as ProgramId }));
    assert.ok(!selects({ kinds: ["tcx"] }));
    assert.ok(!selects({ application: "db" }));
    assert.ok(selects({ metadata: new Map([["k", "v"]]) }));
    assert.ok(!selects({ metadata: new Map([["bpfman.io/application", "web"]]) }));
});
