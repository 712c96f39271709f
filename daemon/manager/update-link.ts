// SPDX-License-Identifier: Apache-2.0
// A link's priority or proceed-on, changed in place: its id stays, and no packet passes the hook without it.
import { proceedOnOrDefault, unknownAction } from "../chain/proceed-on.ts";
import { BpfmanError, type Caller, type LinkId, type LinkRecord, type LinkView, type ProgramRecord } from "../model.ts";
import { chainRow, changeChain, retire } from "./chain-change.ts";
import { chainLinks } from "./chain-links.ts";
import type { Context } from "./context.ts";
import { dropDeadLinks } from "./dead-links.ts";
import { linkView } from "./link-view.ts";
import { hookText, isNetworkLink } from "./pins.ts";
import { moveTcx } from "./tcx.ts";
import { type Undo, withUndo } from "./undo.ts";
import type { WriterScope } from "./writer-lock.ts";

export interface LinkChange {
    readonly priority?: number | undefined;
    readonly proceedOn?: readonly number[] | undefined;
}

export async function updateLink(context: Context, id: LinkId, change: LinkChange, caller: Caller): Promise<LinkView> {
    const programId = await context.lock.run(
        scope =>
            withUndo(context.log, async undo => {
                await dropDeadLinks(scope, context);
                const record = context.store.link(id);
                if (record === undefined) throw new BpfmanError("NOT_FOUND", `link ${id} does not exist`);
                const program = context.store.program(record.programId);
                if (program === undefined) throw new BpfmanError("INTERNAL", `link ${id} has no program`);
                const next = changedRecord(context, record, change);
                if (next !== undefined) await apply(scope, context, record, next, program, undo);
                return record.programId;
            }),
        caller.patience,
    );
    context.events.emit("LINK_UPDATED", context.describe(caller), { links: [id], programs: [programId] });
    return linkView(context, id);
}

/** The row as it is to be; undefined where nothing changes. A new priority counts as attached now among its equals. */
function changedRecord(context: Context, record: LinkRecord, change: LinkChange): LinkRecord | undefined {
    const { kind } = record.hook;
    if (kind !== "xdp" && kind !== "tc" && kind !== "tcx")
        throw new BpfmanError("INVALID_ARGUMENT", `link ${record.id} is a ${kind} link, which has no priority`);
    const priority = change.priority ?? record.priority;
    let { proceedOn } = record;
    if (change.proceedOn !== undefined) {
        if (kind === "tcx")
            throw new BpfmanError(
                "INVALID_ARGUMENT",
                "tcx links have no proceed-on: the kernel goes on after -1 (next)",
            );
        const unknown = unknownAction(kind, change.proceedOn);
        if (unknown !== undefined)
            throw new BpfmanError("INVALID_ARGUMENT", `${unknown} is no return code of ${kind} programs`);
        proceedOn = proceedOnOrDefault(kind, change.proceedOn);
    }
    const moved = priority !== record.priority;
    if (!moved && proceedOn.join() === record.proceedOn.join()) return undefined;
    const place = moved ? { request: context.store.nextRequest(), requestIndex: 0 } : {};
    return { ...record, priority, proceedOn, ...place };
}

async function apply(
    scope: WriterScope,
    context: Context,
    record: LinkRecord,
    next: LinkRecord,
    program: ProgramRecord,
    undo: Undo,
): Promise<void> {
    const { store } = context;
    if (!isNetworkLink(record)) throw new BpfmanError("INTERNAL", `link ${record.id} is in no chain`);
    if (record.hook.kind === "tcx") {
        const { kernelLinkId, finish } = await moveTcx(scope, context, record, program, next, undo);
        store.transaction(() => store.updateLink({ ...next, kernelLinkId }));
        undo.done();
        await finish();
        return;
    }
    const chain = store.chain(record.hook);
    if (chain === undefined) throw new BpfmanError("INTERNAL", `link ${record.id} on ${hookText(record)} has no chain`);
    const links = chainLinks(context, record.hook).map(link =>
        link.id === next.id
            ? { ...link, priority: next.priority, proceedOn: next.proceedOn, request: next.request, requestIndex: 0 }
            : link,
    );
    const { hook, interface: name, netns } = chain;
    const change = { hook, interface: name, netns, links, mode: "auto", device: undefined } as const;
    const changed = await changeChain(scope, context, change, undo);
    store.transaction(() => {
        store.updateLink(next);
        store.putChain(chainRow(changed, context.bootId, link => link.id ?? record.id));
    });
    undo.done();
    if (changed.previous !== undefined) await retire(context, changed.previous);
}
