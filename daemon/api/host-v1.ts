// SPDX-License-Identifier: Apache-2.0
// bpfman.host.v1 over the manager.
import { machine, release } from "node:os";
import {
    type AttachItem as AttachItemMessage,
    type ChainJson,
    Host,
    type LoadRequest as LoadRequestMessage,
    type UpdateLinkRequest,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { LinkChange, Manager } from "../manager/manager.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { LinkId } from "../model/ids.ts";
import type { AttachItem, LoadRequest } from "../model/requests.ts";
import { applyRequest } from "./apply.ts";
import { givenBytecode, sourceOf } from "./bytecode.ts";
import * as convert from "./convert.ts";
import { invalid } from "./errors.ts";
import { hookRequest } from "./hooks.ts";
import { codeHandlers } from "./host-code.ts";
import { eventHandlers } from "./host-events.ts";
import { imageHandlers, imageJson } from "./host-images.ts";
import { inventoryHandlers } from "./host-inventory.ts";
import { mapHandlers } from "./host-maps.ts";
import { type SettingsFacts, settingsHandlers } from "./host-settings.ts";
import { statisticsHandlers } from "./host-statistics.ts";
import { targetHandlers } from "./host-targets.ts";
import { programSpec } from "./program-spec.ts";
import { selectsLink, selectsProgram } from "./select.ts";
import { type Handlers, type Service, service } from "./service.ts";
import { linkKindWords, programTypeWords } from "./type-words.ts";
import * as validate from "./validate.ts";
import { bpfmanCommit, bpfmanVersion } from "./version.ts";

/** What the daemon knows of itself. */
export interface DaemonFacts {
    readonly runtimeDir: string;
    /** libbpf's version, as 1.5 */
    readonly libbpf: string;
    /** RFC 3339 */
    readonly startedAt: string;
    readonly settings: SettingsFacts;
}

const chainTypes = ["xdp", "tc-ingress", "tc-egress", "tcx-ingress", "tcx-egress"];

export function hostService(manager: Manager, facts: DaemonFacts): Service {
    const handlers: Handlers<typeof Host> = {
        inspect: async ({ bytecode: source }, caller) => {
            const { object, image } = await sourceOf(source, "", manager, caller);
            return {
                ...convert.inspectResponse(manager.inspect(object)),
                ...(image && { image: imageJson(image.facts) }),
            };
        },

        load: async (request, caller) => {
            const { programs, links, warnings } = await manager.load(
                await loadRequest(request, manager, caller),
                caller,
            );
            const loaded = { programs: programs.map(convert.program), links: links.map(convert.link) };
            return { ...loaded, warnings: [...warnings] };
        },

        unload: async (request, caller) => {
            const ids = validate.checkIds(request.programIds, validate.checkProgramId);
            return convert.batchResponse(await manager.unload(ids, { ignoreMissing: request.ignoreMissing }, caller));
        },

        attach: async (request, caller) => {
            const links = await manager.attach(attachItems(request.items).map(attachItem), caller);
            return { links: links.map(convert.link) };
        },

        detach: async (request, caller) => {
            const ids = validate.checkIds(request.linkIds, validate.checkLinkId);
            return convert.batchResponse(await manager.detach(ids, { ignoreMissing: request.ignoreMissing }, caller));
        },

        updateLink: async (request, caller) => {
            const [link] = await manager.updateLinks([await linkChange(manager, request)], caller);
            if (link === undefined) throw new BpfmanError("INTERNAL", `link ${request.linkId} was not answered`);
            return convert.link(link);
        },

        updateLinks: async ({ updates }, caller) => {
            if (updates.length === 0) throw invalid("no link to change is given");
            if (updates.length > validate.limits.attachItems)
                throw invalid(`more than ${validate.limits.attachItems} links in one request`);
            const changes: LinkChange[] = [];
            for (const update of updates) changes.push(await linkChange(manager, update));
            const ids = changes.map(({ id }) => id);
            const twice = ids.find((id, index) => ids.indexOf(id) !== index);
            if (twice !== undefined) throw invalid(`link ${twice} is given twice`);
            return { links: (await manager.updateLinks(changes, caller)).map(convert.link) };
        },

        apply: async (request, caller) => {
            const { steps, warnings, programs, links } = await manager.apply(
                await applyRequest(request, manager, caller),
                caller,
            );
            return {
                warnings: [...warnings],
                steps: steps.map(step => ({ ...step })),
                programs: programs.map(convert.program),
                links: links.map(convert.link),
            };
        },

        listPrograms: async request => {
            const { attached } = request;
            const types = programTypeWords(request.types);
            const selection = { ...request, types, attached, metadata: validate.checkMetadata(request.metadata) };
            const views = await manager.listPrograms({ all: request.all });
            return { programs: views.filter(view => selectsProgram(selection, view)).map(convert.listedProgram) };
        },

        getProgram: async request => convert.program(await manager.getProgram(validate.checkProgramId(request.id))),

        listLinks: async request => {
            const kinds = linkKindWords(request.kinds);
            const selection = { ...request, kinds, metadata: validate.checkMetadata(request.metadata) };
            const views = await manager.listLinks();
            return { links: views.filter(view => selectsLink(selection, view)).map(convert.link) };
        },

        getLink: async request => convert.link(await manager.getLink(validate.checkLinkId(request.id))),

        listChains: async request => {
            const { type, nsid, ifindex } = request;
            if (type !== "") checkWord(type, chainTypes, "chain type");
            const views = (await manager.listChains()).filter(
                view =>
                    (type === "" || view.type === type) &&
                    (nsid === undefined || view.nsid === nsid) &&
                    (ifindex === undefined || view.ifindex === ifindex),
            );
            return { chains: views.map(convert.chain) };
        },

        getChain: async request => {
            checkWord(request.type, chainTypes, "chain type");
            return findChain(manager, request);
        },

        listInterfaces: async () => ({ interfaces: (await manager.listInterfaces()).map(convert.networkInterface) }),

        features: async () => {
            const { kernel, libbpf, features } = await manager.features();
            return { kernel, libbpf, architecture: machine(), features: features.map(feature => ({ ...feature })) };
        },

        version: async () => ({
            version: bpfmanVersion(),
            commit: bpfmanCommit(),
            node: process.version,
            kernel: release(),
            libbpf: facts.libbpf,
            runtimeDir: facts.runtimeDir,
            startedAt: facts.startedAt,
            pid: process.pid,
        }),

        ...mapHandlers(manager),
        ...imageHandlers(manager),
        ...eventHandlers(manager),
        ...codeHandlers(manager),
        ...statisticsHandlers(manager),
        ...inventoryHandlers(manager),
        ...targetHandlers(manager),
        ...settingsHandlers(facts.settings),
    };
    return service(Host, handlers, [
        ...(["load", "unload", "attach", "detach", "updateLink", "updateLinks", "apply"] as const),
        ...(["updateMap", "deleteMapEntry", "testRun", "replaceProgram"] as const),
        ...(["removeImage", "pruneImages"] as const),
    ]);
}

function checkWord(word: string, known: readonly string[], what: string): void {
    if (!known.includes(word)) throw invalid(`unknown ${what} "${word}": one of ${known.join(", ")}`);
}

async function loadRequest(request: LoadRequestMessage, manager: Manager, caller: Caller): Promise<LoadRequest> {
    const { programs, attach, mapOwnerId } = request;
    if (programs.length === 0) throw invalid("no program is named");
    if (programs.length > validate.limits.programs)
        throw invalid(`more than ${validate.limits.programs} programs in one request`);
    return {
        programs: programs.map(programSpec),
        globalData: validate.checkGlobals(request.globalData),
        globalValues: validate.checkGlobalValues(request.globalValues),
        metadata: validate.checkMetadata(request.metadata),
        mapOwnerId: mapOwnerId === undefined ? undefined : validate.checkProgramId(mapOwnerId),
        privateMaps: request.privateMaps,
        attach: attach.length === 0 ? [] : attachItems(attach).map(loadAttachment),
        // last: the bytes are read once everything else is in order
        ...(await givenBytecode(request.bytecode, request.sourcePath, manager, caller)),
    };
}

function attachItems(items: readonly AttachItemMessage[]): readonly AttachItemMessage[] {
    if (items.length === 0) throw invalid("nothing to attach is given");
    if (items.length > validate.limits.attachItems)
        throw invalid(`more than ${validate.limits.attachItems} attachments in one request`);
    return items;
}

function attachItem(item: AttachItemMessage): AttachItem {
    if (item.programName !== "") throw invalid("a program is named by its id here, not by its name");
    return {
        programId: validate.checkProgramId(item.programId),
        hook: hookRequest(item.hook),
        metadata: validate.checkMetadata(item.metadata),
    };
}

function loadAttachment(item: AttachItemMessage): LoadRequest["attach"][number] {
    if (item.programId !== 0) throw invalid("a program that is yet to be loaded is named by its name, not by an id");
    return {
        programName: validate.checkName(item.programName, "the name of the program to attach"),
        hook: hookRequest(item.hook),
        metadata: validate.checkMetadata(item.metadata),
    };
}

async function linkChange(manager: Manager, request: UpdateLinkRequest): Promise<LinkChange> {
    const id = validate.checkLinkId(request.linkId);
    const { priority, proceedOn } = request;
    if (priority === undefined && proceedOn === undefined)
        throw invalid("nothing to change: give a priority or proceed-on codes");
    return {
        id,
        priority: priority === undefined ? undefined : validate.checkPriority(priority),
        proceedOn: proceedOn && (await proceedOnOf(manager, id, proceedOn.actions)),
    };
}

/** The codes, checked against what kind of link it is. */
async function proceedOnOf(manager: Manager, id: LinkId, actions: readonly number[]): Promise<readonly number[]> {
    const { kind } = (await manager.getLink(id)).record.hook;
    if (kind !== "xdp" && kind !== "tc")
        throw new BpfmanError("FAILED_PRECONDITION", `link ${id} is a ${kind} link, which has no proceed-on codes`, {
            hint: kind === "tcx" ? "The kernel's own list goes on after TCX_NEXT." : undefined,
        });
    return validate.checkProceedOn(kind, actions);
}

async function findChain(
    manager: Manager,
    wanted: { type: string; nsid: bigint; ifindex: number },
): Promise<ChainJson> {
    const { type, nsid, ifindex } = wanted;
    // TCX chains are the kernel's own and are seen with their interface
    const chains = type.startsWith("tcx-")
        ? (await manager.listInterfaces()).flatMap(view => view.chains)
        : await manager.listChains();
    const found = chains.find(view => view.type === type && view.nsid === nsid && view.ifindex === ifindex);
    if (!found) throw new BpfmanError("NOT_FOUND", `no ${type} chain at ifindex ${ifindex} of namespace ${nsid}`);
    return convert.chain(found);
}
