// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { optionOf, parseSort, sortText, withOption } from "./view-options.ts";

test("an option is put beside the others, and an empty one taken away", () => {
    assert.deepEqual(withOption({ filter: "xdp" }, "group", "type"), { filter: "xdp", group: "type" });
    assert.deepEqual(withOption({ filter: "xdp", group: "type" }, "filter", ""), { group: "type" });
    assert.deepEqual(withOption({}, "filter", ""), {});
});

test("what is twice in an address counts as not there", () => {
    assert.equal(optionOf({ filter: ["a", "b"] }, "filter"), undefined);
    assert.deepEqual(withOption({ filter: ["a", "b"] }, "sort", "name"), { sort: "name" });
});

test("an order survives the address, and what is none is none", () => {
    for (const descending of [true, false]) {
        assert.deepEqual(parseSort(sortText({ by: "memory", descending })), { by: "memory", descending });
    }
    for (const text of ["", "-", "a b", "--x"]) assert.equal(parseSort(text), undefined);
});
