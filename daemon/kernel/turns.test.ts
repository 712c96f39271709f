// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Turns } from "./turns.ts";

test("so many at once, the others in the order of coming, also after one that failed", async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (number: number) => {
        using _turn = await turns.take();
        begun.push(number);
        most = Math.max(most, ++running);
        await setImmediate();
        running--;
        if (number === 1) throw new Error("failed");
    };
    const ends = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(work));
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5]);
    assert.equal(most, 2);
    assert.equal(ends.filter(({ status }) => status === "rejected").length, 1);
    using _again = await turns.take();
});
