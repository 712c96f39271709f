// SPDX-License-Identifier: Apache-2.0
// New bytecode for running programs: links, order and maps stay, no packet is lost or passes unfiltered, and a refusal or
// a kill leaves the old program where it was.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachItemJson, ProgramJson, ReplaceProgramRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { bpfman } from "../lab/command.ts";
import { refusal, tcItem, tcxItem, u32, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import type { Wire } from "../lab/namespaces.ts";
import { SequenceLog } from "../lab/sequence.ts";

const replace = (
    lab: Lab,
    id: number | undefined,
    fixture: string,
    more: ReplaceProgramRequestJson = {},
): Promise<ProgramJson> =>
    lab.client.replaceProgram({
        programId: id ?? 0,
        object: fixtureObject(fixture).toString("base64"),
        sourcePath: `/fixtures/${fixture}.o`,
        ...more,
    });

const links = async (lab: Lab) =>
    ((await lab.client.listLinks({})).links ?? []).map(({ id, programId, position = 0, priority, proceedOn }) => ({
        id,
        programId,
        position,
        priority,
        proceedOn,
    }));
const mapId = ({ maps = [] }: ProgramJson, name: string) => maps.find(map => map.name === name)?.id;
const drop = { action: u32(1) };
const dropText = { action: { text: "1", typed: true } };

suite("program replace", () => {
    test("LinksOrderAndMapsStayAndTheOldIdNamesTheNew", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const loaded = await lab.load("xdp_sequence", [
            "xdp:xdp_sequence_0",
            "xdp:xdp_sequence_1",
            "xdp:xdp_sequence_2",
        ]);
        await lab.attach(...loaded.map(({ id }, i) => xdpItem(wire, id, 10 + i)));
        const before = await links(lab);
        const [, old] = loaded;
        const log = new SequenceLog(loaded[0]!.record!.mapPinPath!);
        log.clear();
        const now = await replace(lab, old?.id, "xdp_sequence", { programName: "xdp_sequence_7" });
        assert.notEqual(now.id, old?.id);
        assert.equal(now.record?.name, "xdp_sequence_7");
        const expected = before.map(link => (link.programId === old?.id ? { ...link, programId: now.id } : link));
        assert.deepEqual(await links(lab), expected);
        assert.equal(
            mapId(now, "sequence_log"),
            mapId(await lab.client.getProgram(loaded[0]?.id ?? 0), "sequence_log"),
        );
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        for (const ids of log.packets().values()) assert.deepEqual(ids, [0, 7, 2]);
        const message = new RegExp(`program ${old?.id} was replaced by program ${now.id}`);
        for (const call of [
            lab.client.getProgram(old?.id ?? 0),
            replace(lab, old?.id, "xdp_pass"),
            lab.attach(xdpItem(wire, old?.id, 5)),
            lab.client.load({
                object: fixtureObject("xdp_sequence").toString("base64"),
                programs: [{ type: "xdp", name: "xdp_sequence" }],
                mapOwnerId: old?.id ?? 0,
            }),
        ]) {
            const error = await refusal(call);
            assert.equal(error.code, "NOT_FOUND");
            assert.match(error.message, message);
        }
        const { failures = [] } = await lab.client.unload({ programIds: [old?.id ?? 0] });
        assert.match(failures[0]?.message ?? "", message);
        const third = await replace(lab, now.id, "xdp_sequence", { programName: "xdp_sequence_8" });
        const again = await refusal(lab.client.getProgram(old?.id ?? 0));
        assert.match(again.message, new RegExp(`was replaced by program ${third.id}$`));
        await lab.stopDaemon();
        await lab.startDaemon();
        assert.match((await refusal(lab.client.getProgram(old?.id ?? 0))).message, /was replaced by program/);
        assert.deepEqual(
            lab.pins().filter(name => name === `prog_${old?.id}`),
            [],
        );
    });

    const places: [string, string, string, (wire: Wire, id: number | undefined, priority: number) => AttachItemJson][] =
        [
            ["a lone XDP program", "xdp", "xdp_sequence", xdpItem],
            ["a chain of TC", "tc", "tc_sequence", tcItem],
            ["TCX", "tcx", "tc_sequence", tcxItem],
        ];
    for (const [what, type, fixture, item] of places)
        test(`AFloodLosesNothingAndMeetsOneOfBoth: ${what}`, async () => {
            await using lab = await Lab.start();
            const wire = lab.wire();
            const [program] = await lab.load(fixture, [`${type}:${fixture}_0`]);
            await lab.attach(item(wire, program?.id, 10));
            await flood(lab, wire, program, fixture, []);
        });

    test("AFloodLosesNothingAndMeetsOneOfBoth: a chain of XDP", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const loaded = await lab.load("xdp_sequence", [
            "xdp:xdp_sequence_0",
            "xdp:xdp_sequence_5",
            "xdp:xdp_sequence_6",
        ]);
        await lab.attach(...loaded.map(({ id }, i) => xdpItem(wire, id, 10 + i)));
        await flood(lab, wire, loaded[0], "xdp_sequence", [5, 6]);
    });

    test("ADroppingProgramDropsEveryPacketThroughReplacements", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const [pass] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const [dropper] = await lab.load("xdp_count", ["xdp:xdp_count"], { globals: drop });
        await lab.attach(xdpItem(wire, dropper?.id, 10));
        const arrived = wire.arrived();
        const pings = wire.ping(1_000_000, { waitSeconds: 0.1 });
        let id = dropper?.id;
        for (let round = 0; round < 20; round++) {
            if (round === 10) await lab.attach(xdpItem(wire, pass?.id, 5));
            // the value of the global stays
            id = (await replace(lab, id, "xdp_count")).id;
        }
        pings.stop();
        const { sent, received } = await pings.result;
        assert.ok(sent > 20, `${sent} packets were sent`);
        assert.equal(received, 0);
        assert.equal(wire.arrived(), arrived);
    });

    test("MapsAreKeptWhereTheirDefinitionsMatch", async () => {
        await using lab = await Lab.start();
        const [old] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const packet = Buffer.alloc(64).toString("base64");
        await lab.client.testRun({ programId: old?.id ?? 0, packet, repeat: 7 });
        const before = await lab.client.getProgram(old?.id ?? 0);
        const now = await replace(lab, old?.id, "xdp_count", { globalValues: dropText });
        assert.equal(mapId(now, "packets"), mapId(before, "packets"));
        const run = await lab.client.testRun({ programId: now.id ?? 0, packet });
        assert.equal(run.returnName, "drop", "the new value of the global");
        const counted = await lab.client.lookupMap({ map: { id: mapId(now, "packets") ?? 0 }, key: { text: "0" } });
        assert.equal(counted.sum, 8, "the old program's count went on");
        const kept = await replace(lab, now.id, "xdp_count");
        assert.equal((await lab.client.testRun({ programId: kept.id ?? 0, packet })).returnName, "drop");
        // another definition of the same name gets a map of its own
        const [own] = await lab.load("own_map", ["xdp:xdp_own"]);
        const other = await replace(lab, own?.id, "own_map_other");
        const first = await lab.client.getMap({ name: "own_count", programId: other.id ?? 0 });
        assert.equal(first.map?.maxEntries, 8);
        assert.equal(first.programIds?.length, 1);
        assert.match(other.record?.mapPinPath ?? "", new RegExp(`/maps/${other.id}$`));
    });

    test("WhatTheVerifierRefusesChangesNothing", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const loaded = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1"]);
        await lab.attach(...loaded.map(({ id }, i) => xdpItem(wire, id, 10 + i)));
        const before = [await links(lab), (await lab.client.listChains({})).chains, lab.pins(), lab.pins("xdp")];
        const refused = await refusal(
            replace(lab, loaded[0]?.id, "xdp_reject", { programName: "reject_out_of_bounds" }),
        );
        assert.equal(refused.code, "INVALID_ARGUMENT");
        assert.match(refused.message, /verifier refused program reject_out_of_bounds/);
        const type = await refusal(replace(lab, loaded[0]?.id, "tc_sequence", { programName: "tc_sequence_0" }));
        assert.match(type.message, /program type mismatch/);
        const name = await refusal(replace(lab, loaded[0]?.id, "xdp_pass"));
        assert.match(name.message, /the object has no program "xdp_sequence_0"/);
        const after = [await links(lab), (await lab.client.listChains({})).chains, lab.pins(), lab.pins("xdp")];
        assert.deepEqual(after, before);
        assert.equal((await refusal(replace(lab, 0x7fffffff, "xdp_pass"))).code, "NOT_FOUND");
    });

    test("AKillAtAnyMomentLeavesTheOldOrTheNew", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const [dropper] = await lab.load("xdp_count", ["xdp:xdp_count"], { globals: drop });
        const [tcx] = await lab.load("tc_sequence", ["tcx:tc_sequence_0"]);
        await lab.attach(xdpItem(wire, dropper?.id, 10), tcxItem(wire, tcx?.id, 10));
        const arrived = wire.arrived();
        const pings = wire.ping(1_000_000, { waitSeconds: 0.1 });
        const idOf = async (kind: string) =>
            (await lab.client.listLinks({})).links?.find(link => link.kind === kind)?.programId ?? 0;
        for (let round = 0; round < 8; round++) {
            const [xdpId, tcxId] = [await idOf("xdp"), await idOf("tcx")];
            const calls = [
                replace(lab, xdpId, "xdp_count").catch(() => undefined),
                replace(lab, tcxId, "tc_sequence").catch(() => undefined),
            ];
            await sleep(100 + 60 * round);
            await lab.stopDaemon("SIGKILL");
            await Promise.all(calls);
            await lab.startDaemon();
            const now = await lab.client.listLinks({});
            assert.equal(now.links?.length, 2);
            for (const link of now.links ?? []) {
                assert.equal(link.kernelSeen, true);
                assert.equal(link.pinPresent, true);
                assert.equal(link.kernel?.programId, link.programId, "what runs is what the row says");
            }
            const { programs = [] } = await lab.client.listPrograms({});
            assert.deepEqual(
                lab.pins().filter(name => name.startsWith("prog_")),
                programs.map(({ id }) => `prog_${id}`).sort(),
            );
        }
        pings.stop();
        assert.equal((await pings.result).received, 0);
        assert.equal(wire.arrived(), arrived);
    });

    test("AProbeIsAttachedAnewBesideTheOldOne", async () => {
        await using lab = await Lab.start();
        const [old] = await lab.load("packet_change", ["tracepoint:on_switch"]);
        const [before] = await lab.attach({
            programId: old?.id ?? 0,
            tracepoint: { group: "sched", name: "sched_switch" },
        });
        const now = await replace(lab, old?.id, "packet_change");
        const after = await lab.client.getLink(before?.id ?? 0);
        assert.equal(after.programId, now.id);
        assert.notEqual(after.kernelLinkId, before?.kernelLinkId);
        assert.deepEqual([after.kernelSeen, after.pinPresent], [true, true]);
        assert.equal(lab.pins("links").length, 1, "the old one is gone");
    });

    test("TheCommandReplaces", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const object = path.join(lab.dir, "new.o");
        writeFileSync(object, fixtureObject("xdp_count"));
        const answer = await bpfman(
            lab,
            "program",
            "replace",
            program?.id ?? 0,
            object,
            "-g",
            "action:=1",
            "-o",
            "json",
        );
        assert.equal(answer.status, 0, answer.err);
        const [only] = (await lab.client.listPrograms({})).programs ?? [];
        assert.match(answer.out, new RegExp(`"program_id": ${only?.id}`));
        const gone = await bpfman(lab, "program", "get", program?.id ?? 0);
        assert.equal(gone.status, 1);
        assert.match(gone.err, new RegExp(`program ${program?.id} was replaced by program ${only?.id}`));
    });
});

/** Replaces the program that logs 0 by one that logs 7 and back while pings run; others: what the rest of the chain logs. */
async function flood(
    lab: Lab,
    wire: Wire,
    program: ProgramJson | undefined,
    fixture: string,
    others: readonly number[],
): Promise<void> {
    const count = 2000;
    const log = new SequenceLog(program!.record!.mapPinPath!);
    const map = (await lab.client.getProgram(program?.id ?? 0)).record?.mapPinPath ?? "";
    log.clear();
    const pings = wire.ping(count, { intervalSeconds: 0.001 });
    let id = program?.id;
    let changes = 0;
    let last = map;
    while (pings.running) {
        const now = await replace(lab, id, fixture, { programName: `${fixture}_${changes % 2 === 0 ? 7 : 0}` });
        id = now.id;
        last = now.record?.mapPinPath ?? "";
        changes++;
    }
    assert.deepEqual(await pings.result, { sent: count, received: count });
    assert.ok(changes >= 3, `${changes} changes`);
    const packets = new SequenceLog(last).packets();
    packets.delete(0);
    assert.equal(packets.size, count, "packets seen");
    const seen = new Set<number>();
    for (const [packet, [first = -1, ...rest]] of packets) {
        assert.ok(first === 0 || first === 7, `packet ${packet} met ${first}`);
        seen.add(first);
        assert.deepEqual(rest, others, `packet ${packet} met one of both, then the others`);
    }
    assert.deepEqual([...seen].sort(), [0, 7]);
}
