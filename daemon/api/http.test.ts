// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import { httpLimits } from "./http.ts";
import { all, records, Served } from "./served.ts";
import { maxPendingBytes } from "./watch.ts";

const object = Buffer.from("\x7fELF").toString("base64");

/** Everything that a raw connection receives until the other side ends it. */
async function received(socket: Socket): Promise<string> {
    const chunks: Buffer[] = [];
    socket.on("data", chunk => chunks.push(chunk));
    socket.on("error", () => {});
    await once(socket, "close");
    return Buffer.concat(chunks).toString();
}

test("a call is a POST of JSON and gets JSON with its length", async () => {
    await using served = await Served.start();
    const loaded = await served.host("Load", {
        object,
        sourcePath: "/tmp/x.o",
        programs: [{ name: "count", type: "xdp" }],
        metadata: { owner: "me" },
    });
    assert.equal(loaded.status, 200);
    assert.equal(loaded.headers["content-type"], "application/json");
    assert.equal(loaded.headers["content-length"], String(Buffer.byteLength(loaded.text)));
    assert.equal(loaded.json.programs[0].id, 10);
    assert.deepEqual(loaded.json.programs[0].record.metadata, { owner: "me" });
    assert.equal(loaded.json.programs[0].maps[0].mapExtra, "18446744073709551615");

    const got = await served.host("GetProgram", { id: 10 });
    assert.deepEqual(got.json, loaded.json.programs[0]);
    const v1 = await served.post("/bpfman.v1.Bpfman/Get", { id: 10 });
    assert.equal(v1.json.info.name, "count");
});

test("a change is logged with who asked and what came of it, a read is not", async () => {
    await using served = await Served.start();
    await served.host("Load", { object, programs: [{ name: "evil\u001b[2J\u202e", type: "xdp" }] });
    await served.host("ListPrograms");
    await served.host("Unload", { programIds: [10, 99] });
    assert.equal(served.log.length, 2);
    const [load = "", unload = ""] = served.log;
    assert.match(load, /^Load by .*\(uid 0, loginuid (unset|\d+), pid \d+\) \{.*"4 bytes".*\}: done, programs 10$/);
    assert.ok(load.includes("evil\\u001b[2J\\u{202e}"), load);
    assert.ok(load.includes(`pid ${process.pid}`), load);
    assert.match(unload, /^Unload by .*: done, of 10, failed 99 \(NOT_FOUND: no program 99\)$/);
});

test("an error has its status, its code and its facts; the cause goes to the log", async () => {
    await using served = await Served.start();
    served.manager.fails = new BpfmanError("FAILED_PRECONDITION", "load count: EACCES", {
        errno: "EACCES",
        log: "0: (61) r1 = *(u32 *)(r1 +0)\nR1 invalid mem access 'scalar'\nprocessed 1 insns (limit 1000000)\n",
        hint: "Check the bounds.",
        cause: new Error("the secret cause"),
    });
    const request = { object, programs: [{ name: "count", type: "xdp" }] };
    const refused = await served.host("Load", request);
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.json, {
        code: "failed_precondition",
        message: "load count: EACCES",
        details: {
            errno: "EACCES",
            verifierLines: ["0: (61) r1 = *(u32 *)(r1 +0)", "R1 invalid mem access 'scalar'"],
            verifierLog: "",
            verifierLinesOmitted: 1,
            hint: "Check the bounds.",
        },
    });
    assert.ok(served.log.some(line => line.includes("the secret cause")));
    assert.ok(served.log.every(line => !line.includes("\n")));

    served.manager.fails = new BpfmanError("FAILED_PRECONDITION", "no", { log: "line one\nline two\n" });
    const whole = await served.host("Load", { ...request, fullLog: true });
    assert.equal(whole.json.details.verifierLog, "line one\nline two\n");

    served.manager.fails = new TypeError("cannot read properties of undefined");
    const broken = await served.host("Load", request);
    assert.equal(broken.status, 500);
    assert.deepEqual([broken.json.code, broken.json.message], ["internal", "internal error"]);
    assert.ok(!broken.text.includes("properties"));
    assert.ok(served.log.some(line => line.includes("TypeError: cannot read properties")));
});

test("what is no call of ours is refused by name", async () => {
    await using served = await Served.start();
    const cases = [
        { path: "/nothing", status: 404 },
        { path: "/bpfman.host.v1.Host/Nothing", status: 404 },
        { path: "/bpfman.host.v1.Host/Version/more", status: 404 },
        { path: "/bpfman.host.v1.Host/Version", method: "GET", status: 405 },
        { path: "/bpfman.host.v1.Host/Version", headers: { "Content-Type": "text/plain" }, status: 415 },
        { path: "/bpfman.host.v1.Host/Version", headers: { "Content-Encoding": "gzip" }, status: 415 },
    ];
    for (const { path, status, ...options } of cases) {
        const answer = await served.post(path, "{}", options);
        assert.equal(answer.status, status, path);
        assert.equal(answer.json.code, "unimplemented");
    }
    const bodies = ["", "no json", "[]", '{"nothing":1}', '{"id":-1}', '{"id":4294967296}', '{"id":"x"}'];
    for (const body of bodies) {
        const answer = await served.post("/bpfman.host.v1.Host/GetProgram", body);
        assert.deepEqual([answer.status, answer.json.code], [400, "invalid_argument"], body);
    }
});

test("one connection serves many calls, and pipelined ones in order", async () => {
    await using served = await Served.start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i++)
        assert.equal((await served.post("/bpfman.host.v1.Host/Version", {}, { agent })).status, 200);
    assert.equal(served.listener.connections, 1);
    agent.destroy();

    const socket = connect(served.path);
    const call = (id: number, more = "") =>
        `POST /bpfman.host.v1.Host/GetProgram HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: ${`{"id":${id}}`.length}\r\n\r\n{"id":${id}}`;
    socket.write(call(41) + call(42) + call(43, "Connection: close\r\n"));
    const text = await received(socket);
    const order = [41, 42, 43].map(id => text.indexOf(`no program ${id}`));
    assert.deepEqual(
        order.toSorted((a, b) => a - b),
        order,
    );
    assert.ok(order.every(at => at >= 0));
});

test("a body over the limit is answered, announced or not", async () => {
    await using served = await Served.start({ httpLimits: { ...httpLimits, bodyBytes: 100_000 } });
    const body = JSON.stringify({ object: "A".repeat(1_000_000), programs: [] });
    const announced = await served.host("Load", body);
    assert.deepEqual([announced.status, announced.json.code], [429, "resource_exhausted"]);
    const headers = { "Transfer-Encoding": "chunked" };
    const chunked = await served.post("/bpfman.host.v1.Host/Load", body, { headers });
    assert.deepEqual([chunked.status, chunked.json.code], [429, "resource_exhausted"]);
    assert.equal((await served.host("Version")).status, 200);
});

test("requests that are read at once share a limit", async () => {
    await using served = await Served.start({ httpLimits: { ...httpLimits, totalBodyBytes: 50_000 } });
    const slow = connect(served.path);
    slow.write(
        `POST /bpfman.host.v1.Host/Load HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 45000\r\n\r\n${"x".repeat(40_000)}`,
    );
    await sleep(50);
    const refused = await served.host("Load", { object: "A".repeat(20_000) });
    assert.deepEqual([refused.status, refused.json.message], [429, "too many requests are being read at once"]);
    slow.destroy();
    await once(slow, "close");
    await sleep(50);
    assert.equal((await served.host("Load", { object: "A".repeat(20_000) })).status, 400);
});

test("a request that does not come to its end is given up", async () => {
    const limits = { ...httpLimits, headersTimeoutMs: 200, requestTimeoutMs: 400 };
    await using served = await Served.start({ httpLimits: limits });
    const head = connect(served.path);
    head.write("POST / HTTP/1.1\r\nHost:");
    const body = connect(served.path);
    body.write(
        "POST /bpfman.host.v1.Host/Version HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{",
    );
    assert.match(await received(head), /^HTTP\/1\.1 408 /);
    assert.match(await received(body), /^(HTTP\/1\.1 408 |$)/);
    assert.deepEqual(served.log, []);
    assert.equal(served.listener.connections, 0);
});

test("garbage gets a 400", async () => {
    await using served = await Served.start();
    const socket = connect(served.path);
    socket.write("POST nothing\r\n\r\n");
    assert.match(await received(socket), /^HTTP\/1\.1 400 /);
    const binary = connect(served.path);
    binary.write(Buffer.from([0, 255, 1, 2, 3, 13, 10, 13, 10]));
    assert.match(await received(binary), /^HTTP\/1\.1 400 /);
});

const watchPath = "/bpfman.host.v1.Host/Watch";

test("a watcher gets READY, each change, and the end record when the daemon stops", async () => {
    await using served = await Served.start();
    const plain = await served.send(watchPath, "{}");
    assert.equal(plain.headers["content-type"], "application/connect+json");
    const request = Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]);
    const enveloped = await served.send(watchPath, request, {
        headers: { "Content-Type": "application/connect+json" },
    });
    const event = {
        sequence: "7",
        kind: "LINK_ATTACHED",
        programIds: [],
        linkIds: [3],
        time: "2026-01-01T00:00:00.000Z",
        by: "uid 1000",
    };
    const streams = [records(plain), records(enveloped)];
    for (const stream of streams) assert.equal((await stream.next()).value?.json.kind, "READY");
    served.manager.emit({ sequence: 7, kind: "LINK_ATTACHED", linkIds: [3 as never], by: "uid 1000" });
    for (const stream of streams) assert.deepEqual((await stream.next()).value, { flags: 0, json: event });

    plain.destroy();
    while (served.manager.listeners.size > 1) await sleep(5);
    await served.stop();
    const last = await all(streams[1]!);
    assert.deepEqual(last, [{ flags: 2, json: {} }]);
    assert.equal(served.manager.listeners.size, 0);
});

test("a watch that can't start ends with the error in its end record", async () => {
    await using served = await Served.start();
    const headers = { "Content-Type": "application/connect+json" };
    for (const body of [
        Buffer.from("{}"),
        Buffer.from([1, 0, 0, 0, 2, 0x7b, 0x7d]),
        Buffer.from([0, 0, 0, 0, 1, 0x7b]),
    ]) {
        const response = await served.send(watchPath, body, { headers });
        assert.equal(response.statusCode, 200);
        const [record] = await all(records(response));
        assert.equal(record?.flags, 2);
        assert.equal(record?.json.error.code, "invalid_argument");
    }
    assert.equal(served.manager.listeners.size, 0);
});

test("a watcher that does not read is cut off, and keeps the daemon from nothing", async () => {
    await using served = await Served.start();
    const socket = connect(served.path);
    socket.pause();
    const head = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
    socket.write(`POST ${watchPath} HTTP/1.1\r\n${head}\r\n{}`);
    while (served.manager.listeners.size === 0) await sleep(5);
    const by = "x".repeat(10_000);
    let sent = 0;
    for (; served.manager.listeners.size > 0 && sent < 10 * maxPendingBytes; sent += by.length) {
        served.manager.emit({ by });
        if (sent % 200_000 === 0) await sleep(1);
    }
    assert.ok(sent < 3 * maxPendingBytes, `${sent} bytes were kept`);
    while (served.listener.connections > 0) await sleep(5);
    assert.equal((await served.host("Version")).status, 200);
    socket.destroy();
});

test("a stopping daemon finishes what it does and takes nothing new", async () => {
    await using served = await Served.start();
    const gate = Promise.withResolvers<void>();
    served.manager.gate = gate.promise;
    const load = served.host("Load", { object, programs: [{ name: "count", type: "xdp" }] });
    const other = connect(served.path);
    other.write("POST");
    while (served.manager.asked["load"] === undefined || served.listener.connections < 2) await sleep(5);
    const stopped = served.stop();
    const text = received(other);
    other.write(
        " /bpfman.host.v1.Host/Version HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    await sleep(50);
    gate.resolve();
    assert.equal((await load).status, 200);
    await stopped;
    assert.match(await text, /^HTTP\/1\.1 503 .*the daemon is stopping/s);
    assert.equal(served.listener.connections, 0);
});

test("a caller that goes before its answer leaves the call to its end", async () => {
    await using served = await Served.start();
    const gate = Promise.withResolvers<void>();
    served.manager.gate = gate.promise;
    const body = JSON.stringify({ object, programs: [{ name: "count", type: "xdp" }] });
    const socket = connect(served.path);
    socket.write(
        `POST /bpfman.host.v1.Host/Load HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    while (served.manager.asked["load"] === undefined) await sleep(5);
    socket.destroy();
    while (served.listener.connections > 0) await sleep(5);
    gate.resolve();
    while (served.log.length === 0) await sleep(5);
    assert.match(served.log[0] ?? "", /: done, programs 10$/);
});

test("how long a caller waits for other changes comes with its request", async () => {
    await using served = await Served.start();
    const unload = (timeout?: string) =>
        served.post(
            "/bpfman.host.v1.Host/Unload",
            { programIds: [1] },
            timeout === undefined ? {} : { headers: { "Bpfman-Lock-Timeout-Ms": timeout } },
        );
    const patience = () => (served.manager.asked["unload"] as { caller: Caller }).caller.patience;
    const cases: [string | undefined, Caller["patience"]][] = [
        [undefined, undefined],
        ["0", undefined],
        ["30000", { ms: 30_000, said: "--lock-timeout=30s" }],
        ["1500", { ms: 1500, said: "--lock-timeout=1500ms" }],
        ["90000", { ms: 90_000, said: "--lock-timeout=1m30s" }],
        ["3600000", { ms: 3_600_000, said: "--lock-timeout=1h0m0s" }],
    ];
    for (const [timeout, expected] of cases) {
        assert.equal((await unload(timeout)).status, 200);
        assert.deepEqual(patience(), expected);
    }
    for (const timeout of ["-1", "1.5", "soon", "99999999999"])
        assert.equal((await unload(timeout)).status, 400, timeout);
});
