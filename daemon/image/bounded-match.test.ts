// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { wholePattern } from "../model/whole-pattern.ts";
import { matches } from "./bounded-match.ts";

test("a pattern matches as it would anywhere, and one that would never end is given up", () => {
    const workflow = "https://github.com/bpfman/bpfman/.github/workflows/build.yaml@refs/heads/main";
    assert.equal(matches(wholePattern("https://github.com/bpfman/bpfman/.*"), workflow), true);
    assert.equal(matches(wholePattern("https://github.com/other/.*"), workflow), false);
    assert.equal(matches(wholePattern("(.*)*(.*)*(.*)*(.*)*x"), workflow.repeat(20)), undefined);
});
