// SPDX-License-Identifier: Apache-2.0
// The outer layers of an ELF64 object: header, section table, names, symbols. Every offset is checked before it is
// used. 64-bit numbers become JavaScript numbers: above 2^53 they lose low bits, but stay far past any file's end, and
// sums of two never wrap as they do in C.
import { BpfmanError } from "../../model/error.ts";
import { broken } from "../errors.ts";

const headerSize = 64;
const sectionHeaderSize = 64;
const symbolSize = 24;
const maxSections = 4096;
const maxSymbols = 100_000;
const maxNameBytes = 255;

export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHF_EXECINSTR = 4;

const EM_BPF = 247;
const machines: Readonly<Record<number, string>> = {
    0: "no machine",
    3: "x86",
    8: "MIPS",
    20: "PowerPC",
    21: "64-bit PowerPC",
    22: "s390",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
};
const fileTypes: Readonly<Record<number, string>> = { 2: "an executable", 3: "a shared object", 4: "a core dump" };

export interface ElfSection {
    readonly index: number;
    readonly name: string;
    readonly type: number;
    readonly offset: number;
    readonly sizeBytes: number;
    readonly link: number;
    readonly info: number;
    readonly entryBytes: number;
    readonly executable: boolean;
}

export interface ElfSymbol {
    readonly index: number;
    readonly nameOffset: number;
    readonly type: number;
    readonly local: boolean;
    /** undefined: not in a section (undefined, absolute, common) */
    readonly section: ElfSection | undefined;
    readonly undefinedHere: boolean;
    readonly value: number;
    readonly sizeBytes: number;
}

export interface ElfFile {
    readonly view: DataView;
    readonly bytes: Uint8Array;
    readonly sections: readonly ElfSection[];
    readonly symbolTable: ElfSection;
    readonly symbols: readonly ElfSymbol[];
    symbolName(symbol: ElfSymbol): string;
}

function refused(what: string, hint?: string): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", what, { hint });
}

const compileHint = "compile it with clang -target bpf -O2 -g -c";

const magics: readonly (readonly [string, number, readonly number[], string?])[] = [
    ["a gzip archive", 0, [0x1f, 0x8b], "unpack it first"],
    ["a zstd archive", 0, [0x28, 0xb5, 0x2f, 0xfd], "unpack it first"],
    ["an xz archive", 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a], "unpack it first"],
    ["a bzip2 archive", 0, [0x42, 0x5a, 0x68], "unpack it first"],
    ["a zip archive", 0, [0x50, 0x4b, 0x03, 0x04], "unpack it first"],
    ["a tar archive", 257, [0x75, 0x73, 0x74, 0x61, 0x72], "unpack it first"],
    ["an ar archive", 0, [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e], "unpack it first"],
    ["LLVM bitcode", 0, [0x42, 0x43, 0xc0, 0xde], "compile it on with llc -march=bpf -filetype=obj"],
    ["LLVM bitcode", 0, [0xde, 0xc0, 0x17, 0x0b], "compile it on with llc -march=bpf -filetype=obj"],
    ["WebAssembly", 0, [0x00, 0x61, 0x73, 0x6d], compileHint],
    ["a Windows program", 0, [0x4d, 0x5a], compileHint],
    ["a script", 0, [0x23, 0x21]],
];

function looksLike(bytes: Uint8Array): readonly [what: string, hint: string | undefined] {
    for (const [what, at, magic, hint] of magics) {
        if (magic.every((byte, index) => bytes[at + index] === byte)) return [what, hint];
    }
    const beginning = bytes.subarray(0, 512);
    const text = beginning.every(byte => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127));
    if (!text) return ["unknown data", undefined];
    const words = new TextDecoder().decode(beginning);
    if (/^\s*[{[]/.test(words)) return ["JSON", undefined];
    if (/^\s*</.test(words)) return ["XML or HTML", undefined];
    if (/#\s*include|\bSEC\s*\(/.test(words)) return ["C source", compileHint];
    return ["text", undefined];
}

function checkHeader(bytes: Uint8Array, view: DataView): { at: number; count: number; namesIndex: number } {
    if (bytes.length === 0) throw refused("not an ELF object: it is empty");
    if (!(bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46)) {
        const [what, hint] = looksLike(bytes);
        throw refused(`not an ELF object: it looks like ${what}`, hint);
    }
    if (bytes.length < headerSize) {
        throw broken(`it ends after ${bytes.length} bytes, within the ELF header of ${headerSize} bytes`);
    }
    if (bytes[4] !== 2) throw refused("not an eBPF object: it is a 32-bit ELF file; eBPF objects are 64-bit");
    if (bytes[5] === 2) {
        throw refused(
            "the object is big-endian, this machine little-endian",
            "compile it with clang -target bpfel, or use -target bpf on a machine like this one",
        );
    }
    if (bytes[5] !== 1) throw broken(`byte order ${bytes[5]} is neither little-endian nor big-endian`);
    if (bytes[6] !== 1 || view.getUint32(20, true) !== 1) throw broken("its ELF version is not 1");
    const machine = view.getUint16(18, true);
    if (machine !== EM_BPF) {
        throw refused(
            `not an eBPF object: the ELF file is for ${machines[machine] ?? `machine ${machine}`}, not for BPF`,
            compileHint,
        );
    }
    const type = view.getUint16(16, true);
    if (type !== 1) {
        throw refused(`not an eBPF object: the ELF file is ${fileTypes[type] ?? `of type ${type}`}, not relocatable`);
    }
    const count = view.getUint16(60, true);
    if (count === 0) throw broken("it has no sections");
    if (count > maxSections) throw broken(`it has ${count} sections, more than ${maxSections}`);
    const entryBytes = view.getUint16(58, true);
    if (entryBytes !== sectionHeaderSize) {
        throw broken(`its section headers are ${entryBytes} bytes each, not ${sectionHeaderSize}`);
    }
    const at = u64(view, 40);
    const end = at + count * sectionHeaderSize;
    if (at < headerSize) throw broken("its section headers overlap the ELF header");
    if (end > bytes.length) {
        throw broken(`its section headers end at byte ${end}, past the end of the file (${bytes.length} bytes)`);
    }
    const namesIndex = view.getUint16(62, true);
    if (namesIndex === 0 || namesIndex >= count) {
        throw broken(`its section name table has index ${namesIndex} of ${count} sections`);
    }
    return { at, count, namesIndex };
}

export function u64(view: DataView, at: number): number {
    return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** A NUL-terminated name in a string table, as text that can be shown as it is. */
function nameAt(bytes: Uint8Array, table: { offset: number; sizeBytes: number }, at: number, of: string): string {
    if (at >= table.sizeBytes)
        throw broken(`the name of ${of} lies at byte ${at} of a string table of ${table.sizeBytes}`);
    const start = table.offset + at;
    const longest = Math.min(table.offset + table.sizeBytes, start + maxNameBytes + 1);
    const length = bytes.subarray(start, longest).indexOf(0);
    if (length < 0) throw broken(`the name of ${of} is longer than ${maxNameBytes} bytes or has no end`);
    return printable(bytes.subarray(start, start + length), `the name of ${of}`);
}

export function printable(raw: Uint8Array, what: string): string {
    let text: string;
    try {
        text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    } catch (cause) {
        throw new BpfmanError("INVALID_ARGUMENT", `broken eBPF object: ${what} is not UTF-8`, { cause });
    }
    // control and format characters (bidirectional ones among them) would lie to whoever reads them
    if (/[\p{C}\p{Zl}\p{Zp}]/u.test(text)) throw broken(`${what} has characters that can't be printed`);
    return text;
}

function readSections(bytes: Uint8Array, view: DataView): { sections: ElfSection[]; headersAt: number } {
    const { at, count, namesIndex } = checkHeader(bytes, view);
    const raw = Array.from({ length: count }, (_, index) => {
        const header = at + index * sectionHeaderSize;
        return {
            index,
            nameOffset: view.getUint32(header, true),
            type: view.getUint32(header + 4, true),
            executable: (view.getUint32(header + 8, true) & SHF_EXECINSTR) !== 0,
            offset: u64(view, header + 24),
            sizeBytes: u64(view, header + 32),
            link: view.getUint32(header + 40, true),
            info: view.getUint32(header + 44, true),
            entryBytes: u64(view, header + 56),
        };
    });
    for (const { index, type, offset, sizeBytes } of raw) {
        // SHT_NULL and SHT_NOBITS take no bytes of the file
        if (type === 0) continue;
        if (type === SHT_NOBITS) {
            if (sizeBytes > 2 ** 32) throw broken(`section ${index} asks for ${sizeBytes} bytes of memory`);
        } else if (offset + sizeBytes > bytes.length) {
            throw broken(
                `section ${index} ends at byte ${offset + sizeBytes}, past the end of the file (${bytes.length} bytes)`,
            );
        }
    }
    const names = raw[namesIndex];
    if (names?.type !== SHT_STRTAB) throw broken("its section name table is not a string table");
    if (bytes[names.offset + names.sizeBytes - 1] !== 0) throw broken("its section name table has no end");
    const sections = raw.map(({ nameOffset, ...section }) => ({
        ...section,
        name: nameAt(bytes, names, nameOffset, `section ${section.index}`),
    }));
    return { sections, headersAt: at };
}

/** No two parts of the file share bytes: an object in which they do was not made by a compiler. */
function checkOverlap(sections: readonly ElfSection[], headersAt: number): void {
    const parts = sections
        .filter(({ type, sizeBytes }) => type !== 0 && type !== SHT_NOBITS && sizeBytes > 0)
        .map(({ index, name, offset, sizeBytes }) => ({ what: `section ${index} (${name})`, offset, sizeBytes }));
    parts.push({ what: "the ELF header", offset: 0, sizeBytes: headerSize });
    parts.push({
        what: "the section headers",
        offset: headersAt,
        sizeBytes: sections.length * sectionHeaderSize,
    });
    parts.sort((a, b) => a.offset - b.offset);
    let before = parts[0];
    for (const part of parts.slice(1)) {
        if (before !== undefined && before.offset + before.sizeBytes > part.offset) {
            throw broken(`${part.what} overlaps ${before.what}`);
        }
        before = part;
    }
}

function readSymbols(
    view: DataView,
    sections: readonly ElfSection[],
    table: ElfSection,
    names: ElfSection,
): ElfSymbol[] {
    if (table.entryBytes !== symbolSize || table.sizeBytes % symbolSize !== 0) {
        throw broken(
            `its symbol table has ${table.sizeBytes} bytes in entries of ${table.entryBytes}, not ${symbolSize}`,
        );
    }
    const count = table.sizeBytes / symbolSize;
    if (count > maxSymbols) throw broken(`it has ${count} symbols, more than ${maxSymbols}`);
    return Array.from({ length: count }, (_, index) => {
        const at = table.offset + index * symbolSize;
        const nameOffset = view.getUint32(at, true);
        if (nameOffset >= names.sizeBytes) throw broken(`the name of symbol ${index} lies outside of its string table`);
        const sectionIndex = view.getUint16(at + 6, true);
        // from SHN_LORESERVE on: absolute, common; SHN_XINDEX needs more sections than are allowed
        const reserved = sectionIndex >= 0xff00 && sectionIndex !== 0xffff;
        if (!reserved && sectionIndex >= sections.length) {
            throw broken(`symbol ${index} lies in section ${sectionIndex} of ${sections.length}`);
        }
        const info = view.getUint8(at + 4);
        return {
            index,
            nameOffset,
            type: info & 0xf,
            local: info >> 4 === 0,
            section: reserved || sectionIndex === 0 ? undefined : sections[sectionIndex],
            undefinedHere: sectionIndex === 0,
            value: u64(view, at + 8),
            sizeBytes: u64(view, at + 16),
        };
    });
}

export function readElf(bytes: Uint8Array): ElfFile {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { sections, headersAt } = readSections(bytes, view);
    checkOverlap(sections, headersAt);
    const [symbolTable, second] = sections.filter(({ type }) => type === SHT_SYMTAB);
    if (symbolTable === undefined) throw broken("it has no symbol table (was it stripped?)");
    if (second !== undefined) throw broken("it has more than one symbol table");
    const names = sections[symbolTable.link];
    if (names?.type !== SHT_STRTAB) throw broken("its symbol table has no string table");
    if (bytes[names.offset + names.sizeBytes - 1] !== 0) throw broken("the string table of its symbols has no end");
    const symbols = readSymbols(view, sections, symbolTable, names);
    return {
        view,
        bytes,
        sections,
        symbolTable,
        symbols,
        symbolName: symbol => nameAt(bytes, names, symbol.nameOffset, `symbol ${symbol.index}`),
    };
}
