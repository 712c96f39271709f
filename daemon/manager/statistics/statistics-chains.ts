// SPDX-License-Identifier: Apache-2.0
// The chains of ours as statistics tell of them: who is where, and who counts.
import { inOrder } from "../../chain/order.ts";
import { actionName } from "../../chain/proceed-on.ts";
import type { ChainRecord, NetworkLinkRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { groupByHook, hookId, hookText, isNetworkLink } from "../pins.ts";
import type { KnownChain } from "./statistics-record.ts";

/** Why the slots of a chain are not counted; empty where they are. */
function unmeasured({ counting, libxdp }: Context, chain: ChainRecord): string {
    if (chain.counting) return "";
    const where = `it runs in the chain of ${hookText(chain)}`;
    if (chain.backend === "libxdp")
        return `${where}, which other tools change too: libxdp's dispatcher${dispatcherId(libxdp.state(chain.hook)?.dispatcher.programId)} counts nothing`;
    const refusal = counting.refusal(chain.hook);
    if (refusal !== undefined) return `${where}, which can't be made to count: ${refusal}`;
    if (chain.backend === "direct") return "a lone program: the kernel counts its runs, and not what it decides";
    return `${where}, where the kernel counts only the dispatcher (program ${chain.programId})`;
}

const dispatcherId = (id: number | undefined): string => (id === undefined ? "" : ` (program ${id})`);

/** The links at network interfaces. */
export function chainProgramLinks(context: Context): NetworkLinkRecord[] {
    return context.store.links().filter(isNetworkLink);
}

/** links: as chainProgramLinks() told them, maybe a moment ago */
export function knownChains(context: Context, links: readonly NetworkLinkRecord[]): KnownChain[] {
    const byId = new Map(links.map(link => [link.id, link]));
    const chains = context.store.chains().map((chain): KnownChain => {
        const { hook } = chain;
        const kind = hook.kind === "xdp" ? "xdp" : "tc";
        const ids =
            chain.backend === "libxdp"
                ? (context.libxdp.state(hook)?.slots ?? []).flatMap(({ linkId }) => linkId ?? [])
                : chain.members.map(({ linkId }) => linkId);
        return {
            ...chainPlace(chain),
            actionName: action => actionName(kind, action),
            members: ids.flatMap(linkId => {
                const link = byId.get(linkId);
                return link === undefined ? [] : [{ linkId, programId: link.programId }];
            }),
            unmeasured: unmeasured(context, chain),
            byKernel: chain.backend === "direct",
        };
    });
    return [...chains, ...tcxLists(links)];
}

const chainPlace = ({ hook, interface: name }: Pick<ChainRecord, "hook" | "interface">) => ({
    key: hookId(hook),
    type: hook.kind === "xdp" ? "xdp" : `${hook.kind}-${hook.direction}`,
    nsid: hook.nsid,
    ifindex: hook.ifindex,
    interface: name,
});

function tcxLists(links: readonly NetworkLinkRecord[]): KnownChain[] {
    const lists = groupByHook(
        links.filter(({ hook }) => hook.kind === "tcx"),
        ({ hook }) => hook,
    );
    return lists.flatMap((list): KnownChain[] => {
        const [first] = list;
        if (first === undefined) return [];
        return [
            {
                ...chainPlace(first),
                actionName: action => actionName("tc", action),
                members: inOrder("tcx", list).map(({ id, programId }) => ({ linkId: id, programId })),
                unmeasured: "the kernel keeps this list: it counts each program's runs, and not what they decide",
                byKernel: true,
            },
        ];
    });
}
