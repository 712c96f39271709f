// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { atLeast, skipProblem } from "./vm/skips.ts";

test("a kernel's release is compared by its numbers", () => {
    assert.equal(atLeast("6.12.95+deb12-amd64", "6.6"), true);
    assert.equal(atLeast("6.1.0-50-amd64", "6.6"), false);
    assert.equal(atLeast("7.2.13+deb14-amd64", "6.18"), true);
    assert.equal(atLeast("6.6.0", "6.6"), true);
});

test("a skip is right only on a kernel that is older than the feature it names", () => {
    assert.equal(skipProblem("link/tcx: EINVAL", "6.1.0-50-amd64"), undefined);
    assert.match(skipProblem("link/tcx: EINVAL", "6.12.95+deb12-amd64") ?? "", /since 6\.6, and this is 6\.12/);
    assert.match(skipProblem("program/ext: EPERM. No word.", "6.1.0-50-amd64") ?? "", /since 5\.6/);
    for (const reason of ["", "this kernel is odd", "link/nonsense: EINVAL", "link/tcx: "])
        assert.match(skipProblem(reason, "6.1.0-50-amd64") ?? "", /names no feature/);
    assert.equal(skipProblem("emulated: time means nothing", "6.12.95"), undefined);
});
