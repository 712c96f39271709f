// SPDX-License-Identifier: Apache-2.0
// Attach: any number of links in one request, all or none. Links of one chain cost one rebuild and one swap.
import { proceedOnOrDefault } from "../../chain/proceed-on.ts";
import { sectionFacts } from "../../kernel/elf/sections.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookRequest, NetworkHookRequest, ProgramType } from "../../model/hooks.ts";
import type { KernelLinkId, LinkId, ProgramId } from "../../model/ids.ts";
import type { LinkRecord, ProgramRecord } from "../../model/records.ts";
import type { AttachItem } from "../../model/requests.ts";
import type { LinkView } from "../../model/views.ts";
import { type Changed, chainRow, changeChain, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import { hookResolver, type ResolvedHook } from "../chains/hook.ts";
import type { Context } from "../context.ts";
import { groupByHook } from "../pins.ts";
import { type Undo, withUndo } from "../undo.ts";
import { linkViews } from "../views/link-view.ts";
import { refuseReplaced } from "../views/replaced.ts";
import type { WriterScope } from "../writer-lock.ts";
import { dropDeadLinks } from "./dead-links.ts";
import { type AttachedProbe, attachProbe } from "./probe-attach.ts";
import { attachTcx, type PlacedTcx, placedLinks, refuseDuplicate, refuseWithoutTcx } from "./tcx.ts";

interface Item {
    readonly index: number;
    readonly hook: NetworkHookRequest;
    readonly program: ProgramRecord;
    readonly resolved: ResolvedHook;
    readonly request: number;
}

/** What the rows of a request's links are made from, by the index of the item. */
interface Made {
    readonly network: readonly Item[];
    readonly tcxIds: ReadonlyMap<number, KernelLinkId>;
    readonly probes: ReadonlyMap<number, AttachedProbe>;
    readonly changed: readonly Changed<ChainLink>[];
}

/** What was attached, and the rows that are to say so; commit runs inside the caller's transaction. */
export interface Attached {
    commit(): LinkRecord[];
    /** after the commit: removes what was replaced */
    finish(): Promise<void>;
}

export async function attach(context: Context, items: readonly AttachItem[], caller: Caller): Promise<LinkView[]> {
    const records = await context.lock.run(
        scope =>
            withUndo(context.log, async undo => {
                const attached = await attachItems(
                    scope,
                    context,
                    items,
                    id => context.store.program(id),
                    caller,
                    undo,
                );
                const made = context.store.transaction(() => attached.commit());
                undo.done();
                await attached.finish();
                return made;
            }),
        caller.patience,
    );
    const ids = records.map(({ id }) => id);
    context.events.emit("LINK_ATTACHED", context.describe(caller), {
        links: ids,
        programs: [...new Set(records.map(({ programId }) => programId))],
    });
    return linkViews(context).filter(({ record }) => ids.includes(record.id));
}

/** Attaches in the kernel. programOf: the program rows, those of a load that is not committed yet too. */
export async function attachItems(
    scope: WriterScope,
    context: Context,
    asked: readonly AttachItem[],
    programOf: (id: ProgramId) => ProgramRecord | undefined,
    caller: Caller,
    undo: Undo,
): Promise<Attached> {
    await dropDeadLinks(scope, context);
    const request = context.store.nextRequest();
    const resolveHook = hookResolver(context);
    const items: Item[] = [];
    const probes = new Map<number, AttachedProbe>();
    for (const [index, item] of asked.entries()) {
        const program = programOf(item.programId) ?? missingProgram(context, item.programId);
        checkKind(program, item);
        const { hook } = item;
        if (isNetwork(hook)) items.push({ index, hook, program, resolved: await resolveHook(hook), request });
        else probes.set(index, await attachProbe(scope, context, program, hook, undo, caller.uid === 0));
    }
    for (const { resolved } of items)
        if (resolved.hook.kind === "tcx")
            refuseWithoutTcx(context, { hook: resolved.hook, interface: resolved.interface.name });
    const changed: Changed<ChainLink>[] = [];
    const tcxIds = new Map<number, KernelLinkId>();
    for (const group of groupByHook(items, ({ resolved }) => resolved.hook))
        if (group[0]?.hook.kind === "tcx") await attachTcxGroup(scope, context, group, tcxIds, undo);
        else changed.push(await attachChainGroup(scope, context, group, undo));
    return {
        commit: () => commit(context, asked, request, { network: items, tcxIds, probes, changed }, caller),
        finish: async () => {
            for (const { previous } of changed) if (previous !== undefined) await retire(context, previous);
        },
    };
}

export function missingProgram(context: Context, id: ProgramId): never {
    refuseReplaced(context, id);
    if (context.kernel.isAlive(id))
        throw new BpfmanError("NOT_FOUND", `program ${id} exists in kernel but is not managed by bpfman`);
    throw new BpfmanError("NOT_FOUND", `program ${id} does not exist`);
}

export const isNetwork = (hook: HookRequest): hook is NetworkHookRequest => "interface" in hook;

/** Whether a probe fires at the return is the program's matter, so one word of a request stands for both. */
const accepted = (kind: HookRequest["kind"]): ProgramType[] => {
    if (kind === "kprobe") return ["kprobe", "kretprobe"];
    return kind === "uprobe" ? ["uprobe", "uretprobe"] : [kind];
};

export function checkKind(program: ProgramRecord, { hook }: Pick<AttachItem, "hook">): void {
    const types = accepted(hook.kind);
    if (!types.includes(program.type))
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `program ${program.id} is a ${program.type} program; the ${hook.kind} attach accepts ${types.join(", ")}`,
        );
    if (isNetwork(hook) && sectionFacts(program.section)?.onInterface === false)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `program ${program.id} (${program.name}) is made for section ${program.section}, not for an interface`,
            { hint: "Programs of xdp/devmap and xdp/cpumap run where a map entry names them." },
        );
}

async function attachChainGroup(
    scope: WriterScope,
    context: Context,
    group: readonly Item[],
    undo: Undo,
): Promise<Changed<ChainLink>> {
    const first = group[0];
    if (first === undefined) throw new BpfmanError("INTERNAL", "an empty group of links");
    const { hook, netns, interface: device } = first.resolved;
    const added = group.map(({ hook: asked, index, program, request }): ChainLink => {
        const { priority } = asked;
        const proceedOn = asked.kind === "tcx" ? [] : proceedOnOrDefault(asked.kind, asked.proceedOn);
        return { id: undefined, item: index, program, priority, request, requestIndex: index, proceedOn };
    });
    const links = [...chainLinks(context, hook), ...added];
    const change = { hook, interface: device.name, netns, links, mode: wantedMode(group), device };
    return changeChain(scope, context, change, undo);
}

function wantedMode(group: readonly Item[]): "auto" | "native" | "generic" {
    const modes = new Set(group.flatMap(({ hook }) => (hook.kind === "xdp" ? [hook.mode] : [])));
    modes.delete("auto");
    const [mode, other] = modes;
    if (mode !== undefined && other !== undefined)
        throw new BpfmanError("INVALID_ARGUMENT", `one interface cannot run XDP in ${mode} and in ${other} mode`);
    return mode ?? "auto";
}

async function attachTcxGroup(
    scope: WriterScope,
    context: Context,
    group: readonly Item[],
    ids: Map<number, KernelLinkId>,
    undo: Undo,
): Promise<void> {
    const placed: PlacedTcx[] = [];
    for (const { hook, index, program, resolved, request } of group) {
        const target = { hook: resolved.hook, interface: resolved.interface.name, netns: resolved.netns };
        refuseDuplicate(context, target, program);
        const order = { priority: hook.priority, request, requestIndex: index };
        const all = [...placedLinks(context, resolved.hook), ...placed];
        const kernelLinkId = await attachTcx(scope, context, target, program, order, all, undo);
        placed.push({ ...order, kernelLinkId });
        ids.set(index, kernelLinkId);
    }
}

function commit(
    context: Context,
    asked: readonly AttachItem[],
    request: number,
    made: Made,
    caller: Caller,
): LinkRecord[] {
    const createdAt = new Date().toISOString();
    const records = asked.map(({ programId, metadata }, index) =>
        context.store.insertLink({
            bootId: context.bootId,
            programId,
            request,
            requestIndex: index,
            metadata,
            createdAt,
            createdBy: context.describe(caller),
            ...placeOf(made, index),
        }),
    );
    const linkId = (link: ChainLink): LinkId => {
        const id = link.id ?? records[link.item ?? -1]?.id;
        if (id === undefined) throw new BpfmanError("INTERNAL", "a link of the chain has no row");
        return id;
    };
    for (const one of made.changed) context.store.putChain(chainRow(one, context.bootId, linkId));
    return records;
}

type Place = Pick<
    LinkRecord,
    "hook" | "interface" | "netns" | "priority" | "proceedOn" | "kernelLinkId" | "furtherKernelLinkIds"
>;

function placeOf({ network, tcxIds, probes }: Made, index: number): Place {
    const probe = probes.get(index);
    if (probe !== undefined) {
        const [kernelLinkId, ...furtherKernelLinkIds] = probe.kernelLinkIds;
        const { hook } = probe;
        return { hook, interface: "", netns: "", priority: 0, proceedOn: [], kernelLinkId, furtherKernelLinkIds };
    }
    const item = network.find(one => one.index === index);
    if (item === undefined) throw new BpfmanError("INTERNAL", "a link was asked for and not made");
    const { hook, resolved } = item;
    return {
        hook: resolved.hook,
        interface: resolved.interface.name,
        netns: resolved.netns,
        priority: hook.priority,
        proceedOn: hook.kind === "tcx" ? [] : proceedOnOrDefault(hook.kind, hook.proceedOn),
        kernelLinkId: tcxIds.get(index),
        furtherKernelLinkIds: [],
    };
}
