// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Change, moveTo, orderAfter, planMove, type Ranked } from "./reorder.ts";

const highest = 2 ** 31 - 1;

function chainOf(...priorities: number[]): Ranked[] {
    return priorities.map((priority, index) => ({ linkId: index + 1, priority }));
}

function prioritiesAfter(chain: readonly Ranked[], changes: readonly Change[]): Map<number, number> {
    return new Map([...chain, ...changes].map(({ linkId, priority }) => [linkId, priority]));
}

test("a member moves into the gap next to the one it passes, alone", () => {
    assert.deepEqual(moveTo(chainOf(10, 20, 30), 2, 1), [{ linkId: 3, priority: 19 }]);
    assert.deepEqual(moveTo(chainOf(10, 20, 30), 0, 1), [{ linkId: 1, priority: 21 }]);
    assert.deepEqual(moveTo(chainOf(10, 20, 30), 2, 0), [{ linkId: 3, priority: 9 }]);
    assert.deepEqual(moveTo(chainOf(10, 20, 30), 0, 2), [{ linkId: 1, priority: 31 }]);
});

test("members of equal priority change places", () => {
    assert.deepEqual(moveTo(chainOf(50, 50), 1, 0), [{ linkId: 2, priority: 49 }]);
    assert.deepEqual(moveTo(chainOf(50, 50), 0, 1), [{ linkId: 1, priority: 51 }]);
});

test("where there is no gap those behind give way", () => {
    assert.deepEqual(moveTo(chainOf(0, 1, 2, 9), 1, 0), [
        { linkId: 2, priority: 0 },
        { linkId: 1, priority: 1 },
    ]);
    assert.deepEqual(moveTo(chainOf(10, 11, 12), 0, 1), [
        { linkId: 1, priority: 12 },
        { linkId: 3, priority: 13 },
    ]);
});

test("where those behind can't, those before give way", () => {
    assert.deepEqual(moveTo(chainOf(highest - 1, highest), 0, 1), [
        { linkId: 1, priority: highest },
        { linkId: 2, priority: highest - 1 },
    ]);
});

test("what others attached keeps its priority", () => {
    const [first, second, third] = chainOf(10, 11, 12);
    const foreign = [{ ...first!, fixed: true }, second!, third!];
    assert.equal(moveTo(foreign, 0, 2), undefined);
    assert.deepEqual(moveTo(foreign, 1, 0), [{ linkId: 2, priority: 9 }]);
    const between = [first!, { ...second!, fixed: true }, third!];
    assert.deepEqual(moveTo(between, 0, 2), [{ linkId: 1, priority: 13 }]);
    const both = [{ ...first!, fixed: true }, { ...second!, fixed: true }, third!];
    assert.equal(moveTo(both, 2, 1), undefined, "there is no whole number between 10 and 11");
});

test("nothing moves beyond the ends, or to where it is", () => {
    assert.equal(moveTo(chainOf(1, 2), 0, -1), undefined);
    assert.equal(moveTo(chainOf(1, 2), 1, 2), undefined);
    assert.equal(moveTo(chainOf(5), 0, 1), undefined);
    assert.equal(moveTo(chainOf(1, 2), 1, 1), undefined);
});

test("every move of every small chain gives exactly the order asked for", () => {
    for (const base of [0, highest - 3]) {
        for (let code = 0; code < 4 ** 5; code++) {
            const priorities = Array.from({ length: 5 }, (_, index) => base + (Math.floor(code / 4 ** index) % 4));
            const chain = chainOf(...priorities.sort((a, b) => a - b));
            for (let from = 0; from < 5; from++) for (let to = 0; to < 5; to++) check(chain, from, to);
        }
    }
});

function check(chain: readonly Ranked[], from: number, to: number): void {
    const changes = moveTo(chain, from, to);
    if (from === to) {
        assert.equal(changes, undefined);
        return;
    }
    assert.ok(changes, `${chain.map(one => one.priority)}: ${from} to ${to}`);
    const wanted = chain.map(member => member.linkId);
    wanted.splice(to, 0, ...wanted.splice(from, 1));
    const after = prioritiesAfter(chain, changes);
    const changed = new Set([...changes.map(change => change.linkId), chain[from]!.linkId]);
    for (const [at, id] of wanted.entries()) {
        const priority = after.get(id)!;
        assert.ok(priority >= 0 && priority <= highest);
        const next = wanted[at + 1];
        if (next === undefined) continue;
        const tied = changed.has(id) || changed.has(next);
        assert.ok(tied ? priority < after.get(next)! : priority <= after.get(next)!);
    }
}

describe("in a chain with programs of others", () => {
    const members = [
        { linkId: 1, priority: 10, foreign: false },
        { linkId: 0, priority: 0, foreign: true },
        { linkId: 2, priority: 20, foreign: false },
        { linkId: 3, priority: 30, foreign: false },
    ];

    test("ours change places around them where they have no priority", () => {
        assert.deepEqual(planMove(members, false, 3, 0), [{ linkId: 3, priority: 9 }]);
        assert.deepEqual(
            orderAfter(members, false, 3, 0).map(member => member.linkId),
            [3, 0, 1, 2],
        );
        assert.equal(planMove(members, false, 3, 1), undefined, "their place is none to take");
        assert.equal(planMove(members, false, 1, 0), undefined, "nobody moves them");
    });

    test("ours pass them where the chain is shared", () => {
        const shared = members.map(member => (member.foreign ? { ...member, priority: 15 } : member));
        assert.deepEqual(planMove(shared, true, 2, 1), [{ linkId: 2, priority: 14 }]);
        assert.deepEqual(
            orderAfter(shared, true, 2, 1).map(member => member.linkId),
            [1, 2, 0, 3],
        );
        assert.equal(planMove(shared, true, 1, 0), undefined);
    });
});
