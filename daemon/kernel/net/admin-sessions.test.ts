// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { administrationPorts, connectionsIn } from "./admin-sessions.ts";

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const usual = administrationPorts(() => []);
const sessions = (...lines: string[]) => connectionsIn(head + lines.join("\n"), usual).map(({ session }) => session);

test("established connections to sshd and Cockpit are sessions, no others", () => {
    assert.deepEqual(
        sessions(
            "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1",
            "   1: 0A00A8C0:0016 0100A8C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 2",
            "   2: 0A00A8C0:2382 0100A8C0:D432 01 00000000:00000000 00:00000000 00000000     0        0 3",
            "   3: 0A00A8C0:0050 0100A8C0:D433 01 00000000:00000000 00:00000000 00000000     0        0 4",
        ),
        [
            { service: "ssh", peer: "192.168.0.1:54321", local: "192.168.0.10:22" },
            { service: "cockpit", peer: "192.168.0.1:54322", local: "192.168.0.10:9090" },
        ],
    );
});

test("IPv6 addresses are written short, IPv4 in them as IPv4", () => {
    assert.deepEqual(
        sessions(
            "   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000002000000:D431 01 0:0 0:0 0 0 0 1",
            "   1: 0000000000000000FFFF00000A00A8C0:2382 0000000000000000FFFF00000100A8C0:D431 01 0:0 0:0 0 0 0 1",
        ),
        [
            { service: "ssh", peer: "[2001:db8::2]:54321", local: "[2001:db8::1]:22" },
            { service: "cockpit", peer: "192.168.0.1:54321", local: "192.168.0.10:9090" },
        ],
    );
});

test("services are where their files say, else at their usual ports", () => {
    const files: Readonly<Record<string, readonly string[]>> = {
        "/etc/ssh/sshd_config": ["#Port 22\nPort 2222\nport=2022\nMatch all\n"],
        "/etc/systemd/system/cockpit.socket.d/*.conf": ["[Socket]\nListenStream=\nListenStream=10.0.0.1:443\n"],
    };
    assert.deepEqual(
        administrationPorts(pattern => files[pattern] ?? []),
        new Map([
            [2222, "ssh"],
            [2022, "ssh"],
            [443, "cockpit"],
        ]),
    );
    assert.deepEqual(
        usual,
        new Map([
            [22, "ssh"],
            [9090, "cockpit"],
        ]),
    );
});
