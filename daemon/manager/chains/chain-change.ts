// SPDX-License-Identifier: Apache-2.0
// One change of an XDP or TC chain: the next revision is built whole beside the running one, swapped in by one atomic
// step, and, once the rows are committed, the old one is removed. A kill in between leaves the old revision or the new.
import { setTimeout as sleep } from "node:timers/promises";
import { modeConflict, type Plan, planRevision, type WantedLink } from "../../chain/plan.ts";
import * as bpf from "../../kernel/bpf.ts";
import { type Built, removeRevision } from "../../kernel/dispatch/backend.ts";
import { build } from "../../kernel/dispatch/revision.ts";
import { kernelError } from "../../kernel/errors.ts";
import { Fd } from "../../kernel/fd.ts";
import { errno, errnoName } from "../../kernel/ffi.ts";
import type { LinkInterface } from "../../kernel/net/netlink.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey, XdpMode, XdpModeWanted } from "../../model/hooks.ts";
import type { KernelLinkId, LinkId } from "../../model/ids.ts";
import type { ChainRecord, TcFilter } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { chainLinkPin, entryPin, hookText, revisionFolder } from "../pins.ts";
import type { Undo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";
import { attachError, attachInMode } from "./attach-mode.ts";
import { attachFilter, hasFilter, removeFilterChain, swapFilter, swapFilterBack } from "./clsact.ts";
import { namespaceOf } from "./hook.ts";
import { changeLibxdp, joinsLibxdp, leaveLibxdp, retireLibxdp } from "./libxdp-change.ts";

export interface ChainChange<L extends WantedLink> {
    readonly hook: HookKey;
    readonly interface: string;
    readonly netns: string;
    /** what the chain is to hold; at least one, but for a shared chain */
    readonly links: readonly L[];
    readonly mode: XdpModeWanted;
    /** the interface as just read, where the hook may be empty; tells who is in the way */
    readonly device: LinkInterface | undefined;
    /** the links are those that run: only whether they are counted changes */
    readonly recount?: boolean;
}

export interface Changed<L extends WantedLink> {
    readonly change: ChainChange<L>;
    readonly previous: ChainRecord | undefined;
    readonly plan: Plan<L>;
    readonly built: Built;
    readonly kernelLinkId: KernelLinkId;
    readonly filter?: TcFilter | undefined;
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
}

interface Placed {
    readonly kernelLinkId: KernelLinkId;
    readonly filter?: TcFilter | undefined;
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
}

/** Opens a chain's link by its pin and checks that it is the recorded one. */
export function openChainLink(context: Context, chain: ChainRecord): Fd {
    const fd = bpf.openPin(context.bpffs.path(chainLinkPin(chain.hook)));
    const found = bpf.linkInfo(fd).id;
    if (found === chain.kernelLinkId) return fd;
    fd[Symbol.dispose]();
    throw new BpfmanError("INTERNAL", `the pin of ${hookText(chain)} holds link ${found}, not ${chain.kernelLinkId}`);
}

/** Builds the next revision and swaps it in. The caller commits chainRow() and then calls retire(). */
export async function changeChain<L extends WantedLink>(
    scope: WriterScope,
    context: Context,
    change: ChainChange<L>,
    undo: Undo,
): Promise<Changed<L>> {
    const { hook } = change;
    if (hook.kind === "tcx") throw new BpfmanError("INTERNAL", "tcx links are in no dispatcher");
    const previous = context.store.chain(hook);
    if (previous?.backend === "libxdp" || (previous === undefined && joinsLibxdp(context, change)))
        return changeLibxdp(scope, context, change, undo);
    const conflict = previous === undefined ? undefined : modeConflict(change.mode, previous, change.interface);
    if (conflict !== undefined) throw conflict;
    const { plan, built } = await realise(context, change, previous, undo);
    const put = plan.clsact ? attachFilter : attach;
    const placed =
        previous === undefined
            ? await put(context, change, built, undo)
            : await swap(context, change, previous, built, undo);
    return { change, previous, plan, built, ...placed };
}

interface Realised<L extends WantedLink> {
    readonly plan: Plan<L>;
    readonly built: Built;
}

/** The next revision, counting where statistics are watched. No change fails because a counting one can't be built. */
async function realise<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    previous: ChainRecord | undefined,
    undo: Undo,
): Promise<Realised<L>> {
    const { hook, recount = false } = change;
    const make = async (counting: boolean): Promise<Realised<L>> => {
        const kind = hook.kind === "xdp" ? "xdp" : "tc";
        const wishes = { counting, sameRevision: recount };
        const plan = planRevision(kind, change.interface, change.links, previous, context.abilities(), wishes);
        const folder = revisionFolder({ hook, revision: plan.revision, counting });
        undo.add(`build ${folder}`, () => removeRevision(context.bpffs, folder));
        const members = plan.members.map(({ link, mask }) => ({
            program: link.program,
            mask,
            priority: link.priority,
        }));
        const request = { frags: plan.frags, members, folder, counting };
        const dispatcher = plan.clsact ? "tc_clsact" : kind;
        return { plan, built: await build(plan.backend, { ...request, kind: dispatcher }, context) };
    };
    if (!context.counting.isWanted(hook)) return make(false);
    try {
        return await make(true);
    } catch (error) {
        if (recount) throw error;
        // throws the same where it was not the counting
        const realised = await make(false);
        context.counting.refuse(context, change, error);
        const { revision } = realised.plan;
        removeRevision(context.bpffs, revisionFolder({ hook, revision, counting: true }));
        return realised;
    }
}

async function swap<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    previous: ChainRecord,
    built: Built,
    undo: Undo,
): Promise<Placed> {
    const placed = {
        kernelLinkId: previous.kernelLinkId,
        filter: previous.filter,
        mode: previous.mode,
        modeReason: previous.modeReason,
    };
    // the lone program stays, only what it proceeds on has changed
    if (previous.programId === built.programId) return placed;
    if (hasFilter(previous)) {
        await swapFilter(context, previous, built, previous.programId);
        context.counting.leave(previous);
        undo.add(`swap ${hookText(change)}`, () => swapFilterBack(context, previous, built.programId));
        return placed;
    }
    using link = openChainLink(context, previous);
    using next = bpf.openPin(context.bpffs.path(built.entry));
    using running = bpf.openPin(context.bpffs.path(entryPin(previous)));
    const update = (program: Fd, expected: Fd) =>
        context.net.call("", {
            op: "update-link",
            link: link.number,
            program: program.number,
            expected: expected.number,
        });
    const result = await update(next, running);
    if (result < 0) throw swapError(change, result);
    context.counting.leave(previous);
    undo.add(`swap ${hookText(change)}`, () => swapBack(context, previous, built));
    return placed;
}

function swapError<L extends WantedLink>(change: ChainChange<L>, result: number): BpfmanError {
    const name = errnoName(result);
    const what = `change the chain of ${hookText(change)}`;
    if (name === "EPERM")
        return kernelError(`${what}: another program was put in its place`, result, {
            code: "FAILED_PRECONDITION",
            hint: "The chain was changed by something else than this daemon; nothing was changed.",
        });
    if (name === "ENOLINK" || name === "ENODEV")
        return kernelError(`${what}: the interface is gone`, result, { code: "NOT_FOUND" });
    return kernelError(what, result, {
        code: "FAILED_PRECONDITION",
        hint: "The driver refused the new program; the running chain is untouched.",
    });
}

/** Puts the previous revision back; its pins are there until the new one is committed. */
export async function swapBack(context: Context, previous: ChainRecord, built: { entry: string }): Promise<void> {
    using link = openChainLink(context, previous);
    using running = bpf.openPin(context.bpffs.path(built.entry));
    using old = bpf.openPin(context.bpffs.path(entryPin(previous)));
    const call = { op: "update-link", link: link.number, program: old.number, expected: running.number } as const;
    const result = await context.net.call("", call);
    if (result < 0) throw kernelError("swap back", result);
}

async function attach<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    built: Built,
    undo: Undo,
): Promise<Placed> {
    using program = bpf.openPin(context.bpffs.path(built.entry));
    const { link: made, mode, modeReason } = await createLink(context, change, program);
    using link = made;
    const pinName = chainLinkPin(change.hook);
    bpf.pin(link, context.bpffs.path(pinName));
    undo.add(`attach ${hookText(change)}`, () => detachPinned(context, pinName));
    return { kernelLinkId: bpf.linkInfo(link).id, mode, modeReason };
}

async function createLink<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    program: Fd,
): Promise<{ link: Fd; mode: XdpMode | undefined; modeReason: string }> {
    const { hook } = change;
    if (hook.kind !== "xdp")
        return { link: await createTcLink(context, change, program), mode: undefined, modeReason: "" };
    const create = (flags: number) =>
        context.net.call(
            change.netns,
            { op: "create-xdp-link", program: program.number, ifindex: hook.ifindex, flags },
            namespaceOf(hook),
        );
    const { result, ...placed } = await attachInMode(context, change, create);
    return { link: new Fd(result), ...placed };
}

/** The one TCX link of a TC chain goes last: after our own tcx links, and after what others put there before. */
async function createTcLink<L extends WantedLink>(context: Context, change: ChainChange<L>, program: Fd): Promise<Fd> {
    const { hook } = change;
    const result = await context.net.call(
        change.netns,
        {
            op: "create-tcx-link",
            program: program.number,
            ifindex: hook.ifindex,
            attachType: tcxAttachType(hook),
            place: { flags: 0, relativeFd: 0, revision: 0n },
        },
        namespaceOf(hook),
    );
    if (result < 0) throw attachError(context, change, result);
    return new Fd(result);
}

export const tcxAttachType = (hook: HookKey): number =>
    hook.direction === "ingress" ? bpf.attachType.tcxIngress : bpf.attachType.tcxEgress;

/** The row of what now runs. */
export function chainRow<L extends WantedLink>(
    changed: Changed<L>,
    bootId: string,
    linkId: (link: L) => LinkId,
): ChainRecord {
    const { change, plan, built } = changed;
    return {
        hook: change.hook,
        bootId,
        interface: change.interface,
        netns: change.netns,
        revision: plan.revision,
        backend: plan.backend,
        backendReason: plan.backendReason,
        mode: changed.mode,
        modeReason: changed.modeReason,
        frags: plan.frags,
        counting: plan.counting,
        programId: built.programId,
        programTag: built.programTag,
        kernelLinkId: changed.kernelLinkId,
        ...(changed.filter && { filter: changed.filter }),
        members: plan.members.map(({ link, position }) => ({
            linkId: linkId(link),
            kernelLinkId: built.memberLinks[position],
        })),
    };
}

/**
 * Removes a revision that runs no more. A packet may still be in it where the swap did not wait for RCU, and a
 * PROG_ARRAY is emptied with its pin: so this waits first.
 */
export async function retire(context: Context, previous: ChainRecord): Promise<void> {
    if (previous.backend === "libxdp") return retireLibxdp(context, previous);
    if (previous.backend === "direct") return;
    const folder = revisionFolder(previous);
    try {
        if (previous.backend === "tail-call" || previous.counting || previous.hook.kind === "tc")
            await context.net.call("", { op: "quiesce" });
        // what it counted until its last packet
        context.counting.keep(context, previous);
        removeRevision(context.bpffs, folder);
    } catch (error) {
        // the change is made and committed; what is left here the next start removes
        context.log(`remove ${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
}

/** Takes a whole chain from its hook, after its rows are gone. */
export async function removeChain(context: Context, chain: ChainRecord): Promise<void> {
    if (chain.backend === "libxdp") return leaveLibxdp(context, chain);
    if (hasFilter(chain)) return removeFilterChain(context, chain);
    context.counting.leave(chain);
    await detachPinned(context, chainLinkPin(chain.hook));
    await retire(context, chain);
}

/**
 * Detaches and unpins a link. BPF_LINK_DETACH first: on return the program runs no more, whoever else holds the link.
 * A pin that is gone is no error.
 */
export async function detachPinned(context: Context, name: string): Promise<void> {
    if (!context.bpffs.exists(name)) return;
    using link = bpf.openPin(context.bpffs.path(name));
    const { id } = bpf.linkInfo(link);
    const result = await context.net.call("", { op: "detach-link", link: link.number });
    // ENOLINK, ENODEV: the interface went and took it along; EOPNOTSUPP: links of this kind end with their last holder
    const expected = [errno["ENOLINK"], errno["ENODEV"], errno["EOPNOTSUPP"]];
    if (result < 0 && !expected.some(known => result === -(known ?? 0)))
        context.log(`detach ${name}: ${errnoName(result)}`);
    context.bpffs.remove(name);
    if (result !== -(errno["EOPNOTSUPP"] ?? 95)) return;
    // the last close takes the program from its hook before it returns (kernel/bpf/syscall.c, bpf_link_release)
    await context.net.call("", { op: "close", fd: link.release() });
    await untilGone(context, id, name);
}

const goneWithinMs = 3000;
const goneStepMs = 20;
/** A link that was still there a moment ago has its id taken first, and runs on while it is taken down. */
const settleMs = 100;

/** Somebody else may hold the link for a moment: whoever lists links does. */
async function untilGone(context: Context, id: KernelLinkId, name: string): Promise<void> {
    for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += goneStepMs) {
        {
            using fd = bpf.openLink(id);
            if (fd === undefined) {
                if (waitedMs > 0) await sleep(settleMs);
                return;
            }
        }
        await sleep(goneStepMs);
    }
    context.log(`detach ${name}: another process holds link ${id}, so its program runs on`);
}
