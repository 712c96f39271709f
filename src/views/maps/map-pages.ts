// SPDX-License-Identifier: Apache-2.0
// A map's entries page by page, read anew whenever something changed; what is on screen stays there meanwhile.
import { useCallback, useEffect, useState } from "react";
import { asError } from "../../dialogs/frame.tsx";
import { type Entry, entryOf, type MapInfo } from "../../model/map-model.ts";
import { usePage } from "../../page.ts";

export const pageEntries = 100;

/** Where a page begins, and how many entries come before it. */
interface PageStart {
    readonly token: string;
    readonly before: number;
}

interface PageRead {
    readonly start: PageStart;
    readonly entries: readonly Entry[];
    readonly nextToken: string;
}

export interface MapPages {
    /** undefined until the first page is there */
    readonly read: PageRead | undefined;
    readonly error: Error | undefined;
    readonly previous: (() => void) | undefined;
    readonly next: (() => void) | undefined;
    readonly again: () => void;
}

const first: PageStart = { token: "", before: 0 };

/** The map as it was told last: another one means that something happened. */
export function useMapPages(map: MapInfo): MapPages {
    const { bulk } = usePage();
    const [starts, setStarts] = useState<readonly PageStart[]>([first]);
    const [read, setRead] = useState<PageRead>();
    const [error, setError] = useState<Error>();
    const [round, setRound] = useState(0);
    const start = starts.at(-1) ?? first;
    const { id } = map;
    // biome-ignore lint/correctness/useExhaustiveDependencies: map and round stand for what happened
    useEffect(() => {
        const stop = new AbortController();
        const fetch = async () => {
            const request = { map: { id }, pageSize: pageEntries, pageToken: start.token };
            try {
                const { entries = [], nextPageToken = "" } = await bulk.dumpMap(request, { signal: stop.signal });
                if (stop.signal.aborted) return;
                setRead({ start, entries: entries.map(entryOf), nextToken: nextPageToken });
                setError(undefined);
            } catch (cause) {
                if (!stop.signal.aborted) setError(asError(cause));
            }
        };
        void fetch();
        return () => stop.abort(new Error("left"));
    }, [bulk, id, start, map, round]);
    const again = useCallback(() => setRound(count => count + 1), []);
    // a page that is on its way leads nowhere yet
    const isHere = read?.start === start;
    const next =
        isHere && read.nextToken !== ""
            ? () => setStarts([...starts, { token: read.nextToken, before: start.before + read.entries.length }])
            : undefined;
    const previous = starts.length > 1 ? () => setStarts(starts.slice(0, -1)) : undefined;
    return { read, error, previous, next, again };
}
