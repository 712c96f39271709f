// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
    create,
    type DescMethod,
    type DescService,
    fromBinary,
    type MessageInitShape,
    type MessageShape,
    toBinary,
} from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import * as grpc from "@grpc/grpc-js";
import {
    ErrorDetailSchema,
    type Event,
    Event_Kind,
    Host,
    type LoadResponse,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { Bpfman } from "../../proto/gen/bpfman/v1/bpfman_pb.js";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import { Served } from "./served.ts";
import { maxPendingBytes } from "./watch.ts";

class Client implements Disposable {
    readonly client: grpc.Client;
    constructor(path: string, options: grpc.ClientOptions = {}) {
        this.client = new grpc.Client(`unix://${path}`, grpc.credentials.createInsecure(), options);
    }
    [Symbol.dispose](): void {
        this.client.close();
    }
    call<M extends DescMethod>(
        service: DescService,
        method: M,
        init: MessageInitShape<M["input"]>,
        options: grpc.CallOptions = {},
    ): Promise<MessageShape<M["output"]>> {
        return new Promise((resolve, reject) => {
            this.client.makeUnaryRequest(
                path(service, method),
                (bytes: Uint8Array) => Buffer.from(bytes),
                bytes => fromBinary(method.output, bytes),
                toBinary(method.input, create(method.input, init)),
                options,
                (error, answer) => (error ? reject(error) : resolve(answer as MessageShape<M["output"]>)),
            );
        });
    }
    /** Sends bytes as they are. */
    raw(service: DescService, method: DescMethod, bytes: Uint8Array): Promise<unknown> {
        return new Promise((resolve, reject) => {
            this.client.makeUnaryRequest(
                path(service, method),
                (value: Uint8Array) => Buffer.from(value),
                value => value,
                bytes,
                (error, answer) => (error ? reject(error) : resolve(answer)),
            );
        });
    }
    watch(): grpc.ClientReadableStream<Event> {
        return this.client.makeServerStreamRequest(
            path(Host, Host.method.watch),
            () => Buffer.alloc(0),
            bytes => fromBinary(Host.method.watch.output, bytes),
            {},
        );
    }
}

const path = (service: DescService, method: DescMethod) => `/${service.typeName}/${method.name}`;

async function refused(call: Promise<unknown>): Promise<grpc.ServiceError> {
    const error = await call.then(
        () => assert.fail("the call was answered"),
        (reason: unknown) => reason,
    );
    assert.ok(error instanceof Error && "code" in error && "metadata" in error, String(error));
    return error as grpc.ServiceError;
}

test("bpfman.v1 answers gRPC on the socket that serves HTTP/1.1", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const load = await client.call(Bpfman, Bpfman.method.load, {
        bytecode: { location: { case: "file", value: "/tmp/x.o" } },
        info: [{ name: "count", programType: 0 }],
        metadata: { "bpfman.io/uuid": "u" },
        uuid: "",
    });
    assert.equal(load.programs[0]?.kernelInfo?.id, 10);
    assert.equal(load.programs[0]?.info?.name, "count");
    assert.equal(served.manager.asked["readObject"], "/tmp/x.o");
    const attached = await client.call(Bpfman, Bpfman.method.attach, {
        id: 10,
        attach: {
            info: {
                case: "xdpAttachInfo",
                value: { priority: 50, iface: "eth0", netns: "", proceedOn: [2, 31], metadata: { k: "v" } },
            },
        },
    });
    assert.equal(attached.linkId, 1);
    const got = await client.call(Bpfman, Bpfman.method.get, { id: 10 });
    assert.deepEqual(got.info?.links, [1]);
    assert.deepEqual(got.info?.globalData["limit"], Buffer.from([1, 2]));
    assert.deepEqual((await served.host("GetLink", { id: 1 })).json.metadata, { k: "v" });
    await client.call(Bpfman, Bpfman.method.detach, { linkId: 1 });
    await client.call(Bpfman, Bpfman.method.unload, { id: 10 });
    assert.equal((await refused(client.call(Bpfman, Bpfman.method.get, { id: 10 }))).code, grpc.status.NOT_FOUND);
    assert.equal(served.log.length, 4);
    assert.match(served.log[0] ?? "", new RegExp(`^Load by .*\\(uid 0, loginuid .*, pid ${process.pid}\\)`));
});

test("bpfman.host.v1 speaks gRPC too", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const loaded: LoadResponse = await client.call(Host, Host.method.load, {
        bytecode: { case: "object", value: new Uint8Array([1, 2, 3]) },
        programs: [{ name: "count", type: "tc" }],
    });
    assert.equal(loaded.programs[0]?.kernel?.typeName, "sched_cls");
    assert.equal(loaded.programs[0]?.maps[0]?.mapExtra, 18_446_744_073_709_551_615n);
});

test("an error's status carries its detail as google.rpc.Status does", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    served.manager.fails = new BpfmanError("FAILED_PRECONDITION", "load count: EACCES", {
        errno: "EACCES",
        log: "0: (61) r1 = *(u32 *)(r1 +0)\nR1 invalid mem access 'scalar'\n",
        hint: "Check the bounds.",
    });
    const error = await refused(
        client.call(Bpfman, Bpfman.method.load, {
            bytecode: { location: { case: "file", value: "/tmp/x.o" } },
            info: [{ name: "count", programType: 0 }],
        }),
    );
    assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
    assert.equal(error.details, "load count: EACCES: R1 invalid mem access 'scalar'");
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    assert.ok(bytes instanceof Buffer);
    const reader = new BinaryReader(bytes);
    assert.equal(reader.tag()[0], 1);
    assert.equal(reader.int32(), 9);
    assert.equal(reader.tag()[0], 2);
    assert.equal(reader.string(), error.details);
    assert.equal(reader.tag()[0], 3);
    const any = new BinaryReader(reader.bytes());
    assert.equal(any.tag()[0], 1);
    assert.equal(any.string(), "type.googleapis.com/bpfman.host.v1.ErrorDetail");
    assert.equal(any.tag()[0], 2);
    const detail = fromBinary(ErrorDetailSchema, any.bytes());
    assert.equal(detail.errno, "EACCES");
    assert.equal(detail.hint, "Check the bounds.");
    assert.equal(detail.verifierLines.at(-1), "R1 invalid mem access 'scalar'");

    served.manager.fails = new RangeError("inner workings");
    const internal = await refused(client.call(Bpfman, Bpfman.method.unload, { id: 1 }));
    assert.deepEqual([internal.code, internal.details], [grpc.status.INTERNAL, "internal error"]);
});

test("broken messages and unknown methods are the caller's mistake", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const broken = await refused(client.raw(Bpfman, Bpfman.method.get, new Uint8Array([0x0f, 0xff, 0xff])));
    assert.equal(broken.code, grpc.status.INVALID_ARGUMENT);
    const unknown = { ...Bpfman.method.get, name: "Nothing" };
    assert.equal((await refused(client.raw(Bpfman, unknown, new Uint8Array()))).code, grpc.status.UNIMPLEMENTED);
});

test("a call that is reset as it opens ends nobody's daemon", async () => {
    await using served = await Served.start();
    const headers = [":method", "POST", ":scheme", "http", ":path", "/none/none", ":authority", "x"];
    // HPACK, literals without indexing (RFC 7541, section 6.2.2): no content type, so that it is answered at once
    const block = Buffer.concat(
        Array.from({ length: headers.length / 2 }, (_, index) =>
            Buffer.concat([
                Buffer.from([0]),
                ...headers
                    .slice(2 * index, 2 * index + 2)
                    .map(text => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])),
            ]),
        ),
    );
    const frame = (type: number, flags: number, stream: number, body: Uint8Array) => {
        const head = Buffer.alloc(9);
        head.writeUIntBE(body.length, 0, 3);
        head.set([type, flags], 3);
        head.writeUInt32BE(stream, 5);
        return Buffer.concat([head, body]);
    };
    const socket = connect(served.path);
    socket.on("error", () => {});
    const opened = frame(1, 5, 1, block);
    const reset = frame(3, 0, 1, Buffer.from([0, 0, 0, 8]));
    socket.end(
        Buffer.concat([
            Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            frame(4, 0, 0, Buffer.alloc(0)),
            opened,
            reset,
        ]),
    );
    await new Promise(resolve => socket.resume().once("close", resolve));
    using client = new Client(served.path);
    assert.deepEqual((await client.call(Bpfman, Bpfman.method.list, {})).results, []);
});

test("a gRPC watcher gets READY and changes, and an orderly end", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const stream = client.watch();
    const events: Event[] = [];
    stream.on("data", (event: Event) => events.push(event));
    const ended = Promise.withResolvers<grpc.StatusObject>();
    stream.on("status", ended.resolve);
    while (events.length === 0) await sleep(5);
    served.manager.emit({ sequence: 5, kind: "PROGRAM_UNLOADED", programIds: [3 as never] });
    while (events.length === 1) await sleep(5);
    assert.deepEqual(
        events.map(event => event.kind),
        [Event_Kind.READY, Event_Kind.PROGRAM_UNLOADED],
    );
    assert.deepEqual([events[1]?.sequence, events[1]?.programIds], [5n, [3]]);

    const other = client.watch();
    other.on("error", () => {});
    other.on("data", () => other.cancel());
    while (served.manager.listeners.size !== 1) await sleep(5);
    await served.stop();
    assert.equal((await ended.promise).code, grpc.status.OK);
    assert.equal(served.manager.listeners.size, 0);
});

test("a gRPC watcher that does not read is forgotten", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const stream = client.watch();
    stream.on("error", () => {});
    stream.pause();
    while (served.manager.listeners.size === 0) await sleep(5);
    const by = "x".repeat(10_000);
    let sent = 0;
    for (; served.manager.listeners.size > 0 && sent < 10 * maxPendingBytes; sent += by.length) {
        served.manager.emit({ by });
        if (sent % 200_000 === 0) await sleep(1);
    }
    assert.ok(sent < 4 * maxPendingBytes, `${sent} bytes were kept`);
    assert.equal((await client.call(Host, Host.method.version, {})).pid, process.pid);
    stream.cancel();
});

test("a stopping daemon answers the gRPC calls that it has", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const gate = Promise.withResolvers<void>();
    served.manager.gate = gate.promise;
    const load = client.call(Bpfman, Bpfman.method.load, {
        bytecode: { location: { case: "file", value: "/tmp/x.o" } },
        info: [{ name: "count", programType: 0 }],
    });
    while (served.manager.asked["load"] === undefined) await sleep(5);
    const stopped = served.stop();
    await sleep(50);
    gate.resolve();
    assert.equal((await load).programs.length, 1);
    await stopped;
    assert.equal(served.listener.connections, 0);
});

test("garbage behind the preface ends its connection and nothing else", async () => {
    await using served = await Served.start();
    for (const garbage of ["garbage".repeat(100), "\0".repeat(9), "\u00ff".repeat(5000)]) {
        const socket = connect(served.path);
        socket.on("error", () => socket.destroy());
        socket.resume();
        socket.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${garbage}`);
        // what is no whole frame yet may wait for more
        const timer = setTimeout(() => socket.destroy(), 500);
        await new Promise(resolve => socket.once("close", resolve));
        clearTimeout(timer);
        while (served.listener.connections > 0) await sleep(2);
    }
    using client = new Client(served.path);
    assert.equal((await client.call(Host, Host.method.version, {})).pid, process.pid);
});

test("a call's deadline is how long it waits for other changes", async () => {
    await using served = await Served.start();
    using client = new Client(served.path);
    const unload = async (options: grpc.CallOptions) => {
        await client.call(Host, Host.method.unload, { programIds: [1] }, options);
        return (served.manager.asked["unload"] as { caller: Caller }).caller.patience;
    };
    assert.equal(await unload({}), undefined);
    const patience = await unload({ deadline: Date.now() + 20_000 });
    assert.equal(patience?.said, "the call's deadline");
    assert.ok(patience.ms > 10_000 && patience.ms <= 20_100, `${patience.ms} ms`);
});
