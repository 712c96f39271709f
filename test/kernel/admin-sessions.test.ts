// SPDX-License-Identifier: Apache-2.0
// A connection to Cockpit's port is shown at the interface that it comes in at.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Lab } from "../lab/lab.ts";

/** Runs code in a network namespace until it is disposed of; resolves when it has said something. */
async function inside(netns: string, code: string) {
    const child = spawn("nsenter", [`--net=${netns}`, process.execPath, "-e", code], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return {
        async [Symbol.asyncDispose]() {
            child.kill("SIGKILL");
            await once(child, "exit");
        },
    };
}

test("ASessionIsShownAtItsInterface", async () => {
    const { lab, wire } = await Lab.startInside();
    await using _lab = lab;
    const sessions = async () => {
        const { interfaces = [] } = await lab.client.listInterfaces();
        return interfaces.flatMap(({ name, sessions: found = [] }) => found.map(one => ({ name, ...one })));
    };
    assert.deepEqual(await sessions(), []);
    await using _server = await inside(
        wire.netns,
        `require("node:net").createServer(() => {}).listen(9090, "${wire.address}", () => console.log("listens"))`,
    );
    await using _client = await inside(
        wire.sender,
        `require("node:net").connect(9090, "${wire.address}", () => console.log("connected"))`,
    );
    const [found, ...others] = await sessions();
    assert.deepEqual(others, []);
    assert.deepEqual([found?.name, found?.service, found?.local], ["veth1", "cockpit", `${wire.address}:9090`]);
    assert.match(found?.peer ?? "", /^10\.99\.0\.1:\d+$/);
});
