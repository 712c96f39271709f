// SPDX-License-Identifier: Apache-2.0
// Where everything is pinned, as names inside the daemon's bpffs. All of it follows from the rows, so that a start
// can tell what belongs to something from what is half done.
import { programPin } from "../kernel/dispatch/backend.ts";
import type { Hook, HookKey, ProbeHook } from "../model/hooks.ts";
import type { KernelLinkId, ProgramId } from "../model/ids.ts";
import type { ChainRecord, LinkRecord, NetworkLinkRecord, ProbeLinkRecord } from "../model/records.ts";

export { programPin };

/** The folder of a chain's kind. */
export function chainFolder(hook: HookKey): string {
    return hook.kind === "xdp" ? "xdp" : `tc-${hook.direction}`;
}

export function chainLinkPin(hook: HookKey): string {
    return `${chainFolder(hook)}/dispatcher_${hook.nsid}_${hook.ifindex}_link`;
}

/** A revision that counts stands beside the same one that does not. */
export function revisionFolder(chain: Pick<ChainRecord, "hook" | "revision" | "counting">): string {
    const { hook, revision, counting } = chain;
    return `${chainFolder(hook)}/dispatcher_${hook.nsid}_${hook.ifindex}_${revision}${counting ? "_counting" : ""}`;
}

/** The pin of the program at the hook. */
export function entryPin(chain: ChainRecord): string {
    return chain.backend === "direct" ? programPin(chain.programId) : `${revisionFolder(chain)}/dispatcher`;
}

export const isNetworkLink = (link: LinkRecord): link is NetworkLinkRecord => "ifindex" in link.hook;
export const isProbeLink = (link: LinkRecord): link is ProbeLinkRecord => !("ifindex" in link.hook);

/** The pin of a link that is in no chain. Two never share a name: kernel ids are not used again within a boot. */
export const probePin = (kind: ProbeHook["kind"], id: KernelLinkId): string => `links/${kind}_${id}`;

/** The kernel links of a link that has its own. */
export function ownKernelLinks(link: LinkRecord): KernelLinkId[] {
    return link.kernelLinkId === undefined ? [] : [link.kernelLinkId, ...link.furtherKernelLinkIds];
}

export function probePins(link: ProbeLinkRecord): string[] {
    return ownKernelLinks(link).map(id => probePin(link.hook.kind, id));
}

/** The pin of a tcx link: the kernel takes a program once at a hook, so its id makes the name unique. */
export function tcxPin(link: Pick<NetworkLinkRecord, "hook" | "programId">, moving = false): string {
    const { direction, nsid, ifindex } = link.hook;
    return `links/tcx_${direction}_${nsid}_${ifindex}_${link.programId}${moving ? "_moving" : ""}`;
}

export const mapFolder = (id: ProgramId): string => `maps/${id}`;

/** Maps that objects ask to be shared by name (LIBBPF_PIN_BY_NAME). */
export const sharedMaps = "maps/shared";
export const sharedMapPin = (name: string): string => `${sharedMaps}/${name}`;

/** Whether two are one hook of a network interface. */
export const sameHook = (a: Hook, b: Hook): boolean =>
    "ifindex" in a &&
    "ifindex" in b &&
    a.kind === b.kind &&
    a.direction === b.direction &&
    a.nsid === b.nsid &&
    a.netnsCookie === b.netnsCookie &&
    a.ifindex === b.ifindex;

/** A hook of a network interface as the key of a table. */
export const hookId = (hook: HookKey): string =>
    `${hook.kind} ${hook.direction} ${hook.nsid} ${hook.netnsCookie} ${hook.ifindex}`;

/** The items at one hook together, in the order in which their hooks first come; each probe is alone. */
export function groupByHook<T>(items: readonly T[], hookOf: (item: T) => Hook): T[][] {
    const groups: { hook: Hook; items: T[] }[] = [];
    for (const item of items) {
        const hook = hookOf(item);
        const group = groups.find(one => sameHook(one.hook, hook));
        if (group === undefined) groups.push({ hook, items: [item] });
        else group.items.push(item);
    }
    return groups.map(group => group.items);
}

/** A hook for people: xdp eth0, tc eth0 ingress, tracepoint sched/sched_switch. */
export function hookText(link: { hook: Hook; interface?: string }): string {
    const { hook } = link;
    const after = (offset: number) => (offset === 0 ? "" : `+${offset}`);
    switch (hook.kind) {
        case "xdp":
            return `xdp ${link.interface ?? ""}`;
        case "tc":
        case "tcx":
            return `${hook.kind} ${link.interface ?? ""} ${hook.direction}`;
        case "tracepoint":
            return `tracepoint ${hook.group}/${hook.name}`;
        case "kprobe":
        case "kretprobe":
            return `${hook.kind} ${hook.function}${after(hook.offset)}`;
        case "uprobe":
        case "uretprobe":
            return `${hook.kind} ${hook.target} ${hook.function}${hook.function === "" ? `+${hook.offset}` : after(hook.offset)}`;
        case "fentry":
        case "fexit":
        case "lsm":
            return `${hook.kind} ${hook.function}`;
        case "perf_event":
            return `perf_event ${hook.event}${hook.cpu === undefined ? "" : ` on CPU ${hook.cpu}`}`;
        case "raw_tracepoint":
            return `raw_tracepoint ${hook.name}`;
        case "cgroup":
            return `cgroup ${hook.path} ${hook.attachType}`;
    }
}
