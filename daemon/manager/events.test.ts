// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeEvent } from "../model/events.ts";
import type { LinkId, ProgramId } from "../model/ids.ts";
import { Events } from "./events.ts";

function setUp() {
    const kept: Omit<ChangeEvent, "sequence">[] = [];
    const programs = new Map([[1 as ProgramId, "pass"]]);
    const links = new Map<LinkId, string>();
    const log: string[] = [];
    let full = false;
    const events = new Events({
        keep: event => {
            if (full) throw new Error("disk full");
            return kept.push(event);
        },
        names: () => {
            if (full) throw new Error("disk full");
            return { programs, links };
        },
        log: line => log.push(line),
    });
    const seen: ChangeEvent[] = [];
    return { events, kept, programs, links, log, seen, fill: () => (full = true) };
}

test("what goes is told by the name that it had", () => {
    const { events, kept, programs, links } = setUp();
    links.set(3 as LinkId, "xdp eth0");
    events.emit("LINK_ATTACHED", "root", { programs: [1 as ProgramId], links: [3 as LinkId] });
    programs.clear();
    links.clear();
    // as an unload tells it: first of the links, then of the programs
    events.emit("LINK_DETACHED", "root", { programs: [1 as ProgramId], links: [3 as LinkId] });
    events.emit("PROGRAM_UNLOADED", "root", { programs: [1 as ProgramId] });
    assert.deepEqual(
        kept.map(({ subjects }) => subjects),
        [["pass", "xdp eth0"], ["pass", "xdp eth0"], ["pass"]],
    );
});

test("an id that comes again has its new name, and what went long ago has none", () => {
    const { events, kept, programs } = setUp();
    const ids = Array.from({ length: 1500 }, (_, at) => (100 + at) as ProgramId);
    for (const id of ids) programs.set(id, `program ${id}`);
    events.emit("PROGRAM_LOADED", "root", { programs: ids });
    programs.clear();
    programs.set(1599 as ProgramId, "new");
    const asked = [100, 1598, 1599].map(id => id as ProgramId);
    events.emit("PROGRAM_UNLOADED", "root", { programs: asked });
    assert.deepEqual(kept.at(-1)?.subjects, ["program 1598", "new"]);
});

test("what passes is told and not kept; what can't be kept is told too", () => {
    const { events, kept, seen, log, fill } = setUp();
    const watched: boolean[] = [];
    events.onWatched(now => watched.push(now));
    const end = events.subscribe(event => seen.push(event));
    events.emit("INTERFACES_CHANGED", "kernel", {});
    events.emit("REFUSED", "root", { message: "x".repeat(2000) });
    fill();
    events.emit("SET_APPLIED", "root", { subjects: ["web"] });
    end();
    end();
    assert.deepEqual(
        seen.map(({ kind, sequence }) => [kind, sequence]),
        [
            ["INTERFACES_CHANGED", 0],
            ["REFUSED", 1],
            ["SET_APPLIED", 0],
        ],
    );
    assert.deepEqual([kept.length, kept[0]?.message.length], [1, 1001]);
    assert.deepEqual(log, ["names for events: disk full", "keep an event: disk full"]);
    assert.deepEqual(watched, [true, false]);
});
