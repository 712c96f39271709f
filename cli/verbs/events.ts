// SPDX-License-Identifier: Apache-2.0
// events: the latest changes, and with --follow those to come
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Verb, wantsJson } from "../host.ts";
import { printJson, printJsonLine, printLine, printLines } from "../output/print.ts";
import { parseCount } from "../values.ts";

export const events: Verb = async (args, { client }) => {
    const json = wantsJson(args);
    const follow = args.flag("follow");
    const limit = parseCount("limit", args.value("limit") ?? "50");
    // watched first: nothing is missed between the list and what follows
    const coming = follow ? client.watch()[Symbol.asyncIterator]() : undefined;
    await coming?.next();
    const { events: latest = [] } = await client.listEvents({ limit });
    const told = latest.toReversed();
    if (coming === undefined) {
        if (json) printJson({ events: told.map(eventJson) });
        else printLines(told.map(eventText));
        return 0;
    }
    const print = (event: EventJson) => (json ? printJsonLine(eventJson(event)) : printLine(eventText(event)));
    for (const event of told) print(event);
    const last = BigInt(latest[0]?.sequence ?? 0);
    for (let next = await coming.next(); !next.done; next = await coming.next()) {
        const sequence = BigInt(next.value.sequence ?? 0);
        if (sequence === 0n || sequence > last) print(next.value);
    }
    return 0;
};

const words = (kind = ""): string => kind.toLowerCase().replaceAll("_", " ");

export function eventText({ time = "", kind, by = "", subjects = [], message = "", ...ids }: EventJson): string {
    const { programIds = [], linkIds = [], mapIds = [] } = ids;
    const numbers = [
        programIds.length === 0 ? "" : `program ${programIds.join(" ")}`,
        linkIds.length === 0 ? "" : `link ${linkIds.join(" ")}`,
        mapIds.length === 0 ? "" : `map ${mapIds.join(" ")}`,
    ].filter(part => part !== "");
    const about = [subjects.join(", "), numbers.length === 0 ? "" : `(${numbers.join(", ")})`];
    const parts = [time, words(kind), ...about].filter(part => part !== "").join(" ");
    return `${parts}${by === "" ? "" : `, by ${by}`}${message === "" ? "" : `: ${message}`}`;
}

export const eventJson = (event: EventJson): object => ({
    sequence: Number(event.sequence ?? 0),
    kind: (event.kind ?? "").toLowerCase(),
    time: event.time ?? "",
    by: event.by ?? "",
    subjects: event.subjects ?? [],
    message: event.message ?? "",
    program_ids: event.programIds ?? [],
    link_ids: event.linkIds ?? [],
    map_ids: event.mapIds ?? [],
});
