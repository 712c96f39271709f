// SPDX-License-Identifier: Apache-2.0
// Every network interface with the chains that run on it.
import { Breadcrumb, BreadcrumbItem } from "@patternfly/react-core/dist/esm/components/Breadcrumb/index.js";
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import { Card, CardBody, CardHeader } from "@patternfly/react-core/dist/esm/components/Card/index.js";
import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState/index.js";
import { AttachDialog } from "../dialogs/attach.tsx";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import type { Interface } from "../model.ts";
import { useInterfaces, usePage } from "../page.ts";
import { routeHref } from "../route.ts";
import { Label } from "../ui/label.tsx";
import { interfaceLabel } from "../words.ts";
import { ChainSection } from "./chain.tsx";
import { Loading } from "./gate.tsx";
import { ErrorAlert } from "./refusal.tsx";
import { Section } from "./section.tsx";

export function InterfacesView({ only }: { only?: { name: string; netns: string } }) {
    const { value: interfaces, error } = useInterfaces();
    if (error) return <ErrorAlert error={error} />;
    if (!interfaces) return <Loading />;
    const wanted = only
        ? interfaces.filter(iface => iface.name === only.name && iface.netns === only.netns)
        : byUse(interfaces);
    return (
        <>
            {only && (
                <Section className="breadcrumb">
                    <Breadcrumb aria-label={_("Breadcrumb")}>
                        <BreadcrumbItem to={routeHref({ view: "interfaces" })}>{_("Interfaces")}</BreadcrumbItem>
                        <BreadcrumbItem isActive>{shown(interfaceLabel(only.name, only.netns))}</BreadcrumbItem>
                    </Breadcrumb>
                </Section>
            )}
            <Section className="cards">
                <h1 className={only ? "hidden-title" : ""}>{only ? shown(only.name) : _("Interfaces")}</h1>
                {wanted.map(iface => (
                    <InterfaceCard key={iface.key} iface={iface} />
                ))}
                {wanted.length === 0 && (
                    <EmptyState headingLevel="h2" titleText={_("No such interface")}>
                        <EmptyStateBody>
                            {_("It may have been removed, or its network namespace is gone.")}
                        </EmptyStateBody>
                    </EmptyState>
                )}
            </Section>
        </>
    );
}

/** Those with programs first; else as the kernel lists them. */
function byUse(interfaces: readonly Interface[]): Interface[] {
    return [
        ...interfaces.filter(iface => iface.chains.length > 0),
        ...interfaces.filter(iface => iface.chains.length === 0),
    ];
}

function InterfaceCard({ iface }: { iface: Interface }) {
    const { show } = usePage();
    return (
        <Card>
            <CardHeader
                actions={{
                    hasNoOffset: true,
                    actions: (
                        <Button
                            variant="secondary"
                            onClick={() => show(<AttachDialog interfaceKey={iface.key} />)}
                            aria-label={format(_("Attach program to $0"), shown(iface.name))}
                        >
                            {_("Attach program")}
                        </Button>
                    ),
                }}
            >
                <div className="interface-title">
                    <h2>
                        <a href={routeHref({ view: "interface", name: iface.name, netns: iface.netns })}>
                            {shown(iface.name)}
                        </a>
                    </h2>
                    {iface.netns !== "" && <Label color="blue">{shown(iface.netns)}</Label>}
                    <Label color={iface.up ? "green" : "grey"}>{iface.up ? _("Up") : _("Down")}</Label>
                    <span className="note">{facts(iface)}</span>
                </div>
            </CardHeader>
            {iface.chains.length > 0 && (
                <CardBody className="flush">
                    {iface.chains.map(chain => (
                        <ChainSection key={chain.type} chain={chain} iface={iface} />
                    ))}
                </CardBody>
            )}
        </Card>
    );
}

function facts(iface: Interface): string {
    const mtu = format(_("MTU $0"), iface.mtu);
    const idle = iface.chains.length === 0 ? _("no eBPF programs") : "";
    return [shown(iface.kind), shown(iface.mac), mtu, idle].filter(fact => fact !== "").join(" · ");
}
