// SPDX-License-Identifier: Apache-2.0
// An interface that goes takes its links along: at once in the daemon's own namespace.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";

test("LinksOfAnInterfaceThatGoesAreForgottenAndToldAtOnce", async () => {
    const { lab, wire } = await Lab.startInside();
    await using _ = lab;
    const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
    const item = xdpItem(wire, program?.id, 10);
    const [link] = await lab.attach({ ...item, xdp: { ...item.xdp, netns: "" } });
    const events: EventJson[] = [];
    const abort = new AbortController();
    const watching = (async () => {
        for await (const event of lab.client.watch(abort.signal)) {
            events.push(event);
            if (event.kind === "READY") wire.deleteInterface();
            if (event.kind === "INTERFACES_CHANGED") return;
        }
    })();
    await watching;
    abort.abort();
    const gone = events.find(({ kind }) => kind === "LINK_LOST");
    assert.deepEqual(gone?.linkIds, [link?.id]);
    assert.equal(gone?.by, "kernel");
    assert.deepEqual((await lab.client.listLinks({})).links ?? [], []);
    assert.deepEqual(lab.pins("xdp"), []);
});
