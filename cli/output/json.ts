// SPDX-License-Identifier: Apache-2.0
// The daemon's messages in the keys that scripts know (`-o json`). proto3 JSON leaves defaults out; here every key is
// always there.
import type {
    ChainJson,
    ChainMemberJson,
    ImageOriginJson,
    KernelLinkJson,
    KernelProgramJson,
    LinkJson,
    MapJson,
    ProgramJson,
    ProgramRecordJson,
    RunStatsJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { proceedOnMask } from "../values.ts";
import { isProbe, probeDetails } from "./probe-text.ts";
import { signatureJson } from "./signature-text.ts";

// lib.es2024 does not know it yet (ES2026); V8 does
declare global {
    interface JSON {
        rawJSON(text: string): unknown;
    }
}

type Int64 = string | number | undefined;

/** 64-bit numbers come as strings; beyond 2^53 they go out digit by digit. */
export function integer(value: Int64): unknown {
    const number = Number(value ?? 0);
    return Number.isSafeInteger(number) ? number : JSON.rawJSON(BigInt(value ?? 0).toString());
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;
const textOrNull = (value: string | undefined): string | null => (value === undefined || value === "" ? null : value);

/** sched_cls → schedcls, percpu_array → percpuarray */
export const kernelWord = (name: string | undefined): string => (name ?? "").replaceAll("_", "");

export function programJson(program: ProgramJson): unknown {
    return {
        record: program.record ? programRecordJson(program.id ?? 0, program.record) : null,
        status: {
            kernel: program.kernel ? kernelProgramJson(program.kernel) : null,
            stats: program.stats ? statsJson(program.stats) : null,
            prog_pin: program.record?.pinPath ?? "",
            map_dir: program.record?.mapPinPath ?? "",
            bytecode: program.record?.objectPath ?? "",
            links: (program.links ?? []).map(linkJson),
            maps: (program.maps ?? []).map(mapJson),
            map_used_by: program.mapUsedBy ?? [],
        },
    };
}

/** As programJson, with zeros where the kernel counts no runs. */
export function programDetailJson(program: ProgramJson): unknown {
    return programJson({ ...program, stats: program.stats ?? {} });
}

function programRecordJson(id: number, record: ProgramRecordJson): unknown {
    return {
        program_id: id,
        load: {
            object_path: record.objectPath ?? "",
            source_path: textOrNull(record.sourcePath),
            program_name: record.name ?? "",
            program_type: record.type ?? "",
            global_data: record.globalData ?? {},
            image_source: record.image ? imageOriginJson(record.image) : null,
            attach_func: textOrNull(record.attachFunction),
            map_owner_id: orNull(record.mapOwnerId),
        },
        license: record.license ?? "",
        gpl_compatible: record.gplCompatible ?? false,
        handles: {
            pin_path: record.pinPath ?? "",
            map_pin_path: record.mapPinPath ?? "",
            map_owner_id: orNull(record.mapOwnerId),
        },
        meta: { name: record.name ?? "", owner: "", description: "", metadata: record.metadata ?? {} },
        created_at: record.createdAt ?? "",
        updated_at: null,
    };
}

const imageOriginJson = ({ url = "", digest = "", pullPolicy = "", signature }: ImageOriginJson) => ({
    url,
    digest,
    pull_policy: pullPolicy,
    signature: signatureJson(signature),
});

function kernelProgramJson(kernel: KernelProgramJson): unknown {
    return {
        id: kernel.id ?? 0,
        name: kernel.name ?? "",
        program_type: kernelWord(kernel.typeName),
        tag: kernel.tag ?? "",
        loaded_at: kernel.loadedAt ?? "",
        uid: kernel.uid ?? 0,
        has_uid: true,
        btf_id: kernel.btfId ?? 0,
        has_btf_id: (kernel.btfId ?? 0) !== 0,
        map_ids: kernel.mapIds ?? [],
        has_map_ids: true,
        jited_size: kernel.sizeJitedBytes ?? 0,
        xlated_size: kernel.sizeXlatedBytes ?? 0,
        verified_insns: kernel.verifiedInsns ?? 0,
        memlock: kernel.memlockBytes ?? 0,
        has_memlock: true,
        restricted: isRestricted(kernel),
    };
}

/** The kernel hides the translated size from callers without CAP_PERFMON (bpf_prog_get_info_by_fd). */
export function isRestricted(kernel: KernelProgramJson): boolean {
    return (kernel.sizeXlatedBytes ?? 0) === 0;
}

function statsJson(stats: RunStatsJson): unknown {
    return {
        runtime: integer(stats.runTimeNs),
        run_count: integer(stats.runCount),
        recursion_misses: integer(stats.recursionMisses),
    };
}

function mapJson(map: MapJson): unknown {
    return {
        id: map.id ?? 0,
        name: map.name ?? "",
        map_type: kernelWord(map.typeName),
        key_size: map.keySize ?? 0,
        value_size: map.valueSize ?? 0,
        max_entries: map.maxEntries ?? 0,
        flags: map.flags ?? 0,
        btf_id: map.btfId ?? 0,
        has_btf_id: (map.btfId ?? 0) !== 0,
        map_extra: integer(map.mapExtra),
        has_map_extra: true,
        memlock: map.memlockBytes ?? 0,
        has_memlock: true,
        frozen: map.frozen ?? false,
        pin_path: map.pinPath ?? "",
        present: (map.pinPath ?? "") !== "",
    };
}

export function programListJson(programs: readonly ProgramJson[]): unknown {
    return {
        programs: programs.map(program => ({
            program_id: program.id ?? 0,
            managed: program.record !== undefined,
            application: applicationOf(program),
            type: typeOf(program),
            function_name: program.record?.name ?? program.kernel?.name ?? "",
            links: (program.links ?? []).map(link => link.id ?? 0),
            record: program.record ? programRecordJson(program.id ?? 0, program.record) : null,
            kernel: program.kernel ? kernelProgramJson(program.kernel) : null,
            ...(program.partOf ? { part_of: program.partOf } : {}),
        })),
    };
}

/** bpfman's word for what was loaded here, the kernel's for everything else. */
export function typeOf(program: ProgramJson): string {
    return program.record?.type ?? kernelWord(program.kernel?.typeName);
}

export function applicationOf(program: ProgramJson): string {
    const metadata = program.record?.metadata ?? {};
    return metadata["bpfman.io/application"] ?? metadata["bpfman_application"] ?? "";
}

export function linkJson(link: LinkJson): unknown {
    return {
        record: linkRecordJson(link),
        status: {
            kernel: link.kernel ? kernelLinkJson(link.kernel) : null,
            kernel_seen: link.kernelSeen ?? false,
            pin_present: link.pinPresent ?? false,
        },
    };
}

export function linkRecordJson(link: LinkJson): unknown {
    return {
        id: link.id ?? 0,
        program_id: link.programId ?? 0,
        kernel_link_id: link.kernelLinkId ? link.kernelLinkId : null,
        kind: link.kind ?? "",
        pin_path: textOrNull(link.pinPath),
        details: detailsJson(link),
        created_at: link.createdAt ?? "",
        metadata: link.metadata ?? {},
    };
}

function detailsJson(link: LinkJson): unknown {
    if (isProbe(link)) return probeDetails(link);
    const place = { interface: link.interface ?? "", ifindex: link.ifindex ?? 0 };
    const order = { priority: link.priority ?? 0, position: link.position ?? 0 };
    const namespace = { netns: link.netns ?? "", nsid: integer(link.nsid) };
    const chain = { dispatcher_id: link.dispatcherId ?? 0, revision: link.revision ?? 0 };
    const proceedOn = { proceed_on: link.proceedOn ?? [] };
    const direction = { direction: link.direction ?? "" };
    switch (link.kind) {
        case "xdp":
            return { ...place, ...order, ...proceedOn, ...namespace, ...chain };
        case "tc":
            return { ...place, ...direction, ...order, ...proceedOn, ...namespace, ...chain };
        default:
            return { ...place, ...direction, ...order, ...namespace };
    }
}

function kernelLinkJson(kernel: KernelLinkJson): unknown {
    return {
        id: kernel.id ?? 0,
        program_id: kernel.programId ?? 0,
        link_type: kernel.type ?? "",
        attach_type: kernel.attachType ?? "",
        ifindex: kernel.ifindex ?? 0,
        target_obj_id: kernel.targetObjId ?? 0,
        target_btf_id: kernel.targetBtfId ?? 0,
    };
}

function chainKeyJson(chain: ChainJson): unknown {
    return { type: chain.type ?? "", nsid: integer(chain.nsid), ifindex: chain.ifindex ?? 0 };
}

function chainRuntimeJson(chain: ChainJson): unknown {
    return {
        program_id: chain.programId ?? 0,
        ...(chain.kernelLinkId ? { kernel_link_id: chain.kernelLinkId } : {}),
        ...(chain.filter
            ? { filter_priority: chain.filter.priority ?? 0, filter_handle: chain.filter.handle ?? 0 }
            : {}),
        netns_path: chain.netns ?? "",
    };
}

/** A chain with its members counted, as `dispatcher list` shows it. */
export function chainListJson(chains: readonly ChainJson[]): unknown {
    return {
        dispatchers: chains.map(chain => ({
            key: chainKeyJson(chain),
            revision: chain.revision ?? 0,
            runtime: chainRuntimeJson(chain),
            member_count: chain.members?.length ?? 0,
        })),
    };
}

export function chainJson(chain: ChainJson): unknown {
    const members = [...(chain.members ?? [])].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    return {
        key: chainKeyJson(chain),
        revision: chain.revision ?? 0,
        runtime: chainRuntimeJson(chain),
        members: members.map(member => memberJson(chain, member)),
    };
}

function memberJson(chain: ChainJson, member: ChainMemberJson): unknown {
    return {
        program_id: member.programId ?? 0,
        program_name: member.programName ?? "",
        prog_pin_path: member.pinPath ?? "",
        link_id: member.linkId ?? 0,
        kernel_link_id: member.kernelLinkId ?? 0,
        link_pin_path: member.linkPinPath ?? "",
        position: member.position ?? 0,
        priority: member.priority ?? 0,
        proceed_on: proceedOnMask(chain.type ?? "", member.proceedOn ?? []),
        ifname: chain.interface ?? "",
        metadata: member.metadata ?? {},
    };
}
