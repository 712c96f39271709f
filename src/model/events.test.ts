// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { merged } from "./events.ts";

test("pages of events that overlap are one list, newest first, each event once", () => {
    const events = (...sequences: number[]) => sequences.map(sequence => ({ sequence: String(sequence) }));
    assert.deepEqual(merged(events(12, 11, 10), events(11, 10, 9, 8)), events(12, 11, 10, 9, 8));
    assert.deepEqual(merged(events(3), []), events(3));
    assert.deepEqual(merged([], events(2, 1)), events(2, 1));
});
