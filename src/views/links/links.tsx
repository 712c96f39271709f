// SPDX-License-Identifier: Apache-2.0
// Every link of this daemon, whatever its hook.
import { useMemo } from "react";
import { AttachDialog } from "../../dialogs/attach/attach.tsx";
import type { Link, ListedLink } from "../../model/model.ts";
import { useChoice, useOption, useSort } from "../../model/view-options.ts";
import { useLinks, usePage } from "../../page.ts";
import { programHref, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { hookKind, hookTitle, interfaceLabel, moment, place } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Select } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable, type Grouping } from "../../ui/table.tsx";
import { Explained } from "../shared/help.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { LinkMenu } from "./link-menu.tsx";

const groups = ["none", "hook", "target", "application"] as const;

type GroupBy = (typeof groups)[number];

export function LinksView() {
    const { show } = usePage();
    const { value: links, error } = useLinks();
    const [filter, setFilter] = useOption("filter");
    const [groupBy, setGroupBy] = useChoice("group", groups);
    const [sort, setSort] = useSort();
    const columns = useMemo(linkColumns, []);
    const grouping = useMemo(() => groupingOf(groupBy), [groupBy]);
    const matching = useMemo(() => links?.filter(link => matches(searchTexts(link), filter)), [links, filter]);
    if (error) return <ErrorAlert error={error} />;
    return (
        <Section>
            <Card
                title={<Explained topic="link">{_("Links")}</Explained>}
                level={1}
                isFlush
                actions={<Button onClick={() => show(<AttachDialog />)}>{_("Attach program")}</Button>}
            >
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter links")}
                            placeholder={_("Program, hook or target")}
                            value={filter}
                            onChange={setFilter}
                            found={matching?.length}
                        />
                    </div>
                    <Select
                        className="short-select"
                        label={_("Group by")}
                        value={groupBy}
                        onChange={setGroupBy}
                        options={[
                            { value: "none", text: _("Not grouped") },
                            { value: "hook", text: _("By hook") },
                            { value: "target", text: _("By target") },
                            { value: "application", text: _("By application") },
                        ]}
                    />
                </div>
                {matching ? (
                    <DataTable
                        label={_("Links")}
                        columns={columns}
                        rows={matching}
                        keyOf={link => link.id}
                        actions={link => <LinkMenu link={link} />}
                        grouping={grouping}
                        sort={sort}
                        onSort={setSort}
                        empty={<NoLinks isFiltered={filter !== ""} />}
                    />
                ) : (
                    <Loading level={2} />
                )}
            </Card>
        </Section>
    );
}

function NoLinks({ isFiltered }: { isFiltered: boolean }) {
    return (
        <EmptyState isSmall title={isFiltered ? _("No link matches the filter") : _("No links")}>
            {!isFiltered && _("Nothing that was loaded here is attached, so none of it runs.")}
        </EmptyState>
    );
}

function searchTexts(link: ListedLink): string[] {
    const { programName, interface: target, netns, json } = link;
    return [String(link.id), programName, target, netns, hookTitle(link.kind, link.direction), json.application ?? ""];
}

function groupingOf(by: GroupBy): Grouping<ListedLink> | undefined {
    switch (by) {
        case "none":
            return undefined;
        case "hook":
            return { keyOf: link => shown(hookTitle(link.kind, link.direction)), noneTitle: "" };
        case "target":
            return { keyOf: link => shown(interfaceLabel(link.interface, link.netns)), noneTitle: _("no target") };
        case "application":
            return { keyOf: link => shown(link.json.application ?? ""), noneTitle: _("no application") };
    }
}

/** Where the link is: of an interface its view. */
export function Target({ link }: { link: Link }) {
    const text = shown(interfaceLabel(link.interface, link.netns));
    if (!hookKind(link.kind)) return <>{text}</>;
    return <a href={routeHref({ view: "interface", name: link.interface, netns: link.netns })}>{text}</a>;
}

function linkColumns(): Column<ListedLink>[] {
    return [
        {
            id: "program",
            title: _("Program"),
            width: 25,
            wrap: "breakWord",
            cell: link => <a href={programHref(link.programId)}>{shown(link.programName)}</a>,
            sortBy: link => link.programName,
        },
        {
            id: "id",
            title: _("Link"),
            width: 10,
            cell: link => <a href={routeHref({ view: "link", id: link.id })}>{link.id}</a>,
            sortBy: link => link.id,
        },
        {
            id: "hook",
            title: _("Hook"),
            width: 15,
            cell: link => shown(hookTitle(link.kind, link.direction)),
            sortBy: link => hookTitle(link.kind, link.direction),
        },
        {
            id: "target",
            title: _("Target"),
            width: 20,
            wrap: "breakWord",
            cell: link => <Target link={link} />,
            sortBy: link => interfaceLabel(link.interface, link.netns),
        },
        {
            id: "priority",
            title: _("Priority"),
            isNumeric: true,
            cell: link => hookKind(link.kind) && link.priority,
            sortBy: link => (hookKind(link.kind) ? link.priority : -1),
        },
        {
            id: "position",
            title: _("Position"),
            isNumeric: true,
            cell: link => hookKind(link.kind) && place(link),
            sortBy: link => (hookKind(link.kind) ? link.position : -1),
        },
        {
            id: "created",
            title: _("Attached at"),
            wrap: "nowrap",
            cell: link => moment(link.json.createdAt ?? ""),
            sortBy: link => link.json.createdAt ?? "",
        },
    ];
}
