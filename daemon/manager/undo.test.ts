// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { withUndo } from "./undo.ts";
import { WriterLock } from "./writer-lock.ts";

test("AFailureTakesAllStepsBackInReverse", async () => {
    const done: string[] = [];
    const logged: string[] = [];
    const work = withUndo(
        line => logged.push(line),
        async undo => {
            for (const step of ["one", "two", "three"])
                undo.add(step, () => {
                    done.push(step);
                    if (step === "two") throw new Error("stuck");
                });
            throw new Error("failed");
        },
    );
    await assert.rejects(work, /failed/);
    assert.deepEqual(done, ["three", "two", "one"]);
    assert.deepEqual(logged, ['undo of "two" failed: stuck']);
});

test("WhatIsCommittedIsNotTakenBack", async () => {
    let undone = false;
    const work = withUndo(assert.fail, async undo => {
        undo.add("step", () => {
            undone = true;
        });
        undo.done();
        throw new Error("later");
    });
    await assert.rejects(work, /later/);
    assert.equal(undone, false);
});

test("WhoWaitsTooLongIsToldAndItsWorkNeverRuns", async () => {
    const lock = new WriterLock("/run/x/daemon.lock");
    const gate = Promise.withResolvers<void>();
    const slow = lock.run(() => gate.promise);
    let ran = false;
    const impatient = lock.run(
        async () => {
            ran = true;
        },
        { ms: 20, said: "--lock-timeout=20ms" },
    );
    let patient = false;
    const after = lock.run(
        async () => {
            patient = true;
        },
        { ms: 60_000, said: "" },
    );
    await assert.rejects(impatient, {
        code: "DEADLINE_EXCEEDED",
        message: "timed out waiting for lock /run/x/daemon.lock (--lock-timeout=20ms)",
    });
    assert.equal(patient, false, "the one after still waits for the one before");
    gate.resolve();
    await slow;
    await after;
    await lock.idle();
    assert.deepEqual([ran, patient], [false, true]);
});

test("TheWriterLockRunsOneAtATimeInOrderAndSurvivesFailures", async () => {
    const lock = new WriterLock();
    const steps: string[] = [];
    const slow = lock.run(async () => {
        steps.push("slow starts");
        await new Promise(resolve => setTimeout(resolve, 20));
        steps.push("slow ends");
        throw new Error("slow fails");
    });
    const quick = lock.run(async () => steps.push("quick"));
    await assert.rejects(slow, /slow fails/);
    await quick;
    await lock.idle();
    assert.deepEqual(steps, ["slow starts", "slow ends", "quick"]);
});
