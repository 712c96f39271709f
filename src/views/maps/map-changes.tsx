// SPDX-License-Identifier: Apache-2.0
// The latest changes of a map that is watched.
import type { EntryChange } from "../../model/map-model.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { clock } from "../../text/words.ts";
import { Label } from "../../ui/label.tsx";
import type { MapWatch } from "./map-watch.ts";
import { DatumView, EntryValue } from "./value-tree.tsx";

export function WatchLog({ watch, asBytes }: { watch: MapWatch; asBytes: boolean }) {
    return (
        <section className="inset watch-log" aria-label={_("Changes")}>
            <h3>{_("Changes")}</h3>
            <p className="note" role="status" aria-live="off">
                {watch.gone ? _("The map is no more.") : statusText(watch)}
            </p>
            <ul>
                {watch.latest.map(change => (
                    <li key={`${change.time} ${change.entry.key.bytes} ${change.kind}`}>
                        <span className="note">{clock(change.time)}</span>
                        <Label color={colors[change.kind]}>{kindLabel(change.kind)}</Label>
                        <DatumView datum={change.entry.key} asBytes={asBytes} />
                        {change.kind !== "DELETED" && <EntryValue entry={change.entry} asBytes={asBytes} />}
                    </li>
                ))}
            </ul>
        </section>
    );
}

function statusText({ entryCount, latest }: MapWatch): string {
    if (entryCount === undefined) return _("The watch begins…");
    const count = ngettext("$0 entry", "$0 entries", entryCount);
    return latest.length === 0 ? format(_("$0; no change yet"), count) : count;
}

const colors = { ADDED: "green", CHANGED: "blue", DELETED: "red" } as const;

function kindLabel(kind: EntryChange["kind"]): string {
    switch (kind) {
        case "ADDED":
            return _("new");
        case "CHANGED":
            return _("changed");
        case "DELETED":
            return _("deleted");
    }
}
