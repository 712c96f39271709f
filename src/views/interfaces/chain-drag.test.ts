// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, shifts } from "./chain-drag.ts";

const middles = [50, 150, 250, 350];
const anywhere = () => true;

test("a carried member takes the place that it is nearest to", () => {
    assert.equal(nearest(middles, 0, 0, anywhere), 0);
    assert.equal(nearest(middles, 0, 40, anywhere), 0);
    assert.equal(nearest(middles, 0, 60, anywhere), 1);
    assert.equal(nearest(middles, 0, 9000, anywhere), 3);
    assert.equal(nearest(middles, 3, -9000, anywhere), 0);
});

test("a place that it may not take is passed over", () => {
    const notSecond = (_from: number, to: number) => to !== 1;
    assert.equal(nearest(middles, 0, 90, notSecond), 0);
    assert.equal(nearest(middles, 0, 110, notSecond), 2);
});

test("those that make room are shown where they would stand", () => {
    assert.deepEqual(shifts([10, 20, 30], undefined), [0, 0, 0]);
    // the third is to be the first
    assert.deepEqual(shifts([10, 20, 30], [2, 0, 1]), [30, 30, -30]);
    assert.deepEqual(shifts([10, 20, 30], [1, 2, 0]), [50, -10, -10]);
});
