// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Caller } from "../model/caller.ts";
import {
    bpfmanGroup,
    groupId,
    inheritedSocket,
    Listener,
    type ListenOptions,
    type Protocol,
    protocolOf,
    socketLimits,
} from "./socket.ts";

let directory: string;
let path: string;
let listeners: Listener[];
beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bpfman-socket-"));
    path = join(directory, "s");
    listeners = [];
});
afterEach(async () => {
    for (const listener of listeners) {
        listener.stopListening();
        await listener.closeConnections(0);
    }
    rmSync(directory, { recursive: true });
});

const caller = (uid: number): Caller => ({ uid, gid: uid, pid: 1, loginUid: undefined });

interface Taken {
    readonly socket: Socket;
    readonly protocol: Protocol;
}

async function open(options: Partial<ListenOptions> = {}): Promise<{ listener: Listener; taken: Taken[] }> {
    const taken: Taken[] = [];
    const listener = await Listener.open({
        at: { path },
        onConnection: (socket, _caller, protocol) => taken.push({ socket, protocol }),
        log: () => {},
        ...options,
    });
    listeners.push(listener);
    return { listener, taken };
}

async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(2);
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

test("the first bytes tell the protocol, as soon as they can", () => {
    const of = (text: string) => protocolOf(Buffer.from(text));
    assert.equal(of(""), undefined);
    assert.equal(of("P"), undefined);
    assert.equal(of("PO"), "http/1.1");
    assert.equal(of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r"), undefined);
    assert.equal(of(preface), "http/2");
    assert.equal(of(`${preface}more`), "http/2");
    assert.equal(of("PRI * HTTP/1.1\r\n"), "http/1.1");
});

test("a connection is handed over with all of its bytes, however they came", async () => {
    const { taken } = await open();
    for (const [text, protocol] of [
        [`${preface}rest`, "http/2"],
        ["GET / HTTP/1.1\r\n\r\n", "http/1.1"],
    ] as const) {
        const socket = connect(path);
        for (const byte of Buffer.from(text)) {
            socket.write(Buffer.from([byte]));
            await sleep(1);
        }
        await until(() => taken.length === 1);
        const [one] = taken.splice(0);
        assert.equal(one?.protocol, protocol);
        let seen = "";
        one?.socket.on("data", chunk => {
            seen += chunk.toString();
        });
        await until(() => seen === text);
        socket.destroy();
        await once(one!.socket, "close");
    }
});

test("a connection that says nothing is closed, one that ends early is gone", async () => {
    const { listener, taken } = await open({ limits: { ...socketLimits, firstBytesMs: 100 } });
    const silent = connect(path);
    const half = connect(path);
    half.write("PRI");
    const early = connect(path);
    early.write("PR");
    early.end();
    await Promise.all([silent, half, early].map(socket => once(socket.resume(), "close")));
    await until(() => listener.connections === 0);
    assert.equal(taken.length, 0);
});

test("only root and the group may connect", async () => {
    await open();
    const stat = lstatSync(path);
    const gid = bpfmanGroup();
    assert.equal(stat.mode & 0o777, gid === undefined ? 0o600 : 0o660);
    assert.equal(stat.uid, 0);
    if (gid !== undefined) assert.equal(stat.gid, gid);
});

test("the group is found by its name", () => {
    assert.equal(groupId("root:x:0:\nbpfman:x:977:admin\n", "bpfman"), 977);
    assert.equal(groupId("root:x:0:\nbpfmanx:x:977:\n", "bpfman"), undefined);
    assert.equal(groupId("bpfman:x::\n", "bpfman"), undefined);
});

test("a socket that nobody serves is replaced, a served one and a file are not", async () => {
    // a server that dies leaves its socket's file
    const child = spawn(process.execPath, [
        "-e",
        `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await once(child, "exit");
    assert.ok(existsSync(path));
    const { listener } = await open();
    await assert.rejects(open(), { code: "ALREADY_EXISTS", message: `another daemon serves at ${path}` });
    const file = join(directory, "file");
    writeFileSync(file, "precious");
    await assert.rejects(open({ at: { path: file } }), { code: "ALREADY_EXISTS", message: /is no socket$/ });
    await until(() => listener.connections === 0);
    assert.equal(lstatSync(file).size, 8);
});

test("the socket's file goes with its listener", async () => {
    const { listener } = await open();
    assert.ok(lstatSync(path).isSocket());
    listener.stopListening();
    await until(() => !existsSync(path));
});

test("connections are limited, of one user and of all", async () => {
    let uid = 1000;
    const log: string[] = [];
    const { listener } = await open({
        limits: { connections: 4, connectionsPerUser: 2, firstBytesMs: 10_000 },
        identify: () => caller(uid),
        log: line => log.push(line),
    });
    const dial = async () => {
        const socket = connect(path);
        socket.on("error", () => {});
        await once(socket, "connect");
        await sleep(20);
        return socket;
    };
    const sockets = [await dial(), await dial()];
    const third = await dial();
    await until(() => third.readableEnded || third.resume().destroyed);
    assert.equal(listener.connections, 2);
    uid = 0;
    sockets.push(await dial(), await dial());
    assert.equal(listener.connections, 4);
    const fifth = await dial();
    await until(() => fifth.readableEnded || fifth.resume().destroyed);
    assert.equal(listener.connections, 4);
    assert.deepEqual(log, ["connection refused: uid 1000 has 2 of 2", "connection refused: uid 0 has 2 of 4"]);

    sockets[0]!.destroy();
    await until(() => listener.connections === 3);
    uid = 1000;
    sockets.push(await dial());
    assert.equal(listener.connections, 4);
    for (const socket of sockets) socket.destroy();
    await until(() => listener.connections === 0);
});

test("a peer that the kernel does not name is not served", async () => {
    const { listener, taken } = await open({ identify: () => undefined });
    const socket = connect(path);
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await until(() => socket.destroyed);
    assert.deepEqual([listener.connections, taken.length], [0, 0]);
});

test("what nobody took over is closed at once, the rest has its time", async () => {
    const { listener, taken } = await open();
    const silent = connect(path);
    const talking = connect(path);
    for (const socket of [silent, talking]) socket.on("error", () => {}).resume();
    talking.write("GET / HTTP/1.1\r\n\r\n");
    await until(() => taken.length === 1 && listener.connections === 2);
    const closed = listener.closeConnections(10_000);
    await until(() => silent.destroyed);
    assert.equal(listener.connections, 1);
    taken[0]!.socket.resume().end("answer");
    await closed;
    assert.equal(listener.connections, 0);
});

test("busy and empty are told once each", async () => {
    const told: string[] = [];
    const { listener } = await open({ onBusy: () => told.push("busy"), onEmpty: () => told.push("empty") });
    const [one, two] = [connect(path), connect(path)];
    await until(() => listener.connections === 2);
    one.destroy();
    two.destroy();
    await until(() => listener.connections === 0);
    assert.deepEqual(told, ["busy", "empty"]);
});

test("only sockets that were passed to this very process are taken", () => {
    const pid = String(process.pid);
    assert.equal(inheritedSocket({}), undefined);
    assert.equal(inheritedSocket({ LISTEN_PID: "1", LISTEN_FDS: "1" }), undefined);
    assert.equal(inheritedSocket({ LISTEN_PID: pid, LISTEN_FDS: "1" }), 3);
    assert.throws(() => inheritedSocket({ LISTEN_PID: pid, LISTEN_FDS: "2" }), { code: "FAILED_PRECONDITION" });
});

test("an inherited socket is served and its file left in place", async () => {
    // listened with here, as a service manager does; under another name, since closing removes the first one
    const server = createServer().listen(path);
    await once(server, "listening");
    const kept = join(directory, "kept");
    renameSync(path, kept);
    const fd = (server as unknown as { _handle: { fd: number } })._handle.fd;
    const module = new URL("./socket.ts", import.meta.url).href;
    const program = `
        const { Listener, inheritedSocket } = await import(${JSON.stringify(module)});
        const listener = await Listener.open({
            at: { fd: inheritedSocket(process.env) },
            log: () => {},
            onConnection: socket => { socket.resume(); socket.end("served"); },
            onEmpty: () => listener.stopListening(),
        });
        process.stdout.write("ready");`;
    const child = spawn(
        "/bin/sh",
        ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --input-type=module -e "$1"', process.execPath, program],
        {
            stdio: ["ignore", "pipe", "inherit", fd],
        },
    );
    await once(child.stdout!, "data");
    server.close();
    const socket = connect(kept);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    const chunks: Buffer[] = [];
    socket.on("data", chunk => chunks.push(chunk));
    await once(socket, "close");
    assert.equal(Buffer.concat(chunks).toString(), "served");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.ok(existsSync(kept));
});
