// SPDX-License-Identifier: Apache-2.0
// Chains that are shared with libxdp, as they are: any tool may have rebuilt one since we looked, so what is known of
// one is read from the kernel and libxdp's pins each time, and our links are found in it by their program.
import * as bpf from "../../kernel/bpf.ts";
import { type LibxdpDispatcher, type LibxdpMember, readDispatcher } from "../../kernel/dispatch/libxdp.ts";
import { LibxdpPins } from "../../kernel/dispatch/libxdp-pins.ts";
import type { LinkInterface } from "../../kernel/net/netlink.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey } from "../../model/hooks.ts";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type { ChainRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { sameHook } from "../pins.ts";
import { namespaceOf } from "./hook.ts";

export interface LibxdpSlotState {
    readonly member: LibxdpMember;
    /** the program of ours that runs in the slot as a copy */
    readonly programId: ProgramId | undefined;
    /** the link that wants it there; undefined also for what a change that was cut off left */
    readonly linkId: LinkId | undefined;
}

export interface LibxdpState {
    readonly device: LinkInterface;
    readonly dispatcher: LibxdpDispatcher;
    /** by position */
    readonly slots: readonly LibxdpSlotState[];
}

/** What is at an XDP hook: nothing, a dispatcher, or something that no chain can be shared with, and why. */
export interface LibxdpFound {
    readonly device: LinkInterface | undefined;
    readonly dispatcher: LibxdpDispatcher | undefined;
    /** end of a sentence */
    readonly problem: string | undefined;
}

const hookId = ({ nsid, netnsCookie, ifindex }: HookKey): string => `${nsid} ${netnsCookie} ${ifindex}`;

/** The interface as the kernel shows it now; undefined: it is gone, or its namespace is. */
async function deviceOf(context: Context, { hook, netns }: Pick<ChainRecord, "hook" | "netns">) {
    try {
        const { interfaces } = await context.net.call(netns, { op: "interfaces" }, namespaceOf(hook));
        return interfaces.find(({ ifindex }) => ifindex === hook.ifindex);
    } catch (error) {
        if (error instanceof BpfmanError && (error.code === "NOT_FOUND" || error.code === "INVALID_ARGUMENT"))
            return undefined;
        throw error;
    }
}

export function findDispatcher(pins: LibxdpPins, device: LinkInterface | undefined): LibxdpFound {
    const nothing = { device, dispatcher: undefined, problem: undefined };
    if (device?.xdp === undefined) return nothing;
    const { mode, programId } = device.xdp;
    if (mode !== "native" && mode !== "generic") return { ...nothing, problem: `XDP runs there in ${mode} mode` };
    const found = readDispatcher(pins, device.ifindex, programId as ProgramId);
    if (found === undefined) return { ...nothing, problem: "it is no dispatcher of libxdp" };
    if (typeof found === "string") return { ...nothing, problem: found };
    if (found.deviceBound) return { ...nothing, problem: "its programs are bound to the device" };
    return { ...nothing, dispatcher: found };
}

const attempts = 4;

/** Reads without libxdp's lock: a reader waits for nobody. A chain that changes meanwhile is read again. */
async function find(context: Context, at: Pick<ChainRecord, "hook" | "netns">): Promise<LibxdpFound> {
    for (let attempt = 1; ; attempt++) {
        const device = await deviceOf(context, at);
        const found = findDispatcher(context.libxdp.pins, device);
        if (found.problem === undefined || attempt === attempts) return found;
    }
}

/** Reads under libxdp's lock, as its protocol wants it before a change. */
export async function findLocked(context: Context, at: Pick<ChainRecord, "hook" | "netns">): Promise<LibxdpFound> {
    for (let attempt = 1; ; attempt++) {
        const device = await deviceOf(context, at);
        const { pins } = context.libxdp;
        const found = await pins.locked(() => findDispatcher(pins, device));
        if (found.problem === undefined || attempt === attempts) return found;
    }
}

/** Our programs by the id of their copy for shared chains; also those that have no row yet, or no more. */
export function ownCopies({ bpffs }: Context): Map<ProgramId, ProgramId> {
    const own = new Map<ProgramId, ProgramId>();
    for (const entry of bpffs.entries("copies")) {
        const match = /^(\d+)_libxdp$/.exec(entry);
        if (match === null) continue;
        using fd = bpf.openPin(bpffs.path(`copies/${entry}`));
        own.set(bpf.programIdentity(fd).id, Number(match[1]) as ProgramId);
    }
    return own;
}

/** Which of the hook's links each slot holds: by program, of several links of one program that with its priority. */
export function matchSlots(context: Context, hook: HookKey, dispatcher: LibxdpDispatcher): LibxdpSlotState[] {
    const own = ownCopies(context);
    const free = context.store.links().filter(link => sameHook(link.hook, hook));
    return dispatcher.members.map(member => {
        const programId = own.get(member.programId);
        const fits = free.filter(link => link.programId === programId);
        const link = fits.find(({ priority }) => priority === member.priority) ?? fits[0];
        if (link !== undefined) free.splice(free.indexOf(link), 1);
        return { member, programId, linkId: link?.id };
    });
}

export class LibxdpChains {
    readonly pins = new LibxdpPins();
    /** interfaces whose chain is shared by configuration, by name */
    readonly configured: ReadonlySet<string>;
    #seen: ReadonlyMap<string, LibxdpState> = new Map();
    constructor(configured: ReadonlySet<string>) {
        this.configured = configured;
    }

    /** Looks at every chain of ours that is shared. Costs nothing where none is. */
    async refresh(context: Context): Promise<void> {
        const seen = new Map<string, LibxdpState>();
        for (const chain of context.store.chains()) {
            if (chain.backend !== "libxdp") continue;
            const { device, dispatcher } = await find(context, chain);
            if (device === undefined || dispatcher === undefined) continue;
            const slots = matchSlots(context, chain.hook, dispatcher);
            seen.set(hookId(chain.hook), { device, dispatcher, slots });
        }
        this.#seen = seen;
    }

    /** As last looked at; undefined: the interface, or the dispatcher at it, is gone. */
    state(hook: HookKey): LibxdpState | undefined {
        return this.#seen.get(hookId(hook));
    }

    /** The dispatchers that run, as last looked at. */
    running(): Set<ProgramId> {
        return new Set(Array.from(this.#seen.values(), ({ dispatcher }) => dispatcher.programId));
    }
}
