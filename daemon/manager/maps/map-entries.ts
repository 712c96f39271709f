// SPDX-License-Identifier: Apache-2.0
// The entries of maps: read in pages, looked up, set and removed. Each call opens the map by its id and closes it again.
// A map of others is read by whoever asks, and changed only by those who say that they mean it.
import * as bpf from "../../kernel/bpf.ts";
import type { Btf } from "../../kernel/btf/btf.ts";
import { decode, sum } from "../../kernel/btf/btf-decode.ts";
import { bytesOfText, checkSize, type TextTarget } from "../../kernel/btf/map-text.ts";
import { kernelError } from "../../kernel/errors.ts";
import type { Fd } from "../../kernel/fd.ts";
import { errnoName } from "../../kernel/ffi.ts";
import * as calls from "../../kernel/objects/map-calls.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId, ProgramId } from "../../model/ids.ts";
import type { KernelMap } from "../../model/kernel.ts";
import type { Json, MapDetail, MapEntryView, MapInput, MapPage, MapSelector, MapUpdateMode } from "../../model/maps.ts";
import type { Context } from "../context.ts";
import { btfOf, mapDetail } from "./map-view.ts";

/** A map on which a call works, with what its elements look like. */
export interface OpenMap {
    readonly detail: MapDetail;
    readonly kernel: KernelMap;
    readonly btf: Btf | undefined;
    readonly keyType: number;
    readonly valueType: number;
    /** bytes of one element's value as bpf(2) reads it: of a per-CPU map every CPU's */
    readonly elementBytes: number;
    readonly cpus: number;
}

const withIdsAsValues = new Set(["prog_array", "array_of_maps", "hash_of_maps"]);
const withoutKeys = new Set(["queue", "stack"]);
const arrays = new Set(["array", "percpu_array"]);
const pageBytes = 1 << 20;
const mostEntries = 4096;
const defaultEntries = 256;
const mostInBucket = 1 << 16;

export const mapTitle = ({ name, kernel }: MapDetail): string => `map ${kernel.id} (${name || kernel.name})`;

export function describeMap(context: Context, selector: MapSelector): OpenMap {
    const detail = mapDetail(context, selector);
    const { kernel, perCpu } = detail;
    using fd = bpf.openMap(kernel.id);
    if (fd === undefined) throw gone(detail);
    const ids = calls.mapBtfIds(fd);
    const cpus = perCpu ? calls.possibleCpus() : 1;
    return {
        detail,
        kernel,
        btf: btfOf(ids.btfId),
        keyType: ids.keyType,
        valueType: ids.valueType,
        elementBytes: perCpu ? cpuStride(kernel) * cpus : kernel.valueSize,
        cpus,
    };
}

/** The kernel rounds each CPU's value up to eight bytes. */
const cpuStride = ({ valueSize }: KernelMap): number => Math.ceil(valueSize / 8) * 8;

const gone = ({ kernel }: MapDetail): BpfmanError =>
    new BpfmanError("NOT_FOUND", `map ${kernel.id} does not exist any more`);

export function openForReading({ detail }: OpenMap): Fd {
    if (detail.unreadable !== "")
        throw new BpfmanError("FAILED_PRECONDITION", `${mapTitle(detail)}: ${detail.unreadable}`);
    const fd = calls.openMapReadOnly(detail.kernel.id);
    if (fd === undefined) throw gone(detail);
    return fd;
}

function json(btf: Btf | undefined, type: number, bytes: Uint8Array): Json | undefined {
    return btf === undefined || type === 0 ? undefined : decode(btf, type, bytes);
}

export function entryView(map: OpenMap, key: Uint8Array, element: Uint8Array): MapEntryView {
    const { btf, keyType, valueType, kernel, cpus } = map;
    const shown = { key, keyJson: json(btf, keyType, key) };
    if (!map.detail.perCpu) {
        const id = withIdsAsValues.has(kernel.typeName) ? Buffer.from(element).readUInt32LE(0) : undefined;
        return { ...shown, value: element, valueJson: id ?? json(btf, valueType, element), cpus: [], sum: undefined };
    }
    const values = Array.from({ length: cpus }, (_, cpu) => {
        const value = element.subarray(cpu * cpuStride(kernel), cpu * cpuStride(kernel) + kernel.valueSize);
        return { cpu, value, valueJson: json(btf, valueType, value) };
    });
    const known = values.flatMap(({ valueJson }) => (valueJson === undefined ? [] : [valueJson]));
    const total = known.length === values.length ? sum(known) : undefined;
    return { ...shown, value: new Uint8Array(0), valueJson: undefined, cpus: values, sum: total };
}

// --- reading -------------------------------------------------------------------------------------------------

/** Where a page goes on: by batches from the kernel's own place, else from a key; and how many came before. */
interface Place {
    readonly kind: "batch" | "key";
    readonly seen: number;
    readonly at: Uint8Array | null;
}

function placeOf(token: string): Place {
    if (token === "") return { kind: "batch", seen: 0, at: null };
    const [, letter, seen = "0", hex = ""] = /^([bk])(\d{1,10}):((?:[0-9a-f]{2})+)$/.exec(token) ?? [];
    if (letter === undefined) throw new BpfmanError("INVALID_ARGUMENT", "the page token is none of this daemon's");
    return { kind: letter === "b" ? "batch" : "key", seen: Number(seen), at: Buffer.from(hex, "hex") };
}

const tokenOf = ({ kind, seen, at }: Place): string =>
    at === null ? "" : `${kind === "batch" ? "b" : "k"}${seen}:${Buffer.from(at).toString("hex")}`;

export interface RawPage {
    readonly elements: readonly { key: Uint8Array; element: Uint8Array }[];
    readonly next: Place | undefined;
}

export function readPage(fd: Fd, map: OpenMap, place: Place, wanted: number): RawPage {
    if (place.kind === "key") return readByKeys(fd, map, place, wanted);
    const { keySize } = map.kernel;
    const { elementBytes } = map;
    if (place.at !== null && place.at.length !== Math.max(4, keySize))
        throw new BpfmanError("INVALID_ARGUMENT", "the page token is of another map");
    for (let count = wanted; ; count *= 2) {
        const batch = calls.lookupBatch(fd, place.at, count, keySize, elementBytes);
        if (batch === "unsupported") return readByKeys(fd, map, { ...place, kind: "key", at: null }, wanted);
        if (batch === "small" && count < mostInBucket) continue;
        if (batch === "small") throw new BpfmanError("INTERNAL", `${mapTitle(map.detail)}: its buckets are too long`);
        const elements = Array.from({ length: batch.count }, (_, index) => ({
            key: batch.keys.subarray(index * keySize, (index + 1) * keySize),
            element: batch.values.subarray(index * elementBytes, (index + 1) * elementBytes),
        }));
        const seen = place.seen + batch.count;
        // a map that changes as fast as it is read would never end
        const ended = batch.next === undefined || seen >= 2 * map.kernel.maxEntries;
        return { elements, next: ended ? undefined : { kind: "batch", seen, at: batch.next } };
    }
}

/** Map types without batches. A key that goes while its map is read lets the kernel begin anew: so it ends by count. */
function readByKeys(fd: Fd, { kernel, elementBytes }: OpenMap, place: Place, wanted: number): RawPage {
    const { keySize, maxEntries } = kernel;
    const elements: { key: Uint8Array; element: Uint8Array }[] = [];
    let key: Uint8Array | null = place.at;
    let seen = place.seen;
    while (seen < place.seen + wanted && seen < maxEntries) {
        const next: Buffer | undefined = calls.nextKey(fd, key, keySize);
        if (next === undefined) return { elements, next: undefined };
        key = next;
        seen++;
        const element = calls.lookup(fd, key, elementBytes);
        if (element !== undefined) elements.push({ key, element });
    }
    return { elements, next: seen < maxEntries ? { kind: "key", seen, at: key } : undefined };
}

export const firstPlace = placeOf("");

/** As many entries as asked for, and as make up a page of a size that is quickly told. */
export function pageEntries({ kernel, elementBytes }: OpenMap, wanted: number): number {
    const fit = Math.floor(pageBytes / Math.max(1, kernel.keySize + elementBytes));
    return Math.max(1, Math.min(wanted === 0 ? defaultEntries : wanted, mostEntries, fit));
}

export function dumpMap(context: Context, selector: MapSelector, page: { size: number; token: string }): MapPage {
    const map = describeMap(context, selector);
    using fd = openForReading(map);
    if (map.kernel.keySize === 0)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `${mapTitle(map.detail)} is a ${map.kernel.typeName}: its entries have no keys to go through`,
            { hint: "A look-up without a key shows the next one." },
        );
    const { elements, next } = readPage(fd, map, placeOf(page.token), pageEntries(map, page.size));
    return {
        entries: elements.map(({ key, element }) => entryView(map, key, element)),
        nextPageToken: next === undefined ? "" : tokenOf(next),
    };
}

export function lookupMap(context: Context, selector: MapSelector, key: MapInput): MapEntryView {
    const map = describeMap(context, selector);
    const bytes = keyBytes(map, key);
    using fd = openForReading(map);
    const element = calls.lookup(fd, bytes.length === 0 ? null : bytes, map.elementBytes);
    if (element === undefined) throw noEntry(map, key);
    return entryView(map, bytes, element);
}

function noEntry({ detail }: OpenMap, key: MapInput): BpfmanError {
    const shown = typeof key === "string" ? key : `hex:${Buffer.from(key).toString("hex")}`;
    return new BpfmanError("NOT_FOUND", `${mapTitle(detail)} has no entry ${shown}`.trimEnd(), { errno: "ENOENT" });
}

function keyBytes(map: OpenMap, input: MapInput): Uint8Array {
    const { kernel, btf, keyType } = map;
    if (withoutKeys.has(kernel.typeName)) {
        if (input.length === 0) return new Uint8Array(0);
        throw new BpfmanError("INVALID_ARGUMENT", `a ${kernel.typeName} map has no keys`);
    }
    if (input.length === 0) throw new BpfmanError("INVALID_ARGUMENT", "the key is missing");
    const prefix = kernel.typeName === "lpm_trie";
    return inputBytes(input, { what: "key", sizeBytes: kernel.keySize, btf, typeId: keyType, prefix });
}

const inputBytes = (input: MapInput, target: TextTarget): Uint8Array =>
    typeof input === "string" ? bytesOfText(input, target) : checkSize(input, target);

// --- changing ------------------------------------------------------------------------------------------------

function openForWriting({ detail }: OpenMap, force: boolean): Fd {
    const { kernel } = detail;
    if (detail.unwritable !== "")
        throw new BpfmanError("FAILED_PRECONDITION", `${mapTitle(detail)} can't be changed: ${detail.unwritable}`);
    if (!detail.managed && !force)
        throw new BpfmanError("FAILED_PRECONDITION", `${mapTitle(detail)} belongs to no program of this daemon`, {
            hint: "Whoever made it may rely on what it holds. To change it all the same, ask with force (--force).",
        });
    const fd = bpf.openMap(kernel.id);
    if (fd === undefined) throw gone(detail);
    return fd;
}

export function updateMap(
    context: Context,
    selector: MapSelector,
    entry: { key: MapInput; value: MapInput; mode: MapUpdateMode },
    force: boolean,
): MapEntryView {
    const map = describeMap(context, selector);
    const key = keyBytes(map, entry.key);
    const element = elementOf(map, entry.value);
    using fd = openForWriting(map, force);
    using held = heldBy(map, element);
    const result = calls.update(fd, key.length === 0 ? null : key, held.bytes, calls.updateMode[entry.mode]);
    if (result < 0) throw updateError(map, entry.key, result);
    const now = calls.lookup(fd, key.length === 0 ? null : key, map.elementBytes);
    return entryView(map, key, now ?? element);
}

/** Of a per-CPU map: one value stands for every CPU's. */
function elementOf(map: OpenMap, input: MapInput): Uint8Array {
    const { kernel, btf, valueType, elementBytes, cpus } = map;
    if (typeof input !== "string" && map.detail.perCpu && input.length === elementBytes) return input;
    const target = { what: "value", sizeBytes: kernel.valueSize, btf, typeId: valueType, prefix: false };
    const value = inputBytes(input, target);
    if (!map.detail.perCpu) return value;
    const element = new Uint8Array(elementBytes);
    for (let cpu = 0; cpu < cpus; cpu++) element.set(value, cpu * cpuStride(kernel));
    return element;
}

/** Maps of programs and of maps tell ids and take descriptors. */
function heldBy({ kernel }: OpenMap, element: Uint8Array): { bytes: Uint8Array; [Symbol.dispose](): void } {
    if (!withIdsAsValues.has(kernel.typeName)) return { bytes: element, [Symbol.dispose]: () => {} };
    const id = Buffer.from(element).readUInt32LE(0);
    const programs = kernel.typeName === "prog_array";
    const fd = programs ? bpf.openProgram(id as ProgramId) : bpf.openMap(id as MapId);
    if (fd === undefined)
        throw new BpfmanError("NOT_FOUND", `${programs ? "program" : "map"} ${id} does not exist`, {
            hint: `A ${kernel.typeName} holds ids of ${programs ? "programs" : "maps"}.`,
        });
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(fd.number);
    return { bytes, [Symbol.dispose]: () => fd[Symbol.dispose]() };
}

function updateError(map: OpenMap, key: MapInput, result: number): BpfmanError {
    const { detail, kernel } = map;
    const what = `update ${mapTitle(detail)}`;
    switch (errnoName(result)) {
        case "ENOENT":
            return noEntry(map, key);
        case "EEXIST":
            return kernelError(
                arrays.has(kernel.typeName) ? `${what}: every entry of an array exists` : `${what}: the entry exists`,
                result,
            );
        case "E2BIG":
            if (arrays.has(kernel.typeName) || kernel.typeName === "prog_array")
                return kernelError(`${what}: its keys run from 0 to ${kernel.maxEntries - 1}`, result);
            return kernelError(`${what}: it is full (${kernel.maxEntries} entries)`, result, {
                code: "RESOURCE_EXHAUSTED",
            });
        case "ENOSPC":
            return kernelError(`${what}: it is full (${kernel.maxEntries} entries)`, result);
        case "EPERM":
            return kernelError(`${what}: the kernel allows no change of it`, result, { code: "FAILED_PRECONDITION" });
        default:
            return kernelError(what, result);
    }
}

export function deleteMapEntry(context: Context, selector: MapSelector, key: MapInput, force: boolean): MapEntryView {
    const map = describeMap(context, selector);
    const { kernel, detail } = map;
    if (withoutKeys.has(kernel.typeName))
        throw new BpfmanError("FAILED_PRECONDITION", `entries of a ${kernel.typeName} are taken out, not deleted`);
    const bytes = keyBytes(map, key);
    using fd = openForWriting(map, force);
    if (arrays.has(kernel.typeName))
        throw new BpfmanError("FAILED_PRECONDITION", `${mapTitle(detail)} is an array: its entries can't be deleted`, {
            hint: "Update the entry to 0 instead.",
        });
    const before = detail.unreadable === "" ? calls.lookup(fd, bytes, map.elementBytes) : undefined;
    const result = calls.remove(fd, bytes);
    if (result < 0 && errnoName(result) === "ENOENT") throw noEntry(map, key);
    if (result < 0) throw kernelError(`delete from ${mapTitle(detail)}`, result);
    return entryView(map, bytes, before ?? new Uint8Array(map.elementBytes));
}
