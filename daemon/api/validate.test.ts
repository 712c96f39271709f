// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import * as validate from "./validate.ts";

const refuses = (check: () => unknown, message: RegExp | string) =>
    assert.throws(check, { name: "BpfmanError", code: "INVALID_ARGUMENT", message });

test("a priority is not negative", () => {
    assert.equal(validate.checkPriority(0), 0);
    assert.equal(validate.checkPriority(2_147_483_647), 2_147_483_647);
    refuses(() => validate.checkPriority(-1), /priority must be non-negative/);
});

test("proceed-on codes are those that the kernel and the dispatchers know", () => {
    assert.deepEqual(validate.checkProceedOn("xdp", [31, 2, 31, 0]), [31, 2, 0]);
    assert.deepEqual(validate.checkProceedOn("tc", [-1, 8, 30]), [-1, 8, 30]);
    assert.deepEqual(validate.checkProceedOn("tc", []), []);
    for (const code of [-1, 5, 30, 32]) refuses(() => validate.checkProceedOn("xdp", [2, code]), /unknown proceed-on/);
    for (const code of [-2, 9, 31]) refuses(() => validate.checkProceedOn("tc", [code]), /unknown proceed-on/);
});

test("words are known ones", () => {
    assert.equal(validate.checkDirection("egress"), "egress");
    for (const word of ["", "Ingress", "in"]) refuses(() => validate.checkDirection(word), /direction/);
    assert.equal(validate.checkMode(""), "auto");
    assert.equal(validate.checkMode("generic"), "generic");
    for (const word of ["skb", "hw", "Native"]) refuses(() => validate.checkMode(word), /unknown XDP mode/);
});

test("interface names are those that the kernel would take", () => {
    for (const name of ["eth0", "veth-a.1", "123456789012345"]) assert.equal(validate.checkInterface(name), name);
    for (const name of ["", "1234567890123456", "a/b", "a b", "a\nb", ".", "..", "a:1", "a\0"])
        refuses(() => validate.checkInterface(name), /interface/);
});

test("paths are absolute and bounded", () => {
    assert.equal(validate.checkNetns(""), "");
    assert.equal(validate.checkNetns("/host/proc/1/ns/net"), "/host/proc/1/ns/net");
    for (const path of ["blue", "../x", "/a\0b", `/${"x".repeat(4095)}`])
        refuses(() => validate.checkNetns(path), /path/);
    refuses(() => validate.checkPath("", "the path"), "the path is missing");
});

test("metadata is bounded in number and length, counted in bytes", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
    assert.equal(validate.checkMetadata(many(64)).size, 64);
    refuses(() => validate.checkMetadata(many(65)), /more than 64/);
    refuses(() => validate.checkMetadata({ "": "v" }), /key is missing/);
    assert.equal(validate.checkMetadata({ ["ä".repeat(128)]: "" }).size, 1);
    refuses(() => validate.checkMetadata({ ["ä".repeat(129)]: "" }), /longer than 256 bytes/);
    refuses(() => validate.checkMetadata({ k: "ä".repeat(2049) }), /longer than 4096 bytes/);
});

test("global data has names and values", () => {
    assert.equal(validate.checkGlobals({ limit: new Uint8Array(4) }).get("limit")?.length, 4);
    refuses(() => validate.checkGlobals({ limit: new Uint8Array() }), /is empty/);
    refuses(() => validate.checkGlobals({ "": new Uint8Array(1) }), /name is missing/);
    refuses(() => validate.checkGlobals({ limit: new Uint8Array(1024 * 1024 + 1) }), /longer than/);
    const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`g${i}`, new Uint8Array(1)]));
    refuses(() => validate.checkGlobals(many), /more than 256/);
});

test("an object is neither empty nor huge", () => {
    assert.equal(validate.checkObject(new Uint8Array(16 * 1024 * 1024)).length, 16 * 1024 * 1024);
    refuses(() => validate.checkObject(new Uint8Array()), "the object is empty");
    assert.throws(() => validate.checkObject(new Uint8Array(16 * 1024 * 1024 + 1)), {
        code: "RESOURCE_EXHAUSTED",
        message: "the object has 16777217 bytes, at most 16 MiB are read",
    });
});

test("ids are positive, given once each, and not too many", () => {
    assert.deepEqual(validate.checkIds([3, 1, 3], validate.checkProgramId), [3, 1]);
    refuses(() => validate.checkIds([], validate.checkLinkId), "no id is given");
    refuses(() => validate.checkIds([1, 0], validate.checkLinkId), "the link's id is missing");
    refuses(() => validate.checkProgramId(4_294_967_296), /program's id/);
    refuses(() => validate.checkIds(Array(1025).fill(1), validate.checkLinkId), /more than 1024/);
});
