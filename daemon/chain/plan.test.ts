// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { BpfmanError } from "../model/error.ts";
import type { ProgramId } from "../model/ids.ts";
import type { ProgramRecord } from "../model/records.ts";
import { modeConflict, planRevision, type Running, type WantedLink } from "./plan.ts";

const program = (id: number, frags = false): ProgramRecord => ({
    id: id as ProgramId,
    bootId: "boot",
    tag: "0011223344556677",
    name: `program_${id}`,
    type: "xdp",
    section: frags ? "xdp.frags" : "xdp",
    frags,
    attachFunction: "",
    sourcePath: "",
    objectSha256: "",
    globalData: new Map(),
    metadata: new Map(),
    mapOwnerId: undefined,
    mapSet: 1,
    mapIds: new Map(),
    license: "GPL",
    gplCompatible: true,
    createdAt: "",
    createdBy: "",
});
const link = (id: number, priority: number, proceedOn: readonly number[] = [2, 31], frags = false): WantedLink => ({
    program: program(id, frags),
    priority,
    request: id,
    requestIndex: 0,
    proceedOn,
});
const running = (frags: boolean, revision = 4): Running => ({ backend: "direct", frags, mode: "native", revision });
const able = { noFreplace: undefined, noTcx: undefined };
const unable = { ...able, noFreplace: "this kernel refuses freplace programs (EPERM)" };
const refusal = (work: () => unknown): BpfmanError => {
    try {
        work();
    } catch (error) {
        assert.ok(error instanceof BpfmanError);
        return error;
    }
    return assert.fail("nothing was refused");
};

test("ALoneProgramThatStopsOnEverythingButPassIsAttachedItself", () => {
    for (const proceedOn of [[2, 31], [2], [31], []]) {
        const plan = planRevision("xdp", "eth0", [link(1, 50, proceedOn)], undefined, able);
        assert.equal(plan.backend, "direct");
        assert.equal(plan.revision, 1);
    }
});

test("ALoneProgramThatProceedsOnDropNeedsADispatcher", () => {
    assert.equal(planRevision("xdp", "eth0", [link(1, 50, [1, 2])], undefined, able).backend, "freplace");
});

test("TcAlwaysRunsBehindADispatcher", () => {
    assert.equal(planRevision("tc", "eth0", [link(1, 50, [3, 30])], undefined, able).backend, "freplace");
});

test("WithoutTcxAFilterHoldsTcChainsAndWhatRunsStaysWhereItIs", () => {
    const noTcx = "this kernel has no TCX (EINVAL)";
    const links = [link(1, 50, [3, 30])];
    const first = planRevision("tc", "eth0", links, undefined, { ...able, noTcx });
    assert.equal(first.clsact, true);
    assert.match(
        first.backendReason,
        /cheapest way; this kernel has no TCX \(EINVAL\), so a bpf filter of clsact holds the/,
    );
    assert.equal(planRevision("tc", "eth0", links, undefined, able).clsact, false);
    assert.equal(planRevision("xdp", "eth0", links, undefined, { ...able, noTcx }).clsact, false);
    const held = { ...running(false), filter: { priority: 50 } };
    assert.equal(planRevision("tc", "eth0", links, held, { ...unable, noTcx }).clsact, true);
    assert.equal(planRevision("tc", "eth0", links, running(false), { ...able, noTcx }).clsact, false);
});

test("WithoutFreplaceTheDispatcherTailCallsAndSaysWhy", () => {
    const plan = planRevision("xdp", "eth0", [link(1, 50), link(2, 40)], running(false), unable);
    assert.equal(plan.backend, "tail-call");
    assert.equal(plan.backendReason, `${unable.noFreplace}, so the dispatcher tail-calls its links`);
    assert.equal(plan.revision, 5);
    assert.deepEqual(
        plan.members.map(({ link: { program: one }, position, mask }) => [one.id, position, mask]),
        [
            [2, 0, 0x80000004],
            [1, 1, 0x80000004],
        ],
    );
});

test("TenFitAndElevenDoNot", () => {
    const links = Array.from({ length: 11 }, (_, i) => link(i + 1, i));
    assert.equal(planRevision("xdp", "eth0", links.slice(0, 10), undefined, able).members.length, 10);
    const error = refusal(() => planRevision("xdp", "eth0", links, undefined, able));
    assert.equal(error.code, "RESOURCE_EXHAUSTED");
    assert.match(error.message, /^no free dispatcher slots \(all 10 occupied\) for xdp on eth0$/);
});

test("FragsIsOnWhenEveryMemberHasItAndARunningChainKeepsIt", () => {
    const plain = link(1, 10);
    const frags = link(2, 20, [2, 31], true);
    assert.equal(planRevision("xdp", "eth0", [frags], undefined, able).frags, true);
    assert.equal(planRevision("xdp", "eth0", [frags, plain], undefined, able).frags, false);
    assert.equal(planRevision("xdp", "eth0", [frags], running(false), able).frags, false);
    assert.equal(planRevision("xdp", "eth0", [frags, link(3, 5, [2], true)], running(true), able).frags, true);
    const error = refusal(() => planRevision("xdp", "eth0", [frags, plain], running(true), able));
    assert.equal(error.code, "FAILED_PRECONDITION");
});

test("ARunningChainKeepsItsMode", () => {
    assert.equal(modeConflict("auto", running(false), "eth0"), undefined);
    assert.equal(modeConflict("native", running(false), "eth0"), undefined);
    assert.equal(modeConflict("generic", running(false), "eth0")?.code, "FAILED_PRECONDITION");
});

test("WhatIsCountedHasADispatcherAndKeepsItsRevision", () => {
    const lone = [link(1, 50)];
    const counted = planRevision("xdp", "eth0", lone, running(false), able, { counting: true, sameRevision: true });
    assert.deepEqual([counted.backend, counted.counting, counted.revision], ["freplace", true, 4]);
    assert.match(counted.backendReason, /the cheapest way; it counts what they do while statistics are watched$/);
    const back = planRevision("xdp", "eth0", lone, running(false), able, { counting: false, sameRevision: true });
    assert.deepEqual([back.backend, back.counting, back.revision], ["direct", false, 4]);
    const changed = planRevision("xdp", "eth0", lone, running(false), able, { counting: true, sameRevision: false });
    assert.equal(changed.revision, 5);
});
