// SPDX-License-Identifier: Apache-2.0
// All entries of a map as a file on the administrator's own machine.
import { useEffect, useId, useRef, useState } from "react";
import { type ExportProgress, exportFileName, mapAsJson } from "../../model/map-export.ts";
import type { MapInfo } from "../../model/map-model.ts";
import { usePage } from "../../page.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes, whole } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { download } from "../../ui/download.ts";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../../ui/modal.tsx";
import { Progress } from "../../ui/progress.tsx";
import { mapLabel } from "../../views/maps/maps.tsx";
import { Refusal } from "../../views/shared/refusal.tsx";
import { asError } from "../frame.tsx";

const pageEntries = 4096;

export function ExportDialog({ map }: { map: MapInfo }) {
    const { bulk, show, notify } = usePage();
    const labelId = useId();
    const [progress, setProgress] = useState<ExportProgress>({ entries: 0, characters: 0 });
    const [error, setError] = useState<Error>();
    const name = mapLabel(map);
    const done = useRef(() => {});
    done.current = () => {
        notify(format(_("$0 exported"), name));
        show(null);
    };
    useEffect(() => {
        const stop = new AbortController();
        const run = async () => {
            const pieces: Blob[] = [];
            const page = (pageToken: string) =>
                bulk.dumpMap({ map: { id: map.id }, pageSize: pageEntries, pageToken }, { signal: stop.signal });
            const options = { page, onProgress: setProgress, signal: stop.signal };
            // the browser keeps blobs where it has room, not in the page's memory
            for await (const piece of mapAsJson(map, options)) pieces.push(new Blob([piece]));
            download(exportFileName(map), new Blob(pieces, { type: "application/json" }));
            done.current();
        };
        run().catch(cause => !stop.signal.aborted && setError(asError(cause)));
        return () => stop.abort(new Error("cancelled"));
    }, [bulk, map]);
    const close = () => show(null);
    return (
        <Modal aria-labelledby={labelId} size="small" onClose={close}>
            <ModalHeader title={format(_("Export $0"), name)} labelId={labelId} />
            <ModalBody>
                <Progress
                    title={_("Entries read")}
                    percent={Math.floor(
                        (100 * Math.min(progress.entries, map.maxEntries)) / Math.max(1, map.maxEntries),
                    )}
                    detail={format(_("$0 entries, $1"), whole(progress.entries), bytes(progress.characters))}
                />
                {error && <Refusal title={_("The map was not exported")} error={error} />}
            </ModalBody>
            <ModalFooter>
                <Button variant="link" onClick={close}>
                    {error ? _("Close") : _("Cancel")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}
