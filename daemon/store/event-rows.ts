// SPDX-License-Identifier: Apache-2.0
// Events as rows.
import type { ChangeEvent, EventKind } from "../model/events.ts";
import type { LinkId, MapId, ProgramId } from "../model/ids.ts";

/** In the order of the table's columns after the number. */
export function eventValues(event: Omit<ChangeEvent, "sequence">): string[] {
    const { kind, time, by, programIds, linkIds, mapIds, subjects, message } = event;
    return [kind, time, by, ...[programIds, linkIds, mapIds, subjects].map(list => JSON.stringify(list)), message];
}

export function changeEvent(row: Readonly<Record<string, unknown>>): ChangeEvent {
    const list = <T>(name: string) => JSON.parse(String(row[name])) as T[];
    return {
        sequence: Number(row["sequence"]),
        kind: String(row["kind"]) as EventKind,
        time: String(row["time"]),
        by: String(row["made_by"]),
        programIds: list<ProgramId>("program_ids"),
        linkIds: list<LinkId>("link_ids"),
        mapIds: list<MapId>("map_ids"),
        subjects: list<string>("subjects"),
        message: String(row["message"]),
    };
}
