// SPDX-License-Identifier: Apache-2.0
// Links that the kernel took away: with their interface, their namespace or their control group, or because somebody
// detached them. They are forgotten at once in the daemon's own namespace, and everywhere at the next read and before
// each change, so that a new interface of the same number starts clean.
import * as bpf from "../../kernel/bpf.ts";
import { removeRevision } from "../../kernel/dispatch/backend.ts";
import type { KernelLinkId } from "../../model/ids.ts";
import type { ChainRecord, LinkRecord, NetworkLinkRecord, ProbeLinkRecord } from "../../model/records.ts";
import { dropChainRow, hasFilter, ownRunning, removeFilterChain } from "../chains/clsact.ts";
import { dropDeadLibxdp, hasDeadLibxdp } from "../chains/libxdp-settle.ts";
import type { Context } from "../context.ts";
import {
    chainLinkPin,
    hookText,
    isNetworkLink,
    isProbeLink,
    ownKernelLinks,
    probePins,
    revisionFolder,
    sameHook,
    tcxPin,
} from "../pins.ts";
import type { WriterScope } from "../writer-lock.ts";

/**
 * Whether our own pin holds the link of the row, and the link is attached: one whose interface or namespace went, or that
 * somebody detached, has no interface any more.
 */
export function isAttached({ bpffs }: Context, pinName: string, id: KernelLinkId): boolean {
    if (!bpffs.exists(pinName)) return false;
    using fd = bpf.openPin(bpffs.path(pinName));
    const link = bpf.linkInfo(fd);
    return link.id === id && link.ifindex !== 0;
}

/** Whether any of its kernel links is there, and its control group too. */
function isProbing(link: ProbeLinkRecord): boolean {
    return ownKernelLinks(link).some(id => {
        using fd = bpf.openLink(id);
        return fd !== undefined && (link.hook.kind !== "cgroup" || bpf.linkInfo(fd).cgroupId !== 0n);
    });
}

function isDead(context: Context, link: LinkRecord): boolean {
    if (link.kernelLinkId === undefined) return false;
    if (isProbeLink(link)) return !isProbing(link);
    return !(isNetworkLink(link) && isAttached(context, tcxPin(link), link.kernelLinkId));
}

async function isDeadChain(context: Context, chain: ChainRecord): Promise<boolean> {
    if (chain.backend === "libxdp") return false;
    if (hasFilter(chain)) return chain.members.length === 0 || (await ownRunning(context, chain)) === undefined;
    return !isAttached(context, chainLinkPin(chain.hook), chain.kernelLinkId);
}

export async function dropDeadLinks(_scope: WriterScope, context: Context): Promise<void> {
    const { store, bpffs } = context;
    const gone: LinkRecord[] = [...(await dropDeadLibxdp(context))];
    for (const chain of store.chains()) {
        if (!(await isDeadChain(context, chain))) continue;
        const links = store.links().filter(({ hook }) => sameHook(hook, chain.hook));
        await forgetChain(context, chain, links);
        gone.push(...links);
    }
    for (const link of store.links()) {
        if (!isDead(context, link)) continue;
        store.transaction(() => store.deleteLink(link.id));
        for (const pin of isProbeLink(link) ? probePins(link) : [tcxPin(link as NetworkLinkRecord)]) bpffs.remove(pin);
        gone.push(link);
    }
    if (gone.length === 0) return;
    for (const link of gone) context.log(`link ${link.id} (${hookText(link)}) is gone from the kernel`);
    context.events.emit("LINK_LOST", "kernel", {
        subjects: gone.map(hookText),
        links: gone.map(({ id }) => id),
        programs: [...new Set(gone.map(({ programId }) => programId))],
    });
}

/** For readers, who wait for no change: one that is being made looks for dead links itself. */
export async function noticeDeadLinks(context: Context): Promise<void> {
    const { store, lock } = context;
    const looksDead = (chain: ChainRecord) =>
        chain.backend !== "libxdp" &&
        (hasFilter(chain)
            ? context.clsact.program(chain.hook) !== chain.programId
            : !isAttached(context, chainLinkPin(chain.hook), chain.kernelLinkId));
    const someAreDead = () =>
        hasDeadLibxdp(context) || store.chains().some(looksDead) || store.links().some(link => isDead(context, link));
    // what is half changed looks dead
    if (lock.isFree && someAreDead()) await lock.run(scope => dropDeadLinks(scope, context));
}

async function forgetChain(context: Context, chain: ChainRecord, links: readonly LinkRecord[]): Promise<void> {
    context.store.transaction(() => {
        for (const { id } of links) context.store.deleteLink(id);
        dropChainRow(context, chain);
    });
    // also the qdisc that it may have been alone on
    if (hasFilter(chain)) return removeFilterChain(context, chain);
    context.bpffs.remove(chainLinkPin(chain.hook));
    if (chain.backend === "direct") return;
    context.counting.keep(context, chain);
    removeRevision(context.bpffs, revisionFolder(chain));
}
