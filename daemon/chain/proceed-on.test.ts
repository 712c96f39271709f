// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { proceedOnMask, proceedOnOrDefault, unknownAction } from "./proceed-on.ts";

test("DefaultsArePassAndPipeWithDispatcherReturn", () => {
    assert.deepEqual(proceedOnOrDefault("xdp", []), [2, 31]);
    assert.deepEqual(proceedOnOrDefault("tc", []), [3, 30]);
    assert.equal(proceedOnMask("xdp", proceedOnOrDefault("xdp", [])), 2147483652);
    assert.equal(proceedOnMask("tc", proceedOnOrDefault("tc", [])), 2147483664);
});

test("CodesAreSortedAndKeptOnce", () => {
    assert.deepEqual(proceedOnOrDefault("xdp", [31, 2, 2, 0]), [0, 2, 31]);
});

test("XdpMasksHaveBitRAndTcMasksBitRPlusOne", () => {
    const xdp = [0, 1, 2, 3, 4].map(code => proceedOnMask("xdp", [code]));
    assert.deepEqual(xdp, [1, 2, 4, 8, 16]);
    const tc = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 30].map(code => proceedOnMask("tc", [code]));
    assert.deepEqual(tc, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 0x80000000]);
});

test("UnknownCodesAreFound", () => {
    assert.equal(unknownAction("xdp", [2, 5]), 5);
    assert.equal(unknownAction("tc", [-1, 8]), undefined);
    assert.equal(unknownAction("tc", [9]), 9);
});
