// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { safe, table } from "./print.ts";

test("characters that steer a terminal or turn the reading direction are shown", () => {
    assert.equal(safe("a\u001b[31mb\u0007"), "a\\x1b[31mb\\x07");
    assert.equal(safe("a\nb\tc\rd"), "a\\nb\\tc\\x0dd");
    assert.equal(safe("\u009b31m\u007f"), "\\x9b31m\\x7f");
    for (const code of [0x061c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x2028, 0x2029, 0xfeff]) {
        assert.equal(safe(String.fromCharCode(code)), `\\u${code.toString(16).padStart(4, "0")}`);
    }
    assert.equal(safe("Größe π 数 🐝"), "Größe π 数 🐝");
});

test("columns are two spaces apart and lines end with text", () => {
    assert.deepEqual(
        table([
            ["A", "B", "C"],
            ["1", "twenty", ""],
            ["x\u001b", "y", "z"],
        ]),
        ["A      B       C", "1      twenty", "x\\x1b  y       z"],
    );
    assert.deepEqual(table([]), []);
});
