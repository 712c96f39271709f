// SPDX-License-Identifier: Apache-2.0
// Shared chains brought in line with the rows: links that another tool took away are forgotten, a change of ours that
// was cut off is taken back, and its pins are removed from libxdp's folder.
import { proceedOnMask } from "../../chain/proceed-on.ts";
import * as bpf from "../../kernel/bpf.ts";
import { stubBit } from "../../kernel/dispatch/libxdp-config.ts";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type { ChainRecord, LinkRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { chainFolder, hookText, sameHook } from "../pins.ts";
import { withUndo } from "../undo.ts";
import { asBpfmanError } from "../unexpected.ts";
import type { WriterScope } from "../writer-lock.ts";
import { chainRow } from "./chain-change.ts";
import { type ChainLink, chainLinks } from "./chain-links.ts";
import { changeLibxdp, retireLibxdp } from "./libxdp-change.ts";
import { type LibxdpState, ownCopies } from "./libxdp-state.ts";

/** Whether, as last looked at, a shared chain has lost a link of ours. */
export function hasDeadLibxdp({ store, libxdp }: Context): boolean {
    const chains = store.chains().filter(({ backend }) => backend === "libxdp");
    return chains.some(({ hook }) => {
        const held = new Set(libxdp.state(hook)?.slots.map(({ linkId }) => linkId));
        return store.links().some(link => sameHook(link.hook, hook) && !held.has(link.id));
    });
}

/** Looks at the shared chains and forgets the links that are in none any more. Answers which. */
export async function dropDeadLibxdp(context: Context): Promise<LinkRecord[]> {
    const { store, libxdp } = context;
    const gone: LinkRecord[] = [];
    const chains = store.chains().filter(({ backend }) => backend === "libxdp");
    if (chains.length === 0) return gone;
    await libxdp.refresh(context);
    for (const chain of chains) {
        const state = libxdp.state(chain.hook);
        const held = new Set(state?.slots.map(({ linkId }) => linkId));
        const links = store.links().filter(({ hook }) => sameHook(hook, chain.hook));
        const lost = links.filter(({ id }) => !held.has(id));
        const left = state?.slots.some(({ programId }) => programId !== undefined) ?? false;
        store.transaction(() => {
            for (const { id } of lost) store.deleteLink(id);
            if (!left) store.deleteChain(chain.hook);
        });
        if (!left) await removePins(context, chain);
        gone.push(...lost);
    }
    if (gone.length > 0) await libxdp.refresh(context);
    return gone;
}

/** The dispatchers that a cut-off change of this hook pinned in our own bpffs, to be told by. */
function remembered({ bpffs }: Context, { hook }: ChainRecord): ProgramId[] {
    const folder = chainFolder(hook);
    const revision = new RegExp(`^dispatcher_${hook.nsid}_${hook.ifindex}_\\d+$`);
    const pins = bpffs
        .entries(folder)
        .filter(name => revision.test(name))
        .flatMap(name => ["dispatcher", "previous"].map(pin => `${folder}/${name}/${pin}`));
    return pins
        .filter(name => bpffs.exists(name))
        .map(name => {
            using fd = bpf.openPin(bpffs.path(name));
            return bpf.programIdentity(fd).id;
        });
}

/** Removes pins of dispatchers of ours that run nowhere: those remembered, and those that hold a copy of ours. */
async function removePins(context: Context, chain: ChainRecord): Promise<void> {
    const { pins } = context.libxdp;
    const { ifindex } = chain.hook;
    if (pins.dispatchers(ifindex).length === 0) return;
    const running = context.libxdp.running();
    const known = new Set(remembered(context, chain));
    const own = ownCopies(context);
    await pins.locked(() => {
        for (const id of pins.dispatchers(ifindex)) {
            if (running.has(id)) continue;
            if (known.has(id) || pins.members(ifindex, id).some(member => own.has(member))) pins.remove(ifindex, id);
        }
    });
}

/** Whether a slot holds what no row says: another tool takes members away, and changes none. */
function isCutOff({ store }: Context, { slots }: LibxdpState): boolean {
    return slots.some(({ member, programId, linkId }) => {
        if (programId === undefined) return false;
        const link = linkId === undefined ? undefined : store.link(linkId);
        return (
            link === undefined ||
            link.priority !== member.priority ||
            (proceedOnMask("xdp", link.proceedOn) | stubBit) >>> 0 !== member.mask
        );
    });
}

/** Run at start: takes back what was cut off. A chain that cannot be changed now is left as it is, and told. */
export async function settleLibxdp(scope: WriterScope, context: Context): Promise<void> {
    const { store, libxdp, log } = context;
    const chains = store.chains().filter(({ backend }) => backend === "libxdp");
    await libxdp.refresh(context);
    for (const chain of chains)
        try {
            const state = libxdp.state(chain.hook);
            if (state !== undefined && isCutOff(context, state)) {
                log(`${hookText(chain)}: a change that was cut off is taken back`);
                await takeBack(scope, context, chain);
            }
            await removePins(context, chain);
        } catch (error) {
            log(`${hookText(chain)}: ${asBpfmanError(error, log).message}`);
        }
}

async function takeBack(scope: WriterScope, context: Context, chain: ChainRecord): Promise<void> {
    const { store } = context;
    const { hook, interface: name, netns } = chain;
    const links: ChainLink[] = chainLinks(context, hook);
    const change = { hook, interface: name, netns, links, mode: "auto", device: undefined } as const;
    const changed = await withUndo(context.log, async undo => {
        const one = await changeLibxdp(scope, context, change, undo);
        store.transaction(() => {
            if (links.length === 0) store.deleteChain(hook);
            else store.putChain(chainRow(one, context.bootId, link => link.id ?? (0 as LinkId)));
        });
        undo.done();
        return one;
    });
    if (changed.previous !== undefined) await retireLibxdp(context, changed.previous);
}
