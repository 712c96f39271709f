// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { chunks, grouped, matches, sorted } from "./rows.ts";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

test("numbers are sorted as numbers, texts as people read them", () => {
    assert.deepEqual(
        sorted([10, 9, 100], value => value, false, collator),
        [9, 10, 100],
    );
    assert.deepEqual(
        sorted(["eth10", "Eth2", "eth1"], value => value, false, collator),
        ["eth1", "Eth2", "eth10"],
    );
});

test("equal rows keep their order, also descending", () => {
    const rows = [
        { name: "a", value: 1 },
        { name: "b", value: 2 },
        { name: "c", value: 1 },
    ];
    const names = (descending: boolean) => sorted(rows, row => row.value, descending, collator).map(row => row.name);
    assert.deepEqual(names(false), ["a", "c", "b"]);
    assert.deepEqual(names(true), ["b", "a", "c"]);
});

test("each value is asked for once", () => {
    let asked = 0;
    const rows = Array.from({ length: 1000 }, (_, at) => 1000 - at);
    sorted(
        rows,
        row => {
            asked++;
            return row;
        },
        false,
        collator,
    );
    assert.equal(asked, 1000);
});

test("groups stand by name, what has none last", () => {
    const rows = ["b1", "", "a1", "b2"];
    assert.deepEqual(
        grouped(rows, row => row.slice(0, 1), collator),
        [
            { key: "a", rows: ["a1"] },
            { key: "b", rows: ["b1", "b2"] },
            { key: "", rows: [""] },
        ],
    );
});

test("pieces hold everything once", () => {
    assert.deepEqual(chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
    assert.deepEqual(chunks([], 2), []);
});

test("a filter's words may be in different texts, in any case", () => {
    assert.ok(matches(["xdp_pass", "eth0"], "ETH xdp"));
    assert.ok(!matches(["xdp_pass", "eth0"], "eth1"));
    assert.ok(matches([], "  "));
});
