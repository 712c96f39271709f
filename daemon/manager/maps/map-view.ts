// SPDX-License-Identifier: Apache-2.0
// The maps of the kernel, and what of them is ours: what map list and map get show, and the map that a caller means.
import * as bpf from "../../kernel/bpf.ts";
import { type Btf, valueTypeName } from "../../kernel/btf/btf.ts";
import type { Fd } from "../../kernel/fd.ts";
import { suggest } from "../../kernel/near-names.ts";
import { type MapBtfIds, mapBtfIds, readBtf } from "../../kernel/objects/map-calls.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId, ProgramId } from "../../model/ids.ts";
import type { KernelMap } from "../../model/kernel.ts";
import type { MapDetail, MapSelector } from "../../model/maps.ts";
import type { Context } from "../context.ts";
import { mapFolder, sharedMapPin } from "../pins.ts";
import { ownParts } from "../views/program-view.ts";
import { sharedMap } from "./shared-maps.ts";

const keptBtfs = 32;
const btfs = new Map<number, Btf>();

/** BTF of the kernel; kept, because an id never names another one while the machine runs. */
export function btfOf(id: number): Btf | undefined {
    if (id === 0) return undefined;
    let btf = btfs.get(id);
    if (btf === undefined) {
        btf = readBtf(id);
        if (btf === undefined) return undefined;
        if (btfs.size >= keptBtfs) btfs.delete(btfs.keys().next().value ?? 0);
        btfs.set(id, btf);
    }
    return btf;
}

const perCpuTypes = new Set(["percpu_hash", "percpu_array", "lru_percpu_hash", "percpu_cgroup_storage"]);
export const isPerCpu = ({ typeName }: KernelMap): boolean => perCpuTypes.has(typeName);

/** Map types whose elements bpf(2) does not read, by what they are for. */
const notRead: Readonly<Record<string, string>> = {
    ringbuf: "it is a stream of records that its reader takes out",
    user_ringbuf: "it is a stream of records that the program takes out",
    perf_event_array: "it holds perf events, which are streams",
    cgroup_array: "the kernel does not tell which cgroups it holds",
    xskmap: "the kernel does not tell which sockets it holds",
    sk_storage: "its entries belong to sockets and are found by a socket's descriptor",
    inode_storage: "its entries belong to inodes and are found by a file's descriptor",
    task_storage: "its entries belong to tasks and are found by a task's descriptor",
    cgrp_storage: "its entries belong to cgroups and are found by a cgroup's descriptor",
    bloom_filter: "it only tells whether it has seen a value",
    arena: "it is memory that programs and processes share",
};

function unreadable({ typeName }: KernelMap): string {
    const why = notRead[typeName];
    return why === undefined ? "" : `entries of a ${typeName} map can't be read from here: ${why}`;
}

function unwritable(map: KernelMap, partOf: string): string {
    if (partOf !== "") return `the map is part of the ${partOf}`;
    if (map.frozen) return "the map is frozen: nothing outside of the kernel can change it any more";
    const why = notRead[map.typeName];
    return why === undefined ? "" : `entries of a ${map.typeName} map can't be changed from here: ${why}`;
}

/** Who has which map: our programs by their rows, all programs by the kernel. */
interface Owners {
    readonly names: Map<MapId, string>;
    readonly records: Map<MapId, ProgramId[]>;
    readonly users: Map<MapId, ProgramId[]>;
    readonly parts: Map<MapId, string>;
}

function push<K>(map: Map<K, ProgramId[]>, key: K, id: ProgramId): void {
    const list = map.get(key);
    if (list === undefined) map.set(key, [id]);
    else list.push(id);
}

function owners(context: Context): Owners {
    const found: Owners = { names: new Map(), records: new Map(), users: new Map(), parts: new Map() };
    for (const record of context.store.programs())
        for (const [name, id] of record.mapIds) {
            found.names.set(id, name);
            push(found.records, id, record.id);
        }
    const parts = ownParts(context);
    for (const programId of context.kernel.programIds())
        for (const id of context.kernel.program(programId)?.mapIds ?? []) {
            push(found.users, id, programId);
            const part = parts.get(programId);
            if (part !== undefined && !found.records.has(id)) found.parts.set(id, part);
        }
    return found;
}

function detail(context: Context, fd: Fd, { names, records, users, parts }: Owners): MapDetail {
    const kernel = bpf.mapInfo(fd);
    const { bpffs } = context;
    const name = names.get(kernel.id) ?? "";
    const programIds = records.get(kernel.id) ?? [];
    const partOf = parts.get(kernel.id) ?? "";
    const shared = sharedMap(context, name) === kernel.id;
    const folders = new Set(programIds.map(id => mapFolder(context.store.program(id)?.mapOwnerId ?? id)));
    const pins = [...folders].map(folder => `${folder}/${name}`);
    const { keyType, valueType } = typeNames(mapBtfIds(fd));
    return {
        kernel,
        name,
        programIds,
        usedBy: users.get(kernel.id) ?? [],
        pinPaths: [...(shared ? [sharedMapPin(name)] : []), ...pins]
            .filter(pin => name !== "" && !name.includes(".") && bpffs.exists(pin))
            .map(pin => bpffs.path(pin)),
        managed: programIds.length > 0,
        partOf,
        keyType,
        valueType,
        perCpu: isPerCpu(kernel),
        unreadable: unreadable(kernel),
        unwritable: unwritable(kernel, partOf),
        shared,
    };
}

function typeNames({ btfId, keyType, valueType }: MapBtfIds): { keyType: string; valueType: string } {
    const name = (id: number): string => {
        if (id === 0) return "";
        const btf = btfOf(btfId);
        return btf === undefined ? "" : valueTypeName(btf, id);
    };
    return { keyType: name(keyType), valueType: name(valueType) };
}

/** Every map in the kernel, sorted by id. */
export function mapDetails(context: Context): MapDetail[] {
    const found = owners(context);
    return bpf.mapIds().flatMap(id => {
        using fd = bpf.openMap(id);
        return fd === undefined ? [] : [detail(context, fd, found)];
    });
}

/** NOT_FOUND where there is no such map. */
export function mapDetail(context: Context, selector: MapSelector): MapDetail {
    const id = selectMap(context, selector);
    using fd = bpf.openMap(id);
    if (fd === undefined) throw new BpfmanError("NOT_FOUND", `map ${id} does not exist`);
    return detail(context, fd, owners(context));
}

function selectMap(context: Context, { id, name, programId }: MapSelector): MapId {
    if (id !== undefined) return id;
    const records = context.store.programs().filter(record => programId === undefined || record.id === programId);
    if (programId !== undefined && records.length === 0)
        throw new BpfmanError("NOT_FOUND", `program ${programId} is not managed by bpfman`);
    const ours = new Set(records.flatMap(({ mapIds }) => mapIds.get(name) ?? []));
    const found = ours.size > 0 || programId !== undefined ? [...ours] : foreignByName(context, name);
    const [first, ...others] = found;
    if (first === undefined) {
        const known = new Set(records.flatMap(({ mapIds }) => [...mapIds.keys()]));
        const near = suggest(name, [...known]);
        const more = near.length > 0 ? `; did you mean: ${near.join(", ")}?` : "";
        throw new BpfmanError("NOT_FOUND", `no map is called ${JSON.stringify(name)}${more}`);
    }
    if (others.length > 0)
        throw new BpfmanError("FAILED_PRECONDITION", `several maps are called ${name}: ${found.join(", ")}`, {
            hint: "Name one of them by its id, or by a program that has it.",
        });
    return first;
}

/** The kernel keeps the first 15 bytes of a name. */
function foreignByName(context: Context, name: string): MapId[] {
    return bpf.mapIds().filter(id => context.kernel.map(id)?.name === name);
}
