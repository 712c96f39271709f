// SPDX-License-Identifier: Apache-2.0
// TC chains where the kernel has no TCX: one bpf filter of clsact holds the dispatcher. A filter has no pin, so the row is
// written before the kernel is told, and stays, without links, until the filter is gone: a start after a kill looks there.
// Ours is a filter at the place of the row whose program is pinned in our own bpffs. Nothing else is changed.
import type { WantedLink } from "../../chain/plan.ts";
import * as bpf from "../../kernel/bpf.ts";
import { type Built, removeRevision } from "../../kernel/dispatch/backend.ts";
import { kernelError } from "../../kernel/errors.ts";
import { errnoName } from "../../kernel/ffi.ts";
import type { FilterPlace, TcHook } from "../../kernel/net/tc.ts";
import { BpfmanError } from "../../model/error.ts";
import type { Direction, HookKey } from "../../model/hooks.ts";
import type { KernelLinkId, ProgramId } from "../../model/ids.ts";
import type { ChainRecord, TcFilter } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { chainFolder, entryPin, hookId, hookText, revisionFolder } from "../pins.ts";
import type { Undo } from "../undo.ts";
import { asBpfmanError } from "../unexpected.ts";
import type { ChainChange } from "./chain-change.ts";
import { namespaceOf } from "./hook.ts";

/** as `tc filter show` tells it */
const filterName = "bpfman_tc";
/** where the first filter goes; the next free one where somebody else is there */
const firstPriority = 50;
const lastPriority = 0xffff;
const attempts = 8;

const placeOf = ({ ifindex, direction }: HookKey, { priority, handle }: TcFilter): FilterPlace => ({
    ifindex,
    direction,
    priority,
    handle,
});

/** A chain that a filter holds. */
export interface FilterChain extends ChainRecord {
    readonly filter: TcFilter;
}

export const hasFilter = (chain: ChainRecord): chain is FilterChain => chain.filter !== undefined;

/** What runs at the places of our filters, as last looked at. */
export class ClsactChains {
    #seen = new Map<string, ProgramId>();

    /** Looks at every chain that a filter holds. Costs nothing where none is. */
    async refresh(context: Context): Promise<void> {
        const seen = new Map<string, ProgramId>();
        for (const chain of context.store.chains()) {
            if (!hasFilter(chain)) continue;
            const running = await runningProgram(context, chain);
            if (running !== undefined) seen.set(hookId(chain.hook), running);
        }
        this.#seen = seen;
    }

    /** What was just done; undefined: taken away. */
    note(hook: HookKey, program: ProgramId | undefined): void {
        if (program === undefined) this.#seen.delete(hookId(hook));
        else this.#seen.set(hookId(hook), program);
    }

    /** The program at the filter's place; undefined: none, or the interface is gone. */
    program(hook: HookKey): ProgramId | undefined {
        return this.#seen.get(hookId(hook));
    }
}

async function runningProgram(
    context: Context,
    { hook, netns, filter }: Pick<FilterChain, "hook" | "netns" | "filter">,
): Promise<ProgramId | undefined> {
    try {
        const call = { op: "filter-program", place: placeOf(hook, filter) } as const;
        const found = await context.net.call(netns, call, namespaceOf(hook));
        return found === 0 ? undefined : (found as ProgramId);
    } catch (error) {
        // the namespace is gone, and the filter with it
        if (error instanceof BpfmanError && (error.code === "NOT_FOUND" || error.code === "INVALID_ARGUMENT"))
            return undefined;
        throw error;
    }
}

/** The dispatchers of a hook that are pinned here: those of its row, and of a change that was cut off. */
function ownDispatchers({ bpffs }: Context, { hook, programId }: ChainRecord): ProgramId[] {
    const folder = chainFolder(hook);
    const revision = new RegExp(`^dispatcher_${hook.nsid}_${hook.ifindex}_\\d+(_counting)?$`);
    const pins = bpffs
        .entries(folder)
        .filter(name => revision.test(name))
        .map(name => `${folder}/${name}/dispatcher`)
        .filter(name => bpffs.exists(name));
    return [
        ...(programId === 0 ? [] : [programId]),
        ...pins.map(name => {
            using fd = bpf.openPin(bpffs.path(name));
            return bpf.programIdentity(fd).id;
        }),
    ];
}

/** The dispatcher of ours at the filter's place, as it is now. */
export async function ownRunning(context: Context, chain: FilterChain): Promise<ProgramId | undefined> {
    const running = await runningProgram(context, chain);
    return running !== undefined && ownDispatchers(context, chain).includes(running) ? running : undefined;
}

function refuseQdisc<L extends WantedLink>({ hook, ...change }: ChainChange<L>, { qdisc }: TcHook): void {
    const what = `attach to ${hookText({ hook, ...change })}`;
    if (qdisc === undefined) return;
    if (qdisc.kind !== "clsact" && (qdisc.kind !== "ingress" || hook.direction === "egress"))
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `${what}: the interface has a qdisc of kind ${qdisc.kind} in the place of clsact, not managed here`,
            {
                errno: "EEXIST",
                hint: `It would have to go: tc qdisc replace dev ${change.interface} clsact keeps none of its filters.`,
            },
        );
    if (qdisc.sharedBlocks[hook.direction])
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `${what}: its ${hook.direction} filters are in a block that other interfaces share, not managed here`,
            {
                errno: "EOPNOTSUPP",
                hint: "A filter of this interface alone needs a qdisc without ingress_block and egress_block.",
            },
        );
}

/** At the first priority where nobody has a filter: those of others stay where they are. */
function freePlace({ filters }: TcHook, makeQdisc: boolean): TcFilter {
    const taken = new Set(filters.map(({ priority }) => priority));
    for (let priority = firstPriority; priority <= lastPriority; priority++)
        if (!taken.has(priority)) return { priority, handle: 1, ownQdisc: makeQdisc };
    throw new BpfmanError("RESOURCE_EXHAUSTED", "every priority of this interface's filters is taken");
}

/** Puts a revision to a hook that has none of ours. Undone by taking the filter, and a qdisc of our making, away. */
export async function attachFilter<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    built: Built,
    undo: Undo,
): Promise<{ kernelLinkId: KernelLinkId; filter: TcFilter; mode: undefined; modeReason: string }> {
    const { hook, netns } = change;
    using program = bpf.openPin(context.bpffs.path(built.entry));
    for (let attempt = 1; ; attempt++) {
        const look = { op: "tc-hook", ifindex: hook.ifindex, direction: hook.direction } as const;
        const found = await context.net.call(netns, look, namespaceOf(hook));
        refuseQdisc(change, found);
        const filter = freePlace(found, found.qdisc === undefined);
        const intended = intend(context, change, filter);
        const call = {
            op: "add-filter",
            place: placeOf(hook, filter),
            program: program.number,
            name: filterName,
            makeQdisc: filter.ownQdisc,
        } as const;
        const result = await context.net.call(netns, call, namespaceOf(hook));
        if (result >= 0) {
            context.clsact.note(hook, built.programId);
            undo.add(`attach ${hookText(change)}`, () =>
                removeFilterChain(context, { ...intended, programId: built.programId }),
            );
            return { kernelLinkId: 0 as KernelLinkId, filter, mode: undefined, modeReason: "" };
        }
        context.store.transaction(() => context.store.deleteChain(hook));
        // somebody came there since it was looked at
        if (errnoName(result) === "EEXIST" && attempt < attempts) continue;
        throw addError(change, result);
    }
}

function addError<L extends WantedLink>(change: ChainChange<L>, result: number): BpfmanError {
    const what = `attach to ${hookText(change)}`;
    switch (errnoName(result)) {
        case "ENOENT":
            return kernelError(`${what}: this kernel has neither TCX nor clsact with bpf filters`, result, {
                code: "UNIMPLEMENTED",
                hint: "It needs Linux 6.6, or the modules sch_ingress and cls_bpf.",
            });
        case "ENODEV":
            return kernelError(`${what}: the interface is gone`, result, { code: "NOT_FOUND" });
        default:
            return kernelError(what, result, { code: "FAILED_PRECONDITION" });
    }
}

/** The row of a chain that is about to be made: what tells a start after a kill where to look. */
function intend<L extends WantedLink>(context: Context, change: ChainChange<L>, filter: TcFilter): FilterChain {
    const { hook, interface: name, netns } = change;
    const { store, bootId } = context;
    const row: FilterChain = {
        ...{ hook, bootId, interface: name, netns, revision: 0, backend: "tail-call", backendReason: "" },
        ...{
            mode: undefined,
            modeReason: "",
            frags: false,
            counting: false,
            programId: 0 as ProgramId,
            programTag: "",
        },
        ...{ kernelLinkId: 0 as KernelLinkId, members: [], filter },
    };
    store.transaction(() => store.putChain(row));
    return row;
}

/** Exchanges the program of the filter in one step. Throws with nothing changed. */
export async function swapFilter(
    context: Context,
    previous: FilterChain,
    next: { readonly entry: string },
    expected: ProgramId,
): Promise<void> {
    const { hook, netns, filter } = previous;
    using program = bpf.openPin(context.bpffs.path(next.entry));
    const call = {
        op: "replace-filter",
        place: placeOf(hook, filter),
        program: program.number,
        name: filterName,
        expected,
    } as const;
    const result = await context.net.call(netns, call, namespaceOf(hook));
    if (result >= 0) return context.clsact.note(hook, bpf.programIdentity(program).id);
    const what = `change the chain of ${hookText(previous)}`;
    const reason = errnoName(result) === "EPERM" ? ": another program was put in its place" : "";
    throw kernelError(`${what}${reason}`, result, {
        code: errnoName(result) === "ENODEV" ? "NOT_FOUND" : "FAILED_PRECONDITION",
        hint: "The filter was changed by something else than this daemon; nothing was changed.",
    });
}

/** Puts the previous revision back; its pins are there until the new one is committed. */
export const swapFilterBack = (context: Context, previous: FilterChain, running: ProgramId): Promise<void> =>
    swapFilter(context, previous, { entry: entryPin(previous) }, running);

/**
 * Deletes the row of a chain whose links are gone, inside the caller's transaction. That of one that a filter holds stays
 * without links until removeFilterChain() is done.
 */
export function dropChainRow({ store }: Context, chain: ChainRecord): void {
    if (hasFilter(chain)) store.putChain({ ...chain, members: [] });
    else store.deleteChain(chain.hook);
}

/**
 * Takes the filter away, then the qdisc if it is of our making and nothing else is on it, then the row and the pins. Where the
 * kernel can't be asked, or does not take it away, the filter runs on: its row stays without links, for dropDeadLinks()
 * to try again, and so do its pins, without which the dispatcher would let every packet pass.
 */
export async function removeFilterChain(context: Context, chain: FilterChain): Promise<void> {
    const { store, bpffs, net, log } = context;
    const { hook, netns, filter } = chain;
    context.counting.leave(chain);
    const own = ownDispatchers(context, chain);
    const call = { op: "remove-filter", place: placeOf(hook, filter), programs: own } as const;
    const removed = await inNamespace(context, () => net.call(netns, call, namespaceOf(hook)));
    if (!takenAway.has(removed)) {
        log(`detach ${hookText(chain)}: ${removed}; it is tried again before the next change`);
        return;
    }
    if (removed !== "" && removed !== gone) log(`detach ${hookText(chain)}: ${removed}`);
    context.clsact.note(hook, undefined);
    // one that was never made may be somebody else's by now
    const made = filter.ownQdisc && (removed === "" || chain.revision > 0);
    const other = otherSide(context, hook);
    store.transaction(() => {
        if (made && other !== undefined) store.putChain({ ...other, filter: { ...other.filter, ownQdisc: true } });
        store.deleteChain(hook);
    });
    if (made && other === undefined && removed !== gone) {
        const empty = { op: "remove-empty-qdisc", ifindex: hook.ifindex } as const;
        const result = await inNamespace(context, () => net.call(netns, empty, namespaceOf(hook)));
        if (result !== "" && result !== gone) log(`remove clsact of ${chain.interface}: ${result}`);
    }
    // a packet may still be in it
    await net.call("", { op: "quiesce" });
    if (chain.revision === 0) return;
    context.counting.keep(context, chain);
    removeRevision(bpffs, revisionFolder(chain));
}

const gone = "its interface is gone";
/** No filter of ours is there after these: it was removed, it was not there, or somebody else's is. */
const takenAway: ReadonlySet<string> = new Set(["", gone, "ENOENT", "EPERM"]);

/** The chain of ours at the other direction of the same qdisc. */
function otherSide({ store }: Context, hook: HookKey): FilterChain | undefined {
    const direction: Direction = hook.direction === "ingress" ? "egress" : "ingress";
    const found = store.chain({ ...hook, direction });
    return found !== undefined && hasFilter(found) ? found : undefined;
}

/** Empty, or why not: an errno's name, that the interface or its namespace is gone, or what went wrong. */
async function inNamespace({ log }: Context, work: () => Promise<number>): Promise<string> {
    try {
        const result = await work();
        if (result >= 0) return "";
        return errnoName(result) === "ENODEV" ? gone : errnoName(result);
    } catch (error) {
        const { code, errno, message } = asBpfmanError(error, log);
        return code === "NOT_FOUND" || code === "INVALID_ARGUMENT" || errno === "ENODEV" ? gone : message;
    }
}
