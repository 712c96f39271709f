// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "./map-text.ts";

const hex = (text: string, sizeBytes: number, prefix = false): string =>
    Buffer.from(bytesOfText(text, { what: "key", sizeBytes, btf: undefined, typeId: 0, prefix })).toString("hex");

test("bytes in hexadecimal are bytes in their order", () => {
    for (const text of ["hex:0a000001", "hex:0a 00 00 01", "hex:0a:00:00:01", "hex:0x0a 0x00 0x00 0x01"])
        assert.equal(hex(text, 4), "0a000001");
    assert.throws(() => hex("hex:0a0", 4), /not made of pairs/);
    assert.throws(() => hex("hex:0a", 4), /has 4 bytes, 1 were given/);
});

test("numbers are little-endian and fit", () => {
    assert.equal(hex("258", 4), "02010000");
    assert.equal(hex("0x0102", 2), "0201");
    assert.equal(hex("-1", 8), "ff".repeat(8));
    assert.equal(hex("255", 1), "ff");
    assert.throws(() => hex("256", 1), /256 does not fit/);
    assert.throws(() => hex("-129", 1), /does not fit/);
    assert.throws(() => hex("eth0", 4), /no BTF that tells what its key is, and "eth0" is no number/);
});

test("addresses stand for the bytes of packets", () => {
    assert.equal(hex("192.0.2.7", 4), "c0000207");
    assert.equal(hex("02:00:5e:10:00:ff", 6), "02005e1000ff");
    assert.equal(hex("2001:db8::1", 16), "20010db8000000000000000000000001");
    assert.equal(hex("::", 16), "00".repeat(16));
    assert.equal(hex("::ffff:192.0.2.7", 16), "00000000000000000000ffffc0000207");
    assert.equal(hex("1:2:3:4:5:6:7:8", 16), "00010002000300040005000600070008");
    assert.throws(() => hex("192.0.2.7", 8), /is no number/);
});

test("prefixes are keys of tries", () => {
    assert.equal(hex("10.0.0.0/8", 8, true), "080000000a000000");
    assert.equal(hex("2001:db8::/32", 20, true), `2000000020010db8${"00".repeat(12)}`);
    assert.throws(() => hex("10.0.0.0/33", 8, true), /longer than its address of 32 bits/);
});
