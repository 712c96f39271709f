// SPDX-License-Identifier: Apache-2.0
// The functions of an executable or a shared library, as offsets in its file, for uprobes. The file is anybody's: every number
// in it is checked, and only the tables that are needed are read.
import fs from "node:fs";
import { BpfmanError } from "../../model/error.ts";
import { suggestAmong } from "../near-names.ts";

const headerBytes = 64;
const sectionHeaderBytes = 64;
const programHeaderBytes = 56;
const symbolBytes = 24;
/** The symbols of the largest Go programs need some tens of megabytes. */
const maxTableBytes = 256 << 20;

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const PF_X = 1;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const STB_LOCAL = 0;
const STB_WEAK = 2;
const SHT_GNU_VERSYM = 0x6fffffff;
/** glibc's elf.h: not the version that new programs are linked to */
const VERSYM_HIDDEN = 0x8000;
const oldRank = 3;
/** e_machine by Node's name of the architecture */
const machines: Partial<Record<NodeJS.Architecture, number>> = {
    x64: 62,
    arm64: 183,
    riscv64: 243,
    loong64: 258,
    ppc64: 21,
};

interface Section {
    readonly type: number;
    readonly offset: number;
    readonly sizeBytes: number;
    readonly link: number;
}

interface Segment {
    readonly type: number;
    readonly flags: number;
    readonly offset: number;
    readonly address: number;
    readonly fileBytes: number;
}

export interface ExecutableFunction {
    /** from the file's beginning */
    readonly offset: number;
    /** 0: not told */
    readonly sizeBytes: number;
}

interface FunctionSymbol {
    readonly name: string;
    readonly type: number;
    readonly binding: number;
    readonly address: number;
    readonly sizeBytes: number;
    /** kept for programs that were linked to an older library */
    readonly old: boolean;
}

/** 64 bits; what is above 2^53 is no offset of a file. */
const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

export class Executable {
    readonly #fd: number;
    readonly #name: string;
    readonly #fileBytes: number;
    readonly #sections: readonly Section[];
    readonly #segments: readonly Segment[];

    /** fd: the open file, which stays the caller's; name: for messages. INVALID_ARGUMENT where it can't be probed. */
    constructor(fd: number, name: string) {
        this.#fd = fd;
        this.#name = name;
        this.#fileBytes = fs.fstatSync(fd).size;
        const header = this.#read(0, headerBytes, "its header");
        if (header.readUInt32BE(0) !== 0x7f454c46) throw this.#refused("it is no ELF file");
        if (header[4] !== 2 || header[5] !== 1) throw this.#refused("it is not a 64-bit little-endian ELF file");
        const machine = header.readUInt16LE(18);
        const own = machines[process.arch];
        if (own !== undefined && machine !== own) throw this.#refused("it is made for another kind of processor");
        const type = header.readUInt16LE(16);
        if (type !== 2 && type !== 3) throw this.#refused("it is neither an executable nor a shared library");
        this.#segments = this.#readSegments(u64(header, 32), header.readUInt16LE(56), header.readUInt16LE(54));
        this.#sections = this.#readSections(u64(header, 40), header.readUInt16LE(60), header.readUInt16LE(58));
    }

    #refused(why: string, hint?: string): BpfmanError {
        return new BpfmanError("INVALID_ARGUMENT", `${this.#name} can't be probed: ${why}`, { hint });
    }

    #read(offset: number, length: number, what: string): Buffer {
        if (!Number.isSafeInteger(offset) || length > maxTableBytes || offset + length > this.#fileBytes)
            throw this.#refused(`${what} lies outside of the file`);
        const bytes = Buffer.alloc(length);
        for (let at = 0; at < length; ) {
            const got = fs.readSync(this.#fd, bytes, at, length - at, offset + at);
            if (got === 0) throw this.#refused(`${what} is cut off`);
            at += got;
        }
        return bytes;
    }

    #readSegments(at: number, count: number, entryBytes: number): Segment[] {
        if (count === 0 || entryBytes !== programHeaderBytes) throw this.#refused("it has no program headers");
        const bytes = this.#read(at, count * programHeaderBytes, "its program header table");
        return Array.from({ length: count }, (_, index) => {
            const entry = index * programHeaderBytes;
            return {
                type: bytes.readUInt32LE(entry),
                flags: bytes.readUInt32LE(entry + 4),
                offset: u64(bytes, entry + 8),
                address: u64(bytes, entry + 16),
                fileBytes: u64(bytes, entry + 32),
            };
        });
    }

    #readSections(at: number, count: number, entryBytes: number): Section[] {
        // an executable needs no sections to run
        if (count === 0 || at === 0) return [];
        if (entryBytes !== sectionHeaderBytes) throw this.#refused("its section headers have a strange size");
        const bytes = this.#read(at, count * sectionHeaderBytes, "its section header table");
        return Array.from({ length: count }, (_, index) => {
            const entry = index * sectionHeaderBytes;
            return {
                type: bytes.readUInt32LE(entry + 4),
                offset: u64(bytes, entry + 24),
                sizeBytes: u64(bytes, entry + 32),
                link: bytes.readUInt32LE(entry + 40),
            };
        });
    }

    /** Whether the byte at an offset is mapped as code. */
    isCode(offset: number): boolean {
        return this.#segments.some(
            ({ type, flags, offset: start, fileBytes }) =>
                type === PT_LOAD && (flags & PF_X) !== 0 && offset >= start && offset < start + fileBytes,
        );
    }

    /** Where a function's first instruction lies. NOT_FOUND, with near names where they may be told. */
    find(wanted: string, namesAreTold: boolean): ExecutableFunction {
        let best: (ExecutableFunction & { rank: number }) | undefined;
        let indirect = false;
        const names: string[] = [];
        for (const symbol of this.#functions()) {
            if (symbol.name !== wanted) {
                names.push(symbol.name);
                continue;
            }
            if (symbol.type === STT_GNU_IFUNC && !symbol.old) indirect = true;
            const offset = symbol.type === STT_FUNC ? this.#fileOffset(symbol.address) : undefined;
            if (offset === undefined) continue;
            const rank = symbol.old ? oldRank : symbol.binding === STB_LOCAL ? 2 : symbol.binding === STB_WEAK ? 1 : 0;
            if (best === undefined || rank < best.rank) best = { offset, sizeBytes: symbol.sizeBytes, rank };
        }
        // memcpy@GLIBC_2.2.5 is there for old programs; new ones call memcpy@@GLIBC_2.14, which is indirect
        if (best !== undefined && !(indirect && best.rank === oldRank))
            return { offset: best.offset, sizeBytes: best.sizeBytes };
        if (indirect)
            throw this.#refused(
                `${wanted} is an indirect function (IFUNC), which stands for several`,
                "Name the one that it picks on this processor.",
            );
        throw this.#missing(wanted, namesAreTold ? names : []);
    }

    /** Every function with a name and a place, sorted. */
    functions(): { readonly name: string; readonly sizeBytes: number }[] {
        const byName = new Map<string, number>();
        for (const { name, type, address, sizeBytes } of this.#functions())
            if (type === STT_FUNC && !byName.has(name) && this.#fileOffset(address) !== undefined)
                byName.set(name, sizeBytes);
        return Array.from(byName, ([name, sizeBytes]) => ({ name, sizeBytes })).sort((a, b) =>
            a.name < b.name ? -1 : 1,
        );
    }

    #missing(wanted: string, names: readonly string[]): BpfmanError {
        const near = suggestAmong(wanted, new Set(names));
        const help = near.length > 0 ? `; did you mean: ${near.join(", ")}?` : "";
        const what = `function ${JSON.stringify(wanted)} not found in ${this.#name}${help}`;
        const stripped = !this.#sections.some(({ type }) => type === SHT_SYMTAB);
        return new BpfmanError("NOT_FOUND", what, {
            hint: stripped
                ? "The file is stripped: only what it exports has a name. An offset works without one."
                : undefined,
        });
    }

    #fileOffset(address: number): number | undefined {
        const segment = this.#segments.find(
            ({ type, flags, address: start, fileBytes }) =>
                type === PT_LOAD && (flags & PF_X) !== 0 && address >= start && address < start + fileBytes,
        );
        return segment === undefined ? undefined : address - segment.address + segment.offset;
    }

    *#functions(): Generator<FunctionSymbol> {
        for (const [index, table] of this.#sections.entries()) {
            if (table.type !== SHT_SYMTAB && table.type !== SHT_DYNSYM) continue;
            const strings = this.#sections[table.link];
            if (strings === undefined) throw this.#refused("a symbol table has no names");
            const symbols = this.#read(table.offset, table.sizeBytes, "a symbol table");
            const names = this.#read(strings.offset, strings.sizeBytes, "a table of names");
            const versionTable = this.#sections.find(({ type, link }) => type === SHT_GNU_VERSYM && link === index);
            const versions =
                versionTable && this.#read(versionTable.offset, versionTable.sizeBytes, "its symbol versions");
            for (let at = 0; at + symbolBytes <= symbols.length; at += symbolBytes) {
                const info = symbols[at + 4] ?? 0;
                const type = info & 0xf;
                // SHN_UNDEF: of another file
                if ((type !== STT_FUNC && type !== STT_GNU_IFUNC) || symbols.readUInt16LE(at + 6) === 0) continue;
                const nameAt = symbols.readUInt32LE(at);
                const end = nameAt < names.length ? names.indexOf(0, nameAt) : -1;
                if (end <= nameAt) continue;
                const written = names.toString("utf8", nameAt, end);
                const versionAt = (at / symbolBytes) * 2;
                const version = versions && versionAt + 2 <= versions.length ? versions.readUInt16LE(versionAt) : 0;
                yield {
                    name: written.replace(/(?<=.)@.*$/s, ""),
                    type,
                    binding: info >> 4,
                    // name@version is an old one's name, name@@version the current one's
                    old: (version & VERSYM_HIDDEN) !== 0 || /^[^@]+@[^@]/.test(written),
                    address: u64(symbols, at + 8),
                    sizeBytes: u64(symbols, at + 16),
                };
            }
        }
    }
}
