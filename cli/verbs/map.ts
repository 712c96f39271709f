// SPDX-License-Identifier: Apache-2.0
// map list, get, dump, lookup, update, delete, watch
import type { MapEntryJson, MapSelectorJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { entryJson, entryText, mapDetailJson, mapTable, mapText } from "../output/map-text.ts";
import { printJson, printJsonLine, printJsonList, printLine, printLines } from "../output/print.ts";
import { parseCount, parseDuration, parseId, splitCommas } from "../values.ts";

/** What is all digits is an id: no C name is. */
function selector(args: Args): MapSelectorJson {
    const word = args.required("MAP");
    const program = args.value("program");
    if (/^[0-9]+$/.test(word)) return { id: parseId("map", word) };
    if (word === "") throw new UsageError("MAP is empty: give a map's id or its name");
    return { name: word, ...(program === undefined ? {} : { programId: parseId("program", program) }) };
}

export const mapList: Verb = async (args, { client }) => {
    const program = args.value("program-id");
    const { maps = [] } = await client.listMaps({
        ...(program === undefined ? {} : { programId: parseId("program", program) }),
        types: splitCommas(args.values("type")),
        managedOnly: args.flag("managed"),
    });
    if (args.flag("quiet")) printLines(maps.map(({ map }) => String(map?.id ?? 0)));
    else if (wantsJson(args)) printJson({ maps: maps.map(mapDetailJson) });
    else printLines(mapTable(maps));
    return 0;
};

export const mapGet: Verb = async (args, { client }) => {
    const map = await client.getMap(selector(args));
    if (wantsJson(args)) printJson(mapDetailJson(map));
    else printLines(mapText(map));
    return 0;
};

async function* entries(args: Args, { client }: Host): AsyncGenerator<MapEntryJson> {
    const limit = args.value("limit");
    let left = limit === undefined ? Number.POSITIVE_INFINITY : parseCount("limit", limit);
    // by id from here on: a name may come to mean another map between two pages
    const { map } = await client.getMap(selector(args));
    for (let pageToken = ""; left > 0; ) {
        const pageSize = Math.min(left, 4096);
        const page = await client.dumpMap({ map: { id: map?.id ?? 0 }, pageSize, pageToken });
        const some = (page.entries ?? []).slice(0, left);
        yield* some;
        left -= some.length;
        pageToken = page.nextPageToken ?? "";
        if (pageToken === "") return;
    }
}

export const mapDump: Verb = async (args, host) => {
    if (wantsJson(args)) {
        await printJsonList(entries(args, host), entryJson);
        return 0;
    }
    for await (const entry of entries(args, host)) printLine(entryText(entry));
    return 0;
};

export const mapLookup: Verb = async (args, { client }) => {
    printEntry(args, await client.lookupMap({ map: selector(args), key: { text: args.value("KEY") ?? "" } }));
    return 0;
};

export const mapUpdate: Verb = async (args, { client }) => {
    const entry = await client.updateMap({
        map: selector(args),
        key: { text: args.required("KEY") },
        value: { text: args.required("VALUE") },
        mode: args.value("mode") ?? "any",
        force: args.flag("force"),
    });
    // people see what changed where they ask for it
    if (wantsJson(args)) printEntry(args, entry);
    return 0;
};

export const mapDelete: Verb = async (args, { client }) => {
    await client.deleteMapEntry({
        map: selector(args),
        key: { text: args.required("KEY") },
        force: args.flag("force"),
    });
    return 0;
};

function printEntry(args: Args, entry: MapEntryJson): void {
    if (wantsJson(args)) printJson(entryJson(entry));
    else printLine(entryText(entry));
}

/** Runs until it is interrupted, or until the map is gone. */
export const mapWatch: Verb = async (args, { client }) => {
    const interval = args.value("interval");
    const request = {
        map: selector(args),
        ...(interval === undefined ? {} : { intervalMs: Math.round(parseDuration("interval", interval)) }),
    };
    for await (const { kind = "", entry, entryCount = 0, time = "" } of client.watchMap(request)) {
        const word = kind.toLowerCase();
        if (wantsJson(args)) {
            printJsonLine({ time, change: word, entries: entryCount, ...(entry ? entryJson(entry) : {}) });
        } else if (entry) printLine(`${time} ${word} ${entryText(entry)}`);
        else printLine(word === "ready" ? `${time} watching ${entryCount} entries` : `${time} the map is gone`);
    }
    return 0;
};
