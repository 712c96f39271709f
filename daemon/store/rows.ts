// SPDX-License-Identifier: Apache-2.0
// Records (model/records.ts) as rows and back. Maps are JSON arrays of pairs: an object would treat a key "__proto__" apart.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { Direction, Hook, HookKey, ProbeHook, ProgramType, XdpMode } from "../model/hooks.ts";
import type { KernelLinkId, LinkId, MapId, ProgramId } from "../model/ids.ts";
import type { ImageOrigin } from "../model/images.ts";
import type { Backend, ChainMemberRecord, ChainRecord, LinkRecord, ProgramRecord, TcFilter } from "../model/records.ts";

export type Row = Record<string, SQLOutputValue>;
export type Parameters = Record<string, SQLInputValue>;

// Every table is STRICT, so a column's type is the one that the schema gives; the casts below rest on that.
const text = (row: Row, column: string) => row[column] as string;
const number = (row: Row, column: string) => row[column] as number;
const optional = <T>(row: Row, column: string) => (row[column] ?? undefined) as T | undefined;
const json = <T>(row: Row, column: string) => JSON.parse(row[column] as string) as T;

const noText: ReadonlyMap<string, string> = new Map();
const noBytes: ReadonlyMap<string, Uint8Array> = new Map();

function pairs<K, V>(row: Row, column: string, empty: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
    return row[column] === "[]" ? empty : new Map(json<[K, V][]>(row, column));
}

export function hookParameters(hook: HookKey): Parameters {
    return {
        kind: hook.kind,
        direction: hook.direction,
        nsid: String(hook.nsid),
        netns_cookie: String(hook.netnsCookie),
        ifindex: hook.ifindex,
    };
}

/** details: empty for network hooks, whose columns hold them */
function linkHookParameters(hook: Hook): Parameters {
    if ("ifindex" in hook) return { ...hookParameters(hook), details: "" };
    const empty = { direction: "", nsid: "0", netns_cookie: "0", ifindex: 0 };
    return { kind: hook.kind, ...empty, details: JSON.stringify(hook) };
}

function linkHook(row: Row): Hook {
    return row["details"] === "" ? hook(row) : json<ProbeHook>(row, "details");
}

function hook(row: Row): HookKey {
    return {
        kind: text(row, "kind") as HookKey["kind"],
        direction: text(row, "direction") as Direction,
        nsid: BigInt(text(row, "nsid")),
        netnsCookie: BigInt(text(row, "netns_cookie")),
        ifindex: number(row, "ifindex"),
    };
}

export function programParameters(record: ProgramRecord): Parameters {
    return {
        boot_id: record.bootId,
        id: record.id,
        tag: record.tag,
        name: record.name,
        type: record.type,
        section: record.section,
        frags: Number(record.frags),
        attach_function: record.attachFunction,
        source_path: record.sourcePath,
        image: record.image === undefined ? null : JSON.stringify(record.image),
        object_sha256: record.objectSha256,
        global_data: JSON.stringify(
            [...record.globalData].map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]),
        ),
        metadata: JSON.stringify([...record.metadata]),
        map_owner_id: record.mapOwnerId ?? null,
        map_set: record.mapSet,
        map_ids: JSON.stringify([...record.mapIds]),
        license: record.license,
        gpl_compatible: Number(record.gplCompatible),
        created_at: record.createdAt,
        created_by: record.createdBy,
    };
}

export function programRecord(row: Row): ProgramRecord {
    return {
        id: number(row, "id") as ProgramId,
        bootId: text(row, "boot_id"),
        tag: text(row, "tag"),
        name: text(row, "name"),
        type: text(row, "type") as ProgramType,
        section: text(row, "section"),
        frags: row["frags"] === 1,
        attachFunction: text(row, "attach_function"),
        sourcePath: text(row, "source_path"),
        ...(row["image"] !== null && { image: json<ImageOrigin>(row, "image") }),
        objectSha256: text(row, "object_sha256"),
        globalData: globalData(row),
        metadata: pairs(row, "metadata", noText),
        mapOwnerId: optional<ProgramId>(row, "map_owner_id"),
        mapSet: number(row, "map_set"),
        mapIds: new Map(json<[string, MapId][]>(row, "map_ids")),
        license: text(row, "license"),
        gplCompatible: row["gpl_compatible"] === 1,
        createdAt: text(row, "created_at"),
        createdBy: text(row, "created_by"),
    };
}

function globalData(row: Row): ReadonlyMap<string, Uint8Array> {
    if (row["global_data"] === "[]") return noBytes;
    const stored = json<[string, string][]>(row, "global_data");
    return new Map(stored.map(([name, base64]) => [name, new Uint8Array(Buffer.from(base64, "base64"))]));
}

export function linkParameters(record: Omit<LinkRecord, "id">): Parameters {
    return {
        ...linkHookParameters(record.hook),
        boot_id: record.bootId,
        program_id: record.programId,
        interface: record.interface,
        netns: record.netns,
        priority: record.priority,
        proceed_on: JSON.stringify(record.proceedOn),
        request: record.request,
        request_index: record.requestIndex,
        metadata: JSON.stringify([...record.metadata]),
        created_at: record.createdAt,
        created_by: record.createdBy,
        kernel_link_id: record.kernelLinkId ?? null,
        further_kernel_link_ids: JSON.stringify(record.furtherKernelLinkIds),
    };
}

export function linkRecord(row: Row): LinkRecord {
    return {
        id: number(row, "id") as LinkId,
        bootId: text(row, "boot_id"),
        programId: number(row, "program_id") as ProgramId,
        hook: linkHook(row),
        interface: text(row, "interface"),
        netns: text(row, "netns"),
        priority: number(row, "priority"),
        proceedOn: json<number[]>(row, "proceed_on"),
        request: number(row, "request"),
        requestIndex: number(row, "request_index"),
        metadata: pairs(row, "metadata", noText),
        createdAt: text(row, "created_at"),
        createdBy: text(row, "created_by"),
        kernelLinkId: optional<KernelLinkId>(row, "kernel_link_id"),
        furtherKernelLinkIds: json<KernelLinkId[]>(row, "further_kernel_link_ids"),
    };
}

export function chainParameters(record: ChainRecord): Parameters {
    return {
        ...hookParameters(record.hook),
        boot_id: record.bootId,
        interface: record.interface,
        netns: record.netns,
        revision: record.revision,
        backend: record.backend,
        backend_reason: record.backendReason,
        mode: record.mode ?? null,
        mode_reason: record.modeReason,
        frags: Number(record.frags),
        counting: Number(record.counting),
        program_id: record.programId,
        program_tag: record.programTag,
        kernel_link_id: record.kernelLinkId,
        filter: record.filter === undefined ? null : JSON.stringify(record.filter),
        members: JSON.stringify(record.members.map(member => [member.linkId, member.kernelLinkId ?? null])),
    };
}

export function chainRecord(row: Row): ChainRecord {
    return {
        hook: hook(row),
        bootId: text(row, "boot_id"),
        interface: text(row, "interface"),
        netns: text(row, "netns"),
        revision: number(row, "revision"),
        backend: text(row, "backend") as Backend,
        backendReason: text(row, "backend_reason"),
        mode: optional<XdpMode>(row, "mode"),
        modeReason: text(row, "mode_reason"),
        frags: row["frags"] === 1,
        counting: row["counting"] === 1,
        programId: number(row, "program_id") as ProgramId,
        programTag: text(row, "program_tag"),
        kernelLinkId: number(row, "kernel_link_id") as KernelLinkId,
        ...(typeof row["filter"] === "string" && { filter: json<TcFilter>(row, "filter") }),
        members: json<[LinkId, KernelLinkId | null][]>(row, "members").map(
            ([linkId, kernelLinkId]): ChainMemberRecord => ({ linkId, kernelLinkId: kernelLinkId ?? undefined }),
        ),
    };
}
