// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventJson, eventText } from "./events.ts";

test("an event is one line: when, what, of what, by whom", () => {
    const time = "2026-01-01T00:00:00.000Z";
    const attached = { time, kind: "LINK_ATTACHED", by: "root", subjects: ["pass", "xdp eth0"], linkIds: [3] } as const;
    assert.equal(
        eventText({ ...attached, subjects: [...attached.subjects], linkIds: [3] }),
        `${time} link attached pass, xdp eth0 (link 3), by root`,
    );
    assert.equal(
        eventText({ time, kind: "REFUSED", by: "root", subjects: ["xdp eth9"], message: "Attach: no interface eth9" }),
        `${time} refused xdp eth9, by root: Attach: no interface eth9`,
    );
    assert.equal(eventText({ time, kind: "DAEMON_STARTED" }), `${time} daemon started`);
    assert.equal(
        Object.keys(eventJson({})).join(" "),
        "sequence kind time by subjects message program_ids link_ids map_ids",
    );
});
