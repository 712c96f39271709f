// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf, type Entry, type EntryChange, entryOf, mapInfoOf, withChanges } from "./map-model.ts";

function entry(key: string, value: number): Entry {
    return entryOf({ key, keyJson: key, value: "", valueJson: value });
}

function change(kind: EntryChange["kind"], of: Entry): EntryChange {
    return { kind, entry: of, time: "" };
}

test("an entry that changed stands where it stood", () => {
    const page = [entry("AA==", 1), entry("AQ==", 2), entry("Ag==", 3)];
    const after = withChanges(page, [change("CHANGED", entry("AQ==", 9)), change("DELETED", entry("AA==", 1))], 3);
    assert.deepEqual(after, [entry("AQ==", 9), entry("Ag==", 3)]);
});

test("a new entry joins a page that has room", () => {
    const page = [entry("AA==", 1)];
    assert.equal(withChanges(page, [change("ADDED", entry("AQ==", 2))], 1).length, 1);
    assert.deepEqual(withChanges(page, [change("ADDED", entry("AQ==", 2))], 2), [...page, entry("AQ==", 2)]);
});

test("what is no change of an entry is none", () => {
    assert.equal(changeOf({ kind: "READY", entryCount: 3 }), undefined);
    assert.equal(changeOf({ kind: "GONE" }), undefined);
    assert.equal(changeOf({ kind: "ADDED", entry: { key: "AA==" }, time: "t" })?.entry.key.bytes, "AA==");
});

test("a map has the name that its object gives it, and each pin once", () => {
    const map = mapInfoOf({
        map: { id: 3, name: "cut_at_15_bytes", pinPath: "/p" },
        name: "cut_at_15_bytes_of",
        pinPaths: ["/p"],
    });
    assert.equal(map.name, "cut_at_15_bytes_of");
    assert.deepEqual(map.pinPaths, ["/p"]);
    assert.equal(mapInfoOf({ map: { name: "kernel" } }).name, "kernel");
});
