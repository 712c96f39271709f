// SPDX-License-Identifier: Apache-2.0
// Everything in the kernel as rows of one table, whatever it is. Pure: joined and counted once for each inventory.
import type { InventoryJson, OwnerProcessJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";

export type Kind = "program" | "map" | "link" | "btf";

export interface InventoryRow {
    readonly key: string;
    readonly kind: Kind;
    readonly id: number;
    readonly name: string;
    /** the kernel's word */
    readonly type: string;
    readonly managed: boolean;
    /** what of the daemon's own it is part of */
    readonly partOf: string;
    readonly owner: string;
    readonly application: string;
    readonly processes: readonly OwnerProcessJson[];
    /** units and containers of the processes, each once */
    readonly units: readonly string[];
    readonly containers: readonly string[];
    /** where a program or link is attached */
    readonly hooks: readonly string[];
    readonly pinPaths: readonly string[];
    /** programs that use a map or a BTF object, or that a link runs */
    readonly programs: readonly ProgramName[];
    /** of this daemon's links: its own id */
    readonly managedLinkId: number;
    /** undefined for what the kernel does not account */
    readonly memoryBytes: number | undefined;
    /** RFC 3339; only programs have it */
    readonly loadedAt: string;
}

export interface ProgramName {
    readonly id: number;
    /** empty for one without */
    readonly name: string;
}

type Common = Pick<InventoryRow, "processes" | "units" | "containers">;

const plain = {
    type: "",
    managed: false,
    partOf: "",
    owner: "",
    application: "",
    hooks: [],
    pinPaths: [],
    programs: [],
    managedLinkId: 0,
    memoryBytes: undefined,
    loadedAt: "",
} satisfies Partial<InventoryRow>;

export function inventoryRows(inventory: InventoryJson): InventoryRow[] {
    const byPid = new Map((inventory.processes ?? []).map(process => [process.pid ?? 0, process]));
    const common = (pids: readonly number[] = []): Common => {
        const processes = pids.flatMap(pid => byPid.get(pid) ?? []);
        const known = (word: "unit" | "container") => [...new Set(processes.flatMap(process => process[word] || []))];
        return { processes, units: known("unit"), containers: known("container") };
    };
    const names = new Map(
        (inventory.programs ?? []).map(({ kernel, name }) => [kernel?.id ?? 0, name || (kernel?.name ?? "")]),
    );
    const named = (ids: readonly number[] = []) => ids.map(id => ({ id, name: names.get(id) ?? "" }));
    const programs = (inventory.programs ?? []).map(
        (program): InventoryRow => ({
            ...plain,
            ...common(program.pids),
            key: `program ${program.kernel?.id ?? 0}`,
            kind: "program",
            id: program.kernel?.id ?? 0,
            name: program.name || program.kernel?.name || "",
            type: program.kernel?.typeName ?? "",
            managed: program.managed ?? false,
            partOf: program.partOf ?? "",
            owner: program.owner ?? "",
            application: program.application ?? "",
            hooks: program.hooks ?? [],
            pinPaths: program.pinPaths ?? [],
            memoryBytes: program.kernel?.memlockBytes ?? 0,
            loadedAt: program.kernel?.loadedAt ?? "",
        }),
    );
    const maps = (inventory.maps ?? []).map(
        (map): InventoryRow => ({
            ...plain,
            ...common(map.pids),
            key: `map ${map.map?.id ?? 0}`,
            kind: "map",
            id: map.map?.id ?? 0,
            name: map.name || map.map?.name || "",
            type: map.map?.typeName ?? "",
            managed: map.managed ?? false,
            partOf: map.partOf ?? "",
            owner: map.owner ?? "",
            pinPaths: map.pinPaths ?? [],
            programs: named(map.programIds),
            memoryBytes: map.map?.memlockBytes ?? 0,
        }),
    );
    const links = (inventory.links ?? []).map(
        (link): InventoryRow => ({
            ...plain,
            ...common(link.pids),
            key: `link ${link.kernel?.id ?? 0}`,
            kind: "link",
            id: link.kernel?.id ?? 0,
            name: "",
            type: link.kernel?.type ?? "",
            managed: (link.managedLinkId ?? 0) !== 0,
            partOf: link.partOf ?? "",
            owner: link.owner ?? "",
            hooks: link.hook ? [link.hook] : [],
            pinPaths: link.pinPaths ?? [],
            programs: named(link.kernel?.programId ? [link.kernel.programId] : []),
            managedLinkId: link.managedLinkId ?? 0,
        }),
    );
    const btf = (inventory.btf ?? []).map(
        (object): InventoryRow => ({
            ...plain,
            ...common(object.pids),
            key: `btf ${object.id ?? 0}`,
            kind: "btf",
            id: object.id ?? 0,
            name: object.name ?? "",
            owner: object.kernel ? "kernel" : "",
            programs: named(object.programIds),
            memoryBytes: object.sizeBytes ?? 0,
        }),
    );
    return [...programs, ...maps, ...links, ...btf];
}

/** What a filter looks into. */
export function searchTexts(row: InventoryRow): string[] {
    return [
        row.key,
        row.name,
        row.type,
        row.owner,
        row.application,
        row.partOf,
        ...row.units,
        ...row.containers,
        ...row.hooks,
        ...row.pinPaths,
        ...row.programs.map(program => program.name),
        ...row.processes.flatMap(process => [process.name ?? "", process.command ?? "", String(process.pid ?? "")]),
    ];
}

export interface Share {
    readonly key: string;
    readonly count: number;
    readonly memoryBytes: number;
}

/** Counts and memory by a word of the rows, the largest first; beyond `most` the others are one share with an empty key. */
export function sharesBy(
    rows: readonly InventoryRow[],
    wordOf: (row: InventoryRow) => string,
    by: "count" | "memoryBytes",
    most: number,
): Share[] {
    const shares = [...Map.groupBy(rows, wordOf)]
        .map(([key, members]) => ({
            key,
            count: members.length,
            memoryBytes: members.reduce((sum, row) => sum + (row.memoryBytes ?? 0), 0),
        }))
        .sort((a, b) => b[by] - a[by] || a.key.localeCompare(b.key));
    if (shares.length <= most) return shares;
    const rest = shares.slice(most - 1).reduce(
        (sum, share) => ({
            key: othersKey,
            count: sum.count + share.count,
            memoryBytes: sum.memoryBytes + share.memoryBytes,
        }),
        { key: othersKey, count: 0, memoryBytes: 0 },
    );
    return [...shares.slice(0, most - 1), rest];
}

/** No owner or type has this name. */
export const othersKey = "\n";
