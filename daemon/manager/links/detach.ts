// SPDX-License-Identifier: Apache-2.0
// Detach: the links of one chain go in one rebuild. Rows first, then what the kernel no longer needs.
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { LinkId } from "../../model/ids.ts";
import type { LinkRecord } from "../../model/records.ts";
import type { BatchResult } from "../../model/requests.ts";
import { type Changed, chainRow, changeChain, detachPinned, removeChain, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import { dropChainRow } from "../chains/clsact.ts";
import type { Context } from "../context.ts";
import { groupByHook, isNetworkLink, isProbeLink, probePins, tcxPin } from "../pins.ts";
import { withUndo } from "../undo.ts";
import { asBpfmanError } from "../unexpected.ts";
import type { WriterScope } from "../writer-lock.ts";
import { dropDeadLinks } from "./dead-links.ts";

export async function detach(
    context: Context,
    ids: readonly LinkId[],
    options: { ignoreMissing: boolean },
    caller: Caller,
): Promise<BatchResult<LinkId>> {
    const result = await context.lock.run(async scope => {
        const known = new Set(context.store.links().map(({ id }) => id));
        await dropDeadLinks(scope, context);
        const failures: { id: LinkId; error: BpfmanError }[] = [];
        const records: LinkRecord[] = [];
        const done: LinkId[] = [];
        for (const id of new Set(ids)) {
            const record = context.store.link(id);
            if (record !== undefined) records.push(record);
            // it was just found gone from the kernel: detached, whoever did it
            else if (options.ignoreMissing || known.has(id)) done.push(id);
            else failures.push({ id, error: new BpfmanError("NOT_FOUND", `link ${id} does not exist`) });
        }
        for (const group of groupByHook(records, ({ hook }) => hook)) {
            try {
                await detachGroup(scope, context, group);
                done.push(...group.map(({ id }) => id));
            } catch (error) {
                for (const { id } of group) failures.push({ id, error: asBpfmanError(error, context.log) });
            }
        }
        return { result: { done, failures }, detached: records.filter(({ id }) => done.includes(id)) };
    }, caller.patience);
    const { detached } = result;
    if (detached.length > 0)
        context.events.emit("LINK_DETACHED", context.describe(caller), {
            links: detached.map(({ id }) => id),
            programs: [...new Set(detached.map(({ programId }) => programId))],
        });
    return result.result;
}

/** Takes links of one hook away; throws with nothing changed. */
export async function detachGroup(scope: WriterScope, context: Context, group: readonly LinkRecord[]): Promise<void> {
    const first = group[0];
    if (first === undefined) return;
    const { store } = context;
    const leaving = new Set(group.map(({ id }) => id));
    const deleteRows = () => {
        for (const id of leaving) store.deleteLink(id);
    };
    const { hook: at } = first;
    if (at.kind === "tcx" || !("ifindex" in at)) {
        store.transaction(deleteRows);
        const pins = group.flatMap(record => (isNetworkLink(record) ? [tcxPin(record)] : []));
        for (const pin of [...pins, ...group.filter(isProbeLink).flatMap(probePins)]) await detachPinned(context, pin);
        return;
    }
    const chain = store.chain(at);
    const staying = chainLinks(context, at).filter(({ id }) => id !== undefined && !leaving.has(id));
    // a shared chain may hold programs of others: it is changed as any other, down to nothing
    if (chain === undefined || (staying.length === 0 && chain.backend !== "libxdp")) {
        store.transaction(() => {
            deleteRows();
            if (chain !== undefined) dropChainRow(context, chain);
        });
        if (chain !== undefined) await removeChain(context, chain);
        return;
    }
    const changed: Changed<ChainLink> = await withUndo(context.log, undo => {
        const { hook, interface: name, netns } = chain;
        const change = { hook, interface: name, netns, links: staying, mode: "auto", device: undefined } as const;
        return changeChain(scope, context, change, undo).then(one => {
            store.transaction(() => {
                deleteRows();
                if (staying.length === 0) store.deleteChain(hook);
                else store.putChain(chainRow(one, context.bootId, link => link.id ?? (0 as LinkId)));
            });
            undo.done();
            return one;
        });
    });
    if (changed.previous !== undefined) await retire(context, changed.previous);
}
