// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import type { Entry, MapInfo } from "../../model/map-model.ts";
import { usePage } from "../../page.ts";
import { _, format } from "../../text/i18n.ts";
import { Fact, Facts } from "../../ui/facts.tsx";
import { mapLabel } from "../../views/maps/maps.tsx";
import { DatumView, datumText, EntryValue } from "../../views/maps/value-tree.tsx";
import { ActionDialog } from "../frame.tsx";
import { ForeignMapField, mayChange } from "./map-foreign.tsx";

interface DeleteEntryDialogProps {
    readonly map: MapInfo;
    readonly entry: Entry;
    readonly onDone: () => void;
}

export function DeleteEntryDialog({ map, entry, onDone }: DeleteEntryDialogProps) {
    const { client, notify } = usePage();
    const [agreed, setAgreed] = useState(false);
    const name = mapLabel(map);
    const run = async () => {
        await client.deleteMapEntry({
            map: { id: map.id },
            key: { bytes: entry.key.bytes },
            force: !map.managed && agreed,
        });
        notify(format(_("Entry $0 of $1 deleted"), datumText(entry.key), name));
        onDone();
    };
    return (
        <ActionDialog
            title={format(_("Delete an entry of $0?"), name)}
            action={_("Delete")}
            failure={_("The entry was not deleted")}
            run={run}
            isDanger
            isDisabled={!mayChange(map, agreed)}
            size="small"
        >
            <p>{_("Programs that use the map no longer find it:")}</p>
            <Facts>
                <Fact term={_("Key")}>
                    <DatumView datum={entry.key} asBytes={false} />
                </Fact>
                <Fact term={_("Value")}>
                    <EntryValue entry={entry} asBytes={false} />
                </Fact>
            </Facts>
            <ForeignMapField map={map} agreed={agreed} onChange={setAgreed} />
        </ActionDialog>
    );
}
