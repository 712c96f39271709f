// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { isOlder } from "./version.ts";

test("versions are compared by their numbers", () => {
    assert.equal(isOlder("0.9.12", "0.10.0"), true);
    assert.equal(isOlder("0.10.0", "0.9.12"), false);
    assert.equal(isOlder("1.2.3", "1.2.3"), false);
    assert.equal(isOlder("1.2.3-rc1", "1.2.3"), false);
    assert.equal(isOlder("1.2.2", "1.2.3-rc1"), true);
});

test("what is no version is not taken for an old one", () => {
    assert.equal(isOlder("", "1.0.0"), false);
    assert.equal(isOlder("unknown", "1.0.0"), false);
    assert.equal(isOlder("0.1.0", ""), false);
});
