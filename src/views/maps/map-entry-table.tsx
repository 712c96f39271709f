// SPDX-License-Identifier: Apache-2.0
// Entries as rows: key, value, and what can be done with each.
import { type ReactNode, useMemo } from "react";
import { DeleteEntryDialog } from "../../dialogs/maps/map-delete.tsx";
import { EntryDialog } from "../../dialogs/maps/map-entry.tsx";
import type { Entry, EntryChange, MapInfo } from "../../model/map-model.ts";
import { isArray } from "../../model/map-text.ts";
import { usePage } from "../../page.ts";
import { _, format } from "../../text/i18n.ts";
import { Kebab, MenuItem } from "../../ui/menu.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { DatumView, datumText, EntryValue } from "./value-tree.tsx";

interface EntryTableProps {
    readonly map: MapInfo;
    readonly label: string;
    readonly entries: readonly Entry[];
    readonly asBytes: boolean;
    /** of these entries: shown for a moment */
    readonly changes?: readonly EntryChange[];
    /** after an entry was changed or deleted here */
    readonly onChanged: () => void;
    readonly empty?: ReactNode;
}

export function EntryTable({ map, label, entries, asBytes, changes = [], onChanged, empty }: EntryTableProps) {
    const { show } = usePage();
    const columns = useMemo(() => columnsFor(asBytes), [asBytes]);
    const changed = useMemo(() => new Map(changes.map(change => [change.entry.key.bytes, change.time])), [changes]);
    const actions = (entry: Entry) => (
        <Kebab label={format(_("Actions for the entry $0"), datumText(entry.key))}>
            <MenuItem onClick={() => show(<EntryDialog map={map} entry={entry} onDone={onChanged} />)}>
                {_("Edit")}
            </MenuItem>
            {!isArray(map.type) && (
                <MenuItem
                    isDanger
                    onClick={() => show(<DeleteEntryDialog map={map} entry={entry} onDone={onChanged} />)}
                >
                    {_("Delete")}
                </MenuItem>
            )}
        </Kebab>
    );
    return (
        <DataTable
            label={label}
            columns={columns}
            rows={entries}
            keyOf={entry => entry.key.bytes}
            {...(map.unwritable === "" ? { actions } : {})}
            rowClass={entry => flashClass(changed.get(entry.key.bytes))}
            empty={empty}
        />
    );
}

/** By turns one of two, so that each change begins anew. */
function flashClass(time: string | undefined): string | undefined {
    if (time === undefined) return undefined;
    const sum = [...time].reduce((total, character) => total + character.charCodeAt(0), 0);
    return sum % 2 === 0 ? "flash-even" : "flash-odd";
}

function columnsFor(asBytes: boolean): Column<Entry>[] {
    return [
        {
            id: "key",
            title: _("Key"),
            width: 35,
            wrap: "breakWord",
            cell: entry => <DatumView datum={entry.key} asBytes={asBytes} />,
        },
        {
            id: "value",
            title: _("Value"),
            wrap: "breakWord",
            cell: entry => <EntryValue entry={entry} asBytes={asBytes} />,
        },
    ];
}
