// SPDX-License-Identifier: Apache-2.0
// The changes of a map while somebody watches. What the daemon tells in quick succession is shown together.
import { useEffect, useRef, useState } from "react";
import type { MapChangeJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { follow } from "../../connection/follow.ts";
import { useVisible } from "../../connection/use-statistics.ts";
import { changeOf, type EntryChange } from "../../model/map-model.ts";
import { usePage } from "../../page.ts";

export interface MapWatch {
    /** the latest, newest first; bounded */
    readonly latest: readonly EntryChange[];
    /** since the watch began, for what was read before */
    readonly sinceRead: readonly EntryChange[];
    readonly entryCount: number | undefined;
    readonly gone: boolean;
    readonly error: Error | undefined;
}

const mostLatest = 100;
const drawMs = 150;
const nothing: MapWatch = { latest: [], sinceRead: [], entryCount: undefined, gone: false, error: undefined };

/** What came, not drawn yet. */
class Collected {
    readonly latest: EntryChange[] = [];
    readonly byKey = new Map<string, EntryChange>();
    entryCount: number | undefined;
    gone = false;
    error: Error | undefined;

    take(record: MapChangeJson): void {
        this.entryCount = record.entryCount ?? 0;
        this.gone = record.kind === "GONE";
        const change = changeOf(record);
        if (!change) return;
        this.latest.push(change);
        if (this.latest.length > 2 * mostLatest) this.latest.splice(0, mostLatest);
        // the last word about each entry is enough, in the order that they were said
        this.byKey.delete(change.entry.key.bytes);
        this.byKey.set(change.entry.key.bytes, change);
    }

    drawn(): MapWatch {
        const { entryCount, gone, error } = this;
        const latest = this.latest.slice(-mostLatest).reverse();
        return { latest, sinceRead: [...this.byKey.values()], entryCount, gone, error };
    }
}

/** readAt: what stands for the entries as they were last read; changes before that are part of them. */
export function useMapWatch(id: number, on: boolean, readAt: unknown): MapWatch {
    const { client } = usePage();
    const isVisible = useVisible();
    const [watch, setWatch] = useState(nothing);
    const collected = useRef<Collected>();
    // biome-ignore lint/correctness/useExhaustiveDependencies: each new reading
    useEffect(() => {
        if (!collected.current) return;
        collected.current.byKey.clear();
        setWatch(collected.current.drawn());
    }, [readAt]);
    useEffect(() => {
        if (!on || !isVisible) return undefined;
        const all = new Collected();
        collected.current = all;
        let timer: ReturnType<typeof setTimeout> | undefined;
        const draw = () => {
            timer ??= setTimeout(() => {
                timer = undefined;
                setWatch(all.drawn());
            }, drawMs);
        };
        const leave = follow({
            open: signal => client.watchMap({ map: { id } }, signal),
            onRecord: record => {
                all.take(record);
                draw();
            },
            onRefused: error => {
                all.error = error;
                draw();
            },
        });
        return () => {
            leave();
            clearTimeout(timer);
            collected.current = undefined;
            setWatch(nothing);
        };
    }, [client, id, on, isVisible]);
    return watch;
}
