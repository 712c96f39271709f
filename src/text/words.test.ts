// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

Object.assign(globalThis, { cockpit: { language: "en" } });
const { bytes, percent } = await import("./words.ts");

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

test("sizes have three digits and a decimal unit, in order also where text runs from right to left", () => {
    assert.deepEqual([0, 17, 999, 1000, 4096, 123_456, 999_999, 1_000_000, 16_777_216, 5e12, 2e18].map(bytes), [
        "0 B",
        "17 B",
        "999 B",
        "1 kB",
        "4.10 kB",
        "123 kB",
        "1.00 MB",
        "1 MB",
        "16.8 MB",
        "5 TB",
        "2000 PB",
    ]);
    Object.assign(globalThis, { cockpit: { language: "ar", language_direction: "rtl" } });
    assert.equal(bytes(17), "\u206617 B\u2069");
    Object.assign(globalThis, { cockpit: { language: "en" } });
});
