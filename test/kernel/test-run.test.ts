// SPDX-License-Identifier: Apache-2.0
// Test runs: verdict, packet and time, of programs that are attached nowhere.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { dialSocket } from "../../cli/dial.ts";
import { HostClient } from "../../client/host-client.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { bpfman } from "../lab/command.ts";
import { refusal, u32 } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { perCpuSum } from "../lab/maps.ts";

const packet = Buffer.alloc(64, 0x5a);
const run = (lab: Lab, id: number | undefined, more: { packet?: Buffer; repeat?: number; force?: boolean } = {}) =>
    lab.client.testRun({
        programId: id ?? 0,
        ...more,
        packet: (more.packet ?? packet).toString("base64"),
    });

suite("test run", () => {
    test("EveryVerdictHasItsName", async () => {
        await using lab = await Lab.start();
        const names = ["aborted", "drop", "pass", "tx", "redirect", ""];
        for (const [action, name] of names.entries()) {
            const globals = { action: u32(action) };
            const [program] = await lab.load("xdp_count", ["xdp:xdp_count"], { globals });
            const answer = await run(lab, program?.id);
            assert.deepEqual([answer.returnCode ?? 0, answer.returnName ?? ""], [action, name]);
            assert.equal(answer.packet, packet.toString("base64"), "nothing changed it");
        }
        for (const [code, name] of [
            ["unspec", "unspec"],
            ["2", "shot"],
            ["8", "trap"],
        ] as const) {
            const fixture = `tc_return_${code}`;
            const [program] = await lab.load(fixture, ["tc:tc_return"]);
            assert.equal((await run(lab, program?.id)).returnName, name);
        }
    });

    test("RunsAsOftenAsAskedAndNoOftener", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const counted = () => perCpuSum(program!.record!.mapPinPath!, "packets");
        assert.equal((await run(lab, program?.id)).runs, 1);
        assert.equal(counted(), 1);
        const begun = process.hrtime.bigint();
        const answer = await run(lab, program?.id, { repeat: 1_000_000 });
        const whole = process.hrtime.bigint() - begun;
        assert.equal(answer.runs, 1_000_000);
        assert.equal(counted(), 1_000_001);
        const ns = Number(answer.nsPerRun);
        // a run's time, not that of all: so many of them took no longer than the call
        assert.ok(ns > 0 && BigInt(ns) * 1_000_000n <= whole, `${ns} ns a run, ${whole} ns in all`);
    });

    test("OthersAreAnsweredMeanwhile", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const long = run(lab, program?.id, { repeat: 100_000_000 });
        // calls over one connection are answered one after the other
        const other = new HostClient(() => dialSocket(lab.socketPath));
        let over = false;
        void long.finally(() => (over = true));
        let answers = 0;
        while (!over) {
            await other.version({});
            answers++;
        }
        await long;
        other.close();
        // one that had to wait for the run would be the first and the last
        assert.ok(answers >= 3, `${answers} answers`);
    });

    test("ThePacketAfterIsToldAsItIs", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("packet_change", ["xdp:xdp_change"]);
        const answer = await run(lab, program?.id, { repeat: 3 });
        const after = Buffer.from(answer.packet ?? "", "base64");
        assert.equal(after.length, packet.length + 4, "one run made it four bytes longer");
        assert.equal(after.toString("hex", 0, 4), "0badcafe");
        assert.deepEqual(after.subarray(4), packet);
    });

    test("WhatCannotBeRunSaysWhy", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const small = await refusal(run(lab, program?.id, { packet: Buffer.alloc(5) }));
        assert.equal(small.code, "INVALID_ARGUMENT");
        assert.match(small.message, /on a packet of 5 bytes: the kernel takes no such packet/);
        const large = await refusal(run(lab, program?.id, { packet: Buffer.alloc(100_000) }));
        assert.equal(large.code, "INVALID_ARGUMENT");
        assert.equal((await refusal(run(lab, 0x7fffffff))).code, "NOT_FOUND");
        assert.equal((await refusal(run(lab, 0x7fffffff, { force: true }))).code, "NOT_FOUND");
        const [probe] = await lab.load("packet_change", ["tracepoint:on_switch"]);
        const refused = await refusal(run(lab, probe?.id));
        assert.equal(refused.code, "UNIMPLEMENTED");
        assert.match(refused.message, /is a tracepoint program: the kernel runs only programs that take packets/);
    });

    test("AProgramOfOthersRunsOnlyByForce", async () => {
        await using lab = await Lab.start();
        const object = path.join(lab.dir, "other.o");
        writeFileSync(object, fixtureObject("xdp_drop"));
        const pin = path.join(lab.runtimeDir, "fs/other");
        execFileSync("bpftool", ["prog", "load", object, pin, "type", "xdp"]);
        try {
            const { id } = JSON.parse(
                execFileSync("bpftool", ["-j", "prog", "show", "pinned", pin], { encoding: "utf8" }),
            );
            const refused = await refusal(run(lab, id));
            assert.equal(refused.code, "FAILED_PRECONDITION");
            assert.equal((await run(lab, id, { force: true })).returnName, "drop");
        } finally {
            rmSync(pin);
        }
    });

    test("TheCommandTakesFilesAndHex", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("packet_change", ["xdp:xdp_change"]);
        const file = path.join(lab.dir, "packet");
        writeFileSync(file, packet);
        const id = program?.id ?? 0;
        const shown = await bpfman(lab, "program", "run", id, "--packet", file, "--repeat", 10);
        assert.equal(shown.status, 0, shown.err);
        assert.match(shown.out, /^Return: +pass \(2\)\nRuns: +10\nTime: +\d+ ns a run\nPacket: +68 bytes\n/);
        assert.match(shown.out, /\n {2}0000 {2}0b ad ca fe 5a/);
        const hex = packet.toString("hex");
        const json = await bpfman(lab, "program", "run", id, "--packet-hex", hex, "-o", "json");
        const { ns_per_run: ns, ...rest } = JSON.parse(json.out);
        assert.equal(typeof ns, "number");
        assert.deepEqual(rest, { return_code: 2, return_name: "pass", runs: 1, packet: `0badcafe${hex}` });
        const none = await bpfman(lab, "program", "run", id);
        assert.equal(none.status, 1);
        assert.match(none.err, /give the packet with --packet FILE or with --packet-hex HEX/);
    });
});
