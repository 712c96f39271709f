// SPDX-License-Identifier: Apache-2.0
// Every program, map, link and BTF object in the kernel, whoever made it.
import { type ReactNode, useMemo } from "react";
import { type InventoryRow, type Kind, searchTexts } from "../../model/inventory.ts";
import { useChoice, useOption, useSort } from "../../model/view-options.ts";
import type { KnownInventory } from "../../page.ts";
import { programHref, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { age, bytes, moment } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";
import { Card } from "../../ui/card.tsx";
import { Select, ToggleGroup } from "../../ui/choice.tsx";
import { EmptyState } from "../../ui/empty.tsx";
import { Label } from "../../ui/label.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable, type Grouping } from "../../ui/table.tsx";
import { useNow } from "../../use-now.ts";
import { English } from "../shared/english.tsx";

const groups = ["none", "owner", "unit", "container", "type", "kind"] as const;

type GroupBy = (typeof groups)[number];

interface InventoryCardProps {
    readonly inventory: KnownInventory;
    readonly kind: Kind | "all";
    readonly onKind: (kind: Kind | "all") => void;
}

export function InventoryCard({ inventory, kind, onKind }: InventoryCardProps) {
    const [filter, setFilter] = useOption("filter");
    const [groupBy, setGroupBy] = useChoice("group", groups);
    const [sort, setSort] = useSort();
    const now = useNow();
    const columns = useMemo(() => inventoryColumns(now), [now]);
    const grouping = useMemo(() => groupingOf(groupBy), [groupBy]);
    const matching = useMemo(
        () => inventory.rows.filter(row => (kind === "all" || row.kind === kind) && matches(searchTexts(row), filter)),
        [inventory, kind, filter],
    );
    return (
        <div id="inventory">
            <Card title={_("Everything in the kernel")} isFlush>
                {inventory.ownersUnknown !== "" && (
                    <div className="inset">
                        <Alert variant="info" title={_("Owners are not known")}>
                            <English>{inventory.ownersUnknown}</English>
                        </Alert>
                    </div>
                )}
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter everything")}
                            placeholder={_("Name, type, process, unit, hook, …")}
                            value={filter}
                            onChange={setFilter}
                            found={matching.length}
                        />
                    </div>
                    <ToggleGroup
                        label={_("Which kind")}
                        value={kind}
                        onChange={onKind}
                        options={[
                            { value: "all", text: _("All") },
                            { value: "program", text: _("Programs") },
                            { value: "map", text: _("Maps") },
                            { value: "link", text: _("Links") },
                            { value: "btf", text: _("BTF") },
                        ]}
                    />
                    <Select
                        className="short-select"
                        label={_("Group by")}
                        value={groupBy}
                        onChange={setGroupBy}
                        options={[
                            { value: "none", text: _("Not grouped") },
                            { value: "owner", text: _("By owner") },
                            { value: "unit", text: _("By unit") },
                            { value: "container", text: _("By container") },
                            { value: "type", text: _("By type") },
                            { value: "kind", text: _("By kind") },
                        ]}
                    />
                </div>
                <DataTable
                    label={_("Everything in the kernel")}
                    columns={columns}
                    rows={matching}
                    keyOf={row => row.key}
                    grouping={grouping}
                    sort={sort}
                    onSort={setSort}
                    empty={<EmptyState isSmall level={3} title={_("Nothing matches the filter")} />}
                />
            </Card>
        </div>
    );
}

function groupingOf(by: GroupBy): Grouping<InventoryRow> | undefined {
    switch (by) {
        case "none":
            return undefined;
        case "owner":
            return { keyOf: row => shown(row.owner), noneTitle: _("unknown owner") };
        case "unit":
            return { keyOf: row => shown(row.units[0] ?? ""), noneTitle: _("no unit") };
        case "container":
            return { keyOf: row => shown(row.containers[0] ?? ""), noneTitle: _("no container") };
        case "type":
            return { keyOf: row => shown(row.type), noneTitle: _("BTF objects") };
        case "kind":
            return { keyOf: row => kindWord(row.kind), noneTitle: "" };
    }
}

function kindWord(kind: Kind): string {
    switch (kind) {
        case "program":
            return _("Program");
        case "map":
            return _("Map");
        case "link":
            return _("Link");
        case "btf":
            return _("BTF");
    }
}

function inventoryColumns(now: number): Column<InventoryRow>[] {
    return [
        {
            id: "name",
            title: _("Name"),
            width: 20,
            wrap: "breakWord",
            cell: row => (
                <>
                    <RowName row={row} />
                    {row.partOf !== "" && <div className="note">{format(_("Part of the $0"), shown(row.partOf))}</div>}
                </>
            ),
            sortBy: row => row.name,
        },
        {
            id: "kind",
            title: _("Kind"),
            width: 10,
            cell: row => (
                <span className="kind-cell">
                    <Label color={kindColor[row.kind]}>{kindWord(row.kind)}</Label> {row.id}
                </span>
            ),
            // by the ID within its kind
            sortBy: row => `${row.kind} ${row.id}`,
        },
        {
            id: "type",
            title: _("Type"),
            width: 10,
            wrap: "breakWord",
            cell: row => shown(row.type),
            sortBy: row => row.type,
        },
        {
            id: "owner",
            title: _("Owner"),
            width: 15,
            wrap: "breakWord",
            cell: row => <Owner row={row} />,
            sortBy: row => row.owner,
        },
        {
            id: "unit",
            title: _("Unit, container"),
            width: 15,
            wrap: "breakWord",
            cell: row => lines([...row.units, ...row.containers]),
            sortBy: row => row.units[0] ?? row.containers[0] ?? "",
        },
        {
            id: "hook",
            title: _("Hook, used by"),
            width: 15,
            wrap: "breakWord",
            cell: row => <Use row={row} />,
            sortBy: row => row.hooks[0] ?? row.programs[0]?.name ?? "",
        },
        {
            id: "memory",
            title: _("Memory"),
            isNumeric: true,
            cell: row => row.memoryBytes !== undefined && bytes(row.memoryBytes),
            sortBy: row => row.memoryBytes ?? -1,
        },
        {
            id: "age",
            title: _("Loaded"),
            isNumeric: true,
            cell: row => row.loadedAt !== "" && <span title={moment(row.loadedAt)}>{age(row.loadedAt, now)}</span>,
            sortBy: row => row.loadedAt,
        },
    ];
}

const kindColor = { program: "blue", map: "purple", link: "teal", btf: "grey" } as const;

function RowName({ row }: { row: InventoryRow }) {
    const name = row.name === "" ? _("(no name)") : shown(row.name);
    if (row.kind === "program") return <a href={programHref(row.id)}>{name}</a>;
    if (row.kind === "map") return <a href={routeHref({ view: "map", id: row.id })}>{name}</a>;
    if (row.managedLinkId !== 0) {
        const text = format(_("Link $0"), row.managedLinkId);
        return <a href={routeHref({ view: "link", id: row.managedLinkId })}>{text}</a>;
    }
    return row.kind === "link" && row.name === "" ? <span className="note">{_("kernel link")}</span> : name;
}

function Owner({ row }: { row: InventoryRow }) {
    const [first, ...others] = row.processes;
    return (
        <>
            {row.owner === "" ? <span className="note">{_("unknown")}</span> : shown(row.owner)}
            {first && (
                <div className="note" title={shown(first.command ?? "")}>
                    {format(_("$0, PID $1"), shown(first.name ?? ""), first.pid ?? 0)}
                    {others.length > 0 && ` ${ngettext("and $0 more", "and $0 more", others.length)}`}
                </div>
            )}
            {row.application !== "" && row.application !== row.owner && (
                <div className="note">{shown(row.application)}</div>
            )}
        </>
    );
}

function Use({ row }: { row: InventoryRow }) {
    const some = row.programs.slice(0, 4);
    return (
        <>
            {lines(row.hooks)}
            {some.map(({ id, name }, at) => (
                <span key={id}>
                    {at > 0 && ", "}
                    <a href={programHref(id)}>{name === "" ? format(_("program $0"), id) : shown(name)}</a>
                </span>
            ))}
            {row.programs.length > some.length && ", …"}
        </>
    );
}

function lines(words: readonly string[]): ReactNode {
    return words.map(word => <div key={word}>{shown(word)}</div>);
}
