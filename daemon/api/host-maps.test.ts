// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, Message } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import type { BpfmanError } from "../model/error.ts";
import { fakeSettings } from "./fake-facts.ts";
import { FakeManager, member, root } from "./fake-manager.ts";
import { hostService } from "./host-v1.ts";

function setUp() {
    const manager = new FakeManager();
    const service = hostService(manager, {
        runtimeDir: "/run/bpfman",
        libbpf: "1.5",
        startedAt: "",
        settings: fakeSettings,
    });
    const methodOf = (name: string) => service.methods.get(name)!;
    const message = (name: string, json: JsonObject): Message => fromJson(methodOf(name).descriptor.input, json);
    const call = async (name: string, json: JsonObject = {}, caller = root): Promise<JsonObject> => {
        const method = methodOf(name);
        assert(method.kind === "unary");
        return await method.handle(message(name, json), caller);
    };
    const refuses = async (pattern: RegExp, name: string, json: JsonObject) =>
        await assert.rejects(call(name, json), (error: BpfmanError) => {
            assert.equal(error.code, "INVALID_ARGUMENT");
            assert.match(error.message, pattern);
            return true;
        });
    return { manager, call, refuses, message, methodOf };
}

test("maps are named by an id or by a name, not by both and not by nothing", async () => {
    const { call, refuses } = setUp();
    assert.equal((await call("GetMap", { map: { id: 5 } }))["name"], "counts");
    assert.equal((await call("GetMap", { map: { name: "counts" } }))["name"], "counts");
    await refuses(/the map is missing/, "GetMap", {});
    await refuses(/not by both/, "DumpMap", { map: { id: 5, name: "counts" } });
});

test("keys and values arrive as bytes or as text", async () => {
    const { manager, call, refuses } = setUp();
    const map = { id: 5 };
    await call("UpdateMap", { map, key: { text: "1" }, value: { bytes: "AQI=" }, mode: "exist", force: true });
    assert.deepEqual(manager.asked["updateMap"], {
        selector: { id: 5, name: "", programId: undefined },
        entry: { key: "1", value: new Uint8Array([1, 2]), mode: "exist" },
        force: true,
    });
    await refuses(/unknown update mode sometimes/, "UpdateMap", { map, mode: "sometimes" });
    const entry = await call("LookupMap", { map, key: { text: "1" } });
    assert.deepEqual(entry, {
        key: "AQAAAA==",
        keyJson: 1,
        value: "//////////8=",
        valueJson: "18446744073709551615",
        cpus: [],
    });
});

test("lists of maps are selected by program, type and owner", async () => {
    const { call } = setUp();
    const count = async (json: JsonObject) => ((await call("ListMaps", json))["maps"] as unknown[]).length;
    assert.equal(await count({}), 1);
    assert.equal(await count({ programId: 1, types: ["array", "hash"], managedOnly: true }), 1);
    assert.equal(await count({ programId: 9 }), 0);
    assert.equal(await count({ types: ["hash"] }), 0);
});

test("a watch checks its interval, and ends with its map", async () => {
    const { manager, message, methodOf } = setUp();
    const method = methodOf("WatchMap");
    assert(method.kind === "stream");
    const seen: unknown[] = [];
    const ended = new Promise<void>(resolve => {
        const sink = {
            pendingBytes: 0,
            send: (record: unknown) => seen.push((record as { kind: string }).kind),
            end: resolve,
            fail: (error: unknown) => assert.fail(String(error)),
            cut: (error: unknown) => assert.fail(String(error)),
        };
        method.handle(message("WatchMap", { map: { id: 5 }, intervalMs: 250 }), root, sink);
        assert.throws(
            () => method.handle(message("WatchMap", { map: { id: 5 }, intervalMs: 1 }), root, sink),
            /every 100 to 3600000 ms, not every 1/,
        );
    });
    await ended;
    assert.deepEqual(seen, ["READY", "CHANGED", "GONE"]);
    assert.deepEqual(manager.asked["watchMap"], { intervalMs: 250 });
});

test("a test run needs a packet, and has limits", async () => {
    const { call, refuses } = setUp();
    const run = await call("TestRun", { programId: 3, packet: "AAE=", repeat: 5 });
    assert.deepEqual(run, { returnCode: 2, returnName: "pass", packet: "AAE=", nsPerRun: "25", runs: 5 });
    await refuses(/the packet is missing/, "TestRun", { programId: 3 });
    await refuses(/program's id is missing/, "TestRun", { packet: "AAE=" });
    await refuses(/more than 1000000000 runs/, "TestRun", { programId: 3, packet: "AAE=", repeat: 1_000_000_001 });
});

test("a replacement takes bytes from anybody and a path from root alone", async () => {
    const { manager, call, refuses } = setUp();
    const object = Buffer.from([0x7f, 0x45]).toString("base64");
    await call(
        "ReplaceProgram",
        { programId: 3, object, programName: "next", globalValues: { a: { text: "1" } } },
        member,
    );
    const { id, request } = manager.asked["replaceProgram"] as { id: number; request: Record<string, unknown> };
    assert.equal(id, 3);
    assert.deepEqual(request, {
        programName: "next",
        globalData: new Map(),
        globalValues: new Map([["a", { text: "1", typed: false }]]),
        object: new Uint8Array([0x7f, 0x45]),
        sourcePath: "",
    });
    await refuses(/neither an object nor a file/, "ReplaceProgram", { programId: 3 });
    await assert.rejects(call("ReplaceProgram", { programId: 3, file: "/x.o" }, member), { code: "PERMISSION_DENIED" });
    await call("ReplaceProgram", { programId: 3, file: "/x.o" }, root);
});
