// SPDX-License-Identifier: Apache-2.0
// Against node:http on a Unix socket: another implementation of the other side.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fromBase64, toBase64 } from "./base64.ts";
import type { Dial } from "./byte-stream.ts";
import { CallError, TransportError } from "./errors.ts";
import { HostClient } from "./host-client.ts";
import { memoryDial } from "./memory-stream.ts";

const dialUnix =
    (path: string): Dial =>
    () =>
        new Promise((resolve, reject) => {
            const socket = connect(path);
            socket.once("error", reject);
            socket.once("connect", () =>
                resolve({
                    write: bytes => new Promise<void>(done => socket.write(bytes, () => done())),
                    close: () => socket.destroy(),
                    onData: callback => socket.on("data", callback),
                    onEnd: callback => socket.on("close", () => callback()),
                }),
            );
        });

type Handler = (path: string, body: Buffer, response: ServerResponse) => void;

async function served(
    context: TestContext,
    handler: Handler,
): Promise<{ client: HostClient; connections: () => number }> {
    const dir = mkdtempSync(join(tmpdir(), "client-test-"));
    let connections = 0;
    const server = createServer((request: IncomingMessage, response) => {
        const pieces: Buffer[] = [];
        request.on("data", piece => pieces.push(piece));
        request.on("end", () => handler(request.url ?? "", Buffer.concat(pieces), response));
    });
    server.on("connection", () => connections++);
    await new Promise<void>(resolve => server.listen(join(dir, "s"), resolve));
    const client = new HostClient(dialUnix(join(dir, "s")));
    context.after(async () => {
        client.close();
        server.closeAllConnections();
        await new Promise(resolve => server.close(resolve));
        rmSync(dir, { recursive: true });
    });
    return { client, connections: () => connections };
}

const json = (response: ServerResponse, value: unknown, status = 200) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(value));
};

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const value of values) all.push(value);
    return all;
}

function record(value: unknown, flags = 0): Buffer {
    const payload = Buffer.from(JSON.stringify(value));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(flags);
    prefix.writeUInt32BE(payload.length, 1);
    return Buffer.concat([prefix, payload]);
}

test("a call posts proto3 JSON to the method's path; calls share a connection", async context => {
    const { client, connections } = await served(context, (path, body, response) =>
        json(response, { path, body: JSON.parse(body.toString()) }),
    );
    assert.deepEqual(await client.getProgram(7), { path: "/bpfman.host.v1.Host/GetProgram", body: { id: 7 } });
    assert.deepEqual(await client.detach({ linkIds: [1, 2] }), {
        path: "/bpfman.host.v1.Host/Detach",
        body: { linkIds: [1, 2] },
    });
    assert.equal(connections(), 1);
});

test("ten megabytes arrive as they were sent", async context => {
    const object = new Uint8Array(10 * 1024 * 1024).map((_, at) => at * 31);
    const { client } = await served(context, (_path, body, response) => {
        const got = Buffer.from(JSON.parse(body.toString()).object, "base64");
        json(response, { programs: [{ id: got.equals(object) ? 1 : 2 }] });
    });
    let last: [number, number] = [0, 1];
    const answer = await client.load(
        { object: toBase64(object) },
        { onProgress: (sent, total) => (last = [sent, total]) },
    );
    assert.deepEqual(answer, { programs: [{ id: 1 }] });
    assert(last[0] > 13_000_000 && last[0] <= last[1]);
});

test("an error keeps its code, message and detail", async context => {
    const detail = { errno: "EACCES", verifierLines: ["R1 invalid"], hint: "look" };
    const { client } = await served(context, (_path, _body, response) =>
        json(response, { code: "failed_precondition", message: "no", details: detail }, 400),
    );
    await assert.rejects(client.listLinks(), error => {
        assert(error instanceof CallError);
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.equal(error.message, "no");
        assert.deepEqual(error.detail, detail);
        return true;
    });
});

test("an error page of something else is an error with its status", async context => {
    const { client } = await served(context, (_path, _body, response) => {
        response.writeHead(502).end("<html>");
    });
    await assert.rejects(client.version(), /HTTP status 502/);
    await assert.rejects(async () => {
        for await (const event of client.watch()) assert.fail(JSON.stringify(event));
    }, /HTTP status 502/);
});

test("watch yields records however they are cut, and ends with the end record", async context => {
    const records = [{ kind: "READY" }, { kind: "LINK_ATTACHED", linkIds: [3] }];
    const bytes = Buffer.concat([...records.map(value => record(value)), record({}, 2)]);
    const { client, connections } = await served(context, (_path, body, response) => {
        assert.deepEqual(body, record({}));
        response.writeHead(200, { "Content-Type": "application/connect+json" });
        for (const byte of bytes) response.write(Buffer.from([byte]));
        response.end();
    });
    assert.deepEqual(await collect(client.watch()), records);
    assert.equal(connections(), 1);
});

test("watch throws the error of the end record, after the records before it", async context => {
    const { client } = await served(context, (_path, _body, response) => {
        response.writeHead(200, { "Content-Type": "application/connect+json" });
        response.end(
            Buffer.concat([
                record({ kind: "READY" }),
                record({ error: { code: "unavailable", message: "stopping" } }, 2),
            ]),
        );
    });
    const seen: unknown[] = [];
    await assert.rejects(
        async () => {
            for await (const event of client.watch()) seen.push(event);
        },
        { name: "CallError", code: "UNAVAILABLE", message: "stopping" },
    );
    assert.deepEqual(seen, [{ kind: "READY" }]);
});

test("watch that ends without an end record says that the daemon went away", async context => {
    const ends = [(response: ServerResponse) => response.end(), (response: ServerResponse) => response.destroy()];
    for (const end of ends) {
        const { client } = await served(context, (_path, _body, response) => {
            response.writeHead(200, { "Content-Type": "application/connect+json" });
            response.write(record({ kind: "READY" }), () => end(response));
        });
        const seen: unknown[] = [];
        await assert.rejects(
            async () => {
                for await (const event of client.watch()) seen.push(event);
            },
            error => error instanceof TransportError && error.reason === "lost" && /went away/.test(error.message),
        );
        assert.deepEqual(seen, [{ kind: "READY" }]);
    }
});

test("watch ends with the signal's reason, and its connection with it", async () => {
    const { dial, streams } = memoryDial(stream => {
        stream.onWrite = () => {
            if (stream.written.endsWith("{}")) stream.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        };
    });
    const abort = new AbortController();
    const client = new HostClient(dial);
    setImmediate(() => abort.abort(new Error("enough")));
    await assert.rejects(collect(client.watch(abort.signal)), /enough/);
    assert.equal(streams[0]!.closed, true);
});

test("leaving the loop closes the stream", async () => {
    const payload = record({ kind: "READY" }).toString("latin1");
    const { dial, streams } = memoryDial(stream => {
        stream.onWrite = () => {
            if (!stream.written.endsWith("{}")) return;
            stream.receive(
                `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${payload.length.toString(16)}\r\n${payload}\r\n`,
            );
        };
    });
    for await (const event of new HostClient(dial).watch()) {
        assert.deepEqual(event, { kind: "READY" });
        break;
    }
    assert.equal(streams[0]!.closed, true);
});

test("base64 is base64, with the browser's slower way too", () => {
    for (const length of [0, 1, 2, 3, 24 * 1024, 24 * 1024 + 1, 100_000]) {
        const bytes = new Uint8Array(length).map((_, at) => at * 7);
        const expected = Buffer.from(bytes).toString("base64");
        assert.equal(toBase64(bytes), expected);
        Object.defineProperty(bytes, "toBase64", { value: undefined });
        assert.equal(toBase64(bytes), expected);
        assert.deepEqual([...fromBase64(expected)], [...bytes]);
    }
});
