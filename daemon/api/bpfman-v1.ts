// SPDX-License-Identifier: Apache-2.0
// bpfman.v1 over the manager: one program or link a call, the words and numbers that existing clients know.
import {
    type AttachInfo,
    type AttachRequest,
    Bpfman,
    BpfmanProgramType,
    type BytecodeImage,
    type GetResponseJson,
    type KernelProgramInfoJson,
    type LoadInfo,
    type LoadRequest as LoadRequestMessage,
    type ProgramInfoJson,
} from "../../proto/gen/bpfman/v1/bpfman_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { NetworkHookRequest, ProbeHookRequest, ProgramType } from "../model/hooks.ts";
import { type ImageRequest, pullPolicies } from "../model/images.ts";
import type { AttachItem, LoadRequest, ProgramSpec } from "../model/requests.ts";
import type { ProgramView } from "../model/views.ts";
import { fileBytecode } from "./bytecode.ts";
import { bytesMap, textMap } from "./convert.ts";
import { invalid } from "./errors.ts";
import * as hooks from "./hooks.ts";
import { checkImageName, checkImageSource, imageBytecode, passwordAuth } from "./host-images.ts";
import { hasMetadata } from "./select.ts";
import { type Handlers, type Service, service } from "./service.ts";
import * as validate from "./validate.ts";

export function bpfmanService(manager: Manager): Service {
    const handlers: Handlers<typeof Bpfman> = {
        load: async (request, caller) => {
            const { programs } = await manager.load(await loadRequest(request, manager, caller), caller);
            return { programs: programs.map(answer) };
        },

        unload: async (request, caller) => {
            const id = validate.checkProgramId(request.id);
            throwFirst(await manager.unload([id], { ignoreMissing: false }, caller));
            return {};
        },

        attach: async (request, caller) => {
            const [link] = await manager.attach([attachItem(request)], caller);
            if (!link) throw new Error("attach gave no link");
            return { linkId: link.record.id };
        },

        detach: async (request, caller) => {
            const id = validate.checkLinkId(request.linkId);
            throwFirst(await manager.detach([id], { ignoreMissing: false }, caller));
            return {};
        },

        list: async request => {
            const views = await manager.listPrograms({ all: request.bpfmanProgramsOnly !== true });
            const metadata = validate.checkMetadata(request.matchMetadata);
            const isWanted = (view: ProgramView) =>
                // the daemon's own dispatchers and copies are parts of chains, not somebody else's programs
                view.partOf === "" &&
                (request.programType === undefined || kernelType(view) === request.programType) &&
                hasMetadata(view.record?.metadata ?? new Map(), metadata);
            return { results: views.filter(isWanted).map(answer) };
        },

        pullBytecode: async (request, caller) => {
            if (request.image === undefined || request.image.url === "") throw invalid("the image is missing");
            await manager.getImage(imageRequest(request.image, caller), caller);
            return {};
        },

        get: async request => {
            const view = await manager.getProgram(validate.checkProgramId(request.id));
            // what clients that keep programs loaded take as the sign to load again
            if (!view.kernel) throw new BpfmanError("NOT_FOUND", `program ${view.id} is no longer in the kernel`);
            return answer(view);
        },
    };
    return service(Bpfman, handlers, ["load", "unload", "attach", "detach"]);
}

function throwFirst(result: { failures: readonly { error: BpfmanError }[] }): void {
    const [failure] = result.failures;
    if (failure) throw failure.error;
}

/** The numbers of the contract's image_pull_policy, in their order. */
function imageRequest({ url, imagePullPolicy, username, password }: BytecodeImage, caller: Caller): ImageRequest {
    checkImageSource(url, caller);
    const pullPolicy = pullPolicies[imagePullPolicy];
    if (pullPolicy === undefined) throw invalid(`unknown image_pull_policy ${imagePullPolicy}: 0, 1 or 2`);
    return { url: checkImageName(url), pullPolicy, auth: passwordAuth(username ?? "", password ?? "") };
}

async function loadRequest(request: LoadRequestMessage, manager: Manager, caller: Caller): Promise<LoadRequest> {
    const { info, mapOwnerId } = request;
    if (info.length === 0) throw invalid("no program is named");
    if (info.length > validate.limits.programs)
        throw invalid(`more than ${validate.limits.programs} programs in one request`);
    const programs = info.map(programSpec);
    const code = await bytecode(request, manager, caller);
    return {
        programs: withReturns(programs, code.object, manager),
        globalData: validate.checkGlobals(request.globalData),
        metadata: validate.checkMetadata(request.metadata),
        mapOwnerId: mapOwnerId === undefined ? undefined : validate.checkProgramId(mapOwnerId),
        privateMaps: false,
        attach: [],
        ...code,
    };
}

async function bytecode(request: LoadRequestMessage, manager: Manager, caller: Caller) {
    const location = request.bytecode?.location;
    if (location?.case === "image" && location.value.url !== "") {
        const { object, origin } = await imageBytecode(imageRequest(location.value, caller), manager, caller);
        return { object, sourcePath: "", image: origin };
    }
    if (location?.case === "file" && location.value !== "") return fileBytecode(location.value, manager, caller);
    throw invalid("the location of the bytecode is missing");
}

function programSpec(info: LoadInfo): ProgramSpec {
    const name = validate.checkName(info.name, "a program's name");
    const type = programType(info.programType, name);
    return { name, type, attachFunction: attachFunction(type, info.info) };
}

/** What a program is loaded for; in the words of the released daemon where it is missing. */
function attachFunction(type: ProgramType, info: LoadInfo["info"]): string {
    const sent = info?.info;
    switch (type) {
        case "fentry":
            if (sent?.case !== "fentryLoadInfo" || sent.value.fnName === "") throw invalid("missing FentryInfo");
            return validate.checkFunction(sent.value.fnName, "the kernel function's name");
        case "fexit":
            if (sent?.case !== "fexitLoadInfo" || sent.value.fnName === "") throw invalid("missing FexitInfo");
            return validate.checkFunction(sent.value.fnName, "the kernel function's name");
        case "lsm":
            if (sent?.case !== "lsmLoadInfo" || sent.value.hookName === "") throw invalid("missing LsmInfo");
            return validate.checkFunction(sent.value.hookName, "the LSM hook's name");
        default:
            return "";
    }
}

/** The contract has no word for probes at a return: the program's section tells them. */
function withReturns(programs: readonly ProgramSpec[], object: Uint8Array, manager: Manager): readonly ProgramSpec[] {
    if (!programs.some(({ type }) => type === "kprobe" || type === "uprobe")) return programs;
    const found = new Map(manager.inspect(object).programs.map(({ name, type }) => [name, type]));
    return programs.map(program => {
        const type = found.get(program.name);
        const atReturn =
            (program.type === "kprobe" && type === "kretprobe") || (program.type === "uprobe" && type === "uretprobe");
        return atReturn ? { ...program, type } : program;
    });
}

function programType(type: BpfmanProgramType, program: string): ProgramType {
    switch (type) {
        case BpfmanProgramType.XDP:
            return "xdp";
        case BpfmanProgramType.TC:
            return "tc";
        case BpfmanProgramType.TCX:
            return "tcx";
        case BpfmanProgramType.TRACEPOINT:
            return "tracepoint";
        case BpfmanProgramType.KPROBE:
            return "kprobe";
        case BpfmanProgramType.UPROBE:
            return "uprobe";
        case BpfmanProgramType.FENTRY:
            return "fentry";
        case BpfmanProgramType.FEXIT:
            return "fexit";
        case BpfmanProgramType.LSM:
            return "lsm";
        default:
            // proto3 enums are open: a number that no version of the contract knows arrives as it is
            throw invalid(`unknown type ${String(type)} of program ${program}`);
    }
}

function attachItem(request: AttachRequest): AttachItem {
    const programId = validate.checkProgramId(request.id);
    const info = request.attach?.info;
    if (info?.case === undefined) throw invalid("the attach info is missing");
    return { programId, ...hook(info) };
}

// position is what the daemon tells, never what a caller asks for: priority decides
function hook(info: Exclude<AttachInfo["info"], { case: undefined }>): Omit<AttachItem, "programId"> {
    switch (info.case) {
        case "xdpAttachInfo":
            return {
                hook: {
                    kind: "xdp",
                    ...place(info.value),
                    proceedOn: validate.checkProceedOn("xdp", info.value.proceedOn),
                    mode: "auto",
                },
                metadata: validate.checkMetadata(info.value.metadata),
            };
        case "tcAttachInfo":
            return {
                hook: {
                    kind: "tc",
                    ...place(info.value),
                    direction: validate.checkDirection(info.value.direction),
                    proceedOn: validate.checkProceedOn("tc", info.value.proceedOn),
                },
                metadata: validate.checkMetadata(info.value.metadata),
            };
        case "tcxAttachInfo":
            return {
                hook: {
                    kind: "tcx",
                    ...place(info.value),
                    direction: validate.checkDirection(info.value.direction),
                },
                metadata: validate.checkMetadata(info.value.metadata),
            };
        default:
            return { hook: probe(info), metadata: validate.checkMetadata(info.value.metadata) };
    }
}

function probe(
    info: Exclude<AttachInfo["info"], { case: undefined | "xdpAttachInfo" | "tcAttachInfo" | "tcxAttachInfo" }>,
): ProbeHookRequest {
    switch (info.case) {
        case "tracepointAttachInfo": {
            const [group = "", name = "", ...more] = info.value.tracepoint.split("/");
            if (name === "" || more.length > 0) throw invalid("the tracepoint must be GROUP/NAME");
            return hooks.tracepoint(group, name);
        }
        case "kprobeAttachInfo":
            if ((info.value.containerPid ?? 0) !== 0)
                throw invalid("kprobe container option not supported yet: a kernel function is in no container");
            return hooks.kprobe(info.value.fnName, info.value.offset);
        case "uprobeAttachInfo": {
            const { fnName = "", target, offset, pid = 0, containerPid = 0 } = info.value;
            return hooks.uprobe({ target, function: fnName, offset, pid, containerPid });
        }
        case "fentryAttachInfo":
            return { kind: "fentry" };
        case "fexitAttachInfo":
            return { kind: "fexit" };
        case "lsmAttachInfo":
            return { kind: "lsm" };
    }
}

function place(info: {
    iface: string;
    netns?: string | undefined;
    priority: number;
}): Pick<NetworkHookRequest, "interface" | "netns" | "priority"> {
    return {
        interface: validate.checkInterface(info.iface),
        netns: validate.checkNetns(info.netns ?? ""),
        priority: validate.checkPriority(info.priority),
    };
}

/** What Load, List and Get tell of a program; without info where another loaded it. */
function answer(view: ProgramView): GetResponseJson {
    const info = programInfo(view);
    return { ...(info && { info }), kernelInfo: kernelInfo(view) };
}

function programInfo(view: ProgramView): ProgramInfoJson | undefined {
    const { record } = view;
    if (!record) return undefined;
    return {
        name: record.name,
        // bytes that came without a path are found where the daemon keeps them
        bytecode: record.image
            ? { image: { url: record.image.url, imagePullPolicy: pullPolicies.indexOf(record.image.pullPolicy) } }
            : { file: record.sourcePath || view.objectPath },
        links: view.links.map(link => link.record.id),
        globalData: bytesMap(record.globalData),
        ...(record.mapOwnerId !== undefined && { mapOwnerId: record.mapOwnerId }),
        mapPinPath: view.mapPinPath,
        mapUsedBy: view.mapUsedBy.map(String),
        metadata: textMap(record.metadata),
    };
}

/** enum bpf_prog_type of include/uapi/linux/bpf.h; a cgroup program's is one of several */
const kernelTypes: Readonly<Record<ProgramType, number>> = {
    xdp: 6,
    tc: 3,
    tcx: 3,
    tracepoint: 5,
    kprobe: 2,
    kretprobe: 2,
    uprobe: 2,
    uretprobe: 2,
    fentry: 26,
    fexit: 26,
    lsm: 29,
    perf_event: 7,
    raw_tracepoint: 17,
    cgroup: 0,
};

function kernelType({ kernel, record }: ProgramView): number {
    return kernel?.type ?? (record === undefined ? 0 : kernelTypes[record.type]);
}

function kernelInfo(view: ProgramView): KernelProgramInfoJson {
    const { id, kernel, record } = view;
    // clients read this without asking whether it is there
    if (!kernel) return { id, name: record?.name ?? "", programType: kernelType(view) };
    return {
        id,
        name: kernel.name,
        programType: kernel.type,
        loadedAt: kernel.loadedAt,
        tag: kernel.tag,
        gplCompatible: kernel.gplCompatible,
        mapIds: [...kernel.mapIds],
        btfId: kernel.btfId,
        bytesXlated: kernel.sizeXlated,
        jited: kernel.sizeJited > 0,
        bytesJited: kernel.sizeJited,
        bytesMemlock: kernel.memlockBytes,
        verifiedInsns: kernel.verifiedInsns,
    };
}
