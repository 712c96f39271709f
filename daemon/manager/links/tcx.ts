// SPDX-License-Identifier: Apache-2.0
// TCX links: the kernel keeps the list, we say where in it each of ours goes. What others put there stays where it is.
import { inOrder, type Ordered } from "../../chain/order.ts";
import * as bpf from "../../kernel/bpf.ts";
import { openRecorded } from "../../kernel/dispatch/backend.ts";
import { kernelError } from "../../kernel/errors.ts";
import { Fd } from "../../kernel/fd.ts";
import { errno, errnoName } from "../../kernel/ffi.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey } from "../../model/hooks.ts";
import type { KernelLinkId } from "../../model/ids.ts";
import type { NetworkLinkRecord, ProgramRecord } from "../../model/records.ts";
import { detachPinned, tcxAttachType } from "../chains/chain-change.ts";
import { namespaceOf } from "../chains/hook.ts";
import type { Context } from "../context.ts";
import { chainLinkPin, hookText, isNetworkLink, sameHook, tcxPin } from "../pins.ts";
import type { Undo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";

/** A link of ours that is in the kernel's list. */
export interface PlacedTcx extends Ordered {
    readonly kernelLinkId: KernelLinkId;
}

export interface TcxTarget {
    readonly hook: HookKey;
    readonly interface: string;
    readonly netns: string;
}

/** Our links at a hook, as the rows have them. */
export function placedLinks(context: Context, hook: HookKey): (PlacedTcx & { record: NetworkLinkRecord })[] {
    return context.store.links().flatMap(record => {
        if (!isNetworkLink(record) || !sameHook(record.hook, hook) || record.kernelLinkId === undefined) return [];
        const { priority, request, requestIndex, kernelLinkId } = record;
        return [{ priority, request, requestIndex, kernelLinkId, record }];
    });
}

/** The link after or before which a new one goes, and the flags that say so. */
function anchor(context: Context, hook: HookKey, placed: readonly PlacedTcx[], link: Ordered) {
    const ordered = inOrder<Ordered & { kernelLinkId?: KernelLinkId }>("tcx", [...placed, link]);
    const at = ordered.indexOf(link);
    for (const next of ordered.slice(at + 1)) {
        const fd = next.kernelLinkId === undefined ? undefined : bpf.openLink(next.kernelLinkId);
        if (fd !== undefined) return { flags: bpf.tcxFlag.before | bpf.tcxFlag.link, fd };
    }
    for (const previous of ordered.slice(0, at).reverse()) {
        const fd = previous.kernelLinkId === undefined ? undefined : bpf.openLink(previous.kernelLinkId);
        if (fd !== undefined) return { flags: bpf.tcxFlag.after | bpf.tcxFlag.link, fd };
    }
    // alone: before the TC chain's link, which is always last of ours, else at the head
    const chain = context.store.chain({ ...hook, kind: "tc" });
    if (chain !== undefined)
        return {
            flags: bpf.tcxFlag.before | bpf.tcxFlag.link,
            fd: bpf.openPin(context.bpffs.path(chainLinkPin(chain.hook))),
        };
    return { flags: bpf.tcxFlag.before, fd: undefined };
}

const attempts = 8;

/** Makes a TCX link at its place and pins it. */
export async function createTcx(
    context: Context,
    target: TcxTarget,
    program: Fd,
    link: Ordered,
    placed: readonly PlacedTcx[],
    pinName: string,
): Promise<KernelLinkId> {
    const { hook, netns } = target;
    const attachType = tcxAttachType(hook);
    for (let attempt = 1; ; attempt++) {
        const query = { op: "query-tcx", ifindex: hook.ifindex, attachType } as const;
        const { revision } = await context.net.call(netns, query, namespaceOf(hook));
        const { flags, fd } = anchor(context, hook, placed, link);
        using relative = fd ?? new Fd(-1);
        const place = { flags, relativeFd: fd === undefined ? 0 : relative.number, revision };
        const create = {
            op: "create-tcx-link",
            program: program.number,
            ifindex: hook.ifindex,
            attachType,
            place,
        } as const;
        const result = await context.net.call(netns, create, namespaceOf(hook));
        // somebody else changed the list since it was read
        if (result === -(errno["ESTALE"] ?? 116) && attempt < attempts) continue;
        if (result < 0) throw tcxError(target, result);
        using made = new Fd(result);
        bpf.pin(made, context.bpffs.path(pinName));
        return bpf.linkInfo(made).id;
    }
}

/** Where there is no TCX, nothing of a request is begun. */
export function refuseWithoutTcx(context: Context, target: Pick<TcxTarget, "hook" | "interface">): void {
    const { noTcx } = context.abilities();
    if (noTcx === undefined) return;
    throw new BpfmanError("UNIMPLEMENTED", `attach to ${hookText(target)}: ${noTcx}, which came with Linux 6.6`, {
        errno: "EINVAL",
        hint: "Load the program as type tc: chains of those run on any kernel.",
    });
}

function tcxError(target: TcxTarget, result: number): BpfmanError {
    const what = `attach to ${hookText(target)}`;
    switch (errnoName(result)) {
        case "EINVAL":
            return kernelError(`${what}: this kernel has no TCX (Linux 6.6)`, result, { code: "UNIMPLEMENTED" });
        case "ERANGE":
            return kernelError(`${what}: the kernel's 63 places are taken`, result, { code: "RESOURCE_EXHAUSTED" });
        case "EEXIST":
            return kernelError(`${what}: the program is attached there already, not by this daemon`, result);
        default:
            return kernelError(what, result);
    }
}

/** The kernel takes a program once at a hook. */
export function refuseDuplicate(context: Context, target: TcxTarget, program: ProgramRecord): void {
    const link = placedLinks(context, target.hook).find(({ record }) => record.programId === program.id)?.record;
    if (link === undefined) return;
    throw new BpfmanError(
        "ALREADY_EXISTS",
        `program ${program.id} is already attached to ${target.interface} ${target.hook.direction} as link ${link.id}; detach it first`,
        { errno: "EEXIST" },
    );
}

/** Attaches a program as a TCX link; undone by detaching it. */
export async function attachTcx(
    _scope: WriterScope,
    context: Context,
    target: TcxTarget,
    program: ProgramRecord,
    link: Ordered,
    placed: readonly PlacedTcx[],
    undo: Undo,
): Promise<KernelLinkId> {
    const pinName = tcxPin({ hook: target.hook, programId: program.id });
    using fd = openRecorded(context.bpffs, program);
    const id = await createTcx(context, target, fd, link, placed, pinName);
    undo.add(`attach ${hookText(target)}`, () => detachPinned(context, pinName));
    return id;
}

/** A moved link; its stand-in goes with finish(), once the row says where the link is. */
export interface Moved {
    readonly kernelLinkId: KernelLinkId;
    finish(): Promise<void>;
}

/**
 * Moves a link to another place in the list. The kernel cannot move one, and takes a program once: so a second copy of
 * the program, with the same maps, stands in at the new place while the link is made again. A packet may meet the
 * program twice for a moment, never not at all; as long as the stand-in is pinned, a start takes an uncommitted move back.
 */
export async function moveTcx(
    scope: WriterScope,
    context: Context,
    record: NetworkLinkRecord,
    program: ProgramRecord,
    to: Ordered,
    undo: Undo,
    others: readonly PlacedTcx[] = placedLinks(context, record.hook).filter(({ record: { id } }) => id !== record.id),
): Promise<Moved> {
    const standIn = tcxPin(record, true);
    const copyName = await context.copies.make(program, "double");
    try {
        using copy = bpf.openPin(context.bpffs.path(copyName));
        const standInId = await createTcx(context, record, copy, to, others, standIn);
        undo.add("remove the stand-in", () => detachPinned(context, standIn));
        undo.add("put the link back", () => putBack(context, record, program, others));
        await detachPinned(context, tcxPin(record));
        // the stand-in has the place: right before it is where the link belongs
        const beforeStandIn = { priority: to.priority, request: to.request, requestIndex: to.requestIndex - 1 };
        const withStandIn = [...others, { ...to, kernelLinkId: standInId }];
        const kernelLinkId = await attachTcx(scope, context, record, program, beforeStandIn, withStandIn, undo);
        return { kernelLinkId, finish: () => detachPinned(context, standIn) };
    } finally {
        context.bpffs.remove(copyName);
    }
}

/** Makes a link again at the place that its row names, while its stand-in runs. */
export async function putBack(
    context: Context,
    record: NetworkLinkRecord,
    program: ProgramRecord,
    others: readonly PlacedTcx[] = placedLinks(context, record.hook).filter(({ record: { id } }) => id !== record.id),
): Promise<void> {
    await detachPinned(context, tcxPin(record));
    using fd = openRecorded(context.bpffs, program);
    const kernelLinkId = await createTcx(context, record, fd, record, others, tcxPin(record));
    context.store.transaction(() => context.store.updateLink({ ...record, kernelLinkId }));
}
