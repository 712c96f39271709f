// SPDX-License-Identifier: Apache-2.0
// Changes are kept with who and what, also those that were refused, and outlive the daemon; what others do is told.
import assert from "node:assert/strict";
import { suite } from "node:test";
import { Foreign } from "../lab/foreign.ts";
import { refusal, xdpItem } from "../lab/items.ts";
import { sharedLab } from "../lab/shared-lab.ts";

suite("events", () => {
    const labTest = sharedLab();

    labTest("ChangesAreKeptOverARestart", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const [link] = await lab.attach(xdpItem(wire, program?.id, 5));
        await refusal(lab.attach(xdpItem(wire, 4_000_000_000, 5)));
        await lab.detach(link?.id);
        await lab.client.unload({ programIds: [program?.id ?? 0] });
        await lab.stopDaemon();
        await lab.startDaemon();
        const { events = [] } = await lab.client.listEvents({ limit: 6 });
        assert.deepEqual(
            events.map(({ kind, subjects = [] }) => [kind, ...subjects]),
            [
                ["DAEMON_STARTED"],
                ["PROGRAM_UNLOADED", "xdp_pass"],
                ["LINK_DETACHED", "xdp_pass", "xdp veth1"],
                ["REFUSED", "xdp veth1"],
                ["LINK_ATTACHED", "xdp_pass", "xdp veth1"],
                ["PROGRAM_LOADED", "xdp_pass"],
            ],
        );
        assert.match(events[3]?.message ?? "", /^Attach: .*4000000000/);
        assert.deepEqual(events[3]?.programIds, [4_000_000_000]);
        assert.ok(events.every(({ by = "", kind }) => by !== "" || kind === "DAEMON_STARTED"));
        const older = await lab.client.listEvents({ limit: 1, beforeSequence: events[5]?.sequence ?? "0" });
        assert.ok(Number(older.events?.[0]?.sequence) < Number(events[5]?.sequence));
        const refused = await lab.client.listEvents({ limit: 1, kinds: ["REFUSED"] });
        assert.equal(refused.events?.[0]?.sequence, events[3]?.sequence);
    });

    labTest("WhatOthersLoadIsToldWhileSomebodyWatches", async lab => {
        const abort = new AbortController();
        const events = lab.client.watch(abort.signal)[Symbol.asyncIterator]();
        await events.next();
        using foreign = new Foreign("xdp_pass", "xdp");
        let kind = "";
        while (kind !== "KERNEL_CHANGED") kind = (await events.next()).value?.kind ?? "";
        assert.ok(foreign.program.id > 0);
        abort.abort();
        await assert.rejects(events.next());
    });
});
