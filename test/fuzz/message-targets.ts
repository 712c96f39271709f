// SPDX-License-Identifier: Apache-2.0
// Messages as they come over the socket: their bytes to the handlers of every method, and the connection's own bytes,
// HTTP/1.1 and HTTP/2, to the socket. Behind them stands a manager that does as it is told and keeps it in memory.
import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { bpfmanService } from "../../daemon/api/bpfman-v1.ts";
import { Calls } from "../../daemon/api/calls.ts";
import { fakeSettings } from "../../daemon/api/fake-facts.ts";
import { FakeManager, root as rootCaller } from "../../daemon/api/fake-manager.ts";
import { hostService } from "../../daemon/api/host-v1.ts";
import { httpLimits } from "../../daemon/api/http.ts";
import { Served } from "../../daemon/api/served.ts";
import type { StreamMethod, UnaryMethod } from "../../daemon/api/service.ts";
import { socketLimits } from "../../daemon/api/socket.ts";
import { GrpcClient } from "../lab/grpc-client.ts";
import { Random } from "../lab/random.ts";
import * as formats from "./formats.ts";
import { border, type Mutation, words } from "./mutate.ts";
import type { Target } from "./targets.ts";

const facts = { runtimeDir: "/run/bpfman", libbpf: "1.5", startedAt: "2026-01-01T00:00:00Z", settings: fakeSettings };

type Method = UnaryMethod | StreamMethod;

function methodsOf(manager: FakeManager): Method[] {
    return [bpfmanService(manager), hostService(manager, facts)].flatMap(({ methods }) => [...methods.values()]);
}

const names = ["eth0", "xdp", "count", "/tmp/x.o", "tc", "ingress", "syscalls/sys_enter_openat", "quay.io/a/b:c", ""];

/** A message with every field set, or with some. */
function message(schema: DescMessage, random: Random, depth = 0): JsonValue {
    const fields: Record<string, JsonValue> = {};
    const chosen = new Map(schema.oneofs.map(one => [one, random.pick(one.fields)]));
    for (const field of schema.fields) {
        if (field.oneof !== undefined && chosen.get(field.oneof) !== field) continue;
        if (random.below(6) === 0) continue;
        const scalar = (): JsonValue => {
            if (field.message !== undefined)
                return depth > 3 || field.message.typeName.startsWith("google.")
                    ? null
                    : message(field.message, random, depth + 1);
            if (field.enum !== undefined) return random.pick(field.enum.values).number;
            switch (String(field.scalar)) {
                case "8":
                    return random.below(2) === 0;
                case "9":
                    return random.pick(names);
                case "12":
                    return Buffer.from([1, 2, 3, random.below(256)]).toString("base64");
                case "1":
                case "2":
                    return 1.5;
                default:
                    return random.pick([0, 1, 2, 10, 11, 31, 1000]);
            }
        };
        if (field.fieldKind === "list") fields[field.jsonName] = [scalar(), scalar()].filter(one => one !== null);
        else if (field.fieldKind === "map") fields[field.jsonName] = { [random.pick(names)]: scalar() };
        else fields[field.jsonName] = scalar();
    }
    return fields;
}

/** Whatever does not fit the schema is left out: a sample is a message that is read. */
function sample(schema: DescMessage, random: Random): JsonValue {
    for (;;) {
        try {
            const json = message(schema, random);
            return toJson(schema, fromJson(schema, json));
        } catch {
            // a map with a null, or a number in a place of text
        }
    }
}

/** A number of the wire's own kind: a varint of up to ten bytes, a length that promises too much. */
const varint: Mutation = (bytes, random) => {
    const parts: number[] = [];
    let left = border(random, 64);
    do {
        parts.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
        left >>= 7n;
    } while (left > 0n);
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(parts), bytes.subarray(at + random.below(3))]);
};

const prefix = 2;

/** An input is two bytes that pick the method, then the message. */
function handlers(
    name: string,
    own: readonly Mutation[],
    write: (schema: DescMessage, json: JsonValue) => Buffer,
    read: (schema: DescMessage, bytes: Buffer) => ReturnType<typeof fromBinary>,
): Target {
    const log: string[] = [];
    let manager = new FakeManager();
    let methods = methodsOf(manager);
    const calls = new Calls([], line => log.push(line));
    const random = new Random(1);
    const samples = methods.flatMap(({ descriptor }, index) =>
        Array.from({ length: 4 }, () =>
            Buffer.concat([Buffer.from([index, 0]), write(descriptor.input, sample(descriptor.input, random))]),
        ),
    );
    let handled = 0;
    return {
        name,
        samples,
        own,
        run: async input => {
            if (++handled % 500 === 0) {
                // what is loaded and attached in memory would grow for ever
                manager = new FakeManager();
                methods = methodsOf(manager);
                log.length = 0;
            }
            const method = methods[(input[0] ?? 0) % methods.length];
            assert.ok(method !== undefined);
            const parse = () => read(method.descriptor.input, input.subarray(prefix));
            log.length = 0;
            if (method.kind === "unary") {
                const outcome = await calls.unary(method, parse, rootCaller);
                if ("failure" in outcome && outcome.failure.code === "INTERNAL") throw new Error(log.join("\n"));
                return;
            }
            const sink = { pendingBytes: 0, send() {}, end() {}, fail() {}, cut() {} };
            try {
                calls.stream(method, parse, rootCaller, sink)();
            } catch (error) {
                const failure = calls.failure(error);
                if (failure.code === "INTERNAL") throw new Error(log.join("\n"), { cause: error });
            }
        },
    };
}

const protobuf = (): Target =>
    handlers(
        "message",
        [varint, varint, words(names)],
        (schema, json) => Buffer.from(toBinary(schema, fromJson(schema, json))),
        (schema, bytes) => fromBinary(schema, bytes),
    );

const jsonMessage = (): Target =>
    handlers(
        "json-message",
        [...formats.json, words(names)],
        (_, json) => Buffer.from(JSON.stringify(json)),
        (schema, bytes) => fromJson(schema, JSON.parse(bytes.toString("utf8")) as JsonValue),
    );

// --- the socket itself ------------------------------------------------------------------------------------------

const quick = { headersTimeoutMs: 2000, requestTimeoutMs: 2000, keepAliveTimeoutMs: 2000 };
const answerMs = 20_000;

/** Sends the bytes, ends, and waits until the daemon has closed: it may not wait for what will never come. */
function exchange(path: string, input: Buffer, random: Random): Promise<Buffer> {
    return new Promise((resolve, reject) => {
        const socket: Socket = connect(path);
        const chunks: Buffer[] = [];
        const timer = setTimeout(() => {
            socket.destroy();
            reject(new Error(`the connection was still open ${answerMs} ms after its end`));
        }, answerMs);
        socket.on("data", chunk => chunks.push(chunk));
        // a peer that is cut off is no finding
        socket.on("error", () => {});
        socket.on("close", () => {
            clearTimeout(timer);
            resolve(Buffer.concat(chunks));
        });
        // one write or two
        const at = random.below(3) === 0 ? random.below(input.length + 1) : input.length;
        if (at > 0) socket.write(input.subarray(0, at));
        if (at < input.length) socket.write(input.subarray(at));
        if (random.below(8) === 0) socket.destroy();
        else socket.end();
    });
}

interface Live {
    readonly served: Served;
    checked: number;
}

async function live(): Promise<Live> {
    const served = await Served.start({
        httpLimits: { ...httpLimits, ...quick },
        limits: { ...socketLimits, firstBytesMs: 2000 },
    });
    return { served, checked: 0 };
}

/** Others are served all the same. */
async function assertAnswers({ served }: Live): Promise<void> {
    const { status } = await served.host("Version");
    assert.equal(status, 200);
    using client = new GrpcClient(served.path);
    assert.ok((await client.call("list", { bpfmanProgramsOnly: true })).results.length >= 0);
}

async function assertGone({ served }: Live): Promise<void> {
    await assertAnswers({ served, checked: 0 });
    for (let waited = 0; served.listener.connections > 0; waited += 20) {
        assert.ok(waited < answerMs, `${served.listener.connections} connections are left`);
        await sleep(20);
    }
    assert.equal(served.manager.listeners.size, 0, "watchers are left");
    await served[Symbol.asyncDispose]();
}

function socketTarget(
    name: string,
    samples: readonly Buffer[],
    own: readonly Mutation[],
    check: (answer: Buffer) => void,
): Target {
    let server: Promise<Live> | undefined;
    return {
        name,
        samples,
        own,
        run: async (input, random) => {
            server ??= live();
            const one = await server;
            check(await exchange(one.served.path, input, random));
            const internal = one.served.log.filter(line => line.includes("internal error"));
            if (internal.length > 0) throw new Error(internal.join("\n"));
            one.served.log.length = 0;
            if (++one.checked % 200 === 0) await assertAnswers(one);
        },
        finish: async () => {
            if (server !== undefined) await assertGone(await server);
        },
    };
}

function httpRequest(path: string, body: string, headers: readonly string[] = []): Buffer {
    const head = [`POST ${path} HTTP/1.1`, "Host: x", "Content-Type: application/json", ...headers];
    return Buffer.from([...head, `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"));
}

const http = (): Target => {
    const host = "/bpfman.host.v1.Host/";
    const two = [httpRequest(`${host}Version`, "{}"), httpRequest(`${host}ListPrograms`, '{"all":true}')];
    const record = "\u0000\u0000\u0000\u0000\u0002{}";
    const connectStream = ["Content-Type: application/connect+json", "Connection: close"];
    const samples = [
        Buffer.concat(two),
        httpRequest(`${host}Load`, '{"object":"f0VMRg==","programs":[{"name":"count","type":"xdp"}]}'),
        httpRequest(`${host}Attach`, '{"items":[{"programId":10,"xdp":{"interface":"eth0","priority":1}}]}'),
        httpRequest(`${host}Watch`, record, connectStream),
        Buffer.from(
            `POST ${host}ListLinks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`,
        ),
        httpRequest("/bpfman.v1.Bpfman/List", "{}", ["Expect: 100-continue", "bpfman-lock-timeout-ms: 30000"]),
    ];
    const own = [
        words([
            "\r\n",
            "\r\n\r\n",
            "\n",
            "\0",
            ": ",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 18446744073709551616\r\n",
        ]),
        words([
            "Upgrade: h2c\r\nConnection: Upgrade\r\n",
            "Connection: close\r\n",
            "GET ",
            "CONNECT ",
            "HTTP/1.0",
            "HTTP/9.9",
        ]),
        words([
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "ffffffff\r\n",
            "//",
            "/../",
            "%00",
            "A".repeat(20_000),
            ...formats.hostile,
        ]),
    ];
    return socketTarget("http", samples, own, answer => {
        assert.doesNotMatch(answer.toString("latin1"), /^HTTP\/1\.1 500 /m);
    });
};

/** What a gRPC client sends for these calls, taken from a real one. */
async function recordedCalls(): Promise<Buffer[]> {
    const recorded: Buffer[] = [];
    await using served = await Served.start();
    const calls: ((client: GrpcClient) => Promise<unknown>)[] = [
        client => client.call("list", { matchMetadata: { app: "x" } }),
        client =>
            client.call("load", {
                bytecode: { location: { case: "file", value: "/tmp/x.o" } },
                info: [{ name: "count" }],
            }),
        client => client.call("get", { id: 10 }),
    ];
    for (const call of calls) {
        const chunks: Buffer[] = [];
        const between = join(served.path, `../between-${recorded.length}`);
        const proxy = createServer(peer => {
            const daemon = connect(served.path);
            peer.on("data", chunk => chunks.push(chunk));
            peer.pipe(daemon).pipe(peer);
            for (const side of [peer, daemon]) side.on("error", () => {});
        });
        await new Promise<void>(resolve => proxy.listen(between, resolve));
        using client = new GrpcClient(between);
        await call(client);
        proxy.close();
        recorded.push(Buffer.concat(chunks));
    }
    return recorded;
}

const frameTypes = 12;

/** Frames: a length in 24 bits, a type, flags, a stream. https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */
function frames(bytes: Buffer): number[] {
    const found: number[] = [];
    for (let at = 24; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) found.push(at);
    return found;
}

const http2Own: readonly Mutation[] = [
    (bytes, random) => {
        const all = frames(bytes);
        if (all.length === 0) return bytes;
        const at = random.pick(all);
        switch (random.below(4)) {
            case 0:
                bytes.writeUIntBE(random.pick([0, 1, 5, 16384, 16385, 0xffffff]), at, 3);
                break;
            case 1:
                bytes[at + 3] = random.below(frameTypes);
                break;
            case 2:
                bytes[at + 4] = random.below(256);
                break;
            default:
                bytes.writeUInt32BE(random.pick([0, 1, 2, 3, 0x7fffffff, 0xffffffff]), at + 5);
        }
        return bytes;
    },
    // a frame again, elsewhere
    (bytes, random) => {
        const all = frames(bytes);
        if (all.length === 0) return bytes;
        const from = random.pick(all);
        const to = random.pick(all);
        const frame = bytes.subarray(from, from + 9 + bytes.readUIntBE(from, 3));
        return Buffer.concat([
            bytes.subarray(0, to),
            ...Array(random.pick([1, 1, 30])).fill(frame),
            bytes.subarray(to),
        ]);
    },
];

const grpc = async (): Promise<Target> => socketTarget("grpc", await recordedCalls(), http2Own, () => {});

export const messageTargets = { protobuf, jsonMessage, http, grpc };
