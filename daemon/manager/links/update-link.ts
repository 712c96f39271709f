// SPDX-License-Identifier: Apache-2.0
// Priorities and proceed-on of links, changed in place: their ids stay, and no packet passes a hook without them. Several
// in one request: all or none, and one rebuild for each chain.
import { inOrder } from "../../chain/order.ts";
import { proceedOnOrDefault, unknownAction } from "../../chain/proceed-on.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { KernelLinkId, LinkId } from "../../model/ids.ts";
import type { LinkRecord, NetworkLinkRecord, ProgramRecord } from "../../model/records.ts";
import type { LinkView } from "../../model/views.ts";
import { type Changed, chainRow, changeChain, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import type { Context } from "../context.ts";
import type { LinkChange } from "../manager.ts";
import { groupByHook, hookText, isNetworkLink, sameHook } from "../pins.ts";
import { type Undo, withUndo } from "../undo.ts";
import { linkView } from "../views/link-view.ts";
import type { WriterScope } from "../writer-lock.ts";
import { dropDeadLinks } from "./dead-links.ts";
import { type Moved, moveTcx, type PlacedTcx, placedLinks } from "./tcx.ts";

interface Change {
    readonly record: NetworkLinkRecord;
    readonly next: NetworkLinkRecord;
    readonly program: ProgramRecord;
}

export async function updateLinks(
    context: Context,
    changes: readonly LinkChange[],
    caller: Caller,
): Promise<LinkView[]> {
    const changed = await context.lock.run(
        scope =>
            withUndo(context.log, async undo => {
                await dropDeadLinks(scope, context);
                return await apply(scope, context, plan(context, changes), undo);
            }),
        caller.patience,
    );
    if (changed.length > 0)
        context.events.emit("LINK_UPDATED", context.describe(caller), {
            links: changed.map(({ record }) => record.id),
            programs: [...new Set(changed.map(({ program }) => program.id))],
        });
    return changes.map(({ id }) => linkView(context, id));
}

/** The rows as they are to be. */
function plan(context: Context, changes: readonly LinkChange[]): Change[] {
    // taken once: what moves in one request stands, at equal priority, in the order given
    const request = context.store.nextRequest();
    return changes.map((change, requestIndex) => {
        const record = context.store.link(change.id);
        if (record === undefined) throw new BpfmanError("NOT_FOUND", `link ${change.id} does not exist`);
        const program = context.store.program(record.programId);
        if (program === undefined) throw new BpfmanError("INTERNAL", `link ${change.id} has no program`);
        const checked = checkedChange(record, change);
        // a priority that a link has already says nothing, unless it is told where the link stands among others
        const moved =
            change.priority !== undefined && (changes.length > 1 || checked.priority !== checked.record.priority);
        const { priority, proceedOn } = checked;
        const place = moved ? { request, requestIndex } : {};
        return { record: checked.record, program, next: { ...checked.record, priority, proceedOn, ...place } };
    });
}

function checkedChange(
    record: LinkRecord,
    change: LinkChange,
): { record: NetworkLinkRecord; priority: number; proceedOn: readonly number[] } {
    if (!isNetworkLink(record))
        throw new BpfmanError(
            "INVALID_ARGUMENT",
            `link ${record.id} is a ${record.hook.kind} link, which has no priority`,
        );
    const { kind } = record.hook;
    const priority = change.priority ?? record.priority;
    if (change.proceedOn === undefined) return { record, priority, proceedOn: record.proceedOn };
    if (kind === "tcx")
        throw new BpfmanError("INVALID_ARGUMENT", "tcx links have no proceed-on: the kernel goes on after -1 (next)");
    const unknown = unknownAction(kind, change.proceedOn);
    if (unknown !== undefined)
        throw new BpfmanError("INVALID_ARGUMENT", `${unknown} is no return code of ${kind} programs`);
    return { record, priority, proceedOn: proceedOnOrDefault(kind, change.proceedOn) };
}

/** Answers those of hooks where anything changed. */
async function apply(
    scope: WriterScope,
    context: Context,
    planned: readonly Change[],
    undo: Undo,
): Promise<readonly Change[]> {
    const { store } = context;
    const chains: Changed<ChainLink>[] = [];
    const moves = new Map<LinkId, Moved>();
    const rows: Change[] = [];
    for (const changes of groupByHook(planned, ({ record }) => record.hook)) {
        const [first] = changes;
        if (first === undefined || runsAlready(context, changes)) continue;
        rows.push(...changes);
        if (first.record.hook.kind === "tcx") await changeTcx(scope, context, changes, moves, undo);
        else chains.push(await changeOne(scope, context, first.record, changes, undo));
    }
    store.transaction(() => {
        for (const { record, next } of rows) {
            const kernelLinkId: KernelLinkId | undefined = moves.get(record.id)?.kernelLinkId ?? record.kernelLinkId;
            store.updateLink({ ...next, kernelLinkId });
        }
        for (const changed of chains)
            store.putChain(
                chainRow(changed, context.bootId, link => {
                    if (link.id === undefined) throw new BpfmanError("INTERNAL", "a link of the chain has no row");
                    return link.id;
                }),
            );
    });
    undo.done();
    for (const { previous } of chains) if (previous !== undefined) await retire(context, previous);
    for (const move of moves.values()) await move.finish();
    return rows;
}

/** Nothing of the hook would change: neither an order nor a number that people see. */
function runsAlready(context: Context, changes: readonly Change[]): boolean {
    const [first] = changes;
    if (first === undefined) return true;
    const same = changes.every(
        ({ record, next }) => record.priority === next.priority && record.proceedOn.join() === next.proceedOn.join(),
    );
    if (!same) return false;
    const { hook } = first.record;
    const now = context.store
        .links()
        .filter(isNetworkLink)
        .filter(link => sameHook(link.hook, hook));
    const then = now.map(link => changes.find(({ record }) => record.id === link.id)?.next ?? link);
    const order = (links: readonly NetworkLinkRecord[]) => inOrder(hook.kind, links).map(({ id }) => id);
    return order(now).join() === order(then).join();
}

async function changeOne(
    scope: WriterScope,
    context: Context,
    record: NetworkLinkRecord,
    changes: readonly Change[],
    undo: Undo,
): Promise<Changed<ChainLink>> {
    const chain = context.store.chain(record.hook);
    if (chain === undefined) throw new BpfmanError("INTERNAL", `link ${record.id} on ${hookText(record)} has no chain`);
    const links = chainLinks(context, record.hook).map(link => {
        const change = changes.find(one => one.record.id === link.id);
        if (change === undefined) return link;
        const { priority, proceedOn, request, requestIndex } = change.next;
        return { ...link, priority, proceedOn, request, requestIndex };
    });
    const { hook, interface: name, netns } = chain;
    const change = { hook, interface: name, netns, links, mode: "auto", device: undefined } as const;
    return changeChain(scope, context, change, undo);
}

async function changeTcx(
    scope: WriterScope,
    context: Context,
    changes: readonly Change[],
    moves: Map<LinkId, Moved>,
    undo: Undo,
): Promise<void> {
    const [first] = changes;
    if (first === undefined) return;
    // the kernel's list as it is while they move, one after the other
    const placed = new Map<LinkId, PlacedTcx>();
    for (const one of placedLinks(context, first.record.hook)) placed.set(one.record.id, one);
    for (const { record, next, program } of changes) {
        placed.delete(record.id);
        const others = [...placed.values()];
        const moved = await moveTcx(scope, context, record, program, next, undo, others);
        placed.set(record.id, { ...next, kernelLinkId: moved.kernelLinkId });
        moves.set(record.id, moved);
    }
}
