// SPDX-License-Identifier: Apache-2.0
// Where everything is pinned, as names inside the daemon's bpffs. All of it follows from the rows, so that a start
// can tell what belongs to something from what is half done.
import { programPin } from "../kernel/backend.ts";
import type { ChainRecord, HookKey, LinkRecord, ProgramId } from "../model.ts";

export { programPin };

/** The folder of a chain's kind. */
export function chainFolder(hook: HookKey): string {
    return hook.kind === "xdp" ? "xdp" : `tc-${hook.direction}`;
}

export function chainLinkPin(hook: HookKey): string {
    return `${chainFolder(hook)}/dispatcher_${hook.nsid}_${hook.ifindex}_link`;
}

export function revisionFolder(hook: HookKey, revision: number): string {
    return `${chainFolder(hook)}/dispatcher_${hook.nsid}_${hook.ifindex}_${revision}`;
}

/** The pin of the program at the hook. */
export function entryPin(chain: ChainRecord): string {
    return chain.backend === "direct"
        ? programPin(chain.programId)
        : `${revisionFolder(chain.hook, chain.revision)}/dispatcher`;
}

/** The pin of a tcx link: the kernel takes a program once at a hook, so its id makes the name unique. */
export function tcxPin(link: Pick<LinkRecord, "hook" | "programId">, moving = false): string {
    const { direction, nsid, ifindex } = link.hook;
    return `links/tcx_${direction}_${nsid}_${ifindex}_${link.programId}${moving ? "_moving" : ""}`;
}

export const mapFolder = (id: ProgramId): string => `maps/${id}`;

export const sameHook = (a: HookKey, b: HookKey): boolean =>
    a.kind === b.kind &&
    a.direction === b.direction &&
    a.nsid === b.nsid &&
    a.netnsCookie === b.netnsCookie &&
    a.ifindex === b.ifindex;

export const hookText = (link: { hook: HookKey; interface: string }): string =>
    link.hook.kind === "xdp" ? `xdp ${link.interface}` : `${link.hook.kind} ${link.interface} ${link.hook.direction}`;
