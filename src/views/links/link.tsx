// SPDX-License-Identifier: Apache-2.0
// One link: what was asked for, and what carries it in the kernel.
import { CallError } from "../../../client/errors.ts";
import { DetachDialog } from "../../dialogs/attach/detach.tsx";
import { UpdateLinkDialog } from "../../dialogs/attach/update-link.tsx";
import type { ListedLink } from "../../model/model.ts";
import { useLink, usePage } from "../../page.ts";
import { programHref, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { backendHelp, hookKind, hookTitle, moment, place } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Fact, FactCard } from "../../ui/facts.tsx";
import { Breadcrumb } from "../../ui/nav.tsx";
import { ProceedOn } from "../interfaces/chain.tsx";
import { Code } from "../shared/code.tsx";
import { Explained } from "../shared/help.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { Target } from "./links.tsx";

export function LinkView({ id }: { id: number }) {
    const { value: link, error } = useLink(id);
    return (
        <>
            <Section className="breadcrumb">
                <Breadcrumb href={routeHref({ view: "links" })} list={_("Links")}>
                    {format(_("Link $0"), id)}
                </Breadcrumb>
            </Section>
            {error ? <NoLink id={id} error={error} /> : link ? <LinkFacts link={link} /> : <Loading />}
        </>
    );
}

function NoLink({ id, error }: { id: number; error: Error }) {
    if (!(error instanceof CallError) || error.code !== "NOT_FOUND") return <ErrorAlert error={error} />;
    return (
        <Section>
            <EmptyState level={1} title={format(_("No link has the ID $0"), id)}>
                {_("It may have been detached. The IDs of links are never given twice.")}
            </EmptyState>
        </Section>
    );
}

function LinkFacts({ link }: { link: ListedLink }) {
    const { show } = usePage();
    const name = shown(link.programName);
    return (
        <Section className="cards">
            <div className="title-line">
                <h1>{format(_("$0 on $1"), name, shown(link.interface))}</h1>
                <div className="actions">
                    {hookKind(link.kind) && (
                        <Button variant="secondary" onClick={() => show(<UpdateLinkDialog link={link} />)}>
                            {_("Change priority")}
                        </Button>
                    )}
                    <Button variant="secondary" isDanger onClick={() => show(<DetachDialog link={link} />)}>
                        {_("Detach")}
                    </Button>
                </div>
            </div>
            <div className="card-pair">
                <AskedCard link={link} />
                <CarriedCard link={link} />
            </div>
        </Section>
    );
}

function AskedCard({ link }: { link: ListedLink }) {
    const { json } = link;
    const isOrdered = hookKind(link.kind) !== undefined;
    return (
        <FactCard title={_("As it was attached")}>
            <Fact term={_("Program")}>
                <a href={programHref(link.programId)}>
                    {format(_("$0 (ID $1)"), shown(link.programName), link.programId)}
                </a>
            </Fact>
            <Fact term={_("Hook")}>{shown(hookTitle(link.kind, link.direction))}</Fact>
            <Fact term={_("Target")}>
                <Target link={link} />
            </Fact>
            {isOrdered && <Fact term={<Explained topic="priority">{_("Priority")}</Explained>}>{link.priority}</Fact>}
            {isOrdered && <Fact term={<Explained topic="chain">{_("Position")}</Explained>}>{place(link)}</Fact>}
            {link.proceedOn.length > 0 && (
                <Fact term={<Explained topic="proceedOn">{_("Proceeds on")}</Explained>}>
                    <ProceedOn kind={link.kind} codes={link.proceedOn} />
                </Fact>
            )}
            {hookDetails(link).map(([term, value]) => (
                <Fact key={term} term={term}>
                    {shown(value)}
                </Fact>
            ))}
            <Fact term={_("Attached at")}>{moment(json.createdAt ?? "")}</Fact>
            <Fact term={_("Attached by")}>{shown(json.createdBy ?? "")}</Fact>
            {Object.entries(json.metadata ?? {}).map(([key, value]) => (
                <Fact key={key} term={<Code>{key}</Code>}>
                    {shown(value)}
                </Fact>
            ))}
        </FactCard>
    );
}

/** What a hook has beside its target. */
function hookDetails({ json }: ListedLink): [term: string, value: string][] {
    const { uprobe, kprobe, perfEvent, cgroup } = json;
    const told: [string, string | number | undefined][] = [
        [_("Offset"), kprobe?.offset ?? uprobe?.offset],
        [_("File"), uprobe?.path],
        [_("Process"), uprobe?.pid || undefined],
        [_("Frequency"), perfEvent?.frequencyHz && format(_("$0 a second"), perfEvent.frequencyHz)],
        [_("Period"), perfEvent?.period],
        [_("Attach type"), cgroup?.attachType],
    ];
    return told.flatMap(([term, value]) =>
        value === undefined || value === "" || value === 0 ? [] : [[term, String(value)]],
    );
}

function CarriedCard({ link }: { link: ListedLink }) {
    const { json } = link;
    const kernelIds = (json.kernelLinkIds ?? [json.kernelLinkId ?? 0]).filter(id => id !== 0);
    const pins = json.pinPaths ?? (json.pinPath ? [json.pinPath] : []);
    return (
        <FactCard title={_("Kernel")}>
            <Fact term={_("Known to the kernel")}>{json.kernelSeen ? _("Yes") : _("No")}</Fact>
            {json.backend && (
                <Fact term={<Explained topic="backend">{_("Carried by")}</Explained>}>
                    {shown(json.backend)}
                    <div className="note">{backendHelp(json.backend)}</div>
                </Fact>
            )}
            {json.xdpMode && (
                <Fact term={<Explained topic="xdpMode">{_("Mode")}</Explained>}>
                    {json.xdpMode === "generic" ? _("generic mode") : _("native mode")}
                </Fact>
            )}
            {json.dispatcherId ? (
                <Fact term={_("Dispatcher")}>
                    <a href={programHref(json.dispatcherId)}>{format(_("program $0"), json.dispatcherId)}</a>
                    {", "}
                    {format(_("Revision $0"), json.revision ?? 0)}
                </Fact>
            ) : null}
            <Fact term={_("Kernel link")}>
                {kernelIds.length > 0 ? kernelIds.join(", ") : _("None: a slot of the dispatcher")}
            </Fact>
            {json.kernel?.type && <Fact term={_("Type")}>{shown(json.kernel.type)}</Fact>}
            {json.kernel?.attachType && <Fact term={_("Attach type")}>{shown(json.kernel.attachType)}</Fact>}
            {pins.length > 0 && (
                <Fact term={_("Pin")}>
                    {pins.map(pin => (
                        <div key={pin}>
                            <Code>{pin}</Code>
                        </div>
                    ))}
                </Fact>
            )}
        </FactCard>
    );
}
