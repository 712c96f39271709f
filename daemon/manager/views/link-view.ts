// SPDX-License-Identifier: Apache-2.0
// The join of link rows and kernel: what link list, link get and every program show of links.
import { inOrder } from "../../chain/order.ts";
import { BpfmanError } from "../../model/error.ts";
import type { LinkId } from "../../model/ids.ts";
import type { KernelLink } from "../../model/kernel.ts";
import type { ChainRecord, NetworkLinkRecord } from "../../model/records.ts";
import type { LinkView } from "../../model/views.ts";
import { hasFilter } from "../chains/clsact.ts";
import type { Context } from "../context.ts";
import {
    chainLinkPin,
    entryPin,
    hookId,
    isNetworkLink,
    isProbeLink,
    ownKernelLinks,
    probePins,
    revisionFolder,
    sameHook,
    tcxPin,
} from "../pins.ts";

export const applicationOf = (metadata: ReadonlyMap<string, string> | undefined): string =>
    metadata?.get("bpfman.io/application") ?? metadata?.get("bpfman_application") ?? "";

/** The pin that holds a link: its own kernel link, or the pin of the chain that carries it. */
export function linkPin(record: NetworkLinkRecord, chain: ChainRecord | undefined): string {
    if (record.hook.kind === "tcx") return tcxPin(record);
    if (chain?.backend === "freplace") {
        const position = chain.members.findIndex(({ linkId }) => linkId === record.id);
        return `${revisionFolder(chain)}/link_${position}`;
    }
    return chain !== undefined && hasFilter(chain) ? entryPin(chain) : chainLinkPin(record.hook);
}

/** Its interface is gone; only the pin keeps it. */
const isDetached = ({ typeName, ifindex }: KernelLink): boolean =>
    (typeName === "xdp" || typeName === "tcx") && ifindex === 0;

/** A link in a chain that is shared with libxdp: another tool may have moved or removed it since. */
function sharedView(context: Context, record: NetworkLinkRecord, chain: ChainRecord) {
    const slots = context.libxdp.state(record.hook)?.slots ?? [];
    const position = slots.findIndex(({ linkId }) => linkId === record.id);
    const member = slots[position]?.member;
    const kernel = member === undefined ? undefined : context.kernel.link(member.kernelLinkId);
    return {
        position: Math.max(position, 0),
        kernelLinkId: member?.kernelLinkId,
        pinPath: member?.linkPin ?? "",
        pinPaths: member === undefined ? [] : [member.linkPin],
        kernelSeen: kernel !== undefined,
        pinPresent: member !== undefined,
        kernel,
        chain,
    };
}

/** Sorted by id. */
export function linkViews(context: Context): LinkView[] {
    const { store, kernel, bpffs } = context;
    const records = store.links();
    if (records.length === 0) return [];
    const programs = new Map(store.programs().map(program => [program.id, program]));
    const chains = store.chains();
    const byHook = new Map<string, NetworkLinkRecord[]>();
    for (const record of records.filter(isNetworkLink)) {
        const group = byHook.get(hookId(record.hook));
        if (group === undefined) byHook.set(hookId(record.hook), [record]);
        else group.push(record);
    }
    const positions = new Map<LinkId, number>();
    for (const group of byHook.values()) {
        const kind = group[0]?.hook.kind ?? "xdp";
        for (const [position, { id }] of inOrder(kind, group).entries()) positions.set(id, position);
    }
    return records
        .map((record): LinkView => {
            const program = programs.get(record.programId);
            const common = {
                record,
                programName: program?.name ?? "",
                application: applicationOf(program?.metadata),
                position: positions.get(record.id) ?? 0,
            };
            if (isProbeLink(record)) {
                const pins = probePins(record);
                const seen = ownKernelLinks(record).map(id => kernel.link(id));
                return {
                    ...common,
                    kernelLinkId: record.kernelLinkId,
                    pinPath: bpffs.path(pins[0] ?? ""),
                    pinPaths: pins.map(pin => bpffs.path(pin)),
                    kernelSeen: seen.every(link => link !== undefined),
                    pinPresent: pins.every(pin => bpffs.exists(pin)),
                    kernel: seen[0],
                    chain: undefined,
                };
            }
            if (!isNetworkLink(record)) throw new TypeError("a link is of a network interface or is not");
            const chain = chains.find(({ hook }) => sameHook(hook, record.hook));
            if (chain?.backend === "libxdp") return { ...common, ...sharedView(context, record, chain) };
            const member = chain?.members.find(({ linkId }) => linkId === record.id);
            const own = record.kernelLinkId ?? member?.kernelLinkId;
            // a lone program's link is the chain's own; a tail-call slot has none
            const kernelLinkId = own ?? (chain?.backend === "direct" ? chain.kernelLinkId : undefined);
            // a filter instead of a link: what counts is whether it runs our dispatcher
            const filter = chain !== undefined && hasFilter(chain);
            const held = filter ? context.clsact.program(record.hook) === chain.programId : undefined;
            const carrier = kernelLinkId ?? (filter ? undefined : chain?.kernelLinkId);
            const seen = carrier === undefined ? undefined : kernel.link(carrier);
            const pin = linkPin(record, chain);
            return {
                ...common,
                kernelLinkId,
                pinPath: bpffs.path(pin),
                pinPaths: [bpffs.path(pin)],
                kernelSeen: held ?? (seen !== undefined && !isDetached(seen)),
                pinPresent: bpffs.exists(pin),
                kernel: kernelLinkId === undefined ? undefined : seen,
                chain,
            };
        })
        .sort((a, b) => a.record.id - b.record.id);
}

export function linkView(context: Context, id: LinkId): LinkView {
    const view = linkViews(context).find(({ record }) => record.id === id);
    if (view === undefined) throw new BpfmanError("NOT_FOUND", `link ${id} does not exist`);
    return view;
}
