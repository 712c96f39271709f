// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { disassemble, type Names } from "./disassembler.ts";

const names: Names = {
    call: imm => (imm === 77 ? "bpf_map_lookup_elem" : ""),
    map: id => (id === 12 ? "counts" : ""),
    subprogram: index => (index === 3 ? "helper" : ""),
};

function encode(code: number, dst = 0, src = 0, off = 0, imm = 0): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt8(code, 0);
    bytes.writeUInt8(dst | (src << 4), 1);
    bytes.writeInt16LE(off, 2);
    bytes.writeInt32LE(imm | 0, 4);
    return bytes;
}
const one = (...instruction: Parameters<typeof encode>): string =>
    disassemble(encode(...instruction), names)[0]?.text ?? "";
const wide = (dst: number, src: number, imm: number, next: number): string =>
    disassemble(Buffer.concat([encode(0x18, dst, src, 0, imm), encode(0, 0, 0, 0, next)]), names)[0]?.text ?? "";

test("arithmetic", () => {
    assert.equal(one(0xb7, 0, 0, 0, 2), "r0 = 2");
    assert.equal(one(0xbf, 6, 1), "r6 = r1");
    assert.equal(one(0xb4, 1, 0, 0, -1), "w1 = -1");
    assert.equal(one(0xbc, 1, 2), "w1 = w2");
    assert.equal(one(0x07, 10, 0, 0, -8), "r10 += -8");
    assert.equal(one(0x0f, 1, 2), "r1 += r2");
    assert.equal(one(0x67, 1, 0, 0, 32), "r1 <<= 32");
    assert.equal(one(0xc7, 1, 0, 0, 32), "r1 s>>= 32");
    assert.equal(one(0x87, 3), "r3 = -r3");
    assert.equal(one(0x84, 3), "w3 = -w3");
    assert.equal(one(0x3f, 1, 2, 0), "r1 /= r2");
    assert.equal(one(0x3f, 1, 2, 1), "r1 s/= r2");
    assert.equal(one(0x94, 1, 0, 1, 7), "w1 s%= 7");
    assert.equal(one(0xbf, 1, 2, 8), "r1 = (s8)r2");
    assert.equal(one(0xbc, 1, 2, 16), "w1 = (s16)w2");
    assert.equal(one(0xbf, 1, 2, 32), "r1 = (s32)r2");
    assert.equal(one(0xbf, 1, 2, 1, 1 << 16), "r1 = addr_space_cast(r2, 1, 0)");
    assert.equal(one(0xbf, 1, 2, -1), "r1 = &(void __percpu *)(r2)");
    assert.equal(one(0xdc, 1, 0, 0, 16), "r1 = be16 r1");
    assert.equal(one(0xd4, 1, 0, 0, 64), "r1 = le64 r1");
    assert.equal(one(0xd7, 1, 0, 0, 32), "r1 = bswap32 r1");
});

test("loads and stores", () => {
    assert.equal(one(0x61, 0, 1, 4), "r0 = *(u32 *)(r1 +4)");
    assert.equal(one(0x79, 2, 10, -8), "r2 = *(u64 *)(r10 -8)");
    assert.equal(one(0x91, 2, 1, 0), "r2 = *(s8 *)(r1 +0)");
    assert.equal(one(0x81, 2, 1, 0), "r2 = *(s32 *)(r1 +0)");
    assert.equal(one(0x63, 10, 1, -4), "*(u32 *)(r10 -4) = r1");
    assert.equal(one(0x7a, 10, 0, -8, 5), "*(u64 *)(r10 -8) = 5");
    assert.equal(one(0x28, 0, 0, 0, 12), "r0 = *(u16 *)skb[12]");
    assert.equal(one(0x50, 0, 3, 0, 1), "r0 = *(u8 *)skb[r3 + 1]");
    assert.equal(wide(1, 0, 0xdeadbeef, 0x1), "r1 = 0x1deadbeef");
    assert.equal(wide(1, 1, 12, 0), "r1 = map[id:12 counts]");
    assert.equal(wide(1, 2, 13, 8), "r1 = map[id:13][0]+8");
    assert.equal(wide(1, 4, 2, 0), "r1 = subprog[+2] helper");
});

test("atomic operations", () => {
    assert.equal(one(0xdb, 1, 2, 0, 0x00), "lock *(u64 *)(r1 +0) += r2");
    assert.equal(one(0xc3, 1, 2, 4, 0x40), "lock *(u32 *)(r1 +4) |= r2");
    assert.equal(one(0xdb, 1, 2, 0, 0x01), "r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)");
    assert.equal(one(0xc3, 1, 2, 0, 0xa1), "r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)");
    assert.equal(one(0xdb, 1, 2, 0, 0xe1), "r2 = atomic64_xchg((u64 *)(r1 +0), r2)");
    assert.equal(one(0xdb, 1, 2, 0, 0xf1), "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)");
    assert.equal(one(0xdb, 1, 2, 8, 0x100), "r1 = load_acquire((u64 *)(r2 +8))");
    assert.equal(one(0xdb, 1, 2, 8, 0x110), "store_release((u64 *)(r1 +8), r2)");
});

test("jumps say where they go", () => {
    const code = Buffer.concat([encode(0x05, 0, 0, 2), encode(0x06, 0, 0, 0, 70000), encode(0xe5, 0, 0, -3)]);
    assert.deepEqual(
        disassemble(code, names).map(({ text, jumpTo }) => [text, jumpTo]),
        [
            ["goto pc+2", 3],
            ["gotol pc+70000", 70002],
            ["may_goto pc-3", 0],
        ],
    );
    assert.equal(one(0x15, 1, 0, 5, 0), "if r1 == 0x0 goto pc+5");
    assert.equal(one(0x1e, 1, 2, -1), "if w1 == w2 goto pc-1");
    assert.equal(one(0xa5, 1, 0, 1, -1), "if r1 < 0xffffffff goto pc+1");
    assert.equal(one(0x66, 1, 0, 1, 3), "if w1 s> 0x3 goto pc+1");
    assert.equal(one(0x45, 1, 0, 1, 8), "if r1 & 0x8 goto pc+1");
    assert.equal(one(0x95), "exit");
    assert.equal(one(0x85, 0, 0, 0, 77), "call bpf_map_lookup_elem");
    assert.equal(one(0x85, 0, 0, 0, 5), "call unknown#5");
    assert.equal(one(0x85, 0, 2, 0, 5), "call kernel-function#5");
    assert.equal(one(0x85, 0, 1, 2, 1), "call pc+2#helper");
});

test("every byte is some text, and a wide load takes two slots", () => {
    for (let code = 0; code < 256; code++) assert.notEqual(one(code, 1, 2, 3, 4), "", code.toString(16));
    const [first, second] = disassemble(Buffer.concat([encode(0x18, 1), encode(0), encode(0x95)]), names);
    assert.deepEqual([first?.slots, first?.hex.length, second?.index], [2, 32, 2]);
    // cut off in the middle
    assert.equal(disassemble(encode(0x18, 1), names)[0]?.text, "unknown opcode 18");
});
