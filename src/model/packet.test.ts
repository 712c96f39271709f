// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { changedBytes, formatHex, parseHex, type SampleName, samplePacket } from "./packet.ts";

test("hexadecimal digits are read as people paste them", () => {
    const wanted = Uint8Array.from([0x45, 0x00, 0x00, 0x1c]);
    for (const text of [
        "4500001c",
        "45 00 00 1C",
        "45:00:00:1c",
        "0x45, 0x00, 0x00, 0x1c",
        "45 00\n00 1c\n",
        "\t0x0000:  4500 001c",
        "00000000  45 00 00 1c  |E...|",
    ]) {
        assert.deepEqual(parseHex(text), wanted, text);
    }
    for (const text of ["", "4", "45 0", "xyz", "45 g0"]) assert.equal(parseHex(text), undefined, text);
});

test("what is written is read again", () => {
    const bytes = samplePacket("tcp");
    assert.deepEqual(parseHex(formatHex(bytes)), bytes);
    assert.equal(formatHex(bytes).split("\n")[0]?.length, 16 * 3 - 1);
});

test("every sample is a whole frame, its checksums right", () => {
    const sumOf = (bytes: Uint8Array) => {
        let sum = 0;
        for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        return sum;
    };
    for (const name of ["udp", "tcp", "icmp", "arp", "ipv6"] satisfies SampleName[]) {
        const packet = samplePacket(name);
        assert.ok(packet.length >= 60, name);
        if (packet[12] === 0x08 && packet[13] === 0x00) assert.equal(sumOf(packet.slice(14, 34)), 0xffff, name);
    }
    assert.equal(sumOf(samplePacket("icmp").slice(34, 50)), 0xffff);
});

test("changed bytes are told, also at the end", () => {
    const changed = changedBytes(Uint8Array.from([1, 2, 3]), Uint8Array.from([1, 9, 3, 4]));
    assert.deepEqual([...changed], [1, 3]);
});
