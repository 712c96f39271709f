// SPDX-License-Identifier: Apache-2.0
// Every network interface with the chains that packets meet on it.
import { useState } from "react";
import type { Interface } from "../../model/model.ts";
import { useChoice, useOption } from "../../model/view-options.ts";
import { useInterfaces } from "../../page.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { interfaceLabel } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Switch } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Breadcrumb } from "../../ui/nav.tsx";
import { SearchField } from "../../ui/search.tsx";
import { Explained, Help } from "../shared/help.tsx";
import { ErrorAlert, Refusal } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { type LiveCounts, useLiveCounts } from "./chain-counts.ts";
import { InterfaceCard, InterfaceFacts } from "./interface-card.tsx";
import { arrange } from "./interface-groups.ts";

export function InterfacesView({ only }: { only?: { name: string; netns: string } }) {
    const { value: interfaces, error } = useInterfaces();
    const [live, setLive] = useState(false);
    const counts = useLiveCounts(live);
    if (error) return <ErrorAlert error={error} />;
    if (!interfaces) return <Loading />;
    const controls = <LiveSwitch live={live} onChange={setLive} counts={counts} />;
    return only ? (
        <OneInterface interfaces={interfaces} only={only} controls={controls} counts={counts} live={live} />
    ) : (
        <AllInterfaces interfaces={interfaces} controls={controls} counts={counts} live={live} />
    );
}

interface ViewProps {
    readonly interfaces: readonly Interface[];
    readonly controls: React.ReactNode;
    readonly counts: LiveCounts;
    readonly live: boolean;
}

function AllInterfaces({ interfaces, controls, counts, live }: ViewProps) {
    const [filter, setFilter] = useOption("filter");
    const [which, setWhich] = useChoice("which", ["busy", "all"]);
    const all = which === "all";
    const { groups, folded, found } = arrange(interfaces, filter, all);
    return (
        <Section className="cards">
            <div className="title-line">
                <h1>
                    <Explained topic="chain">{_("Interfaces")}</Explained>
                </h1>
                <div className="actions interface-controls">
                    <div className="filter">
                        <SearchField
                            label={_("Filter interfaces")}
                            placeholder={_("Interface, namespace or program")}
                            value={filter}
                            onChange={setFilter}
                            found={found}
                        />
                    </div>
                    {controls}
                </div>
            </div>
            {found === 0 && <EmptyState isSmall title={_("No interface matches the filter")} />}
            {groups.map(group => (
                <section key={group.nsid} className="cards" aria-label={groupTitle(group.netns)}>
                    {groups.length > 1 && (
                        <div className="group-title">
                            <h2>{groupTitle(group.netns)}</h2>
                            {group.netns !== "" && <Help topic="netns" />}
                        </div>
                    )}
                    {group.interfaces.map(iface => (
                        <InterfaceCard
                            key={iface.key}
                            iface={iface}
                            level={groups.length > 1 ? 3 : 2}
                            counts={live ? counts.chains : undefined}
                        />
                    ))}
                </section>
            ))}
            {(folded > 0 || all) && filter === "" && (
                <div>
                    <Button variant="link" isInline onClick={() => setWhich(all ? "busy" : "all")} isExpanded={all}>
                        {all
                            ? _("Hide interfaces without programs")
                            : ngettext(
                                  "Show $0 interface without programs",
                                  "Show $0 interfaces without programs",
                                  folded,
                              )}
                    </Button>
                </div>
            )}
        </Section>
    );
}

function groupTitle(netns: string): string {
    return netns === "" ? _("This host") : format(_("Network namespace $0"), shown(netns));
}

function OneInterface({
    interfaces,
    only,
    controls,
    counts,
    live,
}: ViewProps & { only: { name: string; netns: string } }) {
    const iface = interfaces.find(one => one.name === only.name && one.netns === only.netns);
    const name = shown(interfaceLabel(only.name, only.netns));
    return (
        <>
            <Section className="breadcrumb">
                <Breadcrumb href={routeHref({ view: "interfaces" })} list={_("Interfaces")}>
                    {name}
                </Breadcrumb>
            </Section>
            <Section className="cards">
                <div className="title-line">
                    <h1>{shown(only.name)}</h1>
                    {iface && <div className="actions">{controls}</div>}
                </div>
                {iface ? (
                    <>
                        <InterfaceFacts iface={iface} />
                        <InterfaceCard iface={iface} level={2} counts={live ? counts.chains : undefined} isAlone />
                    </>
                ) : (
                    <EmptyState title={_("No such interface")}>
                        {_("It may have been removed, or its network namespace is gone.")}
                    </EmptyState>
                )}
            </Section>
        </>
    );
}

interface LiveSwitchProps {
    readonly live: boolean;
    readonly onChange: (live: boolean) => void;
    readonly counts: LiveCounts;
}

function LiveSwitch({ live, onChange, counts }: LiveSwitchProps) {
    return (
        <div className="live-switch">
            <Switch label={_("Live packets")} isOn={live} onChange={onChange} />
            <Help topic="livePackets" />
            {live && counts.error && <Refusal title={_("Packets can't be counted")} error={counts.error} />}
        </div>
    );
}
