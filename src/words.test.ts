// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

Object.assign(globalThis, { cockpit: { language: "en" } });
const { percent } = await import("./words.ts");

test("a share has the digits that tell it from nothing", () => {
    assert.deepEqual([0, 1e-9, 1e-5, 0.00005, 0.0123, 0.25, 0.3333, 1, 2].map(percent), [
        "0%",
        "<0.001%",
        "0.001%",
        "0.005%",
        "1.2%",
        "25%",
        "33.3%",
        "100%",
        "200%",
    ]);
});
