// SPDX-License-Identifier: Apache-2.0
// A connection to Cockpit's port is shown at the interface that it comes in at.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../lab/lab.ts";
import { connection, listener } from "../lab/others.ts";

test("ASessionIsShownAtItsInterface", async () => {
    const { lab, wire } = await Lab.startInside();
    await using _lab = lab;
    const sessions = async () => {
        const { interfaces = [] } = await lab.client.listInterfaces();
        return interfaces.flatMap(({ name, sessions: found = [] }) => found.map(one => ({ name, ...one })));
    };
    assert.deepEqual(await sessions(), []);
    await using _server = await listener(wire.netns, 9090, wire.address);
    await using _client = await connection(wire.sender, 9090, wire.address);
    const [found, ...others] = await sessions();
    assert.deepEqual(others, []);
    assert.deepEqual([found?.name, found?.service, found?.local], ["veth1", "cockpit", `${wire.address}:9090`]);
    assert.match(found?.peer ?? "", /^10\.99\.0\.1:\d+$/);
});
