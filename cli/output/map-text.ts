// SPDX-License-Identifier: Apache-2.0
// What `map` shows to people and to scripts. Pure: lines and objects out, printed elsewhere.
import type { MapDetailJson, MapEntryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { integer, kernelWord } from "./json.ts";
import { table } from "./print.ts";
import { hexOf } from "./text.ts";

const nameOf = ({ name, map }: MapDetailJson): string => name || map?.name || "";

export function mapTable(maps: readonly MapDetailJson[]): string[] {
    if (maps.length === 0) return [];
    const rows = maps.map(one => [
        String(one.map?.id ?? 0),
        nameOf(one),
        kernelWord(one.map?.typeName),
        String(one.map?.keySize ?? 0),
        String(one.map?.valueSize ?? 0),
        String(one.map?.maxEntries ?? 0),
        one.partOf ? one.partOf : (one.programIds ?? []).join(" ") || "-",
    ]);
    return table([["MAP ID", "NAME", "TYPE", "KEY", "VALUE", "MAX ENTRIES", "PROGRAMS"], ...rows]);
}

export function mapText(one: MapDetailJson): string[] {
    const { map = {} } = one;
    const typed = (size: number | undefined, type: string | undefined) =>
        `${size ?? 0} bytes${type ? ` (${type})` : ""}`;
    const rows: (readonly [string, string] | undefined)[] = [
        ["Name", nameOf(one)],
        ["Type", kernelWord(map.typeName)],
        ["Key", typed(map.keySize, one.keyType)],
        ["Value", `${typed(map.valueSize, one.valueType)}${one.perCpu ? " on each CPU" : ""}`],
        ["Max Entries", String(map.maxEntries ?? 0)],
        ["Flags", `0x${(map.flags ?? 0).toString(16)}`],
        ["Memory", `${map.memlockBytes ?? 0} bytes`],
        ["Frozen", map.frozen ? "yes" : "no"],
        ["Managed", one.managed ? "yes" : "no"],
        one.partOf ? ["Part Of", one.partOf] : undefined,
        one.shared ? ["Shared", "by name"] : undefined,
        one.programIds?.length ? ["Programs", one.programIds.join(" ")] : undefined,
        ["Used By", (one.usedBy ?? []).join(" ") || "<none>"],
        ...(one.pinPaths ?? []).map(pin => ["Pin", pin] as const),
        one.unreadable ? ["Reading", one.unreadable] : undefined,
        one.unwritable ? ["Changing", one.unwritable] : undefined,
    ];
    const known = rows.filter(row => row !== undefined);
    return [
        `Map ID: ${map.id ?? 0}`,
        ...table(
            known.map(([label, value]) => [`${label}:`, value]),
            "  ",
        ),
    ];
}

export function mapDetailJson(one: MapDetailJson): unknown {
    const { map = {} } = one;
    return {
        id: map.id ?? 0,
        name: nameOf(one),
        kernel_name: map.name ?? "",
        type: kernelWord(map.typeName),
        key_size: map.keySize ?? 0,
        value_size: map.valueSize ?? 0,
        max_entries: map.maxEntries ?? 0,
        flags: map.flags ?? 0,
        map_extra: integer(map.mapExtra),
        btf_id: map.btfId ?? 0,
        key_type: one.keyType ?? "",
        value_type: one.valueType ?? "",
        per_cpu: one.perCpu ?? false,
        memlock: map.memlockBytes ?? 0,
        frozen: map.frozen ?? false,
        managed: one.managed ?? false,
        shared: one.shared ?? false,
        part_of: one.partOf ?? "",
        programs: one.programIds ?? [],
        used_by: one.usedBy ?? [],
        pin_paths: one.pinPaths ?? [],
        unreadable: one.unreadable ?? "",
        unwritable: one.unwritable ?? "",
    };
}

const shown = (json: unknown, base64: string | undefined): string =>
    json === undefined ? spaced(hexOf(base64 ?? "")) : JSON.stringify(json);

const spaced = (hex: string): string => (hex.match(/../g) ?? []).join(" ");

/** `key: value`; of a per-CPU map the sum first. */
export function entryText(entry: MapEntryJson): string {
    const key = entry.key ? `${shown(entry.keyJson, entry.key)}: ` : "";
    if (!entry.cpus?.length) return `${key}${shown(entry.valueJson, entry.value)}`;
    const each = entry.cpus.map(one => `cpu${one.cpu ?? 0} ${shown(one.valueJson, one.value)}`).join(", ");
    return entry.sum === undefined ? `${key}${each}` : `${key}${JSON.stringify(entry.sum)} (${each})`;
}

/** Both forms of everything: bytes in hexadecimal, and by BTF, null where there is none. */
export function entryJson(entry: MapEntryJson): Record<string, unknown> {
    const perCpu = (entry.cpus ?? []).length > 0;
    return {
        key: entry.keyJson ?? null,
        key_hex: hexOf(entry.key ?? ""),
        value: (perCpu ? entry.sum : entry.valueJson) ?? null,
        ...(perCpu
            ? {
                  cpus: (entry.cpus ?? []).map(one => ({
                      cpu: one.cpu ?? 0,
                      value: one.valueJson ?? null,
                      value_hex: hexOf(one.value ?? ""),
                  })),
              }
            : { value_hex: hexOf(entry.value ?? "") }),
    };
}
