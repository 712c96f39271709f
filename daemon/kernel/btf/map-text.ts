// SPDX-License-Identifier: Apache-2.0
// What people write for a map's key or value, as bytes: hex:0a00…, a number, an address, or JSON by BTF.
import { isIPv4, isIPv6 } from "node:net";
import { BpfmanError } from "../../model/error.ts";
import type { Btf } from "./btf.ts";
import { encodeText, parseWhole } from "./btf-encode.ts";

export interface TextTarget {
    /** "key", "value": for errors */
    readonly what: string;
    readonly sizeBytes: number;
    readonly btf: Btf | undefined;
    /** 0: none */
    readonly typeId: number;
    /** a key of an LPM trie: four bytes of prefix length, then the address */
    readonly prefix: boolean;
}

const invalid = (message: string, hint?: string): BpfmanError => new BpfmanError("INVALID_ARGUMENT", message, { hint });

export function checkSize(bytes: Uint8Array, { what, sizeBytes }: TextTarget): Uint8Array {
    if (bytes.length === sizeBytes) return bytes;
    throw invalid(`the ${what} has ${sizeBytes} bytes, ${bytes.length} were given`);
}

export function bytesOfText(text: string, target: TextTarget): Uint8Array {
    const { what, sizeBytes, btf, typeId } = target;
    if (text.startsWith("hex:")) return checkSize(hexBytes(text.slice(4), what), target);
    const address = target.prefix ? prefixBytes(text, sizeBytes) : addressBytes(text, sizeBytes);
    if (address !== undefined && !isText(btf, typeId)) return address;
    if (btf !== undefined && typeId !== 0) return encodeText(btf, typeId, text, what);
    const number = parseWhole(text.trim());
    if (number === undefined)
        throw invalid(
            `the map has no BTF that tells what its ${what} is, and ${JSON.stringify(text)} is no number`,
            `Write its ${sizeBytes} bytes as hex:${"00".repeat(Math.min(sizeBytes, 4))}${sizeBytes > 4 ? "…" : ""}.`,
        );
    return numberBytes(number, sizeBytes, what);
}

function isText(btf: Btf | undefined, typeId: number): boolean {
    if (btf === undefined || typeId === 0) return false;
    const type = btf.resolve(typeId);
    if (type.kind !== "array") return false;
    const element = btf.resolve(type.type);
    return element.kind === "int" && element.char;
}

/** Digits in pairs, with spaces, colons or commas between them. */
function hexBytes(text: string, what: string): Uint8Array {
    const digits = text.replace(/0[xX](?=[0-9a-fA-F])|[\s:,]/g, "");
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits))
        throw invalid(`the ${what} ${JSON.stringify(text)} is not made of pairs of hexadecimal digits`);
    return Uint8Array.from(Buffer.from(digits, "hex"));
}

function numberBytes(number: bigint, sizeBytes: number, what: string): Uint8Array {
    const bits = BigInt(8 * sizeBytes);
    if (number >= 1n << bits || number < -(1n << (bits - 1n)))
        throw invalid(`the ${what} has ${sizeBytes} bytes: ${number} does not fit`);
    const raw = BigInt.asUintN(8 * sizeBytes, number);
    return Uint8Array.from({ length: sizeBytes }, (_, index) => Number((raw >> BigInt(8 * index)) & 0xffn));
}

/** An address as packets carry it; undefined where the text is none of this size. */
function addressBytes(text: string, sizeBytes: number): Uint8Array | undefined {
    if (sizeBytes === 4 && isIPv4(text)) return Uint8Array.from(text.split("."), Number);
    if (sizeBytes === 16 && isIPv6(text) && !text.includes("%")) return ipv6Bytes(text);
    if (sizeBytes === 6 && /^(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text))
        return Uint8Array.from(text.split(":"), pair => Number.parseInt(pair, 16));
    return undefined;
}

function ipv6Bytes(text: string): Uint8Array {
    const ipv4 = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
    const [a = 0, b = 0, c = 0, d = 0] = ipv4?.[2]?.split(".").map(Number) ?? [];
    const whole = ipv4 === null ? text : `${ipv4[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    const [head = "", tail] = whole.split("::");
    const words = (part: string) => (part === "" ? [] : part.split(":").map(word => Number.parseInt(word, 16)));
    const [front, back] = [words(head), words(tail ?? "")];
    const all = tail === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill(0), ...back];
    return Uint8Array.from(all.flatMap(word => [word >> 8, word & 0xff]));
}

const lengthBytes = 4;

/** 10.0.0.0/8 as struct bpf_lpm_trie_key. */
function prefixBytes(text: string, sizeBytes: number): Uint8Array | undefined {
    const [, address = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
    const bytes = addressBytes(address, sizeBytes - lengthBytes);
    if (bytes === undefined) return undefined;
    if (Number(length) > 8 * bytes.length)
        throw invalid(`the prefix ${text} is longer than its address of ${8 * bytes.length} bits`);
    const key = new Uint8Array(sizeBytes);
    new DataView(key.buffer).setUint32(0, Number(length), true);
    key.set(bytes, lengthBytes);
    return key;
}
