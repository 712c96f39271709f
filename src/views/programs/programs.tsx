// SPDX-License-Identifier: Apache-2.0
// The programs of this host as a table.
import { useMemo } from "react";
import { LoadDialog } from "../../dialogs/load/load.tsx";
import type { Program } from "../../model/model.ts";
import { useChoice, useOption, useSort } from "../../model/view-options.ts";
import { usePage, usePrograms } from "../../page.ts";
import { programHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes, hookTitle, moment, typeLabel } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Select, ToggleGroup } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable, type Grouping } from "../../ui/table.tsx";
import { LinkLabels, programLabel } from "../links/labels.tsx";
import { Explained } from "../shared/help.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { ProgramMenu } from "./program-menu.tsx";

const whichPrograms = ["managed", "all"] as const;
const groups = ["none", "application", "type"] as const;

type Which = (typeof whichPrograms)[number];
type GroupBy = (typeof groups)[number];

export function ProgramsView() {
    const { show } = usePage();
    const [which, setWhich] = useChoice("which", whichPrograms);
    const [filter, setFilter] = useOption("filter");
    const [groupBy, setGroupBy] = useChoice("group", groups);
    const [sort, setSort] = useSort();
    const { value: programs, error } = usePrograms(which === "all");
    const columns = useMemo(programColumns, []);
    const grouping = useMemo(() => groupingOf(groupBy), [groupBy]);
    const matching = useMemo(
        () => programs?.filter(program => matches(searchTexts(program), filter)),
        [programs, filter],
    );
    if (error) return <ErrorAlert error={error} />;
    return (
        <Section>
            <Card
                title={<Explained topic="ebpf">{_("Programs")}</Explained>}
                level={1}
                isFlush
                actions={<Button onClick={() => show(<LoadDialog />)}>{_("Load program")}</Button>}
            >
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter programs")}
                            placeholder={_("Name, type or interface")}
                            value={filter}
                            onChange={setFilter}
                            found={matching?.length}
                        />
                    </div>
                    <ToggleGroup
                        label={_("Which programs")}
                        value={which}
                        onChange={setWhich}
                        options={[
                            { value: "managed", text: _("Managed here") },
                            { value: "all", text: _("All") },
                        ]}
                    />
                    <Select
                        className="short-select"
                        label={_("Group by")}
                        value={groupBy}
                        onChange={setGroupBy}
                        options={[
                            { value: "none", text: _("Not grouped") },
                            { value: "application", text: _("By application") },
                            { value: "type", text: _("By type") },
                        ]}
                    />
                </div>
                {matching ? (
                    <DataTable
                        label={_("Programs")}
                        columns={columns}
                        rows={matching}
                        keyOf={keyOf}
                        actions={actionsOf}
                        grouping={grouping}
                        sort={sort}
                        onSort={setSort}
                        empty={<NoPrograms isFiltered={filter !== ""} which={which} />}
                    />
                ) : (
                    <Loading level={2} />
                )}
            </Card>
        </Section>
    );
}

const keyOf = (program: Program) => program.id;
const actionsOf = (program: Program) => program.managed && <ProgramMenu program={program} />;

function searchTexts(program: Program): string[] {
    const hooks = program.links.flatMap(link => [link.interface, link.netns, hookTitle(link.kind, link.direction)]);
    return [String(program.id), program.name, program.type, program.application, program.partOf, ...hooks];
}

function groupingOf(by: GroupBy): Grouping<Program> | undefined {
    switch (by) {
        case "none":
            return undefined;
        case "application":
            return { keyOf: program => shown(program.application), noneTitle: _("no application") };
        case "type":
            return { keyOf: program => shown(typeLabel(program.type)), noneTitle: _("unknown type") };
    }
}

function NoPrograms({ isFiltered, which }: { isFiltered: boolean; which: Which }) {
    return (
        <EmptyState isSmall title={isFiltered ? _("No program matches the filter") : _("No programs")}>
            {!isFiltered &&
                which === "managed" &&
                _("Load one, or choose “All” to see what others loaded into the kernel.")}
        </EmptyState>
    );
}

function programColumns(): Column<Program>[] {
    return [
        {
            id: "name",
            title: _("Name"),
            width: 20,
            wrap: "breakWord",
            cell: program => (
                <>
                    <a href={programHref(program.id)}>{programLabel(program)}</a>
                    {!program.managed && <div className="note">{foreignNote(program)}</div>}
                </>
            ),
            sortBy: program => program.name,
        },
        { id: "id", title: _("ID"), cell: program => program.id, sortBy: program => program.id },
        {
            id: "type",
            title: _("Type"),
            width: 10,
            cell: program => shown(typeLabel(program.type)),
            sortBy: program => program.type,
        },
        {
            id: "application",
            title: _("Application"),
            width: 15,
            wrap: "breakWord",
            cell: program => shown(program.application),
            sortBy: program => program.application,
        },
        {
            id: "links",
            title: _("Links"),
            width: 20,
            cell: program => <LinkLabels links={program.links} />,
            sortBy: program => program.links.length,
        },
        {
            id: "memory",
            title: _("Memory"),
            isNumeric: true,
            cell: program => bytes(program.memoryBytes),
            sortBy: program => program.memoryBytes,
        },
        {
            id: "loaded",
            title: _("Loaded"),
            wrap: "nowrap",
            cell: program => moment(program.loadedAt),
            sortBy: program => program.loadedAt,
        },
    ];
}

function foreignNote(program: Program): string {
    return program.partOf === "" ? _("Not managed here") : format(_("Part of the $0"), shown(program.partOf));
}
