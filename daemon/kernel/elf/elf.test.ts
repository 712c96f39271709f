// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type PatchedElf, patchElf, sectionField, symbolField } from "../../../test/fixtures/elf-patch.ts";
import { fixtureObject, fixtureObjectWithoutBtf } from "../../../test/fixtures/objects.ts";
import { BpfmanError } from "../../model/error.ts";
import { checkObject, objectFacts } from "./elf.ts";

const sample = fixtureObject("elf-sample");

function refusal(bytes: Uint8Array): BpfmanError {
    try {
        checkObject(bytes);
    } catch (error) {
        assert.ok(error instanceof BpfmanError, String(error));
        assert.equal(error.code, "INVALID_ARGUMENT");
        return error;
    }
    throw new assert.AssertionError({ message: "the object was accepted" });
}

function refusalAfter(patch: (elf: PatchedElf) => void): string {
    const elf = patchElf(sample);
    patch(elf);
    return refusal(elf.bytes).message;
}

describe("checkObject on a sound object", () => {
    const elf = checkObject(sample);

    it("finds programs and tells them from subprograms", () => {
        const functions = elf.functions.map(({ name, section, program }) => ({ name, section, program }));
        assert.deepEqual(
            functions.toSorted((a, b) => a.name.localeCompare(b.name)),
            [
                { name: "sample_member", section: "xdp.frags", program: true },
                { name: "sample_subprogram", section: ".text", program: false },
                { name: "sample_tc", section: "tc", program: true },
                { name: "sample_xdp", section: "xdp", program: true },
            ],
        );
        for (const { instructions, sizeBytes } of elf.functions) assert.equal(instructions * 8, sizeBytes);
    });

    it("finds maps, and global data by section", () => {
        assert.deepEqual(elf.maps.toSorted(), ["sample_counts", "sample_jumps"]);
        assert.deepEqual(
            elf.globals.map(({ name, section, sizeBytes }) => `${section} ${name} ${sizeBytes}`).toSorted(),
            [".bss last_length 8", ".data runs 8", ".data.early early 4", ".rodata action 4", ".rodata switches 12"],
        );
    });

    it("knows which programs the PROG_ARRAYs need", () => {
        assert.deepEqual(elf.neededByProgArrays, ["sample_member"]);
    });

    it("reads the license and what needs BTF", () => {
        assert.equal(elf.license, "Dual BSD/GPL");
        assert.equal(elf.hasBtf, true);
        assert.equal(elf.hasBtfExt, true);
        assert.equal(elf.hasLegacyMaps, false);
        assert.deepEqual(elf.btfNeededFor, ["its maps", "the external symbol LINUX_KERNEL_VERSION"]);
    });

    it("tells types by section", () => {
        const facts = objectFacts(elf);
        assert.equal(facts.hasBtf, true);
        const byName = new Map(facts.programs.map(program => [program.name, program]));
        assert.deepEqual([...byName.keys()].toSorted(), ["sample_member", "sample_tc", "sample_xdp"]);
        assert.equal(byName.get("sample_member")?.frags, true);
        assert.equal(byName.get("sample_xdp")?.type, "xdp");
        assert.deepEqual(byName.get("sample_tc")?.otherTypes, ["tcx"]);
    });

    it("reads an object without BTF", () => {
        const plain = checkObject(fixtureObjectWithoutBtf("elf-sample"));
        assert.equal(plain.hasBtf, false);
        assert.deepEqual(plain.maps.toSorted(), ["sample_counts", "sample_jumps"]);
        assert.equal(plain.btfNeededFor[0], "its maps");
    });

    it("reads bytes that lie in the middle of a buffer", () => {
        const around = new Uint8Array(sample.length + 64);
        around.set(sample, 13);
        assert.deepEqual(checkObject(around.subarray(13, 13 + sample.length)), elf);
    });
});

describe("checkObject on what is not an eBPF object", () => {
    const cases: [string, Uint8Array, RegExp][] = [
        ["nothing", new Uint8Array(), /it is empty/],
        ["a script", Buffer.from("#!/bin/sh\nexit 0\n"), /looks like a script/],
        ["C source", Buffer.from("#include <linux/bpf.h>\n"), /looks like C source/],
        ["text", Buffer.from("hello\n"), /looks like text/],
        ["gzip", gzipSync(sample), /looks like a gzip archive/],
        ["LLVM bitcode", Uint8Array.of(0x42, 0x43, 0xc0, 0xde, 0, 0), /looks like LLVM bitcode/],
        ["one byte", Uint8Array.of(0x7f), /not an ELF object/],
        ["only the magic number", sample.subarray(0, 4), /within the ELF header/],
    ];
    for (const [what, bytes, expected] of cases) {
        it(`says what it is: ${what}`, () => assert.match(refusal(bytes).message, expected));
    }

    it("names the machine of a foreign ELF file", () => {
        assert.match(
            refusalAfter(elf => elf.view.setUint16(18, 62, true)),
            /for x86-64, not for BPF/,
        );
    });
    it("names the file type", () => {
        assert.match(
            refusalAfter(elf => elf.view.setUint16(16, 3, true)),
            /a shared object, not relocatable/,
        );
    });
    it("refuses the other byte order and 32 bits", () => {
        assert.match(
            refusalAfter(elf => elf.view.setUint8(5, 2)),
            /big-endian, this machine little-endian/,
        );
        assert.match(
            refusalAfter(elf => elf.view.setUint8(4, 1)),
            /32-bit ELF file/,
        );
    });
});

describe("checkObject on a broken object", () => {
    const cases: [string, (elf: PatchedElf) => void, RegExp][] = [
        ["no sections", ({ view }) => view.setUint16(60, 0, true), /no sections/],
        ["too many sections", ({ view }) => view.setUint16(60, 0xffff, true), /65535 sections, more than 4096/],
        ["headers far away", ({ view }) => view.setBigUint64(40, 2n ** 63n, true), /past the end of the file/],
        ["headers on the ELF header", ({ view }) => view.setBigUint64(40, 8n, true), /overlap the ELF header/],
        ["no name table", ({ view }) => view.setUint16(62, 0, true), /section name table has index 0/],
        ["the name table is code", ({ view }) => view.setUint16(62, 2, true), /not a string table/],
        [
            "a section past the end",
            ({ view, sectionHeaderAt }) =>
                view.setBigUint64(sectionHeaderAt("xdp") + sectionField.size, 1n << 40n, true),
            /section \d+ ends at byte \d+, past the end/,
        ],
        [
            "a section whose end wraps",
            ({ view, sectionHeaderAt }) =>
                view.setBigUint64(sectionHeaderAt("xdp") + sectionField.offset, 2n ** 64n - 8n, true),
            /past the end of the file/,
        ],
        [
            "sections on each other",
            ({ view, sectionHeaderAt, sectionAt }) =>
                view.setBigUint64(sectionHeaderAt("tc") + sectionField.offset, BigInt(sectionAt("xdp")), true),
            /overlaps section/,
        ],
        [
            "a section name outside of its table",
            ({ view, sectionHeaderAt }) => view.setUint32(sectionHeaderAt("xdp") + sectionField.name, 1 << 30, true),
            /the name of section \d+ lies at byte/,
        ],
        [
            "huge .bss",
            ({ view, sectionHeaderAt }) =>
                view.setBigUint64(sectionHeaderAt(".bss") + sectionField.size, 1n << 40n, true),
            /bytes of memory/,
        ],
        [
            "no symbol table",
            ({ view, sectionHeaderAt }) => view.setUint32(sectionHeaderAt(".symtab") + sectionField.type, 1, true),
            /no symbol table/,
        ],
        [
            "a symbol table without names",
            ({ view, sectionHeaderAt }) => view.setUint32(sectionHeaderAt(".symtab") + sectionField.link, 0, true),
            /has no string table/,
        ],
        [
            "symbols of another size",
            ({ view, sectionHeaderAt }) =>
                view.setBigUint64(sectionHeaderAt(".symtab") + sectionField.entrySize, 8n, true),
            /entries of 8, not 24/,
        ],
        [
            "a symbol in no section",
            ({ view, symbolAt }) => view.setUint16(symbolAt("sample_xdp") + symbolField.section, 999, true),
            /lies in section 999/,
        ],
        [
            "a function whose end wraps (CVE-2025-29481)",
            ({ view, symbolAt }) => {
                view.setBigUint64(symbolAt("sample_xdp") + symbolField.value, 2n ** 64n - 64n, true);
                view.setBigUint64(symbolAt("sample_xdp") + symbolField.size, 128n, true);
            },
            /function sample_xdp at byte \d+ with 128 bytes leaves its section xdp/,
        ],
        [
            "a function past its section",
            ({ view, symbolAt }) => view.setBigUint64(symbolAt("sample_xdp") + symbolField.size, 4096n, true),
            /leaves its section/,
        ],
        [
            "half an instruction",
            ({ view, symbolAt }) => view.setBigUint64(symbolAt("sample_xdp") + symbolField.size, 12n, true),
            /not made of whole instructions/,
        ],
        [
            "an empty function",
            ({ view, symbolAt }) => view.setBigUint64(symbolAt("sample_xdp") + symbolField.size, 0n, true),
            /function sample_xdp is empty/,
        ],
        [
            "a two-slot instruction without its second slot",
            ({ bytes, view, sectionAt, symbolAt }) => {
                bytes[sectionAt("tc")] = 0x18;
                view.setBigUint64(symbolAt("sample_tc") + symbolField.size, 8n, true);
            },
            /ends within an instruction/,
        ],
        [
            "two programs of one name",
            ({ view, symbolAt }) =>
                view.setUint32(
                    symbolAt("sample_tc") + symbolField.name,
                    view.getUint32(symbolAt("sample_xdp") + symbolField.name, true),
                    true,
                ),
            /more than one program called sample_xdp/,
        ],
        [
            "a static program",
            ({ view, symbolAt }) => view.setUint8(symbolAt("sample_tc") + symbolField.info, 2),
            /program sample_tc is static/,
        ],
        [
            "a variable past its section",
            ({ view, symbolAt }) => view.setBigUint64(symbolAt("runs") + symbolField.value, 1n << 60n, true),
            /variable runs at byte/,
        ],
        [
            "a relocation of nothing",
            ({ view, sectionAt }) => view.setBigUint64(sectionAt(".relxdp"), 1n << 50n, true),
            /relocates byte \d+ of xdp, where no instruction is/,
        ],
        [
            "a relocation to no symbol",
            ({ view, sectionAt }) => view.setUint32(sectionAt(".relxdp") + 12, 1 << 24, true),
            /names symbol 16777216/,
        ],
        [
            "a relocation of the maps outside of them",
            ({ view, sectionAt }) => view.setBigUint64(sectionAt(".rel.maps"), 1n << 33n, true),
            /relocates byte 8589934592 of \.maps/,
        ],
        [
            "relocations of no section",
            ({ view, sectionHeaderAt }) => view.setUint32(sectionHeaderAt(".relxdp") + sectionField.info, 4000, true),
            /relocates section 4000/,
        ],
        ["a license that can't be printed", ({ bytes, sectionAt }) => bytes.set([7], sectionAt("license")), /license/],
        ["a license that is not UTF-8", ({ bytes, sectionAt }) => bytes.set([0xff], sectionAt("license")), /UTF-8/],
        ["BTF without its magic", ({ bytes, sectionAt }) => bytes.set([0], sectionAt(".BTF")), /magic number/],
        [
            "BTF types past its end",
            ({ view, sectionAt }) => view.setUint32(sectionAt(".BTF") + 12, 0xfffffffc, true),
            /types of \.BTF lie outside/,
        ],
        [
            "a BTF type that refers to none",
            ({ view, sectionAt }) => view.setUint32(sectionAt(".BTF") + 24 + 8, 60_000, true),
            /refers to type 60000/,
        ],
        [
            "BTF.ext records past its end",
            ({ view, sectionAt }) => view.setUint32(sectionAt(".BTF.ext") + 12, 0xfffffff0, true),
            /records of \.BTF\.ext lie outside/,
        ],
    ];
    for (const [what, patch, expected] of cases) {
        it(`refuses ${what}`, () => assert.match(refusalAfter(patch), expected));
    }

    it("refuses names that would deceive their reader", () => {
        const message = refusalAfter(({ bytes, view, symbolAt }) => {
            const strings = patchElf(sample).sectionAt(".strtab");
            const name = strings + view.getUint32(symbolAt("sample_xdp") + symbolField.name, true);
            // U+202E turns the direction of what follows
            bytes.set([0xe2, 0x80, 0xae], name);
        });
        assert.match(message, /the name of .* has characters that can't be printed/);
    });

    it("refuses it cut off anywhere", () => {
        for (let length = 0; length < sample.length; length += 97) {
            refusal(sample.subarray(0, length));
        }
    });
});

/** mulberry32: the same numbers in every run. */
function random(seed: number): () => number {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

describe("checkObject on mutations", () => {
    // debug information is most of the object and none of its meaning
    const small = fixtureObjectWithoutBtf("elf-sample");
    const mutate = (original: Uint8Array, next: () => number): Uint8Array => {
        const below = (limit: number): number => Math.floor(next() * limit);
        let bytes = Uint8Array.from(original);
        for (let change = below(4); change >= 0; change -= 1) {
            const at = below(bytes.length);
            const way = below(6);
            if (way === 0) bytes = bytes.slice(0, at);
            else if (way === 1) bytes.copyWithin(at, below(bytes.length), below(bytes.length));
            else if (way === 2) bytes[at] = [0, 0xff, 0x7f, 0x80][below(4)]!;
            else if (way === 3) bytes.fill(0xff, at, at + 8);
            else bytes[at] = bytes[at]! ^ (1 << below(8));
            // the parts that steer the reader deserve more than their share of bytes
            if (way >= 4 && bytes.length > 64) bytes[below(64)]! ^= next() < 0.2 ? 1 << below(8) : 0;
            if (bytes.length === 0) break;
        }
        return bytes;
    };
    for (const [what, original] of [
        ["with BTF", sample],
        ["without BTF", small],
    ] as const) {
        it(`reads or refuses each, ${what}`, () => {
            const next = random(original.length);
            let accepted = 0;
            const rounds = 4000;
            for (let round = 0; round < rounds; round += 1) {
                const bytes = mutate(original, next);
                try {
                    objectFacts(checkObject(bytes));
                    accepted += 1;
                } catch (error) {
                    assert.ok(error instanceof BpfmanError, `round ${round}: ${(error as Error).stack}`);
                }
            }
            assert.ok(accepted > 0 && accepted < rounds, `${accepted} of ${rounds} accepted`);
        });
    }
});
