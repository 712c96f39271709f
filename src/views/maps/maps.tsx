// SPDX-License-Identifier: Apache-2.0
// Every map of the kernel as a table.
import { useMemo } from "react";
import type { MapInfo } from "../../model/map-model.ts";
import { useChoice, useOption, useSort } from "../../model/view-options.ts";
import { useMaps, usePrograms } from "../../page.ts";
import { programHref, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes, whole } from "../../text/words.ts";
import { Card } from "../../ui/card.tsx";
import { ToggleGroup } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Label } from "../../ui/label.tsx";
import { matches, type Sort } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { Explained } from "../shared/help.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";

const whichMaps = ["managed", "all"] as const;
const byName: Sort = { by: "name", descending: false };

export function MapsView() {
    const [which, setWhich] = useChoice("which", whichMaps);
    const [filter, setFilter] = useOption("filter");
    const [sort, setSort] = useSort(byName);
    const { value: maps, error } = useMaps(which === "all");
    const names = useProgramNames();
    const columns = useMemo(() => columnsFor(names, which === "all"), [names, which]);
    const found = useMemo(() => maps?.filter(map => matches(textOf(map, names), filter)), [maps, names, filter]);
    if (error) return <ErrorAlert error={error} />;
    return (
        <Section>
            <Card level={1} title={<Explained topic="map">{_("Maps")}</Explained>} isFlush>
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter maps")}
                            placeholder={_("Name, type or program")}
                            value={filter}
                            onChange={setFilter}
                            found={found?.length}
                        />
                    </div>
                    <ToggleGroup
                        label={_("Which maps")}
                        options={[
                            { value: "managed", text: _("Managed here") },
                            { value: "all", text: _("All") },
                        ]}
                        value={which}
                        onChange={setWhich}
                    />
                </div>
                {found ? (
                    <DataTable
                        label={_("Maps")}
                        columns={columns}
                        rows={found}
                        keyOf={map => map.id}
                        sort={sort}
                        onSort={setSort}
                        empty={<NoMaps filtered={filter !== ""} all={which === "all"} />}
                    />
                ) : (
                    <Loading level={2} />
                )}
            </Card>
        </Section>
    );
}

function NoMaps({ filtered, all }: { filtered: boolean; all: boolean }) {
    if (filtered) return <EmptyState isSmall title={_("No map matches the filter")} />;
    return (
        <EmptyState isSmall title={_("No maps")}>
            {!all && _("Programs that are loaded here have none. Choose “All” to see those of others.")}
        </EmptyState>
    );
}

/** The programs of the kernel by their ids. */
export function useProgramNames(): ReadonlyMap<number, string> {
    const { value: programs } = usePrograms(true);
    return useMemo(() => new Map((programs ?? []).map(program => [program.id, program.name])), [programs]);
}

export function mapLabel(map: MapInfo): string {
    return map.name === "" ? _("(no name)") : shown(map.name);
}

function textOf(map: MapInfo, names: ReadonlyMap<number, string>): string[] {
    const users = map.usedBy.flatMap(id => [names.get(id) ?? "", String(id)]);
    return [String(map.id), map.name, map.type, map.keyType, map.valueType, map.partOf, ...map.pinPaths, ...users];
}

function columnsFor(names: ReadonlyMap<number, string>, all: boolean): Column<MapInfo>[] {
    const owner: Column<MapInfo> = {
        id: "owner",
        title: _("Owner"),
        cell: map => ownerLabel(map),
        sortBy: map => ownerLabel(map),
    };
    return [
        {
            id: "name",
            title: _("Name"),
            wrap: "breakWord",
            cell: map => (
                <>
                    <a href={routeHref({ view: "map", id: map.id })}>{mapLabel(map)}</a>
                    <MapMarks map={map} />
                </>
            ),
            sortBy: map => map.name,
        },
        { id: "id", title: _("ID"), cell: map => map.id, sortBy: map => map.id, isNumeric: true },
        { id: "type", title: _("Type"), cell: map => shown(map.type), sortBy: map => map.type },
        {
            id: "key",
            title: _("Key"),
            cell: map => <TypeText type={map.keyType} sizeBytes={map.keyBytes} />,
            isWideOnly: true,
        },
        {
            id: "value",
            title: _("Value"),
            cell: map => <TypeText type={map.valueType} sizeBytes={map.valueBytes} />,
            isWideOnly: true,
        },
        {
            id: "entries",
            title: _("Room for"),
            cell: map => whole(map.maxEntries),
            sortBy: map => map.maxEntries,
            isNumeric: true,
        },
        {
            id: "memory",
            title: _("Memory"),
            wrap: "nowrap",
            cell: map => bytes(map.memoryBytes),
            sortBy: map => map.memoryBytes,
            isNumeric: true,
        },
        ...(all ? [owner] : []),
        {
            id: "users",
            title: _("Used by"),
            wrap: "breakWord",
            cell: map => <Users map={map} names={names} most={3} />,
            sortBy: map => names.get(map.usedBy[0] ?? 0) ?? "",
        },
    ];
}

function ownerLabel(map: MapInfo): string {
    if (map.managed) return _("Managed here");
    return map.partOf === "" ? _("Others") : format(_("Part of the $0"), shown(map.partOf));
}

export function MapMarks({ map }: { map: MapInfo }) {
    if (!map.frozen && !map.shared && map.pinPaths.length === 0) return null;
    return (
        <span className="marks">
            {map.frozen && <Label>{_("Frozen")}</Label>}
            {map.shared && <Label>{_("Shared by name")}</Label>}
            {!map.shared && !map.managed && map.pinPaths.length > 0 && <Label>{_("Pinned")}</Label>}
        </span>
    );
}

export function TypeText({ type, sizeBytes }: { type: string; sizeBytes: number }) {
    if (sizeBytes === 0) return <span className="note">{_("none")}</span>;
    if (type === "") return <span>{bytes(sizeBytes)}</span>;
    return (
        <code className="type-name" dir="ltr">
            {shown(type)}
        </code>
    );
}

interface UsersProps {
    readonly map: MapInfo;
    readonly names: ReadonlyMap<number, string>;
    readonly most?: number;
}

export function Users({ map, names, most = Number.POSITIVE_INFINITY }: UsersProps) {
    if (map.usedBy.length === 0) return <span className="note">{_("no program")}</span>;
    return (
        <ul className="inline-list">
            {map.usedBy.slice(0, most).map(id => (
                <li key={id}>
                    <a href={programHref(id)}>{shown(names.get(id) || format(_("program $0"), id))}</a>
                </li>
            ))}
            {map.usedBy.length > most && <li className="note">{format(_("$0 more"), map.usedBy.length - most)}</li>}
        </ul>
    );
}
