// SPDX-License-Identifier: Apache-2.0
// Text or JSON to bytes by BTF: what people write for a map's key or value, or for a global variable.
import { BpfmanError } from "../../model/error.ts";
import type { Json } from "../../model/maps.ts";
import { suggest } from "../near-names.ts";
import { type Btf, type BtfMember, type BtfType, badBtf, valueTypeName } from "./btf.ts";

const maxDepth = 64;
const maxParts = 100_000;

function refuse(what: string, hint?: string): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", what, { hint });
}

/** A value of JSON as the type's bytes; what is left out of a structure or an array is 0. path: for errors. */
export function encode(btf: Btf, typeId: number, value: Json, path: string): Uint8Array {
    const bytes = new Uint8Array(btf.size(typeId));
    new Encoder(btf, bytes).put(typeId, value, 0, path, 0);
    return bytes;
}

/**
 * Text as the type's bytes: JSON, or what JSON would only hold in quotes: an enumerator, text for a char array, a
 * number of any size, also in hexadecimal.
 */
export function encodeText(btf: Btf, typeId: number, text: string, path: string): Uint8Array {
    const type = btf.resolve(typeId);
    switch (type.kind) {
        case "int":
        case "enum":
        case "float":
        case "pointer":
            return encode(btf, typeId, unquoted(text), path);
        case "array":
            if (isChar(btf.resolve(type.type)) && !/^\s*\[/.test(text))
                return encode(btf, typeId, unquoted(text), path);
            break;
        default:
    }
    return encode(btf, typeId, parseJson(text, path, valueTypeName(btf, typeId)), path);
}

/** The text of a JSON string, any other text as it is. */
function unquoted(text: string): string {
    if (!/^\s*".*"\s*$/s.test(text)) return text;
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "string" ? value : text;
    } catch {
        return text;
    }
}

function parseJson(text: string, path: string, typeName: string): Json {
    try {
        // numbers past 2^53 would lose digits: they stay text, which the encoder reads as well
        const reviver = (_key: string, value: unknown, context?: { source?: string }) =>
            typeof value === "number" && context?.source !== undefined && !Number.isSafeInteger(value)
                ? context.source
                : value;
        return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Json;
    } catch {
        throw refuse(`${path} is of type ${typeName}: ${JSON.stringify(text)} is no JSON for it`);
    }
}

const isChar = (type: BtfType): boolean => type.kind === "int" && type.char && type.size === 1;

class Encoder {
    readonly #btf: Btf;
    readonly #bytes: Uint8Array;
    /** nameless structures looked into */
    #parts = 0;
    constructor(btf: Btf, bytes: Uint8Array) {
        this.#btf = btf;
        this.#bytes = bytes;
    }

    put(typeId: number, value: Json, at: number, path: string, depth: number): void {
        if (depth > maxDepth) throw badBtf("its types nest too deeply");
        const type = this.#btf.resolve(typeId);
        const name = valueTypeName(this.#btf, typeId);
        this.#mustFit(at, this.#btf.size(typeId), path);
        switch (type.kind) {
            case "int":
            case "enum":
                this.#integer(at, type.size, this.#number(type, value, 8 * type.size, path, name));
                return;
            case "pointer":
                this.#integer(at, 8, this.#number(unsigned64, value, 64, path, name));
                return;
            case "float":
                this.#float(at, type.size, value, path, name);
                return;
            case "array":
                this.#array(type, value, at, path, depth);
                return;
            case "struct":
            case "union":
                this.#struct(type, value, at, path, name, depth);
                return;
            case "variable":
                this.put(type.type, value, at, path, depth + 1);
                return;
            case "section":
                this.#section(type, value, at, path, depth);
                return;
            default:
                throw refuse(`${path} is of a type that no value can be given for (${name})`);
        }
    }

    /** BTF comes from anybody: it may put a member where its structure has ended. */
    #mustFit(at: number, bytes: number, path: string): void {
        if (at + bytes > this.#bytes.length) throw badBtf(`${path} lies past the end of what it is a part of`);
    }

    #integer(at: number, size: number, value: bigint): void {
        for (let index = 0; index < size; index++)
            this.#bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
    }

    /** Checked against the range that so many bits have. */
    #number(
        type: Extract<BtfType, { kind: "int" | "enum" }>,
        value: Json,
        bits: number,
        path: string,
        name: string,
    ): bigint {
        const number = wholeOf(type, value);
        if (number === undefined) throw notOf(type, value, path, name);
        if (type.kind === "int" && type.bool && number !== 0n && number !== 1n)
            throw refuse(`${path} is of type ${name}: true or false, not ${number}`);
        const lowest = type.signed ? -(1n << BigInt(bits - 1)) : 0n;
        const highest = type.signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
        if (number < lowest || number > highest)
            throw refuse(`${path} is of type ${name} of ${bits} bits: ${number} is not from ${lowest} to ${highest}`);
        return number;
    }

    #float(at: number, size: number, value: Json, path: string, name: string): void {
        const number = typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
        const spelled = typeof value === "string" && /^\s*$/.test(value);
        if (spelled || (Number.isNaN(number) && value !== "NaN"))
            throw refuse(`${path} is of type ${name}: ${JSON.stringify(value)} is no number`);
        const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
        if (size === 4) view.setFloat32(at, number, true);
        else if (size === 8) view.setFloat64(at, number, true);
        else throw refuse(`${path} is of type ${name} of ${size} bytes, which can't be written`);
    }

    #array(type: Extract<BtfType, { kind: "array" }>, value: Json, at: number, path: string, depth: number): void {
        if (typeof value === "string" && isChar(this.#btf.resolve(type.type))) {
            const text = new TextEncoder().encode(value);
            if (text.length > type.count)
                throw refuse(`${path} has room for ${type.count} bytes, the text has ${text.length}`);
            this.#bytes.set(text, at);
            return;
        }
        if (!Array.isArray(value)) {
            const what = `${valueTypeName(this.#btf, type.type)}[${type.count}]`;
            throw refuse(`${path} is of type ${what}: ${JSON.stringify(value)} is no list`, "Write it as [1, 2, 3].");
        }
        if (value.length > type.count) throw refuse(`${path} has ${type.count} elements, ${value.length} were given`);
        const size = this.#btf.size(type.type);
        for (const [index, element] of value.entries())
            this.put(type.type, element, at + index * size, `${path}[${index}]`, depth + 1);
    }

    #struct(
        type: Extract<BtfType, { kind: "struct" | "union" }>,
        value: Json,
        at: number,
        path: string,
        name: string,
        depth: number,
    ): void {
        if (typeof value !== "object" || value === null || Array.isArray(value))
            throw refuse(
                `${path} is of type ${name}: ${JSON.stringify(value)} is no object`,
                'Write it as {"member": value}.',
            );
        const members = this.#flat(type, 0, depth);
        const names = members.map(({ member }) => member.name);
        const written = new Map<number, number>();
        for (const [key, part] of Object.entries(value)) {
            const found = members.find(({ member }) => member.name === key);
            if (found === undefined) {
                const near = suggest(key, names);
                const more = near.length > 0 ? `did you mean: ${near.join(", ")}?` : `it has: ${names.join(", ")}`;
                throw refuse(`${path} has no member ${JSON.stringify(key)}; ${more}`);
            }
            this.#member(found.member, part, at + found.at, `${path}.${key}`, depth, written);
        }
    }

    /** Members of nameless structures stand among those around them. */
    #flat(
        type: Extract<BtfType, { kind: "struct" | "union" }>,
        at: number,
        depth: number,
    ): { member: BtfMember; at: number }[] {
        this.#parts += 1;
        if (depth > maxDepth || this.#parts > maxParts) throw badBtf("its types nest too deeply");
        return type.members.flatMap(member => {
            if (member.name !== "") return [{ member, at }];
            const inner = this.#btf.resolve(member.type);
            if (inner.kind !== "struct" && inner.kind !== "union") return [];
            return this.#flat(inner, at + Math.floor(member.bitOffset / 8), depth + 1);
        });
    }

    /** Members that share bytes, as a union's do, must agree on them. written: what other members put there. */
    #member(
        member: BtfMember,
        value: Json,
        at: number,
        path: string,
        depth: number,
        written: Map<number, number>,
    ): void {
        const first = at + Math.floor(member.bitOffset / 8);
        if (member.bits !== 0) {
            this.#bitField(member, value, at, path);
            return;
        }
        const size = this.#btf.size(member.type);
        this.#bytes.fill(0, first, first + size);
        this.put(member.type, value, first, path, depth + 1);
        for (let index = first; index < first + size; index++) {
            const byte = this.#bytes[index] ?? 0;
            const before = written.get(index);
            if (before !== undefined && before !== byte)
                throw refuse(`${path} shares its bytes with another member that says otherwise; give one of them`);
            written.set(index, byte);
        }
    }

    #bitField(member: BtfMember, value: Json, at: number, path: string): void {
        const type = this.#btf.resolve(member.type);
        if (type.kind !== "int" && type.kind !== "enum") throw badBtf(`bit field ${member.name} is no whole number`);
        const number = this.#number(type, value, member.bits, path, valueTypeName(this.#btf, member.type));
        const raw = BigInt.asUintN(member.bits, number);
        this.#mustFit(at, Math.ceil((member.bitOffset + member.bits) / 8), path);
        for (let bit = 0; bit < member.bits; bit++) {
            const place = member.bitOffset + bit;
            const index = at + Math.floor(place / 8);
            const mask = 1 << (place % 8);
            const set = ((raw >> BigInt(bit)) & 1n) === 1n;
            this.#bytes[index] = set ? (this.#bytes[index] ?? 0) | mask : (this.#bytes[index] ?? 0) & ~mask;
        }
    }

    #section(type: Extract<BtfType, { kind: "section" }>, value: Json, at: number, path: string, depth: number): void {
        if (typeof value !== "object" || value === null || Array.isArray(value))
            throw refuse(`${path} holds variables: ${JSON.stringify(value)} is no object`);
        for (const [key, part] of Object.entries(value)) {
            const found = type.variables.find(({ type: id }) => {
                const variable = this.#btf.type(id);
                return variable.kind === "variable" && variable.name === key;
            });
            if (found === undefined) throw refuse(`${path} has no variable ${JSON.stringify(key)}`);
            this.put(found.type, part, at + found.offset, `${path}.${key}`, depth + 1);
        }
    }
}

const unsigned64 = {
    kind: "int",
    name: "",
    size: 8,
    signed: false,
    char: false,
    bool: false,
    bits: 64,
    bitOffset: 0,
} as const;

/** undefined: not what such a type takes. */
function wholeOf(type: Extract<BtfType, { kind: "int" | "enum" }>, value: Json): bigint | undefined {
    if (typeof value === "boolean")
        return type.kind === "int" && (type.bool || type.size === 1) ? BigInt(value) : undefined;
    if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
    if (typeof value !== "string") return undefined;
    const text = value.trim();
    if (type.kind === "enum") {
        const named = type.values.find(({ name }) => name === text);
        if (named !== undefined) return named.value;
    } else if (type.bool && (text === "true" || text === "false")) return text === "true" ? 1n : 0n;
    return parseWhole(text);
}

/** 12, -5, 0x1f; undefined for anything else. */
export function parseWhole(text: string): bigint | undefined {
    const match = /^([+-]?)(\d{1,40}|0[xX][0-9a-fA-F]{1,32})$/.exec(text);
    if (match?.[2] === undefined) return undefined;
    const number = BigInt(match[2]);
    return match[1] === "-" ? -number : number;
}

function notOf(type: Extract<BtfType, { kind: "int" | "enum" }>, value: Json, path: string, name: string): BpfmanError {
    const shown = JSON.stringify(value);
    if (type.kind === "int")
        return refuse(
            `${path} is of type ${name}: ${shown} is ${type.bool ? "neither true nor false" : "no whole number"}`,
        );
    const names = type.values.map(one => one.name);
    const near = typeof value === "string" ? suggest(value, names) : [];
    const more = near.length > 0 ? `did you mean: ${near.join(", ")}?` : `one of: ${names.slice(0, 20).join(", ")}`;
    return refuse(`${path} is of type ${name}: ${shown} is none of its values; ${more}`);
}
