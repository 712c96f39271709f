// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "react";
import type { BpfMap } from "../../model/model.ts";
import { programHref, routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes, whole } from "../../text/words.ts";
import { Card } from "../../ui/card.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";

export function MapsTab({ maps, usedBy }: { maps: readonly BpfMap[]; usedBy: readonly number[] }) {
    const columns = useMemo(mapColumns, []);
    return (
        <Card title={_("Maps")} isFlush>
            {usedBy.length > 0 && (
                <p className="note inset">
                    {_("Also used by:")}{" "}
                    {usedBy.map((id, at) => (
                        <span key={id}>
                            {at > 0 && ", "}
                            <a href={programHref(id)}>{format(_("program $0"), id)}</a>
                        </span>
                    ))}
                </p>
            )}
            <DataTable label={_("Maps")} columns={columns} rows={maps} keyOf={map => map.id} />
        </Card>
    );
}

function mapColumns(): Column<BpfMap>[] {
    return [
        {
            id: "name",
            title: _("Name"),
            wrap: "breakWord",
            cell: map => (
                <a href={routeHref({ view: "map", id: map.id })}>
                    {map.name === "" ? _("(no name)") : shown(map.name)}
                </a>
            ),
            sortBy: map => map.name,
        },
        { id: "id", title: _("ID"), cell: map => map.id, sortBy: map => map.id },
        { id: "type", title: _("Type"), cell: map => shown(map.type), sortBy: map => map.type },
        {
            id: "key",
            title: _("Key size"),
            isNumeric: true,
            cell: map => bytes(map.keyBytes),
            sortBy: map => map.keyBytes,
        },
        {
            id: "value",
            title: _("Value size"),
            isNumeric: true,
            cell: map => bytes(map.valueBytes),
            sortBy: map => map.valueBytes,
        },
        {
            id: "entries",
            title: _("Room for"),
            isNumeric: true,
            cell: map => whole(map.maxEntries),
            sortBy: map => map.maxEntries,
        },
        {
            id: "memory",
            title: _("Memory"),
            isNumeric: true,
            cell: map => bytes(map.memoryBytes),
            sortBy: map => map.memoryBytes,
        },
    ];
}
