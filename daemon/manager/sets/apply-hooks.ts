// SPDX-License-Identifier: Apache-2.0
// The links of a set at their hooks: one change for each chain, whatever comes, goes and moves in it. What is new runs
// before what is old goes.
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey, XdpModeWanted } from "../../model/hooks.ts";
import type { KernelLinkId, LinkId } from "../../model/ids.ts";
import type { ChainRecord, LinkRecord, ProgramRecord } from "../../model/records.ts";
import { type Changed, chainRow, changeChain, detachPinned, removeChain, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import { dropChainRow } from "../chains/clsact.ts";
import type { ResolvedHook } from "../chains/hook.ts";
import type { Context } from "../context.ts";
import { checkKind, isNetwork } from "../links/attach.ts";
import { type AttachedProbe, attachProbe } from "../links/probe-attach.ts";
import {
    attachTcx,
    type Moved,
    moveTcx,
    type PlacedTcx,
    placedLinks,
    refuseDuplicate,
    refuseWithoutTcx,
} from "../links/tcx.ts";
import { isNetworkLink, isProbeLink, probePins, tcxPin } from "../pins.ts";
import { exchange } from "../programs/replace.ts";
import type { Undo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";
import { type ApplyPlan, identity, type PlannedLink } from "./apply-plan.ts";

export interface ChangedHooks {
    /** Writes the rows, inside the caller's transaction. Returns the ids of the plan's links, in their order. */
    commit(): LinkId[];
    /** After the commit: takes away what is no longer wanted. */
    finish(): Promise<void>;
}

/** What was done in the kernel, by the index of the link where it says nothing else. */
interface Done {
    readonly changed: Changed<ChainLink>[];
    readonly emptied: ChainRecord[];
    readonly tcxIds: Map<number, KernelLinkId>;
    readonly moves: Moved[];
    /** pins of tcx links that carry another program now */
    readonly renames: { readonly from: string; readonly to: string }[];
    readonly probes: Map<number, AttachedProbe>;
    /** pins of links that others stand in for by then, or that nobody wants any more */
    readonly oldPins: string[];
}

interface Work {
    readonly scope: WriterScope;
    readonly context: Context;
    readonly plan: ApplyPlan;
    readonly programOf: (link: PlannedLink) => ProgramRecord;
    readonly resolved: ReadonlyMap<string, ResolvedHook>;
    readonly request: number;
    readonly undo: Undo;
}

export async function changeHooks(
    scope: WriterScope,
    context: Context,
    plan: ApplyPlan,
    records: ReadonlyMap<string, ProgramRecord>,
    resolved: ReadonlyMap<string, ResolvedHook>,
    caller: Caller,
    undo: Undo,
): Promise<ChangedHooks> {
    const programOf = ({ desired }: PlannedLink) => {
        const record = records.get(desired.program);
        if (record === undefined) throw new BpfmanError("INTERNAL", `program ${desired.program} has no record`);
        return record;
    };
    const work: Work = { scope, context, plan, programOf, resolved, request: context.store.nextRequest(), undo };
    for (const link of plan.links) if (changesKernel(link)) checkKind(programOf(link), link.desired);
    const done: Done = {
        changed: [],
        emptied: [],
        tcxIds: new Map(),
        moves: [],
        renames: [],
        probes: new Map(),
        oldPins: [],
    };
    for (const { hook, links, detaches } of hooksOf(plan)) {
        if (hook.kind === "tcx") await changeTcx(work, hook, links, done);
        else await changeOne(work, hook, links, detaches, done);
    }
    for (const link of plan.links) {
        const { hook } = link.desired;
        if (isNetwork(hook) || !changesKernel(link)) continue;
        done.probes.set(link.index, await attachProbe(scope, context, programOf(link), hook, undo));
        if (link.record !== undefined && isProbeLink(link.record)) done.oldPins.push(...probePins(link.record));
    }
    for (const record of plan.detaches)
        if (isProbeLink(record)) done.oldPins.push(...probePins(record));
        else if (isNetworkLink(record) && record.hook.kind === "tcx") done.oldPins.push(tcxPin(record));
    return {
        commit: () => commit(work, done, caller),
        finish: async () => {
            for (const { previous } of done.changed) if (previous !== undefined) await retire(context, previous);
            for (const chain of done.emptied) await removeChain(context, chain);
            for (const { from, to } of done.renames) context.bpffs.rename(from, to);
            for (const move of done.moves) await move.finish();
            for (const pin of done.oldPins) await detachPinned(context, pin);
        },
    };
}

interface AtHook {
    readonly hook: HookKey;
    readonly links: PlannedLink[];
    readonly detaches: LinkRecord[];
}

/** What changes at each hook of a network interface; hooks where nothing does are left out. */
function hooksOf(plan: ApplyPlan): AtHook[] {
    const hooks = new Map<string, AtHook>();
    const at = (hook: HookKey) => {
        const found = hooks.get(identity(hook)) ?? { hook, links: [], detaches: [] };
        hooks.set(identity(hook), found);
        return found;
    };
    for (const link of plan.links) if (link.hook !== undefined) at(link.hook).links.push(link);
    for (const record of plan.detaches) if (isNetworkLink(record)) at(record.hook).detaches.push(record);
    return [...hooks.values()].filter(({ links, detaches }) => detaches.length > 0 || links.some(changesKernel));
}

const changesKernel = ({ record, changes }: PlannedLink): boolean =>
    record === undefined || changes.some(change => change !== "metadata");

/** Where a link is to stand among others. */
function orderOf({ priority, record, placed, index }: PlannedLink, request: number) {
    return placed || record === undefined
        ? { priority, request, requestIndex: index }
        : { priority, request: record.request, requestIndex: record.requestIndex };
}

async function changeOne(
    { scope, context, programOf, resolved, request, undo }: Work,
    hook: HookKey,
    links: readonly PlannedLink[],
    detaches: readonly LinkRecord[],
    { changed, emptied }: Done,
): Promise<void> {
    const leaving = new Set<LinkId | undefined>(detaches.map(({ id }) => id));
    const planned = new Map(
        links.flatMap(link => (link.record === undefined ? [] : [[link.record.id, link] as const])),
    );
    const chainLink = (link: PlannedLink): ChainLink => ({
        id: link.record?.id,
        item: link.index,
        program: programOf(link),
        proceedOn: link.proceedOn,
        ...orderOf(link, request),
    });
    const running = chainLinks(context, hook)
        .filter(({ id }) => !leaving.has(id))
        .map(link => {
            const change = link.id === undefined ? undefined : planned.get(link.id);
            return change === undefined ? link : chainLink(change);
        });
    const wanted = [...running, ...links.filter(({ record }) => record === undefined).map(chainLink)];
    const chain = context.store.chain(hook);
    if (wanted.length === 0) {
        if (chain !== undefined) emptied.push(chain);
        return;
    }
    const [first] = links;
    const place = first === undefined ? undefined : resolved.get(first.desired.name);
    const name = chain?.interface ?? place?.interface.name;
    if (name === undefined) throw new BpfmanError("INTERNAL", "links of a chain that is not there");
    const netns = chain?.netns ?? place?.netns ?? "";
    const change = { hook, interface: name, netns, links: wanted, mode: modeOf(links), device: place?.interface };
    changed.push(await changeChain(scope, context, change, undo));
}

function modeOf(links: readonly PlannedLink[]): XdpModeWanted {
    const modes = new Set(links.flatMap(({ desired: { hook } }) => (hook.kind === "xdp" ? [hook.mode] : [])));
    modes.delete("auto");
    const [mode, other] = modes;
    if (mode !== undefined && other !== undefined)
        throw new BpfmanError("INVALID_ARGUMENT", `one interface cannot run XDP in ${mode} and in ${other} mode`);
    return mode ?? "auto";
}

async function changeTcx(
    { scope, context, programOf, resolved, request, undo }: Work,
    hook: HookKey,
    links: readonly PlannedLink[],
    { tcxIds, moves, renames, oldPins }: Done,
): Promise<void> {
    // the kernel's list as it is while the changes are made: those that were there by minus their id
    const placed = new Map<number, PlacedTcx>();
    for (const one of placedLinks(context, hook)) placed.set(-one.record.id, one);
    for (const link of links) {
        if (!changesKernel(link)) continue;
        const { index, changes } = link;
        const record = link.record !== undefined && isNetworkLink(link.record) ? link.record : undefined;
        const program = programOf(link);
        const order = orderOf(link, request);
        if (record !== undefined && !changes.includes("program")) {
            const others = Array.from(placed).flatMap(([key, one]) => (key === -record.id ? [] : [one]));
            const moved = await moveTcx(scope, context, record, program, order, undo, others);
            placed.set(-record.id, { ...order, kernelLinkId: moved.kernelLinkId });
            tcxIds.set(index, moved.kernelLinkId);
            moves.push(moved);
            continue;
        }
        const place = resolved.get(link.desired.name);
        if (place === undefined) throw new BpfmanError("INTERNAL", `link ${link.desired.name} has no hook`);
        const target = { hook, interface: place.interface.name, netns: place.netns };
        refuseWithoutTcx(context, target);
        refuseDuplicate(context, target, program);
        const running = record === undefined ? undefined : context.store.program(record.programId);
        if (record !== undefined && running !== undefined && !link.placed) {
            // the kernel exchanges the program in one step, and its place in the list stays
            await exchange(context, record, running, program);
            undo.add(`exchange the program of link ${record.id}`, () => exchange(context, record, program, running));
            renames.push({ from: tcxPin(record), to: tcxPin({ hook, programId: program.id }) });
            continue;
        }
        const id = await attachTcx(scope, context, target, program, order, [...placed.values()], undo);
        // the old one runs beside it until the end, and no longer says where others go
        if (record !== undefined) {
            oldPins.push(tcxPin(record));
            placed.delete(-record.id);
        }
        placed.set(index + 1, { ...order, kernelLinkId: id });
        tcxIds.set(index, id);
    }
}

function commit(
    { context, plan, programOf, resolved, request }: Work,
    { changed, emptied, tcxIds, probes }: Done,
    caller: Caller,
): LinkId[] {
    const { store, bootId } = context;
    const createdAt = new Date().toISOString();
    for (const { id } of plan.detaches) store.deleteLink(id);
    const ids = plan.links.map(link => {
        const { record, metadata, proceedOn, index, desired, hook, changes } = link;
        const now = { programId: programOf(link).id, metadata, proceedOn, ...orderOf(link, request) };
        const probe = probes.get(index);
        const [probeId, ...furtherKernelLinkIds] = probe?.kernelLinkIds ?? [];
        const probed = probe === undefined ? {} : { hook: probe.hook, kernelLinkId: probeId, furtherKernelLinkIds };
        if (record !== undefined) {
            const kernelLinkId = tcxIds.get(index) ?? record.kernelLinkId;
            if (changes.length > 0) store.updateLink({ ...record, ...now, kernelLinkId, ...probed });
            return record.id;
        }
        const place = resolved.get(desired.name);
        const made = hook ?? probe?.hook;
        if (made === undefined) throw new BpfmanError("INTERNAL", `link ${desired.name} was not made`);
        return store.insertLink({
            ...now,
            bootId,
            hook: made,
            interface: place?.interface.name ?? "",
            netns: place?.netns ?? "",
            createdAt,
            createdBy: context.describe(caller),
            kernelLinkId: tcxIds.get(index),
            furtherKernelLinkIds: [],
            ...probed,
        }).id;
    });
    for (const chain of emptied) dropChainRow(context, chain);
    for (const one of changed)
        store.putChain(
            chainRow(one, bootId, link => {
                const id = link.id ?? ids[link.item ?? -1];
                if (id === undefined) throw new BpfmanError("INTERNAL", "a link of the chain has no row");
                return id;
            }),
        );
    return ids;
}
