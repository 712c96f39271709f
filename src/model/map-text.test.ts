// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, datum, editable, flagWords, hexOf, keyForm, preview, zeroHex } from "./map-text.ts";

const base64 = (...bytes: number[]) => Buffer.from(bytes).toString("base64");

test("bytes are pairs of digits, long ones are cut", () => {
    assert.equal(hexOf(base64(10, 0, 255)), "0a 00 ff");
    assert.equal(hexOf(base64(1, 2, 3), 2), "01 02 …");
    assert.equal(hexOf(""), "");
    assert.equal(zeroHex(3), "hex:00 00 00");
});

test("a structure is told in one line", () => {
    assert.equal(preview({ x: 1, y: [2, "three", true], z: { w: null } }), "{x: 1, y: [2, three, true], z: {w: null}}");
    assert.equal(preview(Array.from({ length: 20 }, (_, at) => at)), "[0, 1, 2, 3, 4, 5, 6, 7, …]");
    assert.equal(preview("x".repeat(100), 10), `${"x".repeat(9)}…`);
});

test("what a field holds is read back as the same value", () => {
    assert.equal(editable(datum(base64(1, 0), undefined)), "hex:01 00");
    assert.equal(editable(datum("", 5)), "5");
    assert.equal(editable(datum("", "eth0")), "eth0");
    assert.equal(editable(datum("", "hex:00")), '"hex:00"');
    assert.equal(editable(datum("", '"quoted"')), '"\\"quoted\\""');
    assert.deepEqual(JSON.parse(editable(datum("", { a: [1, 2] }))), { a: [1, 2] });
});

test("a new entry has the shape of one that is there", () => {
    assert.deepEqual(blank({ a: 5, b: "text", c: [1, 2], d: { e: true }, f: "18446744073709551615" }), {
        a: 0,
        b: "",
        c: [0, 0],
        d: { e: false },
        f: 0,
    });
});

test("flags are told by name, unknown ones as a number", () => {
    assert.deepEqual(flagWords(0), []);
    assert.deepEqual(flagWords(0x401), ["no_prealloc", "mmapable"]);
    assert.deepEqual(flagWords(0x80000001), ["no_prealloc", "0x80000000"]);
});

test("a key is written as its type tells", () => {
    assert.equal(keyForm({ type: "array", keyBytes: 4, keyType: "unsigned int" }), "index");
    assert.equal(keyForm({ type: "lpm_trie", keyBytes: 8, keyType: "struct prefix" }), "prefix");
    assert.equal(keyForm({ type: "lpm_trie", keyBytes: 12, keyType: "struct own" }), "structure");
    assert.equal(keyForm({ type: "hash", keyBytes: 16, keyType: "char[16]" }), "text");
    assert.equal(keyForm({ type: "hash", keyBytes: 8, keyType: "struct point" }), "structure");
    assert.equal(keyForm({ type: "hash", keyBytes: 4, keyType: "__u32" }), "number");
    assert.equal(keyForm({ type: "hash", keyBytes: 4, keyType: "" }), "number");
    assert.equal(keyForm({ type: "hash", keyBytes: 12, keyType: "" }), "bytes");
});
