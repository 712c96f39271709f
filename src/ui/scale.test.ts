// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { linePath, niceTop } from "./scale.ts";

test("an axis ends at a round number", () => {
    const tops = [0, -1, Number.NaN, 0.03, 0.3, 1, 1.1, 2.5, 7, 10, 1234].map(niceTop);
    assert.deepEqual(
        tops.map(top => Number(top.toPrecision(3))),
        [1, 1, 1, 0.05, 0.5, 1, 2, 5, 10, 10, 2000],
    );
});

test("the newest value is at the right edge, the largest at the top", () => {
    assert.equal(linePath([0, 5, 10], 3, 10), "M0 100L50 50L100 0");
    assert.equal(linePath([5], 3, 10), "M100 50h25");
});

test("what is not known is a gap, not a zero", () => {
    assert.equal(linePath([10, undefined, 0, 0, undefined], 5, 10), "M0 0h12.5M50 100L75 100");
});
