// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "./order.ts";

const link = (name: string, priority: number, request: number, requestIndex = 0) => ({
    name,
    priority,
    request,
    requestIndex,
});
const names = (links: readonly { name: string }[]) => links.map(({ name }) => name).join("");

test("LowerPriorityComesFirst", () => {
    const links = [link("c", 30, 1), link("a", 0, 2), link("b", 10, 3)];
    for (const kind of ["xdp", "tc", "tcx"] as const) assert.equal(names(inOrder(kind, links)), "abc");
});

test("AtEqualPriorityTheNewestComesFirstInXdpAndTcAndLastInTcx", () => {
    const links = [link("a", 50, 1), link("b", 50, 2), link("c", 50, 3)];
    assert.equal(names(inOrder("xdp", links)), "cba");
    assert.equal(names(inOrder("tc", links)), "cba");
    assert.equal(names(inOrder("tcx", links)), "abc");
});

test("LinksOfOneRequestKeepTheOrderGiven", () => {
    const links = [link("old", 50, 1), link("b", 50, 2, 1), link("a", 50, 2, 0)];
    assert.deepEqual(names(inOrder("xdp", links)), "abold");
    assert.deepEqual(names(inOrder("tcx", links)), "oldab");
});

test("TheInputIsNotChanged", () => {
    const links = [link("b", 2, 1), link("a", 1, 1)];
    inOrder("xdp", links);
    assert.equal(names(links), "ba");
});
