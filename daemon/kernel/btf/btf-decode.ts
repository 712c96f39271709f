// SPDX-License-Identifier: Apache-2.0
// Bytes to JSON by BTF. Whole numbers that a double cannot hold become decimal strings, pointers "0x…"; char arrays
// become text where they are text; members of structures without a name stand among those around them, as in C.
import type { Json } from "../../model/maps.ts";
import { type Btf, type BtfMember, type BtfType, badBtf } from "./btf.ts";

const maxDepth = 64;
/** Unions of unions show the same bytes again and again: a value with more parts than this was made to be endless. */
const maxParts = 1_000_000;

/** Throws INVALID_ARGUMENT where the bytes are too few for the type. */
export function decode(btf: Btf, typeId: number, bytes: Uint8Array): Json {
    return new Decoder(btf, bytes).value(typeId, 0, 0);
}

/** A number that JSON keeps as it is, else its digits. */
export function wholeNumber(value: bigint): number | string {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
}

class Decoder {
    readonly #btf: Btf;
    readonly #bytes: Uint8Array;
    #parts = 0;
    constructor(btf: Btf, bytes: Uint8Array) {
        this.#btf = btf;
        this.#bytes = bytes;
    }

    value(typeId: number, at: number, depth: number): Json {
        if (depth > maxDepth) throw badBtf("its types nest too deeply");
        this.#count();
        const type = this.#btf.resolve(typeId);
        switch (type.kind) {
            case "int":
                return this.#int(type, this.#integer(at, type.size, type.signed));
            case "enum":
                return enumValue(type, this.#integer(at, type.size, type.signed));
            case "float":
                return this.#float(at, type.size);
            case "pointer":
                return `0x${this.#integer(at, 8, false).toString(16)}`;
            case "array":
                return this.#array(type, at, depth);
            case "struct":
            case "union":
                return Object.fromEntries(this.#members(type, at, depth));
            case "section":
                return this.#section(type, at, depth);
            case "variable":
                return this.value(type.type, at, depth + 1);
            default:
                return null;
        }
    }

    #count(): void {
        this.#parts += 1;
        if (this.#parts > maxParts) throw badBtf(`a value has more than ${maxParts} parts`);
    }

    #slice(at: number, size: number): Uint8Array {
        if (at + size > this.#bytes.length)
            throw badBtf(`a type ends at byte ${at + size} of a value of ${this.#bytes.length} bytes`);
        return this.#bytes.subarray(at, at + size);
    }

    #integer(at: number, size: number, signed: boolean): bigint {
        let value = 0n;
        for (const [index, byte] of this.#slice(at, size).entries()) value |= BigInt(byte) << BigInt(8 * index);
        return signed ? BigInt.asIntN(8 * size, value) : value;
    }

    #int(type: Extract<BtfType, { kind: "int" }>, value: bigint): Json {
        // compilers before 2018: the bits of a bit field within its int
        if (type.bits !== 0 && type.bits < 8 * type.size) {
            const raw = (value >> BigInt(type.bitOffset)) & ((1n << BigInt(type.bits)) - 1n);
            return wholeNumber(type.signed ? BigInt.asIntN(type.bits, raw) : raw);
        }
        return type.bool ? value !== 0n : wholeNumber(value);
    }

    #float(at: number, size: number): Json {
        const bytes = this.#slice(at, size);
        const view = new DataView(bytes.buffer, bytes.byteOffset, size);
        const value = size === 4 ? view.getFloat32(0, true) : size === 8 ? view.getFloat64(0, true) : undefined;
        // JSON has no NaN and no infinity
        if (value === undefined) return null;
        return Number.isFinite(value) ? value : String(value);
    }

    #array(type: Extract<BtfType, { kind: "array" }>, at: number, depth: number): Json {
        const element = this.#btf.resolve(type.type);
        if (element.kind === "int" && element.char && element.size === 1) {
            const text = asText(this.#slice(at, type.count));
            if (text !== undefined) return text;
        }
        const size = this.#btf.size(type.type);
        if (size === 0) return [];
        this.#slice(at, size * type.count);
        return Array.from({ length: type.count }, (_, index) => this.value(type.type, at + index * size, depth + 1));
    }

    #members(type: Extract<BtfType, { kind: "struct" | "union" }>, at: number, depth: number): [string, Json][] {
        return type.members.flatMap((member): [string, Json][] => {
            const inner = this.#btf.resolve(member.type);
            const place = at + Math.floor(member.bitOffset / 8);
            if (member.name === "") {
                if (inner.kind !== "struct" && inner.kind !== "union") return [];
                if (depth > maxDepth) throw badBtf("its types nest too deeply");
                this.#count();
                return this.#members(inner, place, depth + 1);
            }
            if (member.bits === 0) return [[member.name, this.value(member.type, place, depth + 1)]];
            return [[member.name, this.#bitField(inner, member, at)]];
        });
    }

    #bitField(type: BtfType, member: BtfMember, at: number): Json {
        if (type.kind !== "int" && type.kind !== "enum") throw badBtf(`bit field ${member.name} is no whole number`);
        const first = Math.floor(member.bitOffset / 8);
        const last = Math.ceil((member.bitOffset + member.bits) / 8);
        const raw =
            (this.#integer(at + first, last - first, false) >> BigInt(member.bitOffset % 8)) &
            ((1n << BigInt(member.bits)) - 1n);
        const value = type.signed ? BigInt.asIntN(member.bits, raw) : raw;
        if (type.kind === "enum") return enumValue(type, value);
        return type.bool ? value !== 0n : wholeNumber(value);
    }

    #section(type: Extract<BtfType, { kind: "section" }>, at: number, depth: number): Json {
        return Object.fromEntries(
            type.variables.flatMap(({ type: id, offset }): [string, Json][] => {
                const variable = this.#btf.type(id);
                if (variable.kind !== "variable") return [];
                return [[variable.name, this.value(variable.type, at + offset, depth + 1)]];
            }),
        );
    }
}

function enumValue(type: Extract<BtfType, { kind: "enum" }>, value: bigint): Json {
    return type.values.find(one => one.value === value)?.name ?? wholeNumber(value);
}

/** Text up to the first NUL, where nothing but NULs follows and the bytes are UTF-8. */
function asText(bytes: Uint8Array): string | undefined {
    const end = bytes.indexOf(0);
    const text = end < 0 ? bytes : bytes.subarray(0, end);
    if (end >= 0 && bytes.subarray(end).some(byte => byte !== 0)) return undefined;
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
    } catch {
        return undefined;
    }
}

/** Numbers of the same shape added up: what per-CPU values are together. undefined where they are not made of numbers. */
export function sum(values: readonly Json[]): Json | undefined {
    const [first] = values;
    if (first === undefined) return undefined;
    if (values.every(isWhole)) return wholeNumber(values.reduce<bigint>((total, one) => total + BigInt(one), 0n));
    if (values.every(value => typeof value === "number")) return values.reduce<number>((a, b) => a + b, 0);
    if (values.every(Array.isArray)) {
        const parts = Array.isArray(first) ? first.map((_, at) => sum(values.map(value => value[at] ?? null))) : [];
        return parts.includes(undefined) ? undefined : (parts as Json[]);
    }
    if (values.every(isObject)) {
        const parts = Object.keys(first as object).map(
            name => [name, sum(values.map(value => value[name] ?? null))] as const,
        );
        return parts.some(([, part]) => part === undefined)
            ? undefined
            : (Object.fromEntries(parts) as { [name: string]: Json });
    }
    return undefined;
}

const isWhole = (value: Json): value is number | string =>
    Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value));

const isObject = (value: Json): value is { [name: string]: Json } =>
    typeof value === "object" && value !== null && !Array.isArray(value);
