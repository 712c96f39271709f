// SPDX-License-Identifier: Apache-2.0
// rtnetlink on this machine's kernel, in a namespace of the test's own.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { check } from "../../daemon/kernel/errors.ts";
import { libc } from "../../daemon/kernel/ffi.ts";
import { type InterfaceEvent, interfaces, watchInterfaces } from "../../daemon/kernel/net/netlink.ts";
import { interfaceEvents, messages, parseInterface } from "../../daemon/kernel/net/netlink-messages.ts";
import { fixtureObject } from "../fixtures/objects.ts";

const namespace = `netlink-${process.pid}`;
const ip = (...words: string[]) => execFileSync("ip", ["-n", namespace, ...words], { encoding: "utf8" });
const fds = () => readdirSync("/proc/self/fd").length;

describe("rtnetlink", { skip: process.getuid?.() === 0 ? false : "needs root" }, () => {
    let home: number;
    let fdsBefore: number;

    before(() => {
        fdsBefore = fds();
        execFileSync("ip", ["netns", "add", namespace]);
        home = openSync("/proc/thread-self/ns/net", "r");
        const there = openSync(`/run/netns/${namespace}`, "r");
        check(libc.setns(there, 0x40000000), "enter the test's namespace");
        closeSync(there);
    });

    after(() => {
        check(libc.setns(home, 0x40000000), "come home");
        closeSync(home);
        execFileSync("ip", ["netns", "del", namespace]);
        assert.equal(fds(), fdsBefore, "no descriptor is left");
    });

    it("lists interfaces with their kind, address, MTU and state", () => {
        ip(
            "link",
            "add",
            "left",
            "address",
            "02:00:00:00:00:01",
            "mtu",
            "1400",
            "type",
            "veth",
            "peer",
            "name",
            "right",
        );
        ip("link", "set", "left", "up");
        const found = interfaces();
        assert.deepEqual(
            found.map(({ name }) => name),
            ["lo", "right", "left"],
        );
        const left = found.find(({ name }) => name === "left");
        assert.deepEqual(left, {
            name: "left",
            ifindex: Number(ip("-o", "link", "show", "left").split(":", 1)[0]),
            up: true,
            mtu: 1400,
            mac: "02:00:00:00:00:01",
            kind: "veth",
            xdp: undefined,
        });
        assert.equal(found[0]?.kind, "");
        assert.equal(found.find(({ name }) => name === "right")?.up, false);
        ip("link", "del", "left");
    });

    it("tells which XDP program an interface has, and how it is attached", () => {
        const folder = mkdtempSync(join(tmpdir(), "netlink-"));
        const object = join(folder, "xdp.o");
        writeFileSync(object, fixtureObject("xdp_pass"));
        ip("link", "add", "left", "type", "veth", "peer", "name", "right");
        try {
            for (const [word, mode] of [
                ["xdpgeneric", "generic"],
                ["xdpdrv", "native"],
            ] as const) {
                ip("link", "set", "left", word, "object", object, "section", "xdp");
                const xdp = interfaces().find(({ name }) => name === "left")?.xdp;
                assert.equal(xdp?.mode, mode);
                const shown = ip("link", "show", "left");
                assert.ok(shown.includes(`prog/xdp id ${xdp?.programId} `), shown);
                ip("link", "set", "left", word, "off");
            }
            assert.equal(interfaces().find(({ name }) => name === "left")?.xdp, undefined);
        } finally {
            ip("link", "del", "left");
            rmSync(folder, { recursive: true });
        }
    });

    it("lists more interfaces than one datagram holds", () => {
        const pairs = 60;
        const batch = Array.from({ length: pairs }, (_, pair) => `link add a${pair} type veth peer name b${pair}\n`);
        execFileSync("ip", ["-n", namespace, "-batch", "-"], { input: batch.join("") });
        const found = interfaces();
        assert.equal(found.length, 1 + 2 * pairs);
        assert.equal(new Set(found.map(({ ifindex }) => ifindex)).size, found.length);
        const remove = Array.from({ length: pairs }, (_, pair) => `link del a${pair}\n`);
        execFileSync("ip", ["-n", namespace, "-batch", "-"], { input: remove.join("") });
        assert.equal(interfaces().length, 1);
    });

    it("tells what happens to interfaces", () => {
        using watch = watchInterfaces();
        assert.deepEqual(watch.read(), []);
        ip("link", "add", "left", "type", "veth", "peer", "name", "right");
        const created = watch.read();
        const kinds = (events: InterfaceEvent[], name: string) =>
            events.filter(event => event.name === name).map(({ kind }) => kind);
        assert.ok(kinds(created, "left").includes("created"), JSON.stringify(created));
        assert.ok(kinds(created, "right").includes("created"), JSON.stringify(created));
        ip("link", "set", "left", "mtu", "1300");
        assert.deepEqual(new Set(kinds(watch.read(), "left")), new Set(["changed"]));
        ip("link", "del", "left");
        const deleted = watch.read();
        assert.ok(kinds(deleted, "left").includes("deleted"), JSON.stringify(deleted));
        assert.ok(kinds(deleted, "right").includes("deleted"), JSON.stringify(deleted));
        assert.ok(deleted.every(({ ifindex }) => ifindex > 0));
    });

    it("says when it could not keep up, and goes on", () => {
        using watch = watchInterfaces();
        const batch: string[] = [];
        for (let round = 0; round < 80; round += 1)
            batch.push("link add left type veth peer name right\nlink del left\n");
        execFileSync("ip", ["-n", namespace, "-batch", "-"], { input: batch.join("") });
        const events = watch.read();
        assert.ok(
            events.some(({ kind }) => kind === "lost"),
            `${events.length} events, none lost`,
        );
        ip("link", "set", "lo", "up");
        assert.ok(watch.read().some(({ name, kind }) => name === "lo" && kind === "changed"));
    });
});

describe("rtnetlink messages", () => {
    it("ends at a message that is cut off or shorter than its header", () => {
        const message = Buffer.alloc(32);
        message.writeUInt32LE(32, 0);
        message.writeUInt16LE(16, 4);
        const short = Buffer.alloc(16);
        assert.equal([...messages(message)].length, 1);
        assert.equal([...messages(Buffer.concat([message, short]))].length, 1);
        for (let length = 0; length < 32; length += 1)
            assert.equal([...messages(message.subarray(0, length))].length, 0);
        assert.deepEqual(interfaceEvents(Buffer.from([1, 2, 3])), []);
    });

    it("reads what is there of broken attributes", () => {
        const payload = Buffer.alloc(16 + 12);
        payload.writeInt32LE(7, 4);
        payload.writeUInt16LE(8, 16);
        payload.writeUInt16LE(3, 18);
        payload.write("abc\0", 20);
        payload.writeUInt16LE(200, 24); // longer than the message
        assert.deepEqual(parseInterface(payload), {
            name: "abc",
            ifindex: 7,
            up: false,
            mtu: 0,
            mac: "",
            kind: "",
            xdp: undefined,
        });
        assert.equal(parseInterface(payload.subarray(0, 15)), undefined);
    });
});
