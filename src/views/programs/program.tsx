// SPDX-License-Identifier: Apache-2.0
// One program: tabs for what was asked for and what the kernel has, its maps and globals, what it costs, its code.
import type { ReactNode } from "react";
import { CallError } from "../../../client/errors.ts";
import { AttachDialog } from "../../dialogs/attach/attach.tsx";
import { ReplaceDialog } from "../../dialogs/load/replace.tsx";
import { UnloadDialog } from "../../dialogs/unload.tsx";
import { attachKind, mapOf, type Program } from "../../model/model.ts";
import { usePage, useProgram } from "../../page.ts";
import { goInstead, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { typeLabel } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Label } from "../../ui/label.tsx";
import { Breadcrumb } from "../../ui/nav.tsx";
import { type TabItem, TabStrip } from "../../ui/tabs.tsx";
import { programLabel } from "../links/labels.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { CodeTab } from "./program-code.tsx";
import { GlobalsTab, globalMaps } from "./program-globals.tsx";
import { LogTab } from "./program-log.tsx";
import { MapsTab } from "./program-maps.tsx";
import { StatisticsTab } from "./program-statistics.tsx";
import { SummaryTab } from "./program-summary.tsx";
import { canTestRun, TestRunTab } from "./program-test.tsx";

export function ProgramView({ id, tab }: { id: number; tab: string }) {
    const { value: program, error } = useProgram(id);
    return (
        <>
            <Section className="breadcrumb">
                <Breadcrumb href={routeHref({ view: "programs" })} list={_("Programs")}>
                    {program ? programLabel(program) : String(id)}
                </Breadcrumb>
            </Section>
            {error ? (
                <NoProgram id={id} error={error} />
            ) : program ? (
                <Details program={program} tab={tab} />
            ) : (
                <Loading />
            )}
        </>
    );
}

function NoProgram({ id, error }: { id: number; error: Error }) {
    if (!(error instanceof CallError) || error.code !== "NOT_FOUND") return <ErrorAlert error={error} />;
    return (
        <Section>
            <EmptyState level={1} title={format(_("No program has the ID $0"), id)}>
                {_("It may have been unloaded. IDs are given anew when the machine starts.")}
            </EmptyState>
        </Section>
    );
}

function Details({ program, tab }: { program: Program; tab: string }) {
    return (
        <Section>
            <div className="title-line">
                <div className="interface-title">
                    <h1>{programLabel(program)}</h1>
                    <Label color="blue">{shown(typeLabel(program.type))}</Label>
                    <span className="note">{format(_("ID $0"), program.id)}</span>
                </div>
                {program.managed && <Actions program={program} />}
            </div>
            {!program.managed && <p className="note">{foreignText(program)}</p>}
            <TabStrip
                label={_("Details of the program")}
                tabs={tabsOf(program)}
                current={tab === "" ? "summary" : tab}
                onChange={chosen =>
                    goInstead({ view: "program", id: program.id, tab: chosen === "summary" ? "" : chosen })
                }
            />
        </Section>
    );
}

function Actions({ program }: { program: Program }) {
    const { show } = usePage();
    return (
        <div className="actions">
            {attachKind(program) && (
                <Button variant="secondary" onClick={() => show(<AttachDialog program={program} />)}>
                    {_("Attach")}
                </Button>
            )}
            <Button variant="secondary" onClick={() => show(<ReplaceDialog program={program} follow />)}>
                {_("Replace")}
            </Button>
            <Button variant="secondary" isDanger onClick={() => show(<UnloadDialog program={program} leave />)}>
                {_("Unload")}
            </Button>
        </div>
    );
}

function foreignText(program: Program): string {
    return program.partOf === ""
        ? _("Others loaded this program; it is not managed here.")
        : format(_("This program is part of the $0; it comes and goes with it."), shown(program.partOf));
}

function tabsOf(program: Program): TabItem[] {
    const maps = (program.json.maps ?? []).map(mapOf);
    const tab = (id: string, title: ReactNode, content: () => ReactNode): TabItem => ({
        id,
        title,
        content: () => <div className="cards tab-body">{content()}</div>,
    });
    return [
        tab("summary", _("Summary"), () => <SummaryTab program={program} />),
        ...(maps.length > 0
            ? [
                  tab("maps", format(_("Maps ($0)"), maps.length), () => (
                      <MapsTab maps={maps} usedBy={program.json.mapUsedBy ?? []} />
                  )),
              ]
            : []),
        ...(globalMaps(maps).length > 0
            ? [tab("globals", _("Global variables"), () => <GlobalsTab program={program} maps={maps} />)]
            : []),
        tab("statistics", _("Statistics"), () => <StatisticsTab program={program} />),
        tab("code", _("Instructions"), () => <CodeTab program={program} />),
        ...(program.managed ? [tab("log", _("Verifier log"), () => <LogTab program={program} />)] : []),
        ...(canTestRun(program) ? [tab("test", _("Test run"), () => <TestRunTab program={program} />)] : []),
    ];
}
