// SPDX-License-Identifier: Apache-2.0
// Keys and values of maps as people read and write them: JSON as BTF tells it, or bytes.
import { fromBase64 } from "../../client/base64.ts";

/** google.protobuf.Value in proto3 JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A key or a value as it comes: its bytes, and what they mean where BTF tells. */
export interface Datum {
    /** base64 */
    readonly bytes: string;
    readonly json: Json | undefined;
}

export function datum(bytes: string | undefined, json: unknown): Datum {
    // the daemon's own JSON, which the generated types leave open
    return { bytes: bytes ?? "", json: json as Json | undefined };
}

/** "0a 00 1f"; long ones end in an ellipsis. */
export function hexOf(base64: string, mostBytes = 64): string {
    const bytes = fromBase64(base64);
    const pairs = Array.from(bytes.subarray(0, mostBytes), byte => byte.toString(16).padStart(2, "0"));
    return pairs.join(" ") + (bytes.length > mostBytes ? " …" : "");
}

/** Within one line: {x: 1, y: [2, 3, …]}. */
export function preview(json: Json, mostCharacters = 80): string {
    const text = inline(json);
    return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text;
}

const mostItems = 8;

function inline(json: Json): string {
    if (Array.isArray(json)) {
        const items = json.slice(0, mostItems).map(inline);
        return `[${[...items, ...(json.length > mostItems ? ["…"] : [])].join(", ")}]`;
    }
    if (isObject(json)) {
        const fields = Object.entries(json).map(([name, value]) => `${name}: ${inline(value)}`);
        return `{${fields.join(", ")}}`;
    }
    return String(json);
}

export function isObject(json: Json | undefined): json is { readonly [key: string]: Json } {
    return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isTree(json: Json | undefined): json is readonly Json[] | { readonly [key: string]: Json } {
    return typeof json === "object" && json !== null;
}

/** What a field for it begins with: the daemon reads it back to the same bytes. */
export function editable({ bytes, json }: Datum): string {
    if (json === undefined) return `hex:${hexOf(bytes, Number.POSITIVE_INFINITY)}`;
    if (isTree(json)) return JSON.stringify(json, undefined, 2);
    // what begins as another way of writing would be read as that
    return typeof json === "string" && /^(?:hex:|\s*["[])/.test(json) ? JSON.stringify(json) : String(json);
}

/** The same shape with nothing in it: for a new entry. */
export function blank(json: Json): Json {
    if (Array.isArray(json)) return json.map(blank);
    if (isObject(json)) return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, blank(value)]));
    if (typeof json === "number") return 0;
    // whole numbers past 2^53 are strings
    if (typeof json === "string") return /^-?\d{16,}$/.test(json) ? 0 : "";
    return typeof json === "boolean" ? false : json;
}

/** As bytes that a field takes, with as many zeros as the size. */
export function zeroHex(sizeBytes: number): string {
    return `hex:${Array.from({ length: sizeBytes }, () => "00").join(" ")}`;
}

// BPF_F_* of enum bpf_map_type's neighbours in the kernel's include/uapi/linux/bpf.h
const flagNames = [
    "no_prealloc",
    "no_common_lru",
    "numa_node",
    "rdonly",
    "wronly",
    "stack_build_id",
    "zero_seed",
    "rdonly_prog",
    "wronly_prog",
    "clone",
    "mmapable",
    "preserve_elems",
    "inner_map",
    "link",
    "path_fd",
    "vtype_btf_obj_fd",
    "token_fd",
    "segv_on_fault",
    "no_user_conv",
] as const;

export function flagWords(flags: number): string[] {
    const known = flagNames.filter((_name, bit) => (flags & (1 << bit)) !== 0);
    const rest = (flags >>> flagNames.length) << flagNames.length;
    return [...known, ...(rest === 0 ? [] : [`0x${(rest >>> 0).toString(16)}`])];
}

const withoutKeys = new Set(["queue", "stack"]);
const arrays = new Set(["array", "percpu_array"]);

export const hasKeys = (type: string): boolean => !withoutKeys.has(type);
/** All entries are there from the start, and stay. */
export const isArray = (type: string): boolean => arrays.has(type);

export type KeyForm = "index" | "prefix" | "number" | "text" | "structure" | "bytes";

/** How a key of such a map is written. */
export function keyForm(map: { type: string; keyBytes: number; keyType: string }): KeyForm {
    if (isArray(map.type)) return "index";
    if (map.type === "lpm_trie" && (map.keyBytes === 8 || map.keyBytes === 20)) return "prefix";
    if (/\bchar\b.*\[/.test(map.keyType)) return "text";
    if (/^(?:struct|union)\b|[[{]/.test(map.keyType)) return "structure";
    if (map.keyType !== "") return "number";
    return map.keyBytes <= 8 ? "number" : "bytes";
}
