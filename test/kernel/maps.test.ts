// SPDX-License-Identifier: Apache-2.0
// Maps as people and programs read and change them, on the real kernel; what bpftool says of the same map is compared
// where bpftool is right.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite, test } from "node:test";
import { check } from "../../daemon/kernel/errors.ts";
import { address, libc } from "../../daemon/kernel/ffi.ts";
import { possibleCpus } from "../../daemon/kernel/objects/map-calls.ts";
import type { MapDetailJson, MapEntryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { bpfman } from "../lab/command.ts";
import { refusal, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";

/** For floating-point numbers it prints no JSON at all. */
const bpftool = (...words: (string | number)[]) =>
    JSON.parse(
        execFileSync("bpftool", ["-j", ...words.map(String)], { encoding: "utf8" }).replaceAll(
            /\(unsupported[^,}]*/g,
            "null",
        ),
    );

/** Every entry, page after page. */
async function dump(lab: Lab, name: string, pageSize = 0): Promise<MapEntryJson[]> {
    const all: MapEntryJson[] = [];
    for (let pageToken = ""; ; ) {
        const { entries = [], nextPageToken = "" } = await lab.client.dumpMap({ map: { name }, pageSize, pageToken });
        all.push(...entries);
        if (nextPageToken === "") return all;
        pageToken = nextPageToken;
    }
}

const text = (value: string) => ({ text: value });
const update = (lab: Lab, name: string, key: string, value: string, more: { mode?: string; force?: boolean } = {}) =>
    lab.client.updateMap({ map: { name }, key: text(key), value: text(value), ...more });
const lookup = (lab: Lab, name: string, key: string) => lab.client.lookupMap({ map: { name }, key: text(key) });

const shape = {
    name: "a \u202e\u0007shape",
    color: "GREEN",
    visible: true,
    raw: [1, 2, 3, 255],
    corners: [
        { x: -1, y: 2 },
        { x: 3, y: -4 },
    ],
    big: "18446744073709551615",
    negative: -9_007_199_254_740_991,
    handle: 7,
    low: 5,
    middle: -9,
    high: 0xabcdef,
    word: 0x04030201,
    named: { a: 0x10002 },
    ratio: 1.5,
    part: 0.25,
    pointer: "0xffff888000000001",
};

suite("maps", () => {
    test("ListMarksOursAndShowsOthers", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const [program] = await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const [other] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(xdpItem(wire, program?.id, 10), xdpItem(wire, other?.id, 20));
        const { maps = [] } = await lab.client.listMaps({});
        const known = new Map<number, { type: string }>(
            bpftool("map", "list").map((one: { id: number; type: string }) => [one.id, one]),
        );
        const mine = maps.filter(({ managed }) => managed);
        assert.ok(mine.length >= 12, `${mine.length} maps`);
        for (const { map } of mine) assert.equal(known.get(map?.id ?? 0)?.type, map?.typeName);
        const long = mine.find(({ name }) => name === "a_map_with_a_very_long_name");
        assert.equal(long?.map?.name, "a_map_with_a_ve", "the kernel cuts names");
        assert.deepEqual(long?.programIds, [program?.id]);
        assert.match(long?.pinPaths?.[0] ?? "", new RegExp(`/maps/${program?.id}/a_map_with_a_very_long_name$`));
        assert.deepEqual([long?.keyType, long?.valueType], ["__u32", "__u32"]);
        const part = maps.find(({ partOf }) => partOf === "dispatcher of xdp veth1");
        assert.notEqual(part, undefined, "the dispatcher's own maps say what they are");
        const { maps: only = [] } = await lab.client.listMaps({ managedOnly: true, types: ["ringbuf"] });
        assert.deepEqual(
            only.map(({ name }) => name),
            ["events"],
        );
        const refused = await refusal(
            lab.client.updateMap({ map: { id: part?.map?.id ?? 0 }, key: text("0"), value: text("0"), force: true }),
        );
        assert.equal(refused.code, "FAILED_PRECONDITION");
        assert.match(refused.message, /is part of the dispatcher/);
    });

    test("EveryTypeComesBackAsItWasWritten", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        await update(lab, "shapes", "3", JSON.stringify(shape));
        const { keyJson, valueJson } = await lookup(lab, "shapes", "0x3");
        assert.equal(keyJson, 3);
        const read = valueJson as typeof shape & { bytes: number[] };
        const { bytes, ...rest } = read;
        assert.deepEqual(bytes, [1, 2, 3, 4], "members of a union show the same bytes");
        assert.deepEqual(rest, { ...shape, named: { a: 0x10002, b: 2 } });
        // what was read can be written again
        await update(lab, "shapes", "4", JSON.stringify(read));
        assert.deepEqual((await lookup(lab, "shapes", "4")).valueJson, read);
        const { map } = await lab.client.getMap({ name: "shapes" });
        const [, second] = bpftool("map", "dump", "id", map?.id ?? 0).sort(
            (a: { formatted: { key: number } }, b: { formatted: { key: number } }) => a.formatted.key - b.formatted.key,
        );
        const { formatted } = second;
        for (const member of ["color", "visible", "corners", "handle", "negative"] as const)
            assert.deepEqual(formatted.value[member], rest[member], member);
        // it prints bit fields in hexadecimal, without their sign
        assert.equal(Number(formatted.value.low), rest.low);
        assert.equal(Number(formatted.value.high), rest.high);
    });

    test("WrongTextIsRefusedWithWhatIsWrong", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const wrong: [string, string, RegExp][] = [
            ["nine", "{}", /key is of type __u32: "nine" is no whole number/],
            ["-1", "{}", /key is of type __u32 of 32 bits: -1 is not from 0 to 4294967295/],
            ["1", "5", /value is of type struct shape: 5 is no object/],
            ["1", "{", /is no JSON for it/],
            ["1", '{"colour": 1}', /has no member "colour"; did you mean: color\?/],
            ["1", '{"color": "GREY"}', /value\.color is of type enum color: "GREY" is none of its values.*GREEN/],
            ["1", '{"low": 8}', /value\.low is of type unsigned int of 3 bits: 8 is not from 0 to 7/],
            ["1", '{"name": "12345678901234567"}', /value\.name has room for 16 bytes, the text has 17/],
            ["1", '{"corners": [{}, {}, {}]}', /value\.corners has 2 elements, 3 were given/],
            ["1", '{"word": 1, "bytes": [2]}', /shares its bytes with another member/],
            ["hex:01", "{}", /the key has 4 bytes, 1 were given/],
            ["hex:0", "{}", /pairs of hexadecimal digits/],
        ];
        for (const [key, value, expected] of wrong) {
            const error = await refusal(update(lab, "shapes", key, value));
            assert.equal(error.code, "INVALID_ARGUMENT", value);
            assert.match(error.message, expected);
        }
        assert.deepEqual(await dump(lab, "shapes"), []);
    });

    test("ModesKeysAndSizesOfMapsAreKept", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const name = "a_map_with_a_very_long_name";
        await update(lab, name, "1", "10", { mode: "noexist" });
        assert.equal((await refusal(update(lab, name, "1", "11", { mode: "noexist" }))).code, "ALREADY_EXISTS");
        assert.equal((await refusal(update(lab, name, "2", "11", { mode: "exist" }))).code, "NOT_FOUND");
        await update(lab, name, "192.0.2.7", "hex:0100 0000");
        assert.deepEqual((await dump(lab, name)).map(({ keyJson, valueJson }) => [keyJson, valueJson]).sort(), [
            [1, 10],
            [0x070200c0, 1],
        ]);
        const removed = await lab.client.deleteMapEntry({ map: { name }, key: text("1") });
        assert.equal(removed.valueJson, 10);
        const missing = await refusal(lab.client.deleteMapEntry({ map: { name }, key: text("1") }));
        assert.equal(missing.code, "NOT_FOUND");
        assert.match(missing.message, /has no entry 1$/);
        await update(lab, "routes", "10.0.0.0/8", "5");
        assert.deepEqual((await lookup(lab, "routes", "10.1.2.3/32")).valueJson, 5);
        assert.match((await refusal(lookup(lab, "routes", "11.0.0.0/8"))).message, /has no entry 11\.0\.0\.0\/8/);
        assert.deepEqual(
            (await dump(lab, "routes")).map(({ keyJson }) => keyJson),
            [{ length: 8, address: [10, 0, 0, 0] }],
        );
        const array = await refusal(lab.client.deleteMapEntry({ map: { name: "numbers" }, key: text("1") }));
        assert.match(array.message, /is an array: its entries can't be deleted/);
        assert.match((await refusal(update(lab, "numbers", "8", "1"))).message, /its keys run from 0 to 7/);
    });

    test("PerCpuValuesAreSummedAndApart", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const cpus = possibleCpus();
        const map = { name: "per_cpu_counts" };
        const bytes = Buffer.alloc(16 * cpus);
        for (let cpu = 0; cpu < cpus; cpu++) bytes.writeBigUInt64LE(BigInt(cpu + 1), 16 * cpu);
        await lab.client.updateMap({ map, key: text("1"), value: { bytes: bytes.toString("base64") } });
        const entry = await lab.client.lookupMap({ map, key: text("1") });
        assert.equal(entry.cpus?.length, cpus);
        assert.deepEqual(
            entry.cpus?.map(({ valueJson }) => valueJson),
            Array.from({ length: cpus }, (_, cpu) => ({ packets: cpu + 1, bytes: 0 })),
        );
        assert.deepEqual(entry.sum, { packets: (cpus * (cpus + 1)) / 2, bytes: 0 });
        // four bytes a CPU lie eight apart
        await update(lab, "per_cpu_points", '{"x": 1, "y": 2}', "5");
        const point = await lookup(lab, "per_cpu_points", '{"x": 1, "y": 2}');
        assert.equal(point.sum, 5 * cpus);
        assert.equal((await dump(lab, "per_cpu_points")).length, 1);
        assert.equal((await dump(lab, "per_cpu_counts")).length, 2);
    });

    test("AMapOfAMillionEntriesAnswersItsFirstPageAtOnce", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const name = "a_map_with_a_very_long_name";
        const { map } = await lab.client.getMap({ name });
        fill(map?.id ?? 0, 100_000);
        const seen = new Set((await dump(lab, name, 4096)).map(({ keyJson }) => keyJson));
        assert.equal(seen.size, 100_000);
        fill(map?.id ?? 0, 1_000_000);
        const first = await lab.client.dumpMap({ map: { name } });
        assert.equal(first.entries?.length, 256, "a page, whatever the map holds");
        const second = await lab.client.dumpMap({ map: { name }, pageToken: first.nextPageToken ?? "" });
        assert.equal(second.entries?.length, 256);
        const keys = [first, second].flatMap(({ entries = [] }) => entries.map(({ keyJson }) => keyJson));
        assert.equal(new Set(keys).size, 512);
        const refused = await refusal(
            (async () => {
                for await (const _ of lab.client.watchMap({ map: { name } })) assert.fail("it is too large to watch");
            })(),
        );
        assert.match(refused.message, /too large to be watched/);
    });

    test("MapTypesWithoutBatchesAndWithoutKeys", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        await update(lab, "jumps", "1", String(program?.id ?? 0));
        assert.deepEqual(
            (await dump(lab, "jumps")).map(({ key, valueJson }) => [key, valueJson]),
            [["AQAAAA==", program?.id]],
        );
        await lab.client.deleteMapEntry({ map: { name: "jumps" }, key: text("1") });
        await lab.client.updateMap({ map: { name: "line" }, key: text(""), value: text("5") });
        // the kernel keeps no types of a queue
        assert.equal((await lab.client.lookupMap({ map: { name: "line" }, key: text("") })).value, "BQAAAA==");
        assert.match((await refusal(dump(lab, "line"))).message, /have no keys to go through/);
        assert.match((await refusal(dump(lab, "events"))).message, /ringbuf map can't be read from here/);
    });

    test("MapsThatNobodyMayChangeSaySo", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const { map } = await lab.client.getMap({ name: "frozen" });
        execFileSync("bpftool", ["map", "freeze", "id", String(map?.id)]);
        assert.match((await refusal(update(lab, "frozen", "1", "1"))).message, /can't be changed: the map is frozen/);
        const { maps = [] } = await lab.client.listMaps({ managedOnly: true });
        const rodata = maps.find(({ name }) => name?.endsWith(".rodata"));
        const [entry] = (await lab.client.dumpMap({ map: { id: rodata?.map?.id ?? 0 } })).entries ?? [];
        assert.deepEqual(entry?.valueJson, {
            limit: 7,
            enabled: false,
            device: "lo",
            color: "GREEN",
            ports: [80, 443, 0, 0],
            offset: -3,
            origin: { x: 1, y: 2 },
            octet: 1,
        });
    });

    test("AMapOfOthersIsReadByAllAndChangedOnlyByForce", async () => {
        await using lab = await Lab.start();
        const pin = `${lab.runtimeDir}/fs/others`;
        const make = ["map", "create", pin, "type", "hash", "key", "4", "value", "4", "entries", "2", "name", "others"];
        execFileSync("bpftool", make);
        try {
            const detail: MapDetailJson = await lab.client.getMap({ name: "others" });
            assert.equal(detail.managed ?? false, false);
            const refused = await refusal(update(lab, "others", "1", "2"));
            assert.equal(refused.code, "FAILED_PRECONDITION");
            assert.match(refused.message, /belongs to no program of this daemon/);
            assert.deepEqual(await dump(lab, "others"), []);
            await update(lab, "others", "1", "2", { force: true });
            await update(lab, "others", "2", "2", { force: true });
            assert.equal((await refusal(update(lab, "others", "3", "2", { force: true }))).code, "RESOURCE_EXHAUSTED");
            assert.equal((await lookup(lab, "others", "1")).value, "AgAAAA==");
            const remove = (force: boolean) =>
                lab.client.deleteMapEntry({ map: { name: "others" }, key: text("1"), force });
            assert.equal((await refusal(remove(false))).code, "FAILED_PRECONDITION");
            await remove(true);
        } finally {
            execFileSync("rm", [pin]);
        }
    });

    test("NamesThatMeanNothingOrSeveralMaps", async () => {
        await using lab = await Lab.start();
        const [first] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        await lab.load("xdp_count", ["xdp:xdp_count"]);
        assert.match(
            (await refusal(lab.client.getMap({ name: "packets" }))).message,
            /several maps are called packets/,
        );
        const named = await lab.client.getMap({ name: "packets", programId: first?.id ?? 0 });
        assert.deepEqual(named.programIds, [first?.id]);
        const near = await refusal(lab.client.getMap({ name: "packet" }));
        assert.equal(near.code, "NOT_FOUND");
        assert.match(near.message, /did you mean: packets\?/);
        assert.equal((await refusal(lab.client.getMap({ id: 0x7fffffff }))).code, "NOT_FOUND");
        const token = await refusal(lab.client.dumpMap({ map: { id: named.map?.id ?? 0 }, pageToken: "x" }));
        assert.equal(token.code, "INVALID_ARGUMENT");
    });

    test("AWatcherSeesEachChangeAndTheEnd", async () => {
        await using lab = await Lab.start();
        const [program] = await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const name = "a_map_with_a_very_long_name";
        await update(lab, name, "1", "10");
        const seen: [string, unknown, unknown][] = [];
        const steps = [
            () => update(lab, name, "1", "11"),
            () => update(lab, name, "2", "20"),
            () => lab.client.deleteMapEntry({ map: { name }, key: text("1") }),
            () => lab.client.unload({ programIds: [program?.id ?? 0] }),
        ];
        for await (const change of lab.client.watchMap({ map: { name }, intervalMs: 100 })) {
            seen.push([change.kind ?? "", change.entry?.keyJson, change.entry?.valueJson]);
            await steps.shift()?.();
        }
        assert.deepEqual(seen, [
            ["READY", undefined, undefined],
            ["CHANGED", 1, 11],
            ["ADDED", 2, 20],
            ["DELETED", 1, 11],
            ["GONE", undefined, undefined],
        ]);
        lab.assertNoDescriptors();
    });

    test("TheCommandReadsChangesAndEscapes", async () => {
        await using lab = await Lab.start();
        await lab.load("map_shapes", ["xdp:xdp_shapes"]);
        const ok = async (...words: string[]) => {
            const { status, out, err } = await bpfman(lab, "map", ...words);
            assert.deepEqual({ status, err }, { status: 0, err: "" }, words.join(" "));
            return out;
        };
        await ok("update", "numbers", "3", "18446744073709551615");
        assert.equal(await ok("lookup", "numbers", "3"), '3: "18446744073709551615"\n');
        await ok("update", "shapes", "3", JSON.stringify(shape));
        const out = await ok("dump", "shapes");
        assert.match(out, /^3: \{"name":"a /);
        for (const steering of ["\u0007", "\u202e"]) assert.equal(out.includes(steering), false);
        const listed = JSON.parse(await ok("dump", "numbers", "-o", "json"));
        assert.equal(listed.length, 8);
        assert.deepEqual(listed[3], {
            key: 3,
            key_hex: "03000000",
            value: "18446744073709551615",
            value_hex: "ffffffffffffffff",
        });
        assert.equal((await ok("dump", "numbers", "--limit", "2")).split("\n").length, 3);
        assert.match(await ok("lookup", "per_cpu_counts", "0"), /^0: \{"packets":0,"bytes":0\} \(cpu0 \{/);
        assert.match(await ok("get", "shapes"), /Value: +104 bytes \(struct shape\)/);
        assert.match(await ok("list", "--managed"), /a_map_with_a_very_long_name/);
        assert.equal(JSON.parse(await ok("list", "--managed", "-o", "json")).maps.length, 12);
        await ok("delete", "shapes", "3");
        const missing = await bpfman(lab, "map", "lookup", "shapes", "3");
        assert.equal(missing.status, 1);
        assert.match(missing.err, /bpfman: error: map \d+ \(shapes\) has no entry 3/);
    });
});

const BPF_MAP_UPDATE_BATCH = 26;
const BPF_MAP_GET_FD_BY_ID = 14;

/** Keys 0 … count - 1, each its own value. */
function fill(id: number, count: number): void {
    const open = Buffer.alloc(12);
    open.writeUInt32LE(id, 0);
    const fd = check(libc.bpf(BPF_MAP_GET_FD_BY_ID, open), "open the map");
    const keys = Buffer.from(Uint32Array.from({ length: count }, (_, key) => key).buffer);
    const attr = Buffer.alloc(56);
    attr.writeBigUInt64LE(address(keys), 16);
    attr.writeBigUInt64LE(address(keys), 24);
    attr.writeUInt32LE(count, 32);
    attr.writeInt32LE(fd, 36);
    check(libc.bpf(BPF_MAP_UPDATE_BATCH, attr), "fill the map");
    libc.close(fd);
}

test("the fixture has what these tests name", () => {
    assert.ok(fixtureObject("map_shapes").length > 1000);
});
