// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Interface, interfaceOf } from "../../model/model.ts";
import { arrange } from "./interface-groups.ts";

function iface(name: string, netns: string, ...programs: string[]): Interface {
    const chains =
        programs.length === 0 ? [] : [{ type: "xdp", members: programs.map(programName => ({ programName })) }];
    return interfaceOf({ name, netns, nsid: netns === "" ? "1" : `2${netns}`, ifindex: name.length, chains });
}

const host = [iface("lo", ""), iface("eth0", "", "firewall"), iface("veth1", "/run/netns/blue", "count")];

function names(interfaces: readonly Interface[], filter = "", all = false): string[][] {
    return arrange(interfaces, filter, all).groups.map(group => [
        group.netns,
        ...group.interfaces.map(one => one.name),
    ]);
}

test("those without programs wait until all are asked for", () => {
    assert.deepEqual(names(host), [
        ["", "eth0"],
        ["/run/netns/blue", "veth1"],
    ]);
    assert.equal(arrange(host, "", false).folded, 1);
    assert.deepEqual(names(host, "", true)[0], ["", "eth0", "lo"]);
    assert.equal(arrange(host, "", true).folded, 0);
});

test("they are shown where nothing has a program", () => {
    assert.deepEqual(names([iface("lo", "")]), [["", "lo"]]);
});

test("words find interfaces, namespaces and programs, with programs or without", () => {
    assert.deepEqual(names(host, " LO "), [["", "lo"]]);
    assert.deepEqual(names(host, "blue"), [["/run/netns/blue", "veth1"]]);
    assert.deepEqual(names(host, "fire"), [["", "eth0"]]);
    assert.equal(arrange(host, "nothing", false).found, 0);
});

test("the daemon's own namespace comes first", () => {
    assert.deepEqual(
        names([...host].reverse()).map(([netns]) => netns),
        ["", "/run/netns/blue"],
    );
});
