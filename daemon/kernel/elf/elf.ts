// SPDX-License-Identifier: Apache-2.0
// A strict reader of eBPF objects. It stands before libbpf, whose parser must not be fed what it was not made for
// (CVE-2025-29481: libbpf < 1.6 copies out of bounds when st_value + st_size of a function wraps), and says what an
// object holds without the kernel's help. No I/O; an object is either read whole or refused with one sentence.
import type { ObjectFacts } from "../../model/object-facts.ts";
import { checkBtf, checkBtfExt } from "../btf/elf-btf.ts";
import { broken } from "../errors.ts";
import {
    type ElfFile,
    type ElfSection,
    type ElfSymbol,
    printable,
    readElf,
    SHT_NOBITS,
    SHT_PROGBITS,
    SHT_REL,
    u64,
} from "./elf-file.ts";
import { sectionFacts } from "./sections.ts";

const STT_OBJECT = 1;
const STT_FUNC = 2;
const instructionBytes = 8;
const relocationBytes = 16;
/** BPF_LD | BPF_IMM | BPF_DW: the one instruction of two slots */
const ldImm64 = 0x18;
const R_BPF_64_ABS64 = 2;
const maxFunctions = 4096;
// libbpf keeps 63 bytes and a NUL
const maxLicenseBytes = 63;

export interface ElfFunction {
    readonly name: string;
    readonly section: string;
    /** within its section */
    readonly offset: number;
    readonly sizeBytes: number;
    readonly instructions: number;
    /** false for subprograms: functions in .text beside others */
    readonly program: boolean;
}

export interface ElfGlobal {
    readonly name: string;
    readonly sizeBytes: number;
    /** .rodata, .data or .bss, with its suffix where it has one */
    readonly section: string;
    readonly offset: number;
}

export interface ElfObject {
    readonly sections: readonly ElfSection[];
    readonly functions: readonly ElfFunction[];
    /** maps that the object declares, without libbpf's own for global data */
    readonly maps: readonly string[];
    readonly globals: readonly ElfGlobal[];
    /** empty where there is none: libbpf and the kernel then treat the programs as not GPL-compatible */
    readonly license: string;
    readonly hasBtf: boolean;
    readonly hasBtfExt: boolean;
    /** what in it can't be loaded without BTF; empty: nothing */
    readonly btfNeededFor: readonly string[];
    /** map definitions of libbpf < 1.0, which newer ones refuse */
    readonly hasLegacyMaps: boolean;
    /** programs that libbpf puts into PROG_ARRAYs declared with .values: they must be loaded too */
    readonly neededByProgArrays: readonly string[];
}

/** Throws BpfmanError INVALID_ARGUMENT with one sentence for whatever is broken. */
export function checkObject(bytes: Uint8Array): ElfObject {
    const elf = readElf(bytes);
    const { sections } = elf;
    const maps = only(sections, ".maps");
    const btf = only(sections, ".BTF");
    const btfExt = only(sections, ".BTF.ext");
    const functions = readFunctions(elf);
    const neededByProgArrays = checkRelocations(elf, maps);
    const contents = (section: ElfSection): Uint8Array =>
        bytes.subarray(section.offset, section.offset + section.sizeBytes);
    if (btf !== undefined) checkBtf(contents(btf));
    if (btfExt !== undefined) checkBtfExt(contents(btfExt));
    return {
        sections,
        functions,
        maps: objects(elf, section => section === maps).map(({ name }) => name),
        globals: objects(elf, isGlobalData).map(({ name, symbol, section }) => ({
            name,
            sizeBytes: symbol.sizeBytes,
            section: section.name,
            offset: symbol.value,
        })),
        license: readLicense(elf),
        hasBtf: btf !== undefined,
        hasBtfExt: btfExt !== undefined,
        btfNeededFor: btfNeededFor(elf, maps),
        hasLegacyMaps: only(sections, "maps") !== undefined,
        neededByProgArrays,
    };
}

/** Without what BTF tells of its variables and maps. */
export function objectFacts(elf: ElfObject): Omit<ObjectFacts, "globals" | "mapDefinitions"> {
    return {
        programs: elf.functions
            .filter(({ program }) => program)
            .map(({ name, section, instructions }) => {
                const facts = sectionFacts(section);
                return {
                    name,
                    section,
                    type: facts?.type,
                    otherTypes: facts?.otherTypes ?? [],
                    instructions,
                    frags: facts?.frags ?? false,
                };
            }),
        maps: elf.maps,
        license: elf.license,
        hasBtf: elf.hasBtf,
    };
}

function only(sections: readonly ElfSection[], name: string): ElfSection | undefined {
    const [first, second] = sections.filter(section => section.name === name && section.type !== 0);
    if (second !== undefined) throw broken(`it has more than one section called ${name}`);
    return first;
}

function holdsCode(section: ElfSection): boolean {
    return section.executable && section.type === SHT_PROGBITS;
}

function checkInSection(symbol: ElfSymbol, section: ElfSection, what: string): void {
    const end = symbol.value + symbol.sizeBytes;
    if (end > section.sizeBytes) {
        throw broken(
            `${what} at byte ${symbol.value} with ${symbol.sizeBytes} bytes leaves its section ${section.name} (${section.sizeBytes} bytes)`,
        );
    }
}

/** A symbol with its name and the section it lies in. */
interface Placed {
    readonly name: string;
    readonly section: ElfSection;
    readonly symbol: ElfSymbol;
}

function byPlace(a: Placed, b: Placed): number {
    return (
        a.section.index - b.section.index || a.symbol.value - b.symbol.value || a.symbol.sizeBytes - b.symbol.sizeBytes
    );
}

function readFunctions(elf: ElfFile): ElfFunction[] {
    const found: Placed[] = [];
    for (const symbol of elf.symbols) {
        if (symbol.type !== STT_FUNC || symbol.section === undefined) continue;
        const name = elf.symbolName(symbol);
        if (name === "") throw broken("it has a function without a name");
        checkInSection(symbol, symbol.section, `function ${name}`);
        if (holdsCode(symbol.section)) found.push({ name, section: symbol.section, symbol });
    }
    if (found.length > maxFunctions) throw broken(`it has ${found.length} functions, more than ${maxFunctions}`);
    for (const { name, section, symbol } of found) checkCode(elf, name, section, symbol);
    checkFunctionOverlap(found);
    // libbpf: functions in .text are subprograms, but a lone function of an object is a program wherever it lies
    const lone = found.length === 1;
    const programs = found.filter(({ section }) => lone || section.name !== ".text");
    const seen = new Set<string>();
    for (const { name, section, symbol } of programs) {
        if (seen.has(name)) throw broken(`it has more than one program called ${name}`);
        seen.add(name);
        if (symbol.local && section.name !== ".text")
            throw broken(`program ${name} is static; libbpf loads global functions only`);
    }
    return found.toSorted(byPlace).map(({ name, section, symbol }) => ({
        name,
        section: section.name,
        offset: symbol.value,
        sizeBytes: symbol.sizeBytes,
        instructions: symbol.sizeBytes / instructionBytes,
        program: lone || section.name !== ".text",
    }));
}

function checkCode(elf: ElfFile, name: string, section: ElfSection, symbol: ElfSymbol): void {
    if (symbol.sizeBytes === 0) throw broken(`function ${name} is empty`);
    if (symbol.value % instructionBytes !== 0 || symbol.sizeBytes % instructionBytes !== 0) {
        throw broken(`function ${name} is not made of whole instructions of ${instructionBytes} bytes`);
    }
    // libbpf writes into the second slot of a relocated ld_imm64 without asking whether there is one
    const start = section.offset + symbol.value;
    const end = start + symbol.sizeBytes;
    let at = start;
    while (at < end) at += elf.bytes[at] === ldImm64 ? 2 * instructionBytes : instructionBytes;
    if (at !== end) throw broken(`function ${name} ends within an instruction`);
}

function checkFunctionOverlap(found: readonly Placed[]): void {
    let earlier: Placed | undefined;
    for (const later of found.toSorted(byPlace)) {
        if (earlier?.section === later.section) {
            const { value, sizeBytes } = earlier.symbol;
            const alias = value === later.symbol.value && sizeBytes === later.symbol.sizeBytes;
            if (!alias && value + sizeBytes > later.symbol.value) {
                throw broken(`function ${later.name} overlaps function ${earlier.name}`);
            }
        }
        earlier = later;
    }
}

function isGlobalData(section: ElfSection): boolean {
    return /^\.(?:rodata|data|bss)(?:\.|$)/.test(section.name);
}

/** Named variables; compilers' own (".L.str", "function.variable") are left out. */
function objects(elf: ElfFile, wanted: (section: ElfSection) => boolean): Placed[] {
    const found: Placed[] = [];
    for (const symbol of elf.symbols) {
        if (symbol.type !== STT_OBJECT || symbol.section === undefined || !wanted(symbol.section)) continue;
        const name = elf.symbolName(symbol);
        checkInSection(symbol, symbol.section, `variable ${name}`);
        if (name !== "" && !name.includes(".")) found.push({ name, symbol, section: symbol.section });
    }
    return found.sort(byPlace);
}

function readLicense(elf: ElfFile): string {
    const section = only(elf.sections, "license");
    if (section === undefined || section.type === SHT_NOBITS) return "";
    const raw = elf.bytes.subarray(section.offset, section.offset + section.sizeBytes);
    const end = raw.indexOf(0);
    const license = end < 0 ? raw : raw.subarray(0, end);
    if (license.length > maxLicenseBytes) {
        throw broken(`its license has ${license.length} bytes, more than ${maxLicenseBytes}`);
    }
    return printable(license, "its license");
}

/** Checks every relocation; returns the functions that those of the maps point to. */
function checkRelocations(elf: ElfFile, maps: ElfSection | undefined): string[] {
    const targets = new Set<string>();
    for (const section of elf.sections) {
        if (section.type !== SHT_REL) continue;
        const target = section.info === 0 ? undefined : elf.sections[section.info];
        if (target === undefined) throw broken(`${section.name} relocates section ${section.info}, which is not there`);
        if (section.link !== elf.symbolTable.index) throw broken(`${section.name} does not use the symbol table`);
        if (section.entryBytes !== relocationBytes || section.sizeBytes % relocationBytes !== 0) {
            throw broken(`${section.name} is not made of whole relocations of ${relocationBytes} bytes`);
        }
        for (let at = section.offset; at < section.offset + section.sizeBytes; at += relocationBytes) {
            const symbol = checkRelocation(elf, section, target, at);
            if (target === maps && symbol.type === STT_FUNC) targets.add(elf.symbolName(symbol));
        }
    }
    return [...targets];
}

function checkRelocation(elf: ElfFile, section: ElfSection, target: ElfSection, at: number): ElfSymbol {
    const offset = u64(elf.view, at);
    const type = elf.view.getUint32(at + 8, true);
    const symbolIndex = elf.view.getUint32(at + 12, true);
    const symbol = elf.symbols[symbolIndex];
    if (symbol === undefined) {
        throw broken(`${section.name} names symbol ${symbolIndex} of ${elf.symbols.length}`);
    }
    if (holdsCode(target)) {
        const slots = offset < target.sizeBytes && elf.bytes[target.offset + offset] === ldImm64 ? 2 : 1;
        if (offset % instructionBytes !== 0 || offset + slots * instructionBytes > target.sizeBytes) {
            throw broken(`${section.name} relocates byte ${offset} of ${target.name}, where no instruction is`);
        }
    } else if (offset + (type === R_BPF_64_ABS64 ? 8 : 4) > target.sizeBytes) {
        throw broken(`${section.name} relocates byte ${offset} of ${target.name} (${target.sizeBytes} bytes)`);
    }
    return symbol;
}

function btfNeededFor(elf: ElfFile, maps: ElfSection | undefined): string[] {
    const needs = maps === undefined || maps.sizeBytes === 0 ? [] : ["its maps"];
    if (elf.sections.some(({ name }) => /^\.struct_ops(?:\.link)?$/.test(name))) needs.push("its struct_ops");
    for (const symbol of elf.symbols) {
        if (!symbol.undefinedHere || symbol.local) continue;
        needs.push(`the external symbol ${elf.symbolName(symbol)}`);
    }
    return needs;
}
