// SPDX-License-Identifier: Apache-2.0
// What `overview` shows to people and to scripts. Pure: lines and objects out, printed elsewhere.
import type {
    InventoryBtfJson,
    InventoryJson,
    InventoryLinkJson,
    InventoryMapJson,
    InventoryProgramJson,
    OwnerProcessJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { table } from "./print.ts";
import { sizeText } from "./size-text.ts";

/** The two largest units: 3d 4h. */
export function ageText(loadedAt: string | undefined, now: number): string {
    const seconds = Math.max(0, Math.round((now - Date.parse(loadedAt ?? "")) / 1000));
    if (!Number.isFinite(seconds)) return "-";
    const parts = [
        [Math.floor(seconds / 86400), "d"],
        [Math.floor(seconds / 3600) % 24, "h"],
        [Math.floor(seconds / 60) % 60, "m"],
        [seconds % 60, "s"],
    ] as const;
    const first = parts.findIndex(([count]) => count > 0);
    if (first < 0) return "0s";
    const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
    return shown.map(([count, unit]) => `${count}${unit}`).join(" ");
}

const nobody = "(owner not known)";

export function overviewText(inventory: InventoryJson, now: number): string[] {
    const { programs = [], maps = [], totals = {}, processes = [], ownersUnknown = "" } = inventory;
    const byOwner = new Map<string, InventoryProgramJson[]>();
    for (const program of programs) {
        const owner = program.owner || nobody;
        const group = byOwner.get(owner);
        if (group === undefined) byOwner.set(owner, [program]);
        else group.push(program);
    }
    const spare = maps.filter(({ programIds = [] }) => programIds.length === 0);
    return [
        ...table([
            [
                "Programs:",
                `${totals.programs ?? 0}, ${totals.managedPrograms ?? 0} of them by bpfman, ${sizeText(totals.programMemoryBytes)}`,
            ],
            ["Maps:", `${totals.maps ?? 0}, ${sizeText(totals.mapMemoryBytes)}`],
            ["Links:", String(totals.links ?? 0)],
            ["BTF objects:", `${totals.btf ?? 0}, ${sizeText(totals.btfBytes)}`],
            ...(ownersUnknown === "" ? [] : [["Owners:", `not all are known: ${ownersUnknown}`]]),
        ]),
        ...ownersInOrder([...byOwner.keys()]).flatMap(owner =>
            groupText(owner, byOwner.get(owner) ?? [], processes, now),
        ),
        ...(spare.length === 0 ? [] : ["", "Maps that no program uses", ...spareText(spare)]),
    ];
}

/** Ours first, nobody's last. */
function ownersInOrder(owners: string[]): string[] {
    const rank = (owner: string) => (owner === "bpfman" ? 0 : owner === nobody ? 2 : 1);
    return owners.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en"));
}

function groupText(
    owner: string,
    programs: readonly InventoryProgramJson[],
    processes: readonly OwnerProcessJson[],
    now: number,
): string[] {
    const pids = new Set(programs.flatMap(program => program.pids ?? []));
    const holders = processes.filter(({ pid = 0 }) => pids.has(pid)).map(({ pid = 0, name = "" }) => `${name} ${pid}`);
    return [
        "",
        `${owner}${holders.length === 0 ? "" : ` (${holders.join(", ")})`}`,
        ...table(
            [
                ["ID", "TYPE", "NAME", "HOOK", "MAPS", "MEMORY", "AGE"],
                ...programs.map(program => [
                    String(program.kernel?.id ?? 0),
                    program.kernel?.typeName ?? "",
                    program.name || "-",
                    program.partOf || (program.hooks ?? []).join(", ") || "-",
                    (program.kernel?.mapIds ?? []).join(" ") || "-",
                    sizeText(program.kernel?.memlockBytes),
                    ageText(program.kernel?.loadedAt, now),
                ]),
            ],
            "  ",
        ),
    ];
}

function spareText(maps: readonly InventoryMapJson[]): string[] {
    return table(
        [
            ["ID", "TYPE", "NAME", "OWNER", "PINNED AT", "MEMORY"],
            ...maps.map(({ map = {}, name = "", owner = "", pinPaths = [] }) => [
                String(map.id ?? 0),
                map.typeName ?? "",
                name || "-",
                owner || "-",
                pinPaths.join(" ") || "-",
                sizeText(map.memlockBytes),
            ]),
        ],
        "  ",
    );
}

// --- for scripts ---------------------------------------------------------------------------------------------

export function overviewJson(inventory: InventoryJson): object {
    const { programs = [], maps = [], links = [], btf = [], processes = [], totals = {} } = inventory;
    return {
        totals: {
            programs: totals.programs ?? 0,
            maps: totals.maps ?? 0,
            links: totals.links ?? 0,
            btf: totals.btf ?? 0,
            managed_programs: totals.managedPrograms ?? 0,
            program_memory: Number(totals.programMemoryBytes ?? 0),
            map_memory: Number(totals.mapMemoryBytes ?? 0),
            btf_size: Number(totals.btfBytes ?? 0),
        },
        programs: programs.map(programJson),
        maps: maps.map(mapJson),
        links: links.map(linkJson),
        btf: btf.map(btfJson),
        processes: processes.map(processJson),
        owners_unknown: inventory.ownersUnknown ?? "",
    };
}

const item = (one: { owner?: string; partOf?: string; pids?: number[]; pinPaths?: string[] }) => ({
    owner: one.owner ?? "",
    part_of: one.partOf ?? "",
    pids: one.pids ?? [],
    pin_paths: one.pinPaths ?? [],
});

const programJson = (one: InventoryProgramJson) => ({
    id: one.kernel?.id ?? 0,
    name: one.name ?? "",
    type: one.kernel?.typeName ?? "",
    tag: one.kernel?.tag ?? "",
    managed: one.managed ?? false,
    ...item(one),
    hooks: one.hooks ?? [],
    link_ids: one.linkIds ?? [],
    map_ids: one.kernel?.mapIds ?? [],
    application: one.application ?? "",
    loaded_at: one.kernel?.loadedAt ?? "",
    uid: one.kernel?.uid ?? 0,
    btf_id: one.kernel?.btfId ?? 0,
    xlated_size: one.kernel?.sizeXlatedBytes ?? 0,
    jited_size: one.kernel?.sizeJitedBytes ?? 0,
    memlock: one.kernel?.memlockBytes ?? 0,
});

const mapJson = (one: InventoryMapJson) => ({
    id: one.map?.id ?? 0,
    name: one.name ?? "",
    type: one.map?.typeName ?? "",
    managed: one.managed ?? false,
    ...item(one),
    program_ids: one.programIds ?? [],
    key_size: one.map?.keySize ?? 0,
    value_size: one.map?.valueSize ?? 0,
    max_entries: one.map?.maxEntries ?? 0,
    memlock: one.map?.memlockBytes ?? 0,
});

const linkJson = (one: InventoryLinkJson) => ({
    id: one.kernel?.id ?? 0,
    type: one.kernel?.type ?? "",
    program_id: one.kernel?.programId ?? 0,
    hook: one.hook ?? "",
    managed_link_id: one.managedLinkId ?? 0,
    ...item(one),
});

const btfJson = (one: InventoryBtfJson) => ({
    id: one.id ?? 0,
    name: one.name ?? "",
    kernel: one.kernel ?? false,
    size: one.sizeBytes ?? 0,
    program_ids: one.programIds ?? [],
    map_ids: one.mapIds ?? [],
    pids: one.pids ?? [],
});

const processJson = (one: OwnerProcessJson) => ({
    pid: one.pid ?? 0,
    name: one.name ?? "",
    command: one.command ?? "",
    uid: one.uid ?? 0,
    user: one.user ?? "",
    unit: one.unit ?? "",
    container: one.container ?? "",
    container_runtime: one.containerRuntime ?? "",
});
