// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveByOne, type Ranked } from "./reorder.ts";

/** Chains by priority; equal ones as they were. */
function ordered(chain: readonly Ranked[], changes: readonly Ranked[]): number[] {
    const priorities = new Map(changes.map(change => [change.linkId, change.priority]));
    return chain
        .map(({ linkId, priority }) => ({ linkId, priority: priorities.get(linkId) ?? priority }))
        .sort((a, b) => a.priority - b.priority)
        .map(member => member.linkId);
}

function chainOf(...priorities: number[]): Ranked[] {
    return priorities.map((priority, index) => ({ linkId: index + 1, priority }));
}

test("a member moves into the gap next to its neighbour, alone", () => {
    assert.deepEqual(moveByOne(chainOf(10, 20, 30), 2, -1), [{ linkId: 3, priority: 19 }]);
    assert.deepEqual(moveByOne(chainOf(10, 20, 30), 0, 1), [{ linkId: 1, priority: 21 }]);
});

test("members of equal priority change places", () => {
    assert.deepEqual(moveByOne(chainOf(50, 50), 1, -1), [{ linkId: 2, priority: 49 }]);
    assert.deepEqual(moveByOne(chainOf(50, 50), 0, 1), [{ linkId: 1, priority: 51 }]);
});

test("where there is no gap those behind give way, the last first", () => {
    assert.deepEqual(moveByOne(chainOf(0, 1, 2, 9), 1, -1), [
        { linkId: 1, priority: 1 },
        { linkId: 2, priority: 0 },
    ]);
    assert.deepEqual(moveByOne(chainOf(10, 11, 12), 0, 1), [
        { linkId: 3, priority: 13 },
        { linkId: 1, priority: 12 },
    ]);
});

test("nothing moves beyond the ends", () => {
    assert.equal(moveByOne(chainOf(1, 2), 0, -1), undefined);
    assert.equal(moveByOne(chainOf(1, 2), 1, 1), undefined);
    assert.equal(moveByOne(chainOf(5), 0, 1), undefined);
});

test("priorities stay within what the daemon takes", () => {
    const highest = 2 ** 31 - 1;
    assert.equal(moveByOne(chainOf(highest - 1, highest), 0, 1), undefined);
    assert.deepEqual(
        moveByOne(chainOf(0, 0, 0), 2, -1)?.every(change => change.priority >= 0),
        true,
    );
});

test("every move of every small chain gives exactly the order asked for", () => {
    for (let code = 0; code < 4 ** 5; code++) {
        const priorities = Array.from({ length: 5 }, (_, index) => Math.floor(code / 4 ** index) % 4).sort(
            (a, b) => a - b,
        );
        const chain = chainOf(...priorities);
        for (let from = 0; from < 5; from++) {
            for (const step of [-1, 1] as const) {
                const changes = moveByOne(chain, from, step);
                if (!changes) continue;
                const wanted = chain.map(member => member.linkId);
                wanted.splice(from + step, 0, ...wanted.splice(from, 1));
                // a member that was moved must not rest on a tie, which the daemon decides by age
                const after = new Map(chain.map(one => [one.linkId, one.priority]));
                for (const change of changes) after.set(change.linkId, change.priority);
                const moved = wanted[from + step]!;
                for (const [id, priority] of after) if (id !== moved) assert.notEqual(priority, after.get(moved));
                assert.deepEqual(
                    ordered(
                        wanted.map(id => chain[id - 1]!),
                        changes,
                    ),
                    wanted,
                );
            }
        }
    }
});
