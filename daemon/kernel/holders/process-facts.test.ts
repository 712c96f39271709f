// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, processFacts, userNames } from "./process-facts.ts";

const id = "0123456789ab".padEnd(64, "c");
const cases: readonly [group: string, unit: string, container: string, runtime: string][] = [
    ["/system.slice/sshd.service", "sshd.service", "", ""],
    ["/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", ""],
    ["/user.slice/user-1000.slice/user@1000.service/app.slice/dbus-broker.service", "dbus-broker.service", "", ""],
    ["/init.scope", "init.scope", "", ""],
    ["/", "", "", ""],
    [`/machine.slice/libpod-${id}.scope/container`, `libpod-${id}.scope`, "0123456789ab", "podman"],
    [`/machine.slice/libpod-payload-${id}`, "", "0123456789ab", "podman"],
    [`/system.slice/docker-${id}.scope`, `docker-${id}.scope`, "0123456789ab", "docker"],
    [`/docker/${id}`, "", "0123456789ab", "docker"],
    [
        `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/crio-${id}.scope`,
        `crio-${id}.scope`,
        "0123456789ab",
        "kubernetes",
    ],
    [`/kubepods/burstable/pod7a/${id}`, "", "0123456789ab", "kubernetes"],
    ["/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn@web.service", "web", "nspawn"],
    ["/machine.slice/machine-qemu\\x2d1\\x2ddeb.scope", "machine-qemu\\x2d1\\x2ddeb.scope", "qemu-1-deb", "machine"],
    ["/lxc.payload.web/init.scope", "init.scope", "web", "lxc"],
    ["/lxc/web", "", "web", "lxc"],
];

test("a control group's path tells the unit and the container", () => {
    for (const [group, unit, container, runtime] of cases)
        assert.deepEqual(placeOf(`0::${group}\n`), { unit, container, runtime }, group);
});

test("on a host with version 1, systemd's own hierarchy tells", () => {
    const text = `12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n`;
    assert.equal(placeOf(text).unit, "cron.service");
    assert.deepEqual(placeOf(""), { unit: "", container: "", runtime: "" });
});

test("this process is what it is", () => {
    const facts = processFacts(process.pid, userNames());
    assert.equal(facts?.pid, process.pid);
    assert.equal(facts?.uid, process.getuid?.());
    assert.match(facts?.command ?? "", /node/);
    assert.equal(processFacts(2 ** 30, new Map()), undefined);
});
