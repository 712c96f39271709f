// SPDX-License-Identifier: Apache-2.0
// One interface: the way of packets through its chains, in and out.
import { AttachDialog } from "../../dialogs/attach/attach.tsx";
import type { Chain, Interface } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Label } from "../../ui/label.tsx";
import { peers } from "../shared/session-warning.tsx";
import { ChainSection, EmptyChain } from "./chain.tsx";
import { type ChainCounts, chainKey } from "./chain-counts.ts";

interface InterfaceCardProps {
    readonly iface: Interface;
    readonly level: 2 | 3;
    /** while packets are counted */
    readonly counts: ReadonlyMap<string, ChainCounts> | undefined;
    /** the page shows nothing else: also the places without programs */
    readonly isAlone?: boolean;
}

export function InterfaceCard({ iface, level, counts, isAlone = false }: InterfaceCardProps) {
    const { show } = usePage();
    const incoming = chainsOf(iface, ["xdp", "tcx-ingress", "tc-ingress"], isAlone);
    const outgoing = chainsOf(iface, ["tcx-egress", "tc-egress"], isAlone);
    return (
        <Card
            level={level}
            title={
                isAlone ? (
                    _("Chains")
                ) : (
                    <a href={routeHref({ view: "interface", name: iface.name, netns: iface.netns })}>
                        {shown(iface.name)}
                    </a>
                )
            }
            actions={
                <Button
                    variant="secondary"
                    onClick={() => show(<AttachDialog interfaceKey={iface.key} />)}
                    label={format(_("Attach program to $0"), shown(iface.name))}
                >
                    {_("Attach program")}
                </Button>
            }
        >
            {!isAlone && (
                <div className="interface-line">
                    <Badges iface={iface} />
                    {iface.xdpMode !== "" && <Label>{modeLabel(iface.xdpMode)}</Label>}
                    <span className="note">{factsLine(iface)}</span>
                </div>
            )}
            {incoming.length + outgoing.length > 0 && (
                <div className="ways">
                    {incoming.length > 0 && (
                        <Way
                            name={_("Packets that arrive")}
                            from={format(_("from $0"), shown(iface.name))}
                            to={_("to the network stack")}
                            chains={incoming}
                            iface={iface}
                            counts={counts}
                        />
                    )}
                    {outgoing.length > 0 && (
                        <Way
                            name={_("Packets that leave")}
                            from={_("from the network stack")}
                            to={format(_("to $0"), shown(iface.name))}
                            chains={outgoing}
                            iface={iface}
                            counts={counts}
                        />
                    )}
                </div>
            )}
        </Card>
    );
}

interface ChainPlace {
    readonly type: string;
    readonly chain: Chain | undefined;
}

/** In the order that packets meet them. The lists of TCX are shown as places only where they are in use: TC is there. */
function chainsOf(iface: Interface, types: readonly string[], withEmpty: boolean): ChainPlace[] {
    return types
        .map(type => ({ type, chain: iface.chains.find(chain => chain.type === type) }))
        .filter(({ type, chain }) => chain || (withEmpty && !type.startsWith("tcx")));
}

interface WayProps {
    readonly name: string;
    readonly from: string;
    readonly to: string;
    readonly chains: readonly ChainPlace[];
    readonly iface: Interface;
    readonly counts: ReadonlyMap<string, ChainCounts> | undefined;
}

function Way({ name, from, to, chains, iface, counts }: WayProps) {
    return (
        <div className="way">
            <p className="way-end">
                <strong>{name}</strong> {from}
            </p>
            {chains.map(({ type, chain }) =>
                chain ? (
                    <ChainSection key={type} chain={chain} iface={iface} counts={counts?.get(chainKey(iface, chain))} />
                ) : (
                    <EmptyChain key={type} type={type} iface={iface} />
                ),
            )}
            <p className="way-end">{to}</p>
        </div>
    );
}

function Badges({ iface }: { iface: Interface }) {
    return (
        <>
            <Label color={iface.up ? "green" : "grey"}>{iface.up ? _("Up") : _("Down")}</Label>
            {iface.sessions.length > 0 && <Label color="yellow">{_("Your connection")}</Label>}
        </>
    );
}

export function InterfaceFacts({ iface }: { iface: Interface }) {
    const facts: readonly [string, string][] = [
        [_("Type"), iface.kind === "" ? _("hardware") : shown(iface.kind)],
        [_("MAC address"), shown(iface.mac)],
        [_("MTU"), String(iface.mtu)],
        [_("Interface index"), String(iface.ifindex)],
        [_("Network namespace"), shown(iface.netns)],
        [_("XDP mode"), iface.xdpMode === "" ? _("no XDP program") : modeLabel(iface.xdpMode)],
        [_("Administration"), peers(iface.sessions)],
    ];
    return (
        <div className="interface-facts">
            <Badges iface={iface} />
            <dl>
                {facts
                    .filter(([, value]) => value !== "")
                    .map(([term, value]) => (
                        <div key={term}>
                            <dt>{term}</dt>
                            <dd>{value}</dd>
                        </div>
                    ))}
            </dl>
        </div>
    );
}

function modeLabel(mode: string): string {
    switch (mode) {
        case "native":
            return _("XDP native");
        case "generic":
            return _("XDP generic");
        case "offload":
            return _("XDP in hardware");
        case "multi":
            return _("XDP in several modes");
        default:
            return shown(mode);
    }
}

function factsLine(iface: Interface): string {
    const mtu = format(_("MTU $0"), iface.mtu);
    const idle = iface.chains.length === 0 ? _("no eBPF programs") : "";
    return [shown(iface.kind), shown(iface.mac), mtu, idle].filter(fact => fact !== "").join(" · ");
}
