// SPDX-License-Identifier: Apache-2.0
// Global variables set at load, by bytes as ever and by value as their types say, seen in the map that holds them.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import type { GlobalValueJson, LoadResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { bpfman } from "../lab/command.ts";
import { refusal } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";

const defaults = {
    limit: 7,
    enabled: false,
    device: "lo",
    color: "GREEN",
    ports: [80, 443, 0, 0],
    offset: -3,
    origin: { x: 1, y: 2 },
    octet: 1,
};

const load = (
    lab: Lab,
    globalValues: Record<string, GlobalValueJson>,
    globalData: Record<string, string> = {},
): Promise<LoadResponseJson> =>
    lab.client.load({
        object: fixtureObject("map_shapes").toString("base64"),
        programs: [{ type: "xdp", name: "xdp_shapes" }],
        globalValues,
        globalData,
    });

/** What the program finds in its variables. */
async function rodata(lab: Lab, { programs = [] }: LoadResponseJson): Promise<unknown> {
    const { maps = [] } = await lab.client.listMaps({ programId: programs[0]?.id ?? 0 });
    const map = maps.find(({ name }) => name?.endsWith(".rodata"));
    const { entries = [] } = await lab.client.dumpMap({ map: { id: map?.map?.id ?? 0 } });
    return entries[0]?.valueJson;
}

suite("globals", () => {
    test("EachTypeTakesWhatPeopleWrite", async () => {
        await using lab = await Lab.start();
        const loaded = await load(lab, {
            limit: { text: "1000" },
            enabled: { text: "true" },
            device: { text: "eth0" },
            color: { text: "BLUE" },
            ports: { text: "[8080, 0]" },
            offset: { text: "-128" },
            origin: { text: '{"y": -5}' },
            octet: { text: "10", typed: true },
        });
        assert.deepEqual(loaded.warnings ?? [], []);
        assert.deepEqual(await rodata(lab, loaded), {
            limit: 1000,
            enabled: true,
            device: "eth0",
            color: "BLUE",
            ports: [8080, 0, 0, 0],
            offset: -128,
            origin: { x: 0, y: -5 },
            octet: 10,
        });
        const shown = await lab.client.getProgram(loaded.programs?.[0]?.id ?? 0);
        assert.equal(shown.record?.globalData?.["limit"], Buffer.from([0xe8, 3, 0, 0]).toString("base64"));
    });

    test("DigitsThatMakeUpTheBytesAreBytesAsTheyEverWere", async () => {
        await using lab = await Lab.start();
        const loaded = await load(lab, {
            limit: { text: "0a000000" },
            octet: { text: "0xff" },
            device: { text: Buffer.from("eth1").toString("hex").padEnd(32, "0") },
            ports: { text: "500001bb00000000" },
        });
        assert.deepEqual(loaded.warnings ?? [], []);
        assert.deepEqual(await rodata(lab, loaded), {
            ...defaults,
            limit: 10,
            octet: 255,
            device: "eth1",
            ports: [0x50, 0xbb01, 0, 0],
        });
        const ambiguous = await load(lab, { octet: { text: "10" }, device: { text: "face" } });
        assert.deepEqual(ambiguous.warnings, ["octet=10 was taken for the bytes 10; for the number write octet:=10"]);
        assert.deepEqual(await rodata(lab, ambiguous), { ...defaults, octet: 16, device: "face" });
    });

    test("WhatDoesNotFitIsRefusedAndNothingIsLoaded", async () => {
        await using lab = await Lab.start();
        const wrong: [Record<string, GlobalValueJson>, RegExp, RegExp?][] = [
            [{ limt: { text: "1" } }, /"limt" not found in program; available: \[limit enabled/, /limit \(__u32\)/],
            [{ limit: { text: "0xff" } }, /has 4 bytes, 1 were given/, /limit:=0xff/],
            [{ limit: { text: "0100" } }, /has 4 bytes, 2 were given/, /limit:=0100/],
            [{ limit: { text: "4294967296" } }, /is not from 0 to 4294967295/],
            [{ limit: { text: "abc" } }, /is of type __u32: "abc" is no whole number/],
            [{ enabled: { text: "2" } }, /true or false/],
            [{ color: { text: "YELLOW" } }, /none of its values; did you mean|one of: RED, GREEN, BLUE/],
            [{ device: { text: "12345678901234567" } }, /room for 16 bytes, the text has 17/],
            [{ ports: { text: "[1, 2, 3, 4, 5]" } }, /has 4 elements, 5 were given/],
            [{ ports: { text: "[70000]" } }, /\[0\] is of type __u16 of 16 bits: 70000/],
            [{ offset: { text: "128" } }, /is not from -128 to 127/],
        ];
        for (const [values, message, hint] of wrong) {
            const error = await refusal(load(lab, values));
            assert.equal(error.code, "INVALID_ARGUMENT");
            assert.match(error.message, message);
            if (hint !== undefined) assert.match(error.detail?.hint ?? "", hint);
        }
        const twice = await refusal(load(lab, { limit: { text: "1" } }, { limit: "AQAAAA==" }));
        assert.match(twice.message, /is given twice/);
        assert.deepEqual((await lab.client.listPrograms({})).programs ?? [], []);
    });

    test("InspectTellsTypesValuesAndMaps", async () => {
        await using lab = await Lab.start();
        const object = fixtureObject("map_shapes").toString("base64");
        const { globals = [], maps = [] } = await lab.client.inspect({ object });
        const known = Object.fromEntries(globals.map(({ name, type, value }) => [name, [type, value]]));
        assert.deepEqual(known, {
            limit: ["__u32", 7],
            enabled: ["_Bool", false],
            device: ["char[16]", "lo"],
            color: ["enum color", "GREEN"],
            ports: ["__u16[4]", [80, 443, 0, 0]],
            offset: ["__s8", -3],
            origin: ["struct point", { x: 1, y: 2 }],
            octet: ["__u8", 1],
            total: ["__u64", 0],
        });
        const shapes = maps.find(({ name }) => name === "shapes");
        assert.deepEqual(shapes, {
            name: "shapes",
            typeName: "hash",
            keySize: 4,
            valueSize: 104,
            maxEntries: 128,
            flags: 0,
            keyType: "__u32",
            valueType: "struct shape",
            pinnedByName: false,
        });
        assert.equal(maps.find(({ name }) => name === "routes")?.flags, 1);
        const jumps = maps.find(({ name }) => name === "jumps");
        assert.deepEqual([jumps?.typeName, jumps?.keySize, jumps?.valueSize], ["prog_array", 4, 4]);
    });

    test("TheCommandTakesBothAndWarns", async () => {
        await using lab = await Lab.start();
        const object = path.join(lab.dir, "shapes.o");
        writeFileSync(object, fixtureObject("map_shapes"));
        const words = ["program", "load", "file", object, "--programs", "xdp:xdp_shapes"];
        const globals = ["-g", "limit=1000", "-g", "octet:=200", "-g", "device=eth0", "-g", "offset=10"];
        const { status, err } = await bpfman(lab, ...words, ...globals);
        assert.equal(status, 0, err);
        assert.equal(err, "bpfman: warning: offset=10 was taken for the bytes 10; for the number write offset:=10\n");
        const { programs = [] } = await lab.client.listPrograms({});
        assert.deepEqual(await rodata(lab, { programs }), {
            ...defaults,
            limit: 1000,
            octet: 200,
            device: "eth0",
            offset: 16,
        });
        const unknown = await bpfman(lab, ...words, "-g", "limits=1");
        assert.equal(unknown.status, 1);
        assert.match(unknown.err, /"limits" not found.*\nhint: It has: limit \(__u32\), enabled \(_Bool\)/s);
    });
});
