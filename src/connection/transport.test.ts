// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { TransportError } from "../../client/errors.ts";
import { cockpitDial, transportError } from "./transport.ts";

type Listener = (event: unknown, payload: never) => void;

/** A channel as cockpit.js makes them, with the other side in the test's hands. */
class FakeChannel {
    readonly options: cockpit.ChannelOptions;
    readonly sent: Uint8Array[] = [];
    closed = false;
    readonly #listeners = new Map<string, Listener[]>();
    constructor(options: cockpit.ChannelOptions) {
        this.options = options;
    }
    send(data: Uint8Array): void {
        this.sent.push(data);
    }
    close(): void {
        this.closed = true;
    }
    addEventListener(event: string, listener: Listener): void {
        this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }
    emit(event: string, payload: unknown): void {
        for (const listener of this.#listeners.get(event) ?? []) listener({}, payload as never);
    }
}

function dialed(privileged = false) {
    const channels: FakeChannel[] = [];
    Object.assign(globalThis, {
        cockpit: {
            channel: (options: cockpit.ChannelOptions) => {
                const channel = new FakeChannel(options);
                channels.push(channel);
                return channel;
            },
        },
    });
    const stream = cockpitDial({ socketPath: "/run/x.sock", privileged })();
    return { stream, channel: channels[0]! };
}

test("asks for a binary channel with acknowledgements, privileged only where the session is", async () => {
    const plain = { payload: "stream", unix: "/run/x.sock", binary: true, "send-acks": "bytes" };
    const own = dialed();
    assert.deepEqual(own.channel.options, plain);
    own.channel.emit("control", { command: "ready" });
    await own.stream;
    assert.deepEqual(dialed(true).channel.options, { ...plain, superuser: "try" });
});

test("sends frames of at most 16 KiB and stops at a window of 2 MiB until it is acknowledged", async () => {
    const { stream, channel } = dialed();
    channel.emit("control", { command: "ready" });
    const open = await stream;
    let done = false;
    const writing = open.write(new Uint8Array(3 * 1024 * 1024).fill(7)).then(() => (done = true));
    await turn();
    const bytes = () => channel.sent.reduce((sum, frame) => sum + frame.length, 0);
    assert.equal(bytes(), 2 * 1024 * 1024);
    assert.ok(channel.sent.every(frame => frame.length <= 16 * 1024));
    assert.equal(done, false);
    channel.emit("control", { command: "ack", bytes: 1024 * 1024 });
    await writing;
    assert.equal(bytes(), 3 * 1024 * 1024);
});

test("a frame is a copy, not a view into the whole: Cockpit's own code ignores offsets", async () => {
    const { stream, channel } = dialed();
    channel.emit("control", { command: "ready" });
    await (await stream).write(new Uint8Array(40_000));
    assert.ok(channel.sent.every(frame => frame.byteOffset === 0 && frame.buffer.byteLength === frame.length));
});

test("gives data that came before anybody listened, and the end", async () => {
    const { stream, channel } = dialed();
    channel.emit("control", { command: "ready" });
    const open = await stream;
    channel.emit("message", Uint8Array.of(1, 2));
    const got: number[] = [];
    let ended = false;
    open.onEnd(() => (ended = true));
    open.onData(data => got.push(...data));
    channel.emit("message", Uint8Array.of(3));
    channel.emit("close", {});
    assert.deepEqual(got, [1, 2, 3]);
    assert.equal(ended, true);
    await assert.rejects(open.write(Uint8Array.of(1)), TransportError);
});

test("after close no callback comes, and a waiting write ends", async () => {
    const { stream, channel } = dialed();
    channel.emit("control", { command: "ready" });
    const open = await stream;
    open.onData(() => assert.fail("data after close"));
    open.onEnd(() => assert.fail("end after close"));
    const writing = open.write(new Uint8Array(4 * 1024 * 1024));
    await turn();
    open.close();
    await assert.rejects(writing, TransportError);
    assert.equal(channel.closed, true);
    channel.emit("message", Uint8Array.of(1));
    channel.emit("close", { problem: "terminated" });
});

test("tells by errno what the Python bridge's problem codes do not", async () => {
    const reasons: [cockpit.CloseMessage, string][] = [
        [{ problem: "terminated", message: "[Errno 2] No such file or directory" }, "absent"],
        [{ problem: "terminated", message: "[Errno 13] Permission denied" }, "denied"],
        [{ problem: "not-found", message: "[Errno 111] Connect call failed" }, "refused"],
        [{ problem: "not-found" }, "absent"],
        [{ problem: "access-denied" }, "denied"],
        [{ problem: "terminated" }, "lost"],
    ];
    for (const [close, reason] of reasons) {
        assert.equal(transportError(close)?.reason, reason);
        const { stream, channel } = dialed();
        channel.emit("close", close);
        await assert.rejects(stream, { reason });
    }
    assert.equal(transportError({}), undefined);
});
