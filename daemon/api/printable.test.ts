// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.ts";

test("what forges lines or turns them is written out, every language stays", () => {
    assert.equal(printable("a\nb\r\u001b[31m"), "a\\u{a}b\\u{d}\\u{1b}[31m");
    assert.equal(printable("\u202eabc\u2066\u200f"), "\\u{202e}abc\\u{2066}\\u{200f}");
    assert.equal(printable("\u0085\u2028\u007f"), "\\u{85}\\u{2028}\\u{7f}");
    assert.equal(printable("\ud800x"), "\\u{d800}x");
    assert.equal(printable("Zähler 計數 عداد 🐝"), "Zähler 計數 عداد 🐝");
});
