// SPDX-License-Identifier: Apache-2.0
// Maps shared by name and by map_owner_id: who gets which, and that pins live until the last user has gone, in any order.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { groupId } from "../../daemon/kernel/bpffs.ts";
import type { LoadRequestJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { refusal } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";

const name = "xdp_shared";

async function load(lab: Lab, more: LoadRequestJson = {}, fixture = "shared_map"): Promise<ProgramJson> {
    const { programs = [] } = await lab.client.load({
        object: fixtureObject(fixture).toString("base64"),
        programs: [{ type: "xdp", name }],
        ...more,
    });
    assert.equal(programs.length, 1);
    return programs[0] as ProgramJson;
}

const mapId = ({ maps = [] }: ProgramJson, map: string): number => maps.find(one => one.name === map)?.id ?? 0;
const sharedPin = (lab: Lab) => path.join(lab.runtimeDir, "fs/maps/shared/shared_count");
const unload = (lab: Lab, ...programs: ProgramJson[]) =>
    lab.client.unload({ programIds: programs.map(({ id = 0 }) => id) });

/** What a program has counted into a map of its set. */
async function count(lab: Lab, map: number): Promise<unknown> {
    return (await lab.client.lookupMap({ map: { id: map }, key: { text: "0" } })).valueJson;
}

async function runOnce(lab: Lab, { id = 0 }: ProgramJson): Promise<void> {
    await lab.client.testRun({ programId: id, packet: Buffer.alloc(64).toString("base64") });
}

/** Every order of three. */
const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
] as const;

suite("maps shared by name", () => {
    test("LoadsOfOneNameShareAndTheLastOneTakesThePinAlong", async () => {
        await using lab = await Lab.start();
        for (const order of orders) {
            const programs = [await load(lab), await load(lab), await load(lab, { privateMaps: true })];
            const [first] = programs;
            assert.equal(new Set(programs.map(one => mapId(one, "shared_count"))).size, 1);
            assert.equal(new Set(programs.map(one => mapId(one, "own_count"))).size, 3);
            for (const program of programs) {
                await runOnce(lab, program);
                assert.equal(program.record?.mapOwnerId, undefined, "nobody was named as owner");
            }
            assert.equal(await count(lab, mapId(first ?? {}, "shared_count")), 3);
            const pin = statSync(sharedPin(lab));
            assert.deepEqual([pin.mode & 0o777, pin.gid], [0o660, groupId("bpfman") ?? 0]);
            const detail = await lab.client.getMap({ id: mapId(first ?? {}, "shared_count") });
            assert.equal(detail.shared, true);
            assert.equal(detail.programIds?.length, 3);
            for (const [step, index] of order.entries()) {
                assert.ok(existsSync(sharedPin(lab)), `after ${step} of ${order}`);
                await unload(lab, programs[index]!);
            }
            assert.equal(existsSync(path.dirname(sharedPin(lab))), false, "the last one took it along");
        }
    });

    test("ADefinitionThatDiffersIsRefusedAndNothingChanges", async () => {
        await using lab = await Lab.start();
        const program = await load(lab);
        const refused = await refusal(load(lab, {}, "shared_map_other"));
        assert.equal(refused.code, "FAILED_PRECONDITION");
        assert.match(
            refused.message,
            /the map shared_count .* defines array, 4 → 8 bytes, 8 entries.*; the map is array, 4 → 8 bytes, 4 entries/,
        );
        assert.equal((await lab.client.listPrograms({})).programs?.length, 1);
        await unload(lab, program);
        await load(lab, {}, "shared_map_other");
    });

    test("ManyAtOnceShareOneMap", async () => {
        await using lab = await Lab.start();
        const programs = await Promise.all(Array.from({ length: 6 }, () => load(lab)));
        assert.equal(new Set(programs.map(one => mapId(one, "shared_count"))).size, 1);
        await Promise.all(programs.map(one => unload(lab, one)));
        assert.equal(existsSync(path.dirname(sharedPin(lab))), false);
    });

    test("AKillLeavesWhatIsUsedAndNothingElse", async () => {
        await using lab = await Lab.start();
        const program = await load(lab);
        await lab.stopDaemon("SIGKILL");
        await lab.startDaemon();
        assert.ok(existsSync(sharedPin(lab)));
        const other = await load(lab);
        assert.equal(mapId(other, "shared_count"), mapId(program, "shared_count"));
    });
});

suite("maps of an owner", () => {
    test("ProgramsOfOneLoadShareAndNoneOfThemOwns", async () => {
        await using lab = await Lab.start();
        const { programs = [] } = await lab.client.load({
            object: fixtureObject("shared_map").toString("base64"),
            programs: [
                { type: "xdp", name },
                { type: "xdp", name: "xdp_shared_too" },
            ],
        });
        const [first, second] = programs;
        assert.equal(mapId(first ?? {}, "own_count"), mapId(second ?? {}, "own_count"));
        for (const { record } of programs) assert.equal(record?.mapOwnerId, undefined);
        const shown = await lab.client.getProgram(first?.id ?? 0);
        assert.deepEqual(shown.mapUsedBy, [second?.id]);
        await unload(lab, first!);
        assert.ok(existsSync(path.join(second!.record!.mapPinPath!, "own_count")));
        await runOnce(lab, second!);
    });

    test("PinsLiveUntilTheLastUserHasGoneInAnyOrder", async () => {
        await using lab = await Lab.start();
        for (const order of orders) {
            const owner = await load(lab);
            const users = [
                await load(lab, { mapOwnerId: owner.id ?? 0 }),
                await load(lab, { mapOwnerId: owner.id ?? 0 }),
            ];
            const all = [owner, ...users];
            const own = mapId(owner, "own_count");
            for (const user of users) {
                assert.equal(user.record?.mapOwnerId, owner.id);
                assert.equal(user.record?.mapPinPath, owner.record?.mapPinPath);
                assert.equal(mapId(user, "own_count"), own);
            }
            const pin = path.join(owner.record!.mapPinPath!, "own_count");
            for (const [step, index] of order.entries()) {
                await runOnce(lab, all[index]!);
                assert.equal(await count(lab, own), step + 1);
                assert.ok(existsSync(pin), `after ${step} of ${order}`);
                await unload(lab, all[index]!);
            }
            assert.equal(existsSync(path.dirname(pin)), false);
        }
    });

    test("MapsOutliveTheirOwnerAndCanBeSharedOn", async () => {
        await using lab = await Lab.start();
        const owner = await load(lab);
        const user = await load(lab, { mapOwnerId: owner.id ?? 0 });
        const consumer = await refusal(load(lab, { mapOwnerId: user.id ?? 0 }));
        assert.equal(consumer.code, "FAILED_PRECONDITION");
        assert.match(consumer.message, /owns no maps: it uses those of program/);
        await unload(lab, owner);
        const later = await load(lab, { mapOwnerId: owner.id ?? 0 });
        assert.equal(mapId(later, "own_count"), mapId(user, "own_count"));
        assert.deepEqual(later.mapUsedBy, [user.id]);
        await unload(lab, user);
        assert.ok(existsSync(path.join(later.record!.mapPinPath!, "own_count")));
        await unload(lab, later);
        assert.equal((await refusal(load(lab, { mapOwnerId: owner.id ?? 0 }))).code, "NOT_FOUND");
    });

    test("AMapThatTheObjectDefinesOtherwiseIsRefused", async () => {
        await using lab = await Lab.start();
        const owner = await load(lab);
        const refused = await refusal(load(lab, { mapOwnerId: owner.id ?? 0 }, "shared_map_other"));
        assert.equal(refused.code, "FAILED_PRECONDITION");
        assert.match(refused.message, /Programs|to share is another/);
    });
});
