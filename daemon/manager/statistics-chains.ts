// SPDX-License-Identifier: Apache-2.0
// The chains of ours as statistics tell of them: who is where, and who counts.
import { actionName } from "../chain/proceed-on.ts";
import type { ChainRecord } from "../model.ts";
import type { Context } from "./context.ts";
import { hookId, hookText, isNetworkLink } from "./pins.ts";
import type { KnownChain } from "./statistics-record.ts";

/** Why the slots of a chain are not counted; empty where they are. */
function unmeasured(chain: ChainRecord): string {
    const where = `it runs in the chain of ${hookText(chain)}`;
    if (chain.backend === "libxdp") return `${where}, which other tools change too: libxdp's dispatcher counts nothing`;
    return `${where}, where the kernel counts only the dispatcher (program ${chain.programId})`;
}

export function knownChains(context: Context): KnownChain[] {
    const links = new Map(context.store.links().map(link => [link.id, link]));
    return context.store.chains().map((chain): KnownChain => {
        const { hook } = chain;
        const kind = hook.kind === "xdp" ? "xdp" : "tc";
        const ids =
            chain.backend === "libxdp"
                ? (context.libxdp.state(hook)?.slots ?? []).flatMap(({ linkId }) => linkId ?? [])
                : chain.members.map(({ linkId }) => linkId);
        return {
            key: hookId(hook),
            type: kind === "xdp" ? "xdp" : `tc-${hook.direction}`,
            nsid: hook.nsid,
            ifindex: hook.ifindex,
            interface: chain.interface,
            actionName: action => actionName(kind, action),
            members: ids.flatMap(linkId => {
                const link = links.get(linkId);
                return link !== undefined && isNetworkLink(link) ? [{ linkId, programId: link.programId }] : [];
            }),
            unmeasured: unmeasured(chain),
            byKernel: chain.backend === "direct",
        };
    });
}
