// SPDX-License-Identifier: Apache-2.0
// Maps and their entries: the daemon's proto3 JSON with its left-out defaults filled in.
import type { MapChangeJson, MapDetailJson, MapEntryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Datum, datum, type Json } from "./map-text.ts";

export interface MapInfo {
    readonly id: number;
    readonly name: string;
    readonly type: string;
    readonly keyBytes: number;
    readonly valueBytes: number;
    readonly maxEntries: number;
    readonly memoryBytes: number;
    readonly flags: number;
    readonly frozen: boolean;
    readonly btfId: number;
    /** C types by BTF; empty where it has none */
    readonly keyType: string;
    readonly valueType: string;
    readonly perCpu: boolean;
    /** of programs of ours */
    readonly managed: boolean;
    readonly partOf: string;
    readonly usedBy: readonly number[];
    readonly pinPaths: readonly string[];
    readonly shared: boolean;
    /** why entries can't be read or changed, in the daemon's words; empty where they can */
    readonly unreadable: string;
    readonly unwritable: string;
}

export function mapInfoOf(json: MapDetailJson): MapInfo {
    const { map = {} } = json;
    const pinned = map.pinPath === undefined || map.pinPath === "" ? [] : [map.pinPath];
    return {
        id: map.id ?? 0,
        name: json.name || (map.name ?? ""),
        type: map.typeName ?? String(map.type ?? 0),
        keyBytes: map.keySize ?? 0,
        valueBytes: map.valueSize ?? 0,
        maxEntries: map.maxEntries ?? 0,
        memoryBytes: map.memlockBytes ?? 0,
        flags: map.flags ?? 0,
        frozen: map.frozen ?? false,
        btfId: map.btfId ?? 0,
        keyType: json.keyType ?? "",
        valueType: json.valueType ?? "",
        perCpu: json.perCpu ?? false,
        managed: json.managed ?? false,
        partOf: json.partOf ?? "",
        usedBy: json.usedBy ?? [],
        pinPaths: [...new Set([...(json.pinPaths ?? []), ...pinned])],
        shared: json.shared ?? false,
        unreadable: json.unreadable ?? "",
        unwritable: json.unwritable ?? "",
    };
}

export interface Entry {
    readonly key: Datum;
    /** empty for a per-CPU map */
    readonly value: Datum;
    readonly cpus: readonly CpuValue[];
    /** over all CPUs, where the value is a number or made of numbers */
    readonly sum: Json | undefined;
}

export interface CpuValue {
    readonly cpu: number;
    readonly value: Datum;
}

export function entryOf(json: MapEntryJson): Entry {
    return {
        key: datum(json.key, json.keyJson),
        value: datum(json.value, json.valueJson),
        cpus: (json.cpus ?? []).map(one => ({ cpu: one.cpu ?? 0, value: datum(one.value, one.valueJson) })),
        sum: json.sum as Json | undefined,
    };
}

export interface EntryChange {
    readonly kind: "ADDED" | "CHANGED" | "DELETED";
    readonly entry: Entry;
    /** RFC 3339 */
    readonly time: string;
}

/** Undefined for what is no change of an entry. */
export function changeOf(json: MapChangeJson): EntryChange | undefined {
    const { kind, entry, time = "" } = json;
    if (!entry || (kind !== "ADDED" && kind !== "CHANGED" && kind !== "DELETED")) return undefined;
    return { kind, entry: entryOf(entry), time };
}

/** A page of entries as changes leave it. New ones join it only where it is the last page and has room. */
export function withChanges(
    entries: readonly Entry[],
    changes: readonly EntryChange[],
    room: number,
): readonly Entry[] {
    if (changes.length === 0) return entries;
    const byKey = new Map(entries.map(entry => [entry.key.bytes, entry]));
    for (const { kind, entry } of changes) {
        const { bytes } = entry.key;
        if (kind === "DELETED") byKey.delete(bytes);
        else if (byKey.has(bytes) || byKey.size < room) byKey.set(bytes, entry);
    }
    return [...byKey.values()];
}
