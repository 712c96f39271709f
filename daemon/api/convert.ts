// SPDX-License-Identifier: Apache-2.0
// The model as host.proto's JSON. Plain objects: an HTTP answer is one JSON.stringify of them, without messages.
import type {
    BatchResponseJson,
    ChainJson,
    ChainMemberJson,
    EventJson,
    ImageOriginJson,
    ImageSignatureJson,
    InspectResponseJson,
    InterfaceJson,
    KernelLinkJson,
    KernelProgramJson,
    LinkJson,
    MapJson,
    ProgramJson,
    ProgramRecordJson,
    RunStatsJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { ChangeEvent } from "../model/events.ts";
import type { HookKey } from "../model/hooks.ts";
import type { ImageOrigin, SignatureState } from "../model/images.ts";
import type { KernelLink, KernelProgram, KernelRunStats } from "../model/kernel.ts";
import type { ObjectFacts } from "../model/object-facts.ts";
import type { ProgramRecord } from "../model/records.ts";
import type { BatchResult } from "../model/requests.ts";
import type { ChainMemberView, ChainView, InterfaceView, LinkView, MapView, ProgramView } from "../model/views.ts";
import { failureOf } from "./errors.ts";
import { probeJson } from "./hooks.ts";

export const textMap = (map: ReadonlyMap<string, string>): Record<string, string> => Object.fromEntries(map);

/** proto3 JSON writes bytes in base64. */
export function bytesMap(map: ReadonlyMap<string, Uint8Array>): Record<string, string> {
    return Object.fromEntries(Array.from(map, ([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]));
}

export const signatureJson = ({ form, ...signature }: SignatureState): ImageSignatureJson => ({
    ...signature,
    form: form ?? "",
});

export function inspectResponse(facts: ObjectFacts): InspectResponseJson {
    return {
        programs: facts.programs.map(program => ({
            name: program.name,
            section: program.section,
            type: program.type ?? "",
            instructions: program.instructions,
            frags: program.frags,
            otherTypes: [...program.otherTypes],
        })),
        maps: facts.mapDefinitions.map(map => ({ ...map })),
        globals: facts.globals.map(({ value, ...global }) => ({ ...global, ...(value !== undefined && { value }) })),
        license: facts.license,
        hasBtf: facts.hasBtf,
    };
}

// by the view that it was made of: the manager gives the same one for a program that nothing happened to
const programs = new WeakMap<ProgramView, ProgramJson>();

/** For a list: frozen, and the same object for the same view. */
export function listedProgram(view: ProgramView): ProgramJson {
    const known = programs.get(view);
    if (known !== undefined) return known;
    const made = Object.freeze(program(view));
    programs.set(view, made);
    return made;
}

export function program(view: ProgramView): ProgramJson {
    return {
        id: view.id,
        ...(view.record && { record: programRecord(view, view.record) }),
        ...(view.kernel && { kernel: kernelProgram(view.kernel) }),
        // most have none of these, and a list has thousands: what is default is left out
        ...(view.links.length > 0 && { links: view.links.map(link) }),
        ...(view.maps.length > 0 && { maps: view.maps.map(map) }),
        ...(view.mapUsedBy.length > 0 && { mapUsedBy: [...view.mapUsedBy] }),
        ...(view.stats && { stats: runStats(view.stats) }),
        ...(view.partOf !== "" && { partOf: view.partOf }),
        pinPresent: view.pinPresent,
    };
}

const imageOrigin = ({ signature, ...origin }: ImageOrigin): ImageOriginJson => ({
    ...origin,
    ...(signature && { signature: signatureJson(signature) }),
});

function programRecord(view: ProgramView, record: ProgramRecord): ProgramRecordJson {
    return {
        type: record.type,
        name: record.name,
        section: record.section,
        sourcePath: record.sourcePath,
        ...(record.image && { image: imageOrigin(record.image) }),
        objectSha256: record.objectSha256,
        objectPath: view.objectPath,
        ...(record.globalData.size > 0 && { globalData: bytesMap(record.globalData) }),
        ...(record.metadata.size > 0 && { metadata: textMap(record.metadata) }),
        ...(record.mapOwnerId !== undefined && { mapOwnerId: record.mapOwnerId }),
        license: record.license,
        gplCompatible: record.gplCompatible,
        pinPath: view.pinPath,
        mapPinPath: view.mapPinPath,
        createdAt: record.createdAt,
        createdBy: record.createdBy,
        ...(record.frags && { frags: true }),
        ...(record.attachFunction !== "" && { attachFunction: record.attachFunction }),
    };
}

export function kernelProgram(kernel: KernelProgram): KernelProgramJson {
    return {
        id: kernel.id,
        name: kernel.name,
        type: kernel.type,
        typeName: kernel.typeName,
        tag: kernel.tag,
        gplCompatible: kernel.gplCompatible,
        loadedAt: kernel.loadedAt,
        uid: kernel.uid,
        btfId: kernel.btfId,
        mapIds: [...kernel.mapIds],
        sizeXlatedBytes: kernel.sizeXlated,
        sizeJitedBytes: kernel.sizeJited,
        verifiedInsns: kernel.verifiedInsns,
        memlockBytes: kernel.memlockBytes,
        ...(kernel.attachBtfId !== 0 && {
            attachBtfObjId: kernel.attachBtfObjId,
            attachBtfId: kernel.attachBtfId,
        }),
    };
}

export function runStats(stats: KernelRunStats): RunStatsJson {
    return {
        runTimeNs: String(stats.runTimeNs),
        runCount: String(stats.runCount),
        recursionMisses: String(stats.recursionMisses),
    };
}

export function map({ kernel, pinPath }: MapView): MapJson {
    return {
        id: kernel.id,
        name: kernel.name,
        type: kernel.type,
        typeName: kernel.typeName,
        keySize: kernel.keySize,
        valueSize: kernel.valueSize,
        maxEntries: kernel.maxEntries,
        flags: kernel.flags,
        btfId: kernel.btfId,
        memlockBytes: kernel.memlockBytes,
        frozen: kernel.frozen,
        pinPath,
        mapExtra: String(kernel.mapExtra),
    };
}

export function link(view: LinkView): LinkJson {
    const { record, chain } = view;
    const dispatched = chain !== undefined && chain.backend !== "direct";
    return {
        id: record.id,
        programId: record.programId,
        programName: view.programName,
        kind: record.hook.kind,
        interface: record.interface,
        netns: record.netns,
        ...("ifindex" in record.hook ? networkHook(record.hook) : probeJson(record.hook)),
        priority: record.priority,
        position: view.position,
        proceedOn: [...record.proceedOn],
        metadata: textMap(record.metadata),
        createdAt: record.createdAt,
        createdBy: record.createdBy,
        kernelLinkId: view.kernelLinkId ?? 0,
        pinPath: view.pinPath,
        kernelSeen: view.kernelSeen,
        pinPresent: view.pinPresent,
        application: view.application,
        dispatcherId: dispatched ? chain.programId : 0,
        revision: dispatched ? chain.revision : 0,
        backend: chain?.backend ?? ("ifindex" in record.hook ? "kernel" : ""),
        xdpMode: chain?.mode ?? "",
        ...(view.kernel && { kernel: kernelLink(view.kernel) }),
        kernelLinkIds: record.kernelLinkId === undefined ? [] : [record.kernelLinkId, ...record.furtherKernelLinkIds],
        pinPaths: [...view.pinPaths],
    };
}

const networkHook = (hook: HookKey) => ({
    ifindex: hook.ifindex,
    nsid: String(hook.nsid),
    direction: hook.kind === "xdp" ? "" : hook.direction,
});

export function kernelLink(kernel: KernelLink): KernelLinkJson {
    return {
        id: kernel.id,
        programId: kernel.programId,
        type: kernel.typeName,
        attachType: kernel.attachType,
        ifindex: kernel.ifindex,
        targetObjId: kernel.targetObjId,
        targetBtfId: kernel.targetBtfId,
        cgroupId: String(kernel.cgroupId),
    };
}

export function chain(view: ChainView): ChainJson {
    return {
        type: view.type,
        nsid: String(view.nsid),
        ifindex: view.ifindex,
        interface: view.interface,
        netns: view.netns,
        revision: view.revision,
        backend: view.backend,
        backendReason: view.backendReason,
        mode: view.mode ?? "",
        modeReason: view.modeReason,
        frags: view.frags,
        programId: view.programId ?? 0,
        kernelLinkId: view.kernelLinkId ?? 0,
        members: view.members.map(chainMember),
        ...(view.filter && { filter: { ...view.filter } }),
    };
}

function chainMember(member: ChainMemberView): ChainMemberJson {
    return {
        position: member.position,
        priority: member.priority,
        linkId: member.linkId ?? 0,
        programId: member.programId,
        programName: member.programName,
        kernelLinkId: member.kernelLinkId ?? 0,
        proceedOn: [...member.proceedOn],
        foreign: member.foreign,
        pinPath: member.pinPath,
        linkPinPath: member.linkPinPath,
        metadata: textMap(member.metadata),
    };
}

export function networkInterface(view: InterfaceView): InterfaceJson {
    return {
        name: view.name,
        ifindex: view.ifindex,
        netns: view.netns,
        nsid: String(view.nsid),
        up: view.up,
        mtu: view.mtu,
        mac: view.mac,
        kind: view.kind,
        xdpMode: view.xdpMode,
        chains: view.chains.map(chain),
        ...(view.sessions.length > 0 && { sessions: view.sessions.map(session => ({ ...session })) }),
    };
}

export function batchResponse(result: BatchResult<number>): BatchResponseJson {
    return {
        done: [...result.done],
        failures: result.failures.map(({ id, error }) => {
            const { code, message, detail } = failureOf(error, { fullLog: false });
            return { id, code, message, detail };
        }),
    };
}

export function changeEvent(event: ChangeEvent): EventJson {
    return {
        sequence: String(event.sequence),
        kind: event.kind,
        programIds: [...event.programIds],
        linkIds: [...event.linkIds],
        ...(event.mapIds.length > 0 && { mapIds: [...event.mapIds] }),
        time: event.time,
        by: event.by,
        ...(event.subjects.length > 0 && { subjects: [...event.subjects] }),
        ...(event.message !== "" && { message: event.message }),
    };
}
