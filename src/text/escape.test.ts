// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { shown, shownLines } from "./escape.ts";

test("control characters are shown as escapes", () => {
    assert.equal(shown("a\x1b[31mb\x00\x7f\x9b\n"), "a\\x1b[31mb\\x00\\x7f\\x9b\\x0a");
});

test("bidirectional and invisible characters are shown as escapes", () => {
    assert.equal(shown("count\u202edrop\u2066\u200b\ufeff\u2028"), "count\\u202edrop\\u2066\\u200b\\ufeff\\u2028");
    assert.equal(shown("\u{e0041}"), "\\u{e0041}");
    assert.equal(shown("\ud800x"), "\\ud800x");
});

test("ordinary names stay as they are", () => {
    for (const name of ["xdp_pass", "größe", "数え", "emoji 🐝", ".rodata", "/run/netns/a b"])
        assert.equal(shown(name), name);
});

test("lines and tabs of a log stay", () => {
    assert.equal(shownLines("0: (b7) r0 = 0\n\tR1\x1b[2J"), "0: (b7) r0 = 0\n\tR1\\x1b[2J");
});
