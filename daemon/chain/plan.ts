// SPDX-License-Identifier: Apache-2.0
// Decides how the next revision of an XDP or TC chain is realised. Pure: what it needs to know, it is told.
import { BpfmanError } from "../model/error.ts";
import type { XdpMode, XdpModeWanted } from "../model/hooks.ts";
import type { Backend, ProgramRecord } from "../model/records.ts";
import { inOrder, type Ordered } from "./order.ts";
import { proceedOnMask, xdpActions } from "./proceed-on.ts";

/** Slots of a dispatcher, and so of a chain. */
export const maxLinks = 10;

export interface WantedLink extends Ordered {
    readonly program: ProgramRecord;
    readonly proceedOn: readonly number[];
}

export interface Running {
    readonly backend: Backend;
    readonly frags: boolean;
    readonly mode: XdpMode | undefined;
    readonly revision: number;
    /** what holds a TC chain where no TCX link does */
    readonly filter?: object | undefined;
}

/** What a probe at start found. */
export interface Abilities {
    /** undefined: freplace works; else why it does not, one sentence */
    readonly noFreplace: string | undefined;
    /** the same for TCX */
    readonly noTcx: string | undefined;
}

export interface PlannedMember<L> {
    readonly link: L;
    readonly position: number;
    /** as dispatchers test it */
    readonly mask: number;
}

export interface Plan<L> {
    readonly kind: "xdp" | "tc";
    readonly revision: number;
    readonly backend: Backend;
    readonly backendReason: string;
    readonly frags: boolean;
    /** a dispatcher that counts what each link does */
    readonly counting: boolean;
    /** a TC chain that a filter of clsact holds, not a TCX link */
    readonly clsact: boolean;
    readonly members: readonly PlannedMember<L>[];
}

/** What is not said of the links themselves. */
export interface PlanWishes {
    readonly counting: boolean;
    /** the links are those that run: only whether they are counted changes */
    readonly sameRevision: boolean;
}

/** A lone XDP program's verdicts are those of a chain of one while it proceeds on nothing that ends a packet. */
function behavesAlone(proceedOn: readonly number[]): boolean {
    return proceedOn.every(code => code === xdpActions.pass || code === xdpActions.dispatcher_return);
}

/**
 * libxdp's rule: a dispatcher takes multi-buffer packets when every member does. An attached XDP program cannot be
 * swapped for one that takes fewer packets: what runs with frags stays with frags.
 */
function planFrags(interfaceName: string, links: readonly WantedLink[], running: Running | undefined): boolean {
    if (running !== undefined && !running.frags) return false;
    const plain = links.find(({ program }) => !program.frags);
    if (running?.frags && plain !== undefined)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `program ${plain.program.id} (${plain.program.name}) does not take multi-buffer packets, and the XDP chain of ${interfaceName} does`,
            {
                hint: "Put it into a section called xdp.frags, or detach what runs there first: a running chain cannot change this.",
            },
        );
    return plain === undefined;
}

/** The next revision with these links, or a BpfmanError that says why there is none. At least one link. */
export function planRevision<L extends WantedLink>(
    kind: "xdp" | "tc",
    interfaceName: string,
    links: readonly L[],
    running: Running | undefined,
    abilities: Abilities,
    { counting, sameRevision }: PlanWishes = { counting: false, sameRevision: false },
): Plan<L> {
    if (links.length > maxLinks)
        throw new BpfmanError(
            "RESOURCE_EXHAUSTED",
            `no free dispatcher slots (all ${maxLinks} occupied) for ${kind} on ${interfaceName}`,
            { hint: `Nothing was changed. Detach one of its links first: bpfman link list --kind ${kind}` },
        );
    const frags = kind === "xdp" && planFrags(interfaceName, links, running);
    const members = inOrder(kind, links).map((link, position) => ({
        link,
        position,
        mask: proceedOnMask(kind, link.proceedOn),
    }));
    const first = members[0];
    const revision = (running?.revision ?? 0) + (sameRevision ? 0 : 1);
    const common = { kind, revision, frags, counting, members };
    const lone = members.length === 1 && first !== undefined && behavesAlone(first.link.proceedOn);
    // the kernel counts a lone program's runs itself, but not what it decides
    if (kind === "xdp" && lone && !counting)
        return {
            ...common,
            backend: "direct",
            backendReason: "one link that proceeds on pass at most needs no dispatcher",
            clsact: false,
        };
    const clsact =
        kind === "tc" && (running === undefined ? abilities.noTcx !== undefined : running.filter !== undefined);
    const held = clsact ? `; ${abilities.noTcx ?? "it was there"}, so a bpf filter of clsact holds the dispatcher` : "";
    const freplace = abilities.noFreplace === undefined;
    const reason = freplace
        ? "each link replaces a function of the dispatcher, the cheapest way"
        : `${abilities.noFreplace}, so the dispatcher tail-calls its links`;
    return {
        ...common,
        backend: freplace ? "freplace" : "tail-call",
        backendReason: `${reason}${held}${counting ? "; it counts what they do while statistics are watched" : ""}`,
        clsact,
    };
}

/** A member cannot move a chain to another mode: undefined, or the refusal. */
export function modeConflict(wanted: XdpModeWanted, running: Running, interfaceName: string): BpfmanError | undefined {
    if (wanted === "auto" || running.mode === undefined || wanted === running.mode) return undefined;
    return new BpfmanError(
        "FAILED_PRECONDITION",
        `the XDP chain of ${interfaceName} runs in ${running.mode} mode and cannot change to ${wanted} mode`,
        { hint: "Detach every link of this interface first, or attach without a mode." },
    );
}
