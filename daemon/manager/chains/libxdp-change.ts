// SPDX-License-Identifier: Apache-2.0
// A change of a chain that is shared with libxdp, in the order of its protocol (lib/libxdp/protocol.org of xdp-tools):
// the next dispatcher is made beside the running one with the members of others as they are, pinned under the lock,
// and put in place only if the one that was read still runs; else all starts over. Then the old pins go.
import { compareLibxdp, type LibxdpOrdered } from "../../chain/libxdp-order.ts";
import { inOrder } from "../../chain/order.ts";
import { maxLinks, modeConflict, type Plan, type WantedLink } from "../../chain/plan.ts";
import { proceedOnMask } from "../../chain/proceed-on.ts";
import * as bpf from "../../kernel/bpf.ts";
import type { Built } from "../../kernel/dispatch/backend.ts";
import { Dispatcher } from "../../kernel/dispatch/dispatcher.ts";
import {
    dispatcherKind,
    type LibxdpDispatcher,
    makeDispatcher,
    type NextDispatcher,
    type NextMember,
    readDispatcher,
} from "../../kernel/dispatch/libxdp.ts";
import { installedVersion, type LibxdpVersion } from "../../kernel/dispatch/libxdp-config.ts";
import { kernelError } from "../../kernel/errors.ts";
import type { Fd } from "../../kernel/fd.ts";
import { errnoName } from "../../kernel/ffi.ts";
import { BpfmanError } from "../../model/error.ts";
import type { XdpMode } from "../../model/hooks.ts";
import type { KernelLinkId, ProgramId } from "../../model/ids.ts";
import type { ChainRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { hookText, revisionFolder } from "../pins.ts";
import { Undo, withUndo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";
import { attachError, attachInMode, whoIsThere } from "./attach-mode.ts";
import type { ChainChange, Changed } from "./chain-change.ts";
import { namespaceOf } from "./hook.ts";
import { findLocked, type LibxdpFound, ownCopies } from "./libxdp-state.ts";

const reason = "the chain is shared with other tools by libxdp's protocol";
const attempts = 10;

/** Somebody changed the chain since it was read. */
class Raced extends Error {}

/** Whether a first link joins a shared chain: the configuration wants it, or a dispatcher of libxdp is there. */
export function joinsLibxdp<L extends WantedLink>(context: Context, change: ChainChange<L>): boolean {
    if (change.hook.kind !== "xdp") return false;
    if (context.libxdp.configured.has(change.interface)) return true;
    const { device } = change;
    if (device?.xdp === undefined) return false;
    return typeof readDispatcher(context.libxdp.pins, device.ifindex, device.xdp.programId as ProgramId) === "object";
}

/** The links of ours that the change wants, and all members of others. Without any left nothing is at the hook any more. */
export function changeLibxdp<L extends WantedLink>(
    _scope: WriterScope,
    context: Context,
    change: ChainChange<L>,
    undo: Undo,
): Promise<Changed<L>> {
    return changeUntilDone(context, change, undo);
}

/** Takes all links of ours from a chain whose rows are gone. */
export async function leaveLibxdp(context: Context, chain: ChainRecord): Promise<void> {
    const { hook, interface: name, netns } = chain;
    const change = { hook, interface: name, netns, links: [], mode: "auto", device: undefined } as const;
    const { previous } = await withUndo(context.log, undo => changeUntilDone(context, change, undo));
    if (previous !== undefined) await retireLibxdp(context, previous);
}

async function changeUntilDone<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    undo: Undo,
): Promise<Changed<L>> {
    const { noFreplace } = context.abilities();
    if (noFreplace !== undefined)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `${hookText(change)} cannot share its chain with libxdp: ${noFreplace}`,
            { hint: "On this kernel take the other tool's programs away and leave the interface unshared." },
        );
    for (let attempt = 1; ; attempt++) {
        const steps = new Undo(context.log);
        try {
            const changed = await changeOnce(context, change, steps);
            undo.add(`change the chain of ${hookText(change)}`, () => steps.rollBack());
            return changed;
        } catch (error) {
            await steps.rollBack();
            if (!(error instanceof Raced)) throw error;
            if (attempt === attempts)
                throw new BpfmanError(
                    "ABORTED",
                    `${hookText(change)}: another tool changed the chain each time this daemon was about to`,
                    { hint: "Try again." },
                );
        }
    }
}

async function changeOnce<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    undo: Undo,
): Promise<Changed<L>> {
    const { hook } = change;
    const found = await findLocked(context, change);
    const { device, dispatcher: running } = found;
    if (device === undefined)
        throw new BpfmanError("NOT_FOUND", `${hookText(change)}: the interface is gone`, { errno: "ENODEV" });
    if (found.problem !== undefined) throw foreignError(context, change, found);
    const row = context.store.chain(hook);
    const mode = device.xdp?.mode as XdpMode | undefined;
    const revision = (row?.revision ?? 0) + 1;
    const runs = { backend: "libxdp", frags: running?.frags ?? false, mode, revision } as const;
    const conflict = running === undefined ? undefined : modeConflict(change.mode, runs, change.interface);
    if (conflict !== undefined) throw conflict;
    const folder = revisionFolder({ hook, revision, counting: false });
    undo.add(`make ${folder}`, () => context.bpffs.remove(folder));
    // what an attempt that was cut off left
    context.bpffs.remove(folder);
    context.bpffs.makeFolder(folder);
    const version = running?.version ?? installedVersion();
    const ordered = await orderMembers(context, change, running, version, folder);
    if (row === undefined && change.links.length > 0) intend(context, change, undo);
    // for a start after a kill: which pins in libxdp's folder are to go
    if (running !== undefined) rememberPrevious(context, running, `${folder}/previous`);
    const swapped = { mode, modeReason: row?.modeReason ?? "the mode of the chain that was there" };
    const members = ordered.flatMap(({ link }, position) =>
        link === undefined ? [] : [{ link, position, mask: proceedOnMask("xdp", link.proceedOn) }],
    );
    const plan: Plan<L> = {
        kind: "xdp",
        revision,
        backend: "libxdp",
        backendReason: `${reason}, version ${version}`,
        frags: ordered.length > 0 && ordered.every(({ frags }) => frags),
        counting: false,
        clsact: false,
        members,
    };
    const previous = replaced(context, change, plan, running);
    if (ordered.length === 0) {
        if (running !== undefined) await takeAway(context, change, running, mode, undo);
        const built = { entry: "", programId: 0 as ProgramId, programTag: "", memberLinks: [] };
        return { change, previous, plan, built, kernelLinkId: 0 as KernelLinkId, ...swapped };
    }
    const { pins } = context.libxdp;
    using next = makeDispatcher(pins, hook.ifindex, version, ordered);
    bpf.pin(next.program, context.bpffs.path(`${folder}/dispatcher`));
    undo.add("pin the dispatcher", () => pins.locked(() => pins.remove(hook.ifindex, next.programId)));
    await pins.locked(() => next.pinMembers());
    const placed = await swap(context, change, running, next, mode, undo);
    const built: Built = { entry: "", programId: next.programId, programTag: next.tag, memberLinks: next.links };
    return { change, previous, plan, built, kernelLinkId: 0 as KernelLinkId, ...swapped, ...placed };
}

function foreignError<L extends WantedLink>(context: Context, change: ChainChange<L>, found: LibxdpFound): BpfmanError {
    const who = whoIsThere(context, found.device);
    return new BpfmanError(
        "FAILED_PRECONDITION",
        `attach to ${hookText(change)}: another XDP program is attached${who}, not managed here: ${found.problem}`,
        { errno: "EBUSY", hint: "Detach it with the tool that attached it, then try again." },
    );
}

/** The row of a chain that is about to be joined: what tells a start after a kill where to look. */
function intend<L extends WantedLink>(context: Context, change: ChainChange<L>, undo: Undo): void {
    const { hook, interface: name, netns } = change;
    const { store, bootId } = context;
    store.transaction(() =>
        store.putChain({
            ...{ hook, bootId, interface: name, netns, revision: 0, backend: "libxdp", counting: false },
            ...{ backendReason: reason, mode: undefined, modeReason: "", frags: false, programTag: "" },
            ...{ programId: 0 as ProgramId, kernelLinkId: 0 as KernelLinkId, members: [] },
        }),
    );
    undo.add("join the chain", () => store.transaction(() => store.deleteChain(hook)));
}

function rememberPrevious(context: Context, running: LibxdpDispatcher, name: string): void {
    using fd = bpf.openProgram(running.programId);
    if (fd === undefined) throw new Raced();
    bpf.pin(fd, context.bpffs.path(name));
}

/** What retireLibxdp() is to remove, in the shape of a row. */
function replaced<L extends WantedLink>(
    context: Context,
    { hook, interface: name, netns }: ChainChange<L>,
    plan: Plan<L>,
    running: LibxdpDispatcher | undefined,
): ChainRecord {
    return {
        ...{ hook, bootId: context.bootId, interface: name, netns, revision: plan.revision, backend: "libxdp" },
        ...{ backendReason: "", mode: undefined, modeReason: "", frags: running?.frags ?? false, counting: false },
        ...{ programId: running?.programId ?? (0 as ProgramId), programTag: running?.tag ?? "" },
        ...{ kernelLinkId: 0 as KernelLinkId, members: [] },
    };
}

type Ordered<L> = NextMember & LibxdpOrdered & { readonly link: L | undefined };

async function orderMembers<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    running: LibxdpDispatcher | undefined,
    version: LibxdpVersion,
    folder: string,
): Promise<Ordered<L>[]> {
    const own = ownCopies(context);
    const others = (running?.members ?? [])
        .filter(member => !own.has(member.programId))
        .map(member => ({ ...member, what: `link program ${member.programId} (${member.name})`, link: undefined }));
    await makeCopies(context, change, version, folder);
    const ours = inOrder("xdp", change.links).map(link => ownMember(context, link));
    const ordered = [...others, ...ours].sort(compareLibxdp);
    if (ordered.length > maxLinks)
        throw new BpfmanError(
            "RESOURCE_EXHAUSTED",
            `no free dispatcher slots (all ${maxLinks} occupied) for xdp on ${change.interface}`,
            { hint: "Nothing was changed. Detach a link, or another tool's program, from this interface first." },
        );
    return ordered;
}

async function makeCopies<L extends WantedLink>(
    { bpffs, copies }: Context,
    { links }: ChainChange<L>,
    version: LibxdpVersion,
    folder: string,
): Promise<void> {
    const programs = links.map(({ program }) => program);
    if (programs.every(program => bpffs.exists(copies.name(program, "libxdp")))) return;
    // any dispatcher does: its functions are all alike, and a copy can be linked to another one later
    const target = `${folder}/target`;
    {
        using dispatcher = Dispatcher.load(dispatcherKind(version), [{ mask: 0, priority: 0, frags: false }], false);
        bpf.pin(dispatcher.program, bpffs.path(target));
    }
    await copies.makeAll(programs, "libxdp", target);
}

function ownMember<L extends WantedLink>({ bpffs, copies }: Context, link: L): Ordered<L> {
    const { program, priority, proceedOn } = link;
    const programPin = bpffs.path(copies.name(program, "libxdp"));
    using fd = bpf.openPin(programPin);
    const { name: kernelName, tag, loadedAt } = bpf.programInfo(fd);
    return {
        ...{ programPin, what: `link program ${program.id} (${program.name})`, link },
        ...{ priority, mask: proceedOnMask("xdp", proceedOn), frags: program.frags },
        ...{ name: kernelName, tag, loadedAt },
    };
}

const modeFlag = (mode: XdpMode | undefined): number => (mode === "generic" ? bpf.xdpFlag.skb : bpf.xdpFlag.driver);

function openRunning(running: LibxdpDispatcher): Fd {
    const fd = bpf.openProgram(running.programId);
    if (fd === undefined) throw new Raced();
    return fd;
}

async function setXdp<L extends WantedLink>(
    context: Context,
    { hook, netns }: Pick<ChainChange<L>, "hook" | "netns">,
    program: Fd | undefined,
    expected: Fd | undefined,
    flags: number,
): Promise<number> {
    const call = {
        op: "set-xdp",
        ifindex: hook.ifindex,
        program: program?.number ?? -1,
        expected: expected?.number ?? -1,
        flags,
    } as const;
    return context.net.call(netns, call, namespaceOf(hook));
}

/** net/core/dev.c, dev_xdp_attach: EEXIST where another program is there than the expected one, EBUSY for a bpf_link. */
function refused<L extends WantedLink>(change: ChainChange<L>, running: LibxdpDispatcher, result: number): Error {
    const name = errnoName(result);
    if (name === "EEXIST") return new Raced();
    const what = `change the chain of ${hookText(change)}`;
    if (name === "EBUSY")
        return kernelError(`${what}: a bpf_link holds the dispatcher (program ${running.programId})`, result, {
            hint: "The tool that made the link is the only one that can change the chain.",
        });
    if (name === "ENODEV") return kernelError(`${what}: the interface is gone`, result, { code: "NOT_FOUND" });
    return kernelError(what, result, {
        code: "FAILED_PRECONDITION",
        hint: "The driver refused the new dispatcher; the running chain is untouched.",
    });
}

async function swap<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    running: LibxdpDispatcher | undefined,
    next: NextDispatcher,
    mode: XdpMode | undefined,
    undo: Undo,
): Promise<{ mode?: XdpMode; modeReason?: string }> {
    const back = (at: XdpMode | undefined) =>
        undo.add(`swap ${hookText(change)}`, () => swapBack(context, change, running, next.programId, at));
    if (running === undefined) {
        const placed = await attachFirst(context, change, next.program);
        back(placed.mode);
        return placed;
    }
    using old = openRunning(running);
    const result = await setXdp(context, change, next.program, old, modeFlag(mode));
    if (result < 0) throw refused(change, running, result);
    back(mode);
    return {};
}

async function attachFirst<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    program: Fd,
): Promise<{ mode: XdpMode; modeReason: string }> {
    let last = 0;
    try {
        const { mode, modeReason } = await attachInMode(context, change, async flags => {
            last = await setXdp(context, change, program, undefined, flags);
            return last;
        });
        return { mode, modeReason };
    } catch (error) {
        // nothing was there when it was looked at: what came meanwhile may be a dispatcher that we join
        if (["EBUSY", "EEXIST"].includes(errnoName(last))) throw new Raced();
        throw error;
    }
}

async function takeAway<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    running: LibxdpDispatcher,
    mode: XdpMode | undefined,
    undo: Undo,
): Promise<void> {
    using old = openRunning(running);
    const result = await setXdp(context, change, undefined, old, modeFlag(mode));
    if (result < 0) throw refused(change, running, result);
    undo.add(`detach ${hookText(change)}`, async () => {
        using again = openRunning(running);
        const put = await setXdp(context, change, again, undefined, modeFlag(mode));
        if (put < 0) throw attachError(context, change, put);
    });
}

/** The old dispatcher lives by its members' links, whose pins are removed only after the commit. */
async function swapBack<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    running: LibxdpDispatcher | undefined,
    nextId: ProgramId,
    mode: XdpMode | undefined,
): Promise<void> {
    using next = bpf.openProgram(nextId);
    using old = running === undefined ? undefined : openRunning(running);
    const result = await setXdp(context, change, old, next, modeFlag(mode));
    if (result < 0) throw kernelError("swap back", result);
}

/** Removes the pins of a dispatcher that runs no more, once no packet is in it. */
export async function retireLibxdp(context: Context, previous: ChainRecord): Promise<void> {
    const { hook, programId } = previous;
    const { pins } = context.libxdp;
    if (programId !== 0) {
        await context.net.call("", { op: "quiesce" });
        await pins.locked(() => pins.remove(hook.ifindex, programId));
    }
    context.bpffs.remove(revisionFolder(previous));
    await context.libxdp.refresh(context);
}
