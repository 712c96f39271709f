// SPDX-License-Identifier: Apache-2.0
// Against what clang makes of test/fixtures/map_shapes.bpf.c, against the kernel's own BTF, and against bytes that lie.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fixtureObject, fixtureObjectWithoutBtf } from "../../../test/fixtures/objects.ts";
import { BpfmanError } from "../../model/error.ts";
import { checkObject } from "../elf/elf.ts";
import { mapDefinitions, objectBtf, typedObjectFacts } from "../elf/object-types.ts";
import { Btf, valueTypeName } from "./btf.ts";
import { decode, sum, wholeNumber } from "./btf-decode.ts";
import { encode, encodeText, parseWhole } from "./btf-encode.ts";
import { kernelBtfPath } from "./vmlinux-btf.ts";

const object = fixtureObject("map_shapes");
const elf = checkObject(object);
const btf = objectBtf(elf, object)!;
const struct = (name: string) => btf.find("struct", name)!;

/** BTF of one's own making: kind, vlen, size or type, and what follows, for each type. */
function handmade(
    types: readonly { name?: number; info: number; word: number; tail?: number[] }[],
    names: string,
): Btf {
    const strings = Buffer.from(names, "latin1");
    const words = types.flatMap(({ name = 0, info, word, tail = [] }) => [name, info >>> 0, word, ...tail]);
    const bytes = Buffer.alloc(24 + 4 * words.length + strings.length);
    bytes.writeUInt16LE(0xeb9f, 0);
    bytes.writeUInt8(1, 2);
    bytes.writeUInt32LE(24, 4);
    bytes.writeUInt32LE(4 * words.length, 12);
    bytes.writeUInt32LE(4 * words.length, 16);
    bytes.writeUInt32LE(strings.length, 20);
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 24 + 4 * index);
    strings.copy(bytes, 24 + 4 * words.length);
    return Btf.parse(bytes);
}

const kind = (number: number, vlen = 0, flag = false) => (number << 24) | vlen | (flag ? 0x80000000 : 0);

test("a struct is decoded member by member, and encoded to the same bytes", () => {
    const value = {
        name: "tab\t\u0001",
        color: "BLUE",
        visible: true,
        raw: [1, 2, 3, 4],
        corners: [
            { x: -1, y: 2 },
            { x: 0, y: 0 },
        ],
        big: "18446744073709551615",
        negative: "-9223372036854775808",
        handle: 4_294_967_295,
        low: 7,
        middle: -16,
        high: 1,
        word: 0x01020304,
        named: { a: 5 },
        ratio: -0.5,
        part: "NaN",
        pointer: "0xffffffffffffffff",
    };
    const bytes = encode(btf, struct("shape"), value, "value");
    const decoded = decode(btf, struct("shape"), bytes);
    assert.deepEqual(decoded, { ...value, bytes: [4, 3, 2, 1], named: { a: 5, b: 5 } });
    assert.deepEqual(encode(btf, struct("shape"), decoded, "value"), bytes);
    assert.deepEqual(encode(btf, struct("point"), {}, "value"), new Uint8Array(8), "what is left out is 0");
});

test("char arrays are text only where they are text", () => {
    const type = btf.variable(".rodata", "device")!;
    assert.equal(decode(btf, type, Buffer.from("lo".padEnd(16, "\0"))), "lo");
    assert.equal(decode(btf, type, Buffer.from("x".repeat(16))), "x".repeat(16), "no NUL at the end");
    assert.equal(Array.isArray(decode(btf, type, Buffer.from("a\0b".padEnd(16, "\0")))), true);
    assert.equal(Array.isArray(decode(btf, type, Buffer.alloc(16, 0xff))), true);
    assert.deepEqual(encodeText(btf, type, '"[x]"', "device").subarray(0, 3), Uint8Array.from(Buffer.from("[x]")));
    assert.deepEqual(encodeText(btf, type, "[108, 111]", "device").subarray(0, 3), new Uint8Array([108, 111, 0]));
});

test("numbers of every size keep every digit", () => {
    const wide = btf.variable(".bss", "total")!;
    for (const text of ["18446744073709551615", "9007199254740993", "0xffffffffffffffff", "0"]) {
        const bytes = encodeText(btf, wide, text, "total");
        assert.equal(Buffer.from(bytes).readBigUInt64LE(), BigInt(text));
        assert.equal(decode(btf, wide, bytes), wholeNumber(BigInt(text)));
    }
    const inJson = encodeText(btf, struct("shape"), '{"big": 18446744073709551615}', "value");
    assert.equal((decode(btf, struct("shape"), inJson) as { big: string }).big, "18446744073709551615");
    assert.throws(
        () => encodeText(btf, wide, "18446744073709551616", "total"),
        /is not from 0 to 18446744073709551615/,
    );
    assert.throws(() => encodeText(btf, wide, "1.5", "total"), /is no whole number/);
    assert.equal(parseWhole("-0x10"), -16n);
    assert.equal(parseWhole("1e3"), undefined);
});

test("enums of 64 bits, and names of types as C writes them", () => {
    // an enum64 called e with value v = 2^40 + 1; a pointer to it; an array [3][2] of those
    const made = handmade(
        [
            { name: 1, info: kind(19, 1), word: 8, tail: [3, 1, 256] },
            { info: kind(2), word: 1 },
            { info: kind(3), word: 0, tail: [2, 2, 2] },
            { info: kind(3), word: 0, tail: [3, 2, 3] },
            { info: kind(10), word: 4 },
        ],
        "\0e\0v\0",
    );
    assert.equal(made.cName(5), "const enum e *[3][2]");
    assert.equal(valueTypeName(made, 5), "enum e *[3][2]");
    assert.equal(made.size(5), 48);
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(2n ** 40n + 1n);
    assert.equal(decode(made, 1, bytes), "v");
    assert.deepEqual(Buffer.from(encodeText(made, 1, "v", "e")), bytes);
});

test("types that refer to themselves or lie about their size are refused", () => {
    const circle = handmade([{ name: 1, info: kind(8), word: 1 }], "\0t\0");
    assert.throws(() => circle.resolve(1), /refers to itself/);
    const nested = handmade([{ name: 1, info: kind(4, 1), word: 8, tail: [1, 1, 0] }], "\0s\0");
    assert.throws(() => decode(nested, 1, Buffer.alloc(8)), /nest too deeply/);
    const huge = handmade(
        [
            { name: 1, info: kind(1), word: 4, tail: [32] },
            { info: kind(3), word: 0, tail: [1, 1, 0xffffffff] },
        ],
        "\0i\0",
    );
    assert.throws(() => decode(huge, 2, Buffer.alloc(8)), BpfmanError);
    const empty = handmade(
        [
            { name: 1, info: kind(4, 0), word: 0 },
            { info: kind(3), word: 0, tail: [1, 1, 0xffffffff] },
        ],
        "\0i\0",
    );
    assert.deepEqual(decode(empty, 2, Buffer.alloc(0)), []);
    assert.throws(() => decode(btf, struct("shape"), Buffer.alloc(10)), /ends at byte/);
    // forty unions, each of two of the next: 2^40 ways to show eight bytes
    const laughing = [1, 0].flatMap(name =>
        handmade(
            [
                { name: 1, info: kind(1), word: 8, tail: [64] },
                ...Array.from({ length: 40 }, (_, index) => ({
                    name: 1,
                    info: kind(5, 2),
                    word: 8,
                    tail: [name, index + 1, 0, name, index + 1, 0],
                })),
            ],
            "\0u\0",
        ),
    );
    for (const one of laughing) assert.throws(() => decode(one, 41, Buffer.alloc(8)), /more than 1000000 parts/);
    const nameless = laughing[1]!;
    assert.throws(() => encode(nameless, 41, { u: 1 }, "value"), /nest too deeply/);
});

test("the sum of values is that of their numbers", () => {
    assert.equal(sum([1, 2, "18446744073709551615"]), "18446744073709551618");
    assert.deepEqual(
        sum([
            { a: 1, b: [1, 2] },
            { a: 2, b: [3, 4] },
        ]),
        { a: 3, b: [4, 6] },
    );
    assert.equal(sum([{ name: "x" }, { name: "y" }]), undefined);
    assert.equal(sum([]), undefined);
});

test("an object tells its globals with types and values, and its maps", () => {
    const facts = typedObjectFacts(elf, object);
    assert.deepEqual(
        facts.globals.find(({ name }) => name === "ports"),
        { name: "ports", sizeBytes: 8, section: ".rodata", type: "__u16[4]", value: [80, 443, 0, 0] },
    );
    const pinned = fixtureObject("shared_map");
    const shared = checkObject(pinned);
    assert.deepEqual(
        mapDefinitions(shared, objectBtf(shared, pinned)).map(({ name, pinnedByName }) => [name, pinnedByName]),
        [
            ["shared_count", true],
            ["own_count", false],
        ],
    );
    const plain = fixtureObjectWithoutBtf("xdp_count");
    const without = typedObjectFacts(checkObject(plain), plain);
    assert.deepEqual(
        without.globals.map(({ name, type, value }) => [name, type, value]),
        [["action", "", undefined]],
    );
});

test("the kernel's own types are read", { skip: existsSync(kernelBtfPath) ? false : "no BTF of the kernel" }, () => {
    const kernel = Btf.parse(readFileSync(kernelBtfPath));
    const sizes: [string, number][] = [
        ["iphdr", 20],
        ["ethhdr", 14],
        ["xdp_md", 24],
    ];
    for (const [name, size] of sizes) {
        const id = kernel.find("struct", name);
        assert.equal(id === undefined ? undefined : kernel.size(id), size, name);
    }
    const id = kernel.find("struct", "iphdr") ?? 0;
    const header = Buffer.from("4500005400004000400126a20a0a0001c0000207", "hex");
    const { ihl, version, ttl, protocol } = decode(kernel, id, header) as Record<string, unknown>;
    assert.deepEqual([version, ihl, ttl, protocol], [4, 5, 64, 1], "bit fields and bytes of an IPv4 header");
});

test("a member that lies past the end of what it is a part of is no place to write to", () => {
    // int a; char s[4]; struct { int x at 4 of 4 bytes; int y:8 at 4 }; section of 4 bytes with s at 2
    const names = "\0int\0char\0s\0x\0y\0.data\0";
    const name = (text: string) => names.indexOf(`\0${text}\0`) + 1;
    const lying = handmade(
        [
            { name: name("int"), info: kind(1), word: 4, tail: [0x0100_0020] },
            { name: name("char"), info: kind(1), word: 1, tail: [0x0200_0008] },
            { info: kind(3), word: 0, tail: [2, 1, 4] },
            { name: name("s"), info: kind(14), word: 3, tail: [1] },
            { name: name(".data"), info: kind(15, 1), word: 4, tail: [4, 2, 4] },
            { info: kind(4, 1), word: 4, tail: [name("x"), 1, 32] },
            { info: kind(4, 1, true), word: 4, tail: [name("y"), 1, (8 << 24) | 32] },
        ],
        names,
    );
    const broken = { code: "INVALID_ARGUMENT", message: /^broken BTF: v\.[sxy] lies past the end/ };
    assert.throws(() => encode(lying, 5, { s: "abcd" }, "v"), broken);
    assert.throws(() => encode(lying, 6, { x: 1 }, "v"), broken);
    assert.throws(() => encode(lying, 7, { y: 1 }, "v"), broken);
    assert.equal(Buffer.from(encode(lying, 3, "ab", "v")).toString("hex"), "61620000");
});
