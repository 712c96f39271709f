// SPDX-License-Identifier: Apache-2.0
// The join of what is wanted (rows) and what is (kernel and pins), made at each start and before each change: what is
// gone is forgotten, what is half done is finished or removed. Nothing outside our own bpffs is touched.
import * as bpf from "../kernel/bpf.ts";
import { openRecorded, removeRevision } from "../kernel/dispatch/backend.ts";
import { errnoName } from "../kernel/ffi.ts";
import type { ProgramId } from "../model/ids.ts";
import type { ChainRecord, NetworkLinkRecord, ProgramRecord } from "../model/records.ts";
import { detachPinned, openChainLink, swapBack } from "./chains/chain-change.ts";
import { dropChainRow, hasFilter, ownRunning, swapFilterBack } from "./chains/clsact.ts";
import { settleLibxdp } from "./chains/libxdp-settle.ts";
import type { Context } from "./context.ts";
import { dropDeadLinks, isAttached } from "./links/dead-links.ts";
import { putBack } from "./links/tcx.ts";
import { dropUnshared } from "./maps/shared-maps.ts";
import {
    chainLinkPin,
    entryPin,
    hookText,
    isNetworkLink,
    isProbeLink,
    mapFolder,
    probePins,
    programPin,
    revisionFolder,
    sharedMaps,
    tcxPin,
} from "./pins.ts";
import { asBpfmanError } from "./unexpected.ts";
import type { WriterScope } from "./writer-lock.ts";

/** Run once at start, before anybody is answered. */
export async function restore(scope: WriterScope, context: Context): Promise<void> {
    const { store, log } = context;
    const forgotten = store.forgetOtherBoots();
    if (forgotten.programs > 0)
        log(`${forgotten.programs} programs and ${forgotten.links} links of an earlier boot are gone with it`);
    const lost = store.programs().filter(program => !isOurs(context, program));
    for (const program of lost) forgetLostProgram(context, program);
    await settleTcx(context);
    await finishMoves(context);
    await settleLibxdp(scope, context);
    await dropDeadLinks(scope, context);
    for (const chain of store.chains()) if (chain.backend !== "libxdp") await settleChain(context, chain);
    await removeLeftovers(context);
    // nobody watches yet: a daemon that was killed while somebody did left chains that count. After the leftovers went,
    // for one may have the name of the revision that does not count
    await context.counting.settle(scope, context);
    store.collectObjects();
}

/** Ours: in the store under this boot's id, and the object opened from our own pin shows that id and tag now. */
function isOurs({ bpffs }: Context, program: ProgramRecord): boolean {
    if (!bpffs.exists(programPin(program.id))) return false;
    using fd = bpf.openPin(bpffs.path(programPin(program.id)));
    const found = bpf.programIdentity(fd);
    return found.id === program.id && found.tag === program.tag;
}

function forgetLostProgram(context: Context, program: ProgramRecord): void {
    const { store } = context;
    context.log(`program ${program.id} (${program.name}) is not in the kernel any more`);
    const links = store.links().filter(({ programId }) => programId === program.id);
    const chains = store
        .chains()
        .filter(
            ({ backend, members }) =>
                backend !== "libxdp" && members.some(({ linkId }) => links.some(l => l.id === linkId)),
        );
    store.transaction(() => {
        for (const { id } of links) store.deleteLink(id);
        // without its pins a chain cannot be changed any more; what still runs of it goes with the leftovers
        for (const chain of chains) {
            for (const { linkId } of chain.members) store.deleteLink(linkId);
            // dropDeadLinks() takes a filter away, which would run on
            dropChainRow(context, chain);
        }
        store.deleteProgram(program.id);
    });
}

/**
 * A move of a TCX link that was cut off: the stand-in runs. Where the row's link is attached, the move had not begun or
 * was committed; else it is taken back.
 */
async function finishMoves(context: Context): Promise<void> {
    for (const record of context.store.links().filter(isNetworkLink)) {
        const { kernelLinkId } = record;
        if (kernelLinkId === undefined || !context.bpffs.exists(tcxPin(record, true))) continue;
        const program = context.store.program(record.programId);
        if (program !== undefined && !isAttached(context, tcxPin(record), kernelLinkId)) {
            context.log(`link ${record.id} (${hookText(record)}): a move that was cut off is taken back`);
            try {
                await putBack(context, record, program);
            } catch (error) {
                // its interface or namespace went, and the link with it: dropDeadLinks() forgets it
                context.log(asBpfmanError(error, context.log).message);
            }
        }
        await detachPinned(context, tcxPin(record, true));
    }
}

/** A TCX link whose program was exchanged: its row says which one it is to be; its pin may have the other's name. */
async function settleTcx(context: Context): Promise<void> {
    const { bpffs, store, net, log } = context;
    for (const record of store.links().filter(isNetworkLink)) {
        if (record.kernelLinkId === undefined) continue;
        const pin = tcxPin(record);
        const other = () =>
            bpffs.entries("links").find(name => {
                using fd = bpf.openPin(bpffs.path(`links/${name}`));
                return bpf.linkInfo(fd).id === record.kernelLinkId;
            });
        const found = bpffs.exists(pin) ? undefined : other();
        if (found !== undefined && !found.endsWith("_moving")) bpffs.rename(`links/${found}`, pin);
        const program = store.program(record.programId);
        if (program === undefined || !bpffs.exists(pin)) continue;
        using link = bpf.openPin(bpffs.path(pin));
        const running = bpf.linkInfo(link).programId;
        const known = bpffs.exists(programPin(running));
        if (running === program.id || running === 0 || !known) continue;
        using next = openRecorded(bpffs, program);
        using now = bpf.openPin(bpffs.path(programPin(running)));
        log(`link ${record.id} (${hookText(record)}): an exchange of its program that was cut off is taken back`);
        const call = { op: "update-link", link: link.number, program: next.number, expected: now.number } as const;
        const result = await net.call("", call);
        if (result < 0) log(`link ${record.id}: ${errnoName(result)}`);
    }
}

/** A swap whose rows were not committed is taken back: the old revision's pins are still there. */
async function settleChain(context: Context, chain: ChainRecord): Promise<void> {
    let running: number;
    if (hasFilter(chain)) running = (await ownRunning(context, chain)) ?? chain.programId;
    else {
        using link = openChainLink(context, chain);
        running = bpf.linkInfo(link).programId;
    }
    if (running === chain.programId) return;
    // the next revision, or the same that counts where this does not
    const folders = [0, 1].flatMap(step =>
        [false, true].map(counting => revisionFolder({ ...chain, revision: chain.revision + step, counting })),
    );
    // those of a replacement that was cut off have no row
    const pinned = context.bpffs.entries("").filter(name => /^prog_\d+$/.test(name));
    const candidates = [...folders.map(folder => `${folder}/dispatcher`), ...pinned];
    const entry = candidates.find(name => context.bpffs.exists(name) && idOfPin(context, name) === running);
    if (entry === undefined || !context.bpffs.exists(entryPin(chain))) {
        context.log(`${hookText(chain)} runs program ${running}, which is not of this daemon's making`);
        return;
    }
    context.log(`${hookText(chain)}: a change that was cut off is taken back`);
    if (hasFilter(chain)) await swapFilterBack(context, chain, running as ProgramId);
    else await swapBack(context, chain, { entry });
}

function idOfPin({ bpffs }: Context, name: string): number {
    using fd = bpf.openPin(bpffs.path(name));
    return bpf.programIdentity(fd).id;
}

/** Whatever is pinned and belongs to no row. Links first, so that nothing runs without its pins. */
async function removeLeftovers(context: Context): Promise<void> {
    const { bpffs, store, log } = context;
    const programs = store.programs();
    const known = new Set<string>();
    for (const chain of store.chains()) {
        // a shared chain's pins are in libxdp's folder
        if (chain.backend === "libxdp") continue;
        known.add(chainLinkPin(chain.hook));
        if (chain.backend !== "direct") known.add(revisionFolder(chain));
    }
    for (const link of store.links())
        for (const pin of isProbeLink(link) ? probePins(link) : [tcxPin(link as NetworkLinkRecord)]) known.add(pin);
    for (const { id, mapOwnerId } of programs) {
        known.add(programPin(id));
        known.add(mapFolder(mapOwnerId ?? id));
        for (const kind of ["ext", "libxdp", "plain"]) known.add(`copies/${id}_${kind}`);
    }
    dropUnshared(context);
    known.add(sharedMaps);
    const left = (folder: string) =>
        bpffs
            .entries(folder)
            .map(entry => `${folder}/${entry}`)
            .filter(name => !known.has(name));
    const folders = ["xdp", "tc-ingress", "tc-egress", "links", "copies", "maps", "staging"];
    const leftovers = folders.flatMap(left);
    const links = leftovers.filter(name => name.endsWith("_link") || name.startsWith("links/"));
    for (const name of links) {
        log(`remove ${name}: it belongs to nothing`);
        await detachPinned(context, name);
    }
    if (leftovers.length > links.length) await context.net.call("", { op: "quiesce" });
    for (const name of leftovers) removeRevision(bpffs, name);
    for (const entry of bpffs.entries("")) if (/^prog_\d+$/.test(entry) && !known.has(entry)) bpffs.remove(entry);
}
