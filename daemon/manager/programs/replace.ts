// SPDX-License-Identifier: Apache-2.0
// Replace: new bytecode for a running program. The new program is verified beside the old one, then put in its place at
// each of its links: every chain by one atomic swap, every TCX link by one update, other links by a new one beside the
// old. Maps, link ids, order and proceed-on stay; refused, or undone whole, where any step fails.
import * as bpf from "../../kernel/bpf.ts";
import { openRecorded } from "../../kernel/dispatch/backend.ts";
import { checkObject } from "../../kernel/elf/elf.ts";
import { kernelError } from "../../kernel/errors.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProbeHook, ProbeHookRequest } from "../../model/hooks.ts";
import type { KernelLinkId, LinkId, ProgramId } from "../../model/ids.ts";
import type { LinkRecord, NetworkLinkRecord, ProgramRecord } from "../../model/records.ts";
import type { ProgramView } from "../../model/views.ts";
import { type Changed, chainRow, changeChain, detachPinned, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import type { Context } from "../context.ts";
import { missingProgram } from "../links/attach.ts";
import { dropDeadLinks } from "../links/dead-links.ts";
import { attachProbe } from "../links/probe-attach.ts";
import type { ReplaceRequest } from "../manager.ts";
import { SharedMapChanged } from "../maps/shared-maps.ts";
import { groupByHook, hookText, isNetworkLink, isProbeLink, probePins, tcxPin } from "../pins.ts";
import { type Undo, withUndo } from "../undo.ts";
import { programView } from "../views/program-view.ts";
import type { WriterScope } from "../writer-lock.ts";
import { keptMaps } from "./kept-maps.ts";
import { dropStages, keepPrograms, type PreparedLoad, prepareLoad } from "./load.ts";
import { removeProgramPins } from "./unload.ts";

const attempts = 5;

export async function replaceProgram(
    context: Context,
    id: ProgramId,
    request: ReplaceRequest,
    caller: Caller,
): Promise<ProgramView> {
    const { record, links } = await withUndo(context.log, undo => execute(context, id, request, caller, undo));
    const by = context.describe(caller);
    const programs = [record.id];
    context.events.emit("PROGRAM_REPLACED", by, { programs: [...programs, id], links });
    return programView(context, record.id);
}

async function execute(context: Context, id: ProgramId, request: ReplaceRequest, caller: Caller, stageUndo: Undo) {
    for (let attempt = 1; ; attempt++) {
        const old = context.store.program(id) ?? missingProgram(context, id);
        const prepared = await prepare(context, old, request, stageUndo);
        try {
            return await context.lock.run(
                scope => withUndo(context.log, undo => putInPlace(scope, context, id, prepared, caller, undo)),
                caller.patience,
            );
        } catch (error) {
            if (!(error instanceof SharedMapChanged) || attempt === attempts) throw error;
        } finally {
            dropStages(context, prepared);
        }
    }
}

/** Verified with the old program's maps, outside the lock. What no global was given for keeps its value. */
function prepare(context: Context, old: ProgramRecord, request: ReplaceRequest, undo: Undo): Promise<PreparedLoad> {
    const elf = checkObject(request.object);
    const oldElf = checkObject(context.store.readObject(old.objectSha256));
    const given = new Set([...request.globalData.keys(), ...request.globalValues.keys()]);
    const maps = keptMaps(old, oldElf, elf, request.object, given);
    const inherited = [...old.globalData].filter(
        ([name, value]) =>
            !given.has(name) && elf.globals.some(one => one.name === name && one.sizeBytes === value.length),
    );
    const { type, attachFunction, metadata } = old;
    const load = {
        object: request.object,
        sourcePath: request.sourcePath,
        image: request.image,
        programs: [{ name: request.programName || old.name, type, attachFunction }],
        globalData: new Map([...inherited, ...request.globalData]),
        globalValues: request.globalValues,
        metadata,
        mapOwnerId: undefined,
        privateMaps: false,
        attach: [],
    };
    return prepareLoad(context, load, undo, undefined, { record: old, maps });
}

/** What took a link's place in the kernel. */
interface NewLinks {
    readonly chains: Changed<ChainLink>[];
    readonly tcx: NetworkLinkRecord[];
    readonly probes: Map<LinkId, readonly KernelLinkId[]>;
}

async function putInPlace(
    scope: WriterScope,
    context: Context,
    id: ProgramId,
    prepared: PreparedLoad,
    caller: Caller,
    undo: Undo,
): Promise<{ record: ProgramRecord; links: LinkId[] }> {
    const { store, bpffs } = context;
    await dropDeadLinks(scope, context);
    const old = store.program(id) ?? missingProgram(context, id);
    const [record] = keepPrograms(scope, context, prepared, caller, undo);
    if (record === undefined) throw new BpfmanError("INTERNAL", "no program was loaded");
    const links = store.links().filter(({ programId }) => programId === id);
    const made: NewLinks = { chains: [], tcx: [], probes: new Map() };
    for (const group of groupByHook(links, ({ hook }) => hook))
        await move(scope, context, old, record, group, made, undo);
    store.transaction(() => {
        store.deleteProgram(old.id);
        store.insertProgram(record);
        store.insertReplaced(old.id, record.id);
        for (const link of links) store.updateLink(moved(link, record.id, made.probes.get(link.id)));
        for (const changed of made.chains)
            store.putChain(chainRow(changed, context.bootId, link => link.id ?? (0 as LinkId)));
    });
    undo.done();
    for (const link of made.tcx) bpffs.rename(tcxPin(link), tcxPin({ ...link, programId: record.id }));
    for (const { previous } of made.chains) if (previous !== undefined) await retire(context, previous);
    for (const link of links)
        if (isProbeLink(link)) for (const pin of probePins(link)) await detachPinned(context, pin);
    removeProgramPins(scope, context, old);
    return { record, links: links.map(link => link.id) };
}

function moved(link: LinkRecord, programId: ProgramId, kernelLinkIds: readonly KernelLinkId[] | undefined): LinkRecord {
    if (kernelLinkIds === undefined) return { ...link, programId };
    const [kernelLinkId, ...furtherKernelLinkIds] = kernelLinkIds;
    return { ...link, programId, kernelLinkId, furtherKernelLinkIds };
}

/** The links of one hook. */
async function move(
    scope: WriterScope,
    context: Context,
    old: ProgramRecord,
    record: ProgramRecord,
    group: readonly LinkRecord[],
    made: NewLinks,
    undo: Undo,
): Promise<void> {
    for (const link of group)
        if (isProbeLink(link)) {
            const request = probeRequest(link.hook);
            const { kernelLinkIds } = await attachProbe(scope, context, record, request, undo, true);
            made.probes.set(link.id, kernelLinkIds);
        }
    const [first, ...others] = group.filter(isNetworkLink);
    if (first === undefined) return;
    if (first.hook.kind === "tcx") {
        for (const link of [first, ...others]) {
            await updateTcx(context, link, old, record, undo);
            made.tcx.push(link);
        }
        return;
    }
    const chain = context.store.chain(first.hook);
    if (chain === undefined) throw new BpfmanError("INTERNAL", `link ${first.id} on ${hookText(first)} has no chain`);
    const links = chainLinks(context, first.hook).map(link =>
        link.program.id === old.id ? { ...link, program: record } : link,
    );
    const { hook, interface: name, netns } = chain;
    const change = { hook, interface: name, netns, links, mode: "auto", device: undefined } as const;
    made.chains.push(await changeChain(scope, context, change, undo));
}

/** The same place again. */
function probeRequest(hook: ProbeHook): ProbeHookRequest {
    switch (hook.kind) {
        case "kretprobe":
            return { ...hook, kind: "kprobe" };
        case "uprobe":
        case "uretprobe":
            return { ...hook, kind: "uprobe" };
        case "fentry":
        case "fexit":
        case "lsm":
            return { kind: hook.kind };
        default:
            return hook as ProbeHookRequest;
    }
}

/** The kernel exchanges the program of a TCX link in one step; its place in the list stays. */
async function updateTcx(
    context: Context,
    link: NetworkLinkRecord,
    old: ProgramRecord,
    record: ProgramRecord,
    undo: Undo,
): Promise<void> {
    await exchange(context, link, old, record);
    undo.add(`exchange the program of link ${link.id}`, () => exchange(context, link, record, old));
}

/** Throws with nothing changed. */
export async function exchange(
    context: Context,
    link: NetworkLinkRecord,
    from: ProgramRecord,
    to: ProgramRecord,
): Promise<void> {
    using fd = bpf.openPin(context.bpffs.path(tcxPin(link)));
    using next = openRecorded(context.bpffs, to);
    using running = openRecorded(context.bpffs, from);
    const call = { op: "update-link", link: fd.number, program: next.number, expected: running.number } as const;
    const result = await context.net.call("", call);
    if (result < 0)
        throw kernelError(`exchange the program of link ${link.id} on ${hookText(link)}`, result, {
            code: "FAILED_PRECONDITION",
        });
}
