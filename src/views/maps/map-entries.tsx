// SPDX-License-Identifier: Apache-2.0
// What a map holds: page by page, by key, as it changes, and out as a file.
import { useMemo, useState } from "react";
import { EntryDialog } from "../../dialogs/maps/map-entry.tsx";
import { ExportDialog } from "../../dialogs/maps/map-export.tsx";
import { type MapInfo, withChanges } from "../../model/map-model.ts";
import { hasKeys } from "../../model/map-text.ts";
import { usePage } from "../../page.ts";
import { _, format } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Switch, ToggleGroup } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Explained } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";
import { WatchLog } from "./map-changes.tsx";
import { EntryTable } from "./map-entry-table.tsx";
import { KeySearch } from "./map-key-search.tsx";
import { pageEntries, useMapPages } from "./map-pages.ts";
import { useMapWatch } from "./map-watch.ts";

type Form = "types" | "bytes";

export function MapEntries({ map }: { map: MapInfo }) {
    return hasKeys(map.type) ? <KeyedEntries map={map} /> : <KeySearch map={map} asBytes={map.btfId === 0} />;
}

function KeyedEntries({ map }: { map: MapInfo }) {
    const { show } = usePage();
    const { read, error, previous, next, again } = useMapPages(map);
    const [form, setForm] = useState<Form>("types");
    const [watching, setWatching] = useState(false);
    const watch = useMapWatch(map.id, watching, read);
    const room = read?.nextToken === "" ? pageEntries : (read?.entries.length ?? 0);
    const entries = useMemo(
        () => withChanges(read?.entries ?? [], watch.sinceRead, room),
        [read, watch.sinceRead, room],
    );
    const asBytes = form === "bytes";
    const before = read?.start.before ?? 0;
    const typed = map.keyType !== "" || map.valueType !== "";
    return (
        <Card
            title={map.type.includes("percpu") ? <Explained topic="perCpu">{_("Entries")}</Explained> : _("Entries")}
            isFlush
            actions={
                <div className="entry-actions">
                    {map.unwritable === "" && (
                        <Button
                            variant="secondary"
                            onClick={() => show(<EntryDialog map={map} like={read?.entries[0]} onDone={again} />)}
                        >
                            {_("Add entry")}
                        </Button>
                    )}
                    <Button variant="secondary" onClick={() => show(<ExportDialog map={map} />)}>
                        {_("Export")}
                    </Button>
                </div>
            }
        >
            <div className="toolbar entry-toolbar">
                <KeySearch map={map} asBytes={asBytes} onChanged={again} />
                {typed && (
                    <ToggleGroup
                        label={_("Show as")}
                        options={[
                            { value: "types", text: _("Values") },
                            { value: "bytes", text: _("Bytes") },
                        ]}
                        value={form}
                        onChange={setForm}
                    />
                )}
                <Switch label={_("Watch changes")} isOn={watching} onChange={setWatching} />
            </div>
            {error && (
                <div className="inset">
                    <Refusal title={_("The entries could not be read")} error={error} />
                </div>
            )}
            {watch.error && (
                <div className="inset">
                    <Refusal title={_("The map can't be watched")} error={watch.error} />
                </div>
            )}
            {read ? (
                <EntryTable
                    map={map}
                    label={_("Entries")}
                    entries={entries}
                    asBytes={asBytes}
                    changes={watch.sinceRead}
                    onChanged={again}
                    empty={<EmptyState isSmall level={3} title={_("No entries")} />}
                />
            ) : (
                !error && <Loading level={3} />
            )}
            {read && (previous || next) && (
                <Pager
                    shown={format(_("$0 – $1"), before + Math.min(1, entries.length), before + entries.length)}
                    onPrevious={previous}
                    onNext={next}
                />
            )}
            {watching && !watch.error && <WatchLog watch={watch} asBytes={asBytes} />}
        </Card>
    );
}
