// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownerOf } from "./owner-word.ts";

const process = {
    pid: 7,
    name: "tool",
    command: "tool -x",
    uid: 0,
    user: "root",
    unit: "",
    container: "",
    containerRuntime: "",
};

test("a unit, a container or a process owns, in that order of who tells more", () => {
    assert.equal(ownerOf([{ ...process, pid: 1, name: "systemd", unit: "init.scope" }], []), "systemd");
    assert.equal(ownerOf([{ ...process, unit: "tetragon.service" }], []), "tetragon.service");
    assert.equal(ownerOf([{ ...process, unit: "session-3.scope", name: "bpftrace" }], []), "bpftrace");
    const inside = { ...process, unit: "libpod-1.scope", container: "0123456789ab", containerRuntime: "podman" };
    assert.equal(ownerOf([{ ...process, pid: 9 }, inside], []), "podman/0123456789ab");
});

test("without a process, the folder of a pin tells", () => {
    assert.equal(ownerOf([], ["/sys/fs/bpf/cilium/globals/x"]), "cilium");
    assert.equal(ownerOf([], ["/sys/fs/bpf/xdp/dispatch-2-1/prog0"]), "libxdp");
    for (const paths of [[], ["/sys/fs/bpf/mine"], ["/sys/fs/bpf/tc/globals/x"], ["/run/x/fs/y/z"]])
        assert.equal(ownerOf([], paths), "");
});
