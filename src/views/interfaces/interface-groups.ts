// SPDX-License-Identifier: Apache-2.0
// Which interfaces are shown, and under which heading.
import type { Interface } from "../../model/model.ts";

export interface Group {
    readonly nsid: string;
    /** empty: the daemon's own namespace */
    readonly netns: string;
    readonly interfaces: readonly Interface[];
}

interface Arranged {
    readonly groups: readonly Group[];
    /** how many without programs are left out */
    readonly folded: number;
    readonly found: number;
}

/** By namespace, the daemon's own first. Without words those without programs wait until all are asked for. */
export function arrange(interfaces: readonly Interface[], filter: string, all: boolean): Arranged {
    const words = filter.trim().toLowerCase();
    const matching = interfaces.filter(iface => textOf(iface).some(text => text.toLowerCase().includes(words)));
    const busy = matching.filter(iface => iface.chains.length > 0);
    const idle = matching.filter(iface => iface.chains.length === 0);
    // where nothing is attached at all, the idle ones are what there is to choose from
    const showIdle = all || words !== "" || busy.length === 0;
    const visible = showIdle ? [...busy, ...idle] : busy;
    const groups = new Map<string, Interface[]>();
    for (const iface of visible) groups.set(iface.nsid, [...(groups.get(iface.nsid) ?? []), iface]);
    return {
        groups: [...groups]
            .map(([nsid, members]) => ({ nsid, netns: members[0]?.netns ?? "", interfaces: members }))
            .sort((a, b) => Number(a.netns !== "") - Number(b.netns !== "") || a.netns.localeCompare(b.netns)),
        folded: showIdle ? 0 : idle.length,
        found: matching.length,
    };
}

function textOf(iface: Interface): string[] {
    const programs = iface.chains.flatMap(chain => chain.members.map(member => member.programName));
    return [iface.name, iface.netns, iface.kind, iface.mac, ...programs];
}
