// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { maskCodes, parseConfig } from "./libxdp-config.ts";

function config(version: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    bytes.set([236, version, 2, 1]);
    bytes.writeUInt32LE(0x80000004, 4);
    bytes.writeUInt32LE(0x8000000e, 8);
    bytes.writeUInt32LE(10, 44);
    bytes.writeUInt32LE(4_000_000_000, 48);
    bytes.writeUInt32LE(32, 84);
    return bytes;
}

test("versions 2 and 3 are read", () => {
    const slots = [
        { mask: 0x80000004, priority: 10, frags: true },
        { mask: 0x8000000e, priority: 4_000_000_000, frags: false },
    ];
    assert.deepEqual(parseConfig(config(2, 124)), { version: 2, frags: true, deviceBound: false, slots });
    const bound = config(3, 128);
    bound[124] = 1;
    assert.deepEqual(parseConfig(bound), { version: 3, frags: true, deviceBound: true, slots });
});

test("what is not a dispatcher's configuration is told", () => {
    assert.match(String(parseConfig(Buffer.alloc(0))), /no dispatcher/);
    assert.match(String(parseConfig(Buffer.alloc(84))), /no dispatcher/);
    assert.match(String(parseConfig(config(4, 128))), /version 4/);
    assert.match(String(parseConfig(config(2, 128))), /version 2/);
    const many = config(2, 124);
    many[2] = 11;
    assert.match(String(parseConfig(many)), /11 programs/);
});

test("a mask's codes leave out the stub's own", () => {
    assert.deepEqual(maskCodes(0x80000004), [2]);
    assert.deepEqual(maskCodes(0xffffffff).length, 31);
    assert.deepEqual(maskCodes(0x80000000), []);
});
