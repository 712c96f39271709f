// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError, TransportError } from "../../client/errors.ts";
import { follow } from "./follow.ts";

/** What each opening of the stream gives, one after the other; then nothing more comes. */
function script(...openings: (readonly (number | Error)[])[]) {
    let opened = 0;
    let aborted = 0;
    const open = async function* (signal: AbortSignal): AsyncGenerator<number> {
        const records = openings[opened++] ?? [];
        for (const record of records) {
            if (record instanceof Error) throw record;
            yield record;
        }
        if (opened < openings.length) return;
        await new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
                aborted++;
                reject(signal.reason);
            });
        });
    };
    return { open, opened: () => opened, aborted: () => aborted };
}

/** Resolves with all records once so many came. */
function records(openings: ReturnType<typeof script>, count: number) {
    const seen: number[] = [];
    const done = Promise.withResolvers<void>();
    const refused: Error[] = [];
    const leave = follow({
        open: openings.open,
        onRecord: record => {
            seen.push(record);
            if (seen.length === count) done.resolve();
        },
        onRefused: error => {
            refused.push(error);
            done.resolve();
        },
        retryMs: 1,
    });
    return { seen, refused, leave, done: done.promise };
}

test("a stream that was lost, ended, or ended by a stopping daemon is opened again", async () => {
    const openings = script(
        [1, new TransportError("lost", "killed")],
        [2],
        [new CallError("UNAVAILABLE", "stopping")],
        [3],
    );
    const { seen, refused, leave, done } = records(openings, 3);
    await done;
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(refused, []);
    leave();
    assert.equal(openings.aborted(), 1);
});

test("a refusal is told once, and the stream stays closed", async () => {
    const refusal = new CallError("FAILED_PRECONDITION", "not here");
    const openings = script([1, refusal], [2]);
    const { seen, refused, done } = records(openings, 9);
    await done;
    assert.deepEqual([seen, refused], [[1], [refusal]]);
    assert.equal(openings.opened(), 1);
});

test("what comes after it was left is not told", async () => {
    const openings = script([1, 2, 3]);
    const seen: number[] = [];
    const first = Promise.withResolvers<void>();
    const leave = follow({
        open: openings.open,
        onRecord: record => {
            seen.push(record);
            leave();
            first.resolve();
        },
        onRefused: assert.fail,
        retryMs: 1,
    });
    await first.promise;
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(seen, [1]);
});
