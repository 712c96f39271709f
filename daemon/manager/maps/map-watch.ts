// SPDX-License-Identifier: Apache-2.0
// The changes of one map, seen by reading it again and again while somebody watches. The kernel tells nobody when an
// element changes, so what comes and goes between two looks is not seen.
import { BpfmanError } from "../../model/error.ts";
import type { MapChangeView, MapSelector } from "../../model/maps.ts";
import type { Context } from "../context.ts";
import {
    describeMap,
    entryView,
    firstPlace,
    mapTitle,
    type OpenMap,
    openForReading,
    pageEntries,
    readPage,
} from "./map-entries.ts";

/** What is kept to compare with: more than that is not watched. */
const mostEntries = 65_536;
const mostBytes = 32 << 20;

export interface MapWatcher {
    change(change: MapChangeView): void;
    /** the watch is over: the map is gone (undefined), or can't be watched */
    end(error: BpfmanError | undefined): void;
}

type Elements = Map<string, { key: Uint8Array; element: Uint8Array }>;

/** Throws where the map can't be watched; returns what ends the watch. */
export function watchMap(context: Context, selector: MapSelector, intervalMs: number, watcher: MapWatcher): () => void {
    const map = describeMap(context, selector);
    if (map.kernel.keySize === 0)
        throw new BpfmanError("FAILED_PRECONDITION", `${mapTitle(map.detail)} has no keys to watch`);
    let before = readAll(map);
    const tell = (kind: MapChangeView["kind"], entry: MapChangeView["entry"] = undefined) =>
        watcher.change({ kind, entry, entryCount: before.size, time: new Date().toISOString() });
    tell("READY");
    const look = () => {
        try {
            const now = readAll(map);
            const last = before;
            before = now;
            for (const [name, { key, element }] of now) {
                const old = last.get(name);
                if (old === undefined) tell("ADDED", entryView(map, key, element));
                else if (Buffer.compare(old.element, element) !== 0) tell("CHANGED", entryView(map, key, element));
            }
            for (const [name, { key, element }] of last)
                if (!now.has(name)) tell("DELETED", entryView(map, key, element));
        } catch (error) {
            clearInterval(timer);
            if (error instanceof BpfmanError && error.code === "NOT_FOUND") {
                tell("GONE");
                watcher.end(undefined);
            } else {
                watcher.end(
                    error instanceof BpfmanError
                        ? error
                        : new BpfmanError("INTERNAL", "internal error", { cause: error }),
                );
            }
        }
    };
    const timer = setInterval(look, intervalMs);
    return () => clearInterval(timer);
}

function readAll(map: OpenMap): Elements {
    using fd = openForReading(map);
    const elements: Elements = new Map();
    let bytes = 0;
    for (let place: typeof firstPlace | undefined = firstPlace; place !== undefined; ) {
        const page = readPage(fd, map, place, pageEntries(map, mostEntries));
        for (const { key, element } of page.elements) {
            // a page is one piece of memory: what is kept of it must not hold all of it
            const own = { key: Uint8Array.from(key), element: Uint8Array.from(element) };
            elements.set(Buffer.from(key).toString("latin1"), own);
            bytes += key.length + element.length;
        }
        if (elements.size > mostEntries || bytes > mostBytes)
            throw new BpfmanError("RESOURCE_EXHAUSTED", `${mapTitle(map.detail)} is too large to be watched`, {
                hint: `At most ${mostEntries} entries of together ${mostBytes >> 20} MiB are compared.`,
            });
        place = page.next;
    }
    return elements;
}
