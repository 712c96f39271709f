// SPDX-License-Identifier: Apache-2.0
// Chains and interfaces as they are shown: ours by their rows, what others attached as the kernel tells it.
import { inOrder } from "../../chain/order.ts";
import type { TcxEntry } from "../../kernel/bpf.ts";
import type { LibxdpMember } from "../../kernel/dispatch/libxdp.ts";
import { maskCodes } from "../../kernel/dispatch/libxdp-config.ts";
import { adminSessions } from "../../kernel/net/admin-sessions.ts";
import type { LinkInterface } from "../../kernel/net/netlink.ts";
import type { Direction, HookKey, XdpMode } from "../../model/hooks.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { ChainRecord } from "../../model/records.ts";
import type { ChainMemberView, ChainView, InterfaceView, LinkView } from "../../model/views.ts";
import { findDispatcher } from "../chains/libxdp-state.ts";
import type { Context } from "../context.ts";
import { programPin, sameHook } from "../pins.ts";
import { linkViews } from "./link-view.ts";

function member(context: Context, link: LinkView, position: number): ChainMemberView {
    const { record } = link;
    return {
        position,
        priority: record.priority,
        linkId: record.id,
        programId: record.programId,
        programName: link.programName,
        kernelLinkId: link.kernelLinkId,
        proceedOn: record.proceedOn,
        foreign: false,
        pinPath: context.bpffs.path(programPin(record.programId)),
        linkPinPath: link.pinPath,
        metadata: record.metadata,
    };
}

function foreignMember(context: Context, programId: ProgramId, position: number): ChainMemberView {
    return {
        position,
        priority: 0,
        linkId: undefined,
        programId,
        programName: context.kernel.program(programId)?.name ?? "",
        kernelLinkId: undefined,
        proceedOn: [],
        foreign: true,
        pinPath: "",
        linkPinPath: "",
        metadata: new Map(),
    };
}

/** A program that another tool put into a chain that is shared with libxdp. */
function libxdpMember(context: Context, member: LibxdpMember, position: number): ChainMemberView {
    return {
        ...foreignMember(context, member.programId, position),
        priority: member.priority,
        programName: member.name,
        kernelLinkId: member.kernelLinkId,
        proceedOn: maskCodes(member.mask),
        pinPath: member.programPin,
        linkPinPath: member.linkPin,
    };
}

function libxdpView(context: Context, chain: ChainRecord, links: readonly LinkView[]): ChainView {
    const { hook } = chain;
    const state = context.libxdp.state(hook);
    return {
        type: "xdp",
        nsid: hook.nsid,
        ifindex: hook.ifindex,
        interface: chain.interface,
        netns: chain.netns,
        revision: chain.revision,
        backend: chain.backend,
        backendReason: chain.backendReason,
        mode: (state?.device.xdp?.mode as XdpMode | undefined) ?? chain.mode,
        modeReason: chain.modeReason,
        frags: state?.dispatcher.frags ?? chain.frags,
        programId: state?.dispatcher.programId ?? chain.programId,
        kernelLinkId: undefined,
        members: (state?.slots ?? []).map(({ member: found, linkId }, position) => {
            const link = links.find(({ record }) => record.id === linkId);
            return link === undefined ? libxdpMember(context, found, position) : member(context, link, position);
        }),
    };
}

function chainView(context: Context, chain: ChainRecord, links: readonly LinkView[]): ChainView {
    const { hook } = chain;
    if (chain.backend === "libxdp") return libxdpView(context, chain, links);
    const members = inOrder(
        hook.kind,
        links.filter(({ record }) => sameHook(record.hook, hook)).map(link => ({ ...link.record, link })),
    );
    return {
        type: hook.kind === "xdp" ? "xdp" : `${hook.kind}-${hook.direction}`,
        nsid: hook.nsid,
        ifindex: hook.ifindex,
        interface: chain.interface,
        netns: chain.netns,
        revision: chain.revision,
        backend: chain.backend,
        backendReason: chain.backendReason,
        mode: chain.mode,
        modeReason: chain.modeReason,
        frags: chain.frags,
        programId: chain.programId,
        kernelLinkId: chain.filter === undefined ? chain.kernelLinkId : undefined,
        filter: chain.filter,
        members: members.map(({ link }, position) => member(context, link, position)),
    };
}

/** Not one that is just coming or going (chains/clsact.ts). */
const isWhole = (chain: ChainRecord): boolean => chain.filter === undefined || chain.members.length > 0;

/** XDP and TC chains of ours, by interface and type. */
export function chainViews(context: Context): ChainView[] {
    const links = linkViews(context);
    return context.store
        .chains()
        .filter(isWhole)
        .map(chain => chainView(context, chain, links))
        .sort((a, b) => a.interface.localeCompare(b.interface) || a.type.localeCompare(b.type));
}

interface Place {
    readonly nsid: bigint;
    readonly cookie: bigint;
    readonly netns: string;
    readonly device: LinkInterface;
}

const emptyChain = { revision: 0, mode: undefined, modeReason: "", frags: false } as const;

function foreignXdp(context: Context, { nsid, netns, device }: Place): ChainView[] {
    if (device.xdp === undefined) return [];
    const { programId, mode } = device.xdp;
    const known: readonly string[] = ["native", "generic"];
    const { dispatcher } = findDispatcher(context.libxdp.pins, device);
    const shared = dispatcher && {
        backend: "libxdp" as const,
        backendReason: `other tools share it by libxdp's protocol, version ${dispatcher.version}`,
        frags: dispatcher.frags,
        members: dispatcher.members.map((found, position) => libxdpMember(context, found, position)),
    };
    return [
        {
            ...emptyChain,
            type: "xdp",
            nsid,
            ifindex: device.ifindex,
            interface: device.name,
            netns,
            backend: "foreign",
            backendReason: "attached by something else than this daemon",
            mode: known.includes(mode) ? (mode as XdpMode) : undefined,
            programId: programId as ProgramId,
            kernelLinkId: undefined,
            members: [foreignMember(context, programId as ProgramId, 0)],
            ...shared,
        },
    ];
}

/** The kernel's own list, ours and others'; the link that carries our TC chain is shown as that chain instead. */
function tcxChain(
    context: Context,
    { nsid, netns, device }: Place,
    direction: Direction,
    entries: readonly TcxEntry[],
    links: readonly LinkView[],
    chains: readonly ChainRecord[],
): ChainView[] {
    const carriers = new Set(chains.map(({ kernelLinkId }) => kernelLinkId));
    const shown = entries.filter(({ linkId }) => !carriers.has(linkId));
    if (shown.length === 0) return [];
    const members = shown.map(({ programId, linkId }, position) => {
        const ours = links.find(({ record }) => record.kernelLinkId === linkId);
        return ours === undefined ? foreignMember(context, programId, position) : member(context, ours, position);
    });
    return [
        {
            ...emptyChain,
            type: `tcx-${direction}`,
            nsid,
            ifindex: device.ifindex,
            interface: device.name,
            netns,
            backend: "kernel",
            backendReason: "the kernel keeps the order of TCX links",
            programId: undefined,
            kernelLinkId: undefined,
            members,
        },
    ];
}

/** The interfaces of the daemon's namespace and of each that holds links of ours. */
export async function interfaceViews(context: Context): Promise<InterfaceView[]> {
    const links = linkViews(context);
    const chains = context.store.chains().filter(isWhole);
    const paths = new Set(["", ...links.map(({ record }) => record.netns)]);
    const seen = new Set<string>();
    const views: InterfaceView[] = [];
    for (const netns of paths) {
        try {
            const survey = await context.net.call(netns, { op: "survey" });
            const { nsid, cookie } = survey.namespace;
            // two paths may name one namespace
            if (seen.has(`${nsid} ${cookie}`)) continue;
            seen.add(`${nsid} ${cookie}`);
            const names = survey.interfaces.map(({ device }) => device.name);
            const sessions = netns === "" ? adminSessions(names) : undefined;
            for (const { device, ingress, egress } of survey.interfaces) {
                const place = { nsid, cookie, netns, device };
                const view = interfaceView(context, place, { ingress, egress }, links, chains);
                views.push({ ...view, sessions: sessions?.get(device.name) ?? [] });
            }
        } catch (error) {
            // a namespace that is gone took its interfaces along
            context.log(`list the interfaces of ${netns}: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
    return views;
}

function interfaceView(
    context: Context,
    place: Place,
    tcx: Record<Direction, readonly TcxEntry[]>,
    links: readonly LinkView[],
    chains: readonly ChainRecord[],
): Omit<InterfaceView, "sessions"> {
    const { device, nsid, cookie, netns } = place;
    const chainAt = (kind: HookKey["kind"], direction: Direction) =>
        chains.find(({ hook }) =>
            sameHook(hook, { kind, direction, nsid, netnsCookie: cookie, ifindex: device.ifindex }),
        );
    const xdp = chainAt("xdp", "ingress");
    const ours = (chain: ChainRecord | undefined) => (chain === undefined ? [] : [chainView(context, chain, links)]);
    return {
        name: device.name,
        ifindex: device.ifindex,
        netns,
        nsid,
        up: device.up,
        mtu: device.mtu,
        mac: device.mac,
        kind: device.kind,
        xdpMode: device.xdp?.mode ?? "",
        chains: [
            ...(xdp === undefined ? foreignXdp(context, place) : ours(xdp)),
            ...tcxChain(context, place, "ingress", tcx.ingress, links, chains),
            ...ours(chainAt("tc", "ingress")),
            ...tcxChain(context, place, "egress", tcx.egress, links, chains),
            ...ours(chainAt("tc", "egress")),
        ],
    };
}
