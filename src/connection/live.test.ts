// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CallError, TransportError, type TransportReason } from "../../client/errors.ts";
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { Live, type LiveOptions } from "./live.ts";

/** A daemon whose streams the test feeds and breaks. */
class Daemon {
    watches = 0;
    down: TransportReason | undefined;
    #send: ((event: EventJson | Error) => void) | undefined;

    /** when it says that it is ready; absent: at once */
    greeting: Promise<void> | undefined;

    readonly watch = async function* (this: Daemon, signal: AbortSignal): AsyncGenerator<EventJson> {
        this.watches++;
        if (this.greeting) await Promise.race([this.greeting, aborted(signal)]);
        if (this.down) throw new TransportError(this.down, "down");
        const queue: (EventJson | Error)[] = [{ kind: "READY" }];
        let wake = () => {};
        this.#send = event => {
            queue.push(event);
            wake();
        };
        signal.addEventListener("abort", () => this.#send?.(signal.reason));
        for (;;) {
            const next = queue.shift();
            if (next instanceof Error) throw next;
            if (next) yield next;
            else await new Promise<void>(resolve => (wake = resolve));
        }
    }.bind(this);

    send(event: EventJson | Error): void {
        this.#send?.(event);
    }
}

async function aborted(signal: AbortSignal): Promise<never> {
    signal.throwIfAborted();
    await once(signal, "abort");
    throw signal.reason;
}

async function until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 3000;
    while (!condition()) {
        assert.ok(Date.now() < deadline, `timed out: ${condition}`);
        await sleep(1);
    }
}

async function ready(live: Live): Promise<void> {
    await until(() => live.connection().state === "ready");
}

function started(daemon: Daemon, options: Partial<LiveOptions> = {}): Live & Disposable {
    const live = new Live({ watch: daemon.watch, settleMs: 5, paceMs: 5, backOffMs: 5, ...options });
    live.start();
    return Object.assign(live, { [Symbol.dispose]: () => live.stop() });
}

test("what is kept is fetched once the stream is ready, and again after a change", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let fetches = 0;
    live.keep("programs", async () => ++fetches);
    await until(() => live.resource("programs").value === 1);
    assert.deepEqual(live.connection(), { state: "ready" });
    daemon.send({ kind: "PROGRAM_LOADED" });
    await until(() => live.resource("programs").value === 2);
});

test("changes that come together cost one fetch, one that comes meanwhile another", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let fetches = 0;
    const gate = Promise.withResolvers<void>();
    live.keep("links", async () => {
        fetches++;
        if (fetches === 2) await gate.promise;
        return fetches;
    });
    await until(() => live.resource("links").value === 1);
    for (let count = 0; count < 20; count++) daemon.send({ kind: "LINK_ATTACHED" });
    await until(() => fetches === 2);
    daemon.send({ kind: "LINK_DETACHED" });
    await sleep(20);
    assert.equal(fetches, 2);
    gate.resolve();
    await until(() => live.resource("links").value === 3);
    await sleep(20);
    assert.equal(fetches, 3);
});

test("changes that go on and on are asked for at a pace, the first one at once and the last one too", async () => {
    const daemon = new Daemon();
    const paceMs = 100;
    using live = started(daemon, { paceMs });
    await ready(live);
    const times: number[] = [];
    live.keep("maps", async () => times.push(performance.now()));
    await until(() => times.length === 1);
    const begun = performance.now();
    let last = begun;
    for (let count = 0; count < 50; count++) {
        last = performance.now();
        daemon.send({ kind: "MAP_CHANGED" });
        await sleep(5);
    }
    await until(() => (times.at(-1) ?? 0) >= last);
    // what it fetched when it came on screen is no round
    const rounds = times.slice(1);
    for (const [at, time] of rounds.entries())
        if (at > 0) assert.ok(time - (rounds[at - 1] ?? 0) >= paceMs - 2, `rounds at ${rounds.join(", ")}`);
    assert.ok(rounds.length >= 2 && rounds.length <= Math.ceil((last - begun) / paceMs) + 2, `${rounds.length} rounds`);
});

test("what a view asks for before the stream is ready is asked for at once, and again where its answer came before", async () => {
    for (const [isEarly, fetchesInAll] of [
        [true, 2],
        [false, 1],
    ] as const) {
        const daemon = new Daemon();
        const greeting = Promise.withResolvers<void>();
        daemon.greeting = greeting.promise;
        using live = started(daemon);
        const answer = Promise.withResolvers<void>();
        let fetches = 0;
        live.keep("programs", async () => {
            fetches++;
            await answer.promise;
            return fetches;
        });
        assert.equal(fetches, 1);
        if (isEarly) {
            answer.resolve();
            await until(() => live.resource("programs").value === 1);
            assert.deepEqual(live.connection(), { state: "connecting" });
        }
        greeting.resolve();
        await ready(live);
        answer.resolve();
        await until(() => live.resource("programs").value === fetchesInAll);
        await sleep(20);
        assert.equal(fetches, fetchesInAll);
    }
});

test("what fails before the stream is ready is no news yet, and asked again", async () => {
    for (const error of [new CallError("NOT_FOUND", "gone"), new TransportError("lost", "broken")]) {
        const daemon = new Daemon();
        const greeting = Promise.withResolvers<void>();
        daemon.greeting = greeting.promise;
        using live = started(daemon);
        let fetches = 0;
        live.keep("program 7", async () => {
            if (fetches++ === 0) throw error;
            return fetches;
        });
        await sleep(5);
        assert.deepEqual(live.resource("program 7"), { value: undefined, error: undefined });
        greeting.resolve();
        await until(() => live.resource("program 7").value === 2);
    }
});

test("a daemon that takes the connection and says nothing is told, and asked again", async () => {
    const daemon = new Daemon();
    const greeting = Promise.withResolvers<void>();
    daemon.greeting = greeting.promise;
    using live = started(daemon, { patienceMs: 20 });
    await until(() => live.connection().state === "failed");
    assert.deepEqual(live.connection(), { state: "failed", message: "" });
    await until(() => daemon.watches > 2);
    greeting.resolve();
    await ready(live);
    await sleep(50);
    assert.deepEqual(live.connection(), { state: "ready" }, "patience is for the first word alone");
});

test("what is no longer on screen is not fetched, and is there at once when it comes back", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let fetches = 0;
    const fetch = async () => ++fetches;
    const release = live.keep("programs", fetch);
    await until(() => fetches === 1);
    release();
    daemon.send({ kind: "PROGRAM_LOADED" });
    await sleep(20);
    assert.equal(fetches, 1);
    live.keep("programs", fetch);
    assert.equal(live.resource("programs").value, 1);
    await until(() => live.resource("programs").value === 2);
});

test("a lost stream is opened again, and what is shown is fetched again", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    const states: string[] = [];
    live.subscribe(() => states.push(live.connection().state));
    await ready(live);
    let fetches = 0;
    live.keep("programs", async () => ++fetches);
    await until(() => fetches === 1);
    daemon.send(new TransportError("lost", "killed"));
    await until(() => fetches === 2);
    assert.ok(states.includes("reconnecting"));
    assert.deepEqual(live.connection(), { state: "ready" });
    assert.equal(live.resource("programs").value, 2);
});

test("each reason has its state, and the page recovers from each by itself", async () => {
    for (const [reason, state] of [
        ["absent", "absent"],
        ["refused", "absent"],
        ["denied", "denied"],
        ["lost", "failed"],
    ] as const) {
        const daemon = new Daemon();
        daemon.down = reason;
        using live = started(daemon);
        await until(() => live.connection().state === state);
        daemon.down = undefined;
        await until(() => live.connection().state === "ready");
    }
});

test("a daemon that stays away after it was there is told as absent, not as reconnecting for ever", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    await until(() => live.connection().state === "ready");
    daemon.down = "refused";
    daemon.send(new TransportError("lost", "stopped"));
    await until(() => live.connection().state === "reconnecting");
    await until(() => live.connection().state === "absent");
});

test("the daemon's refusal is the resource's error; a lost call keeps what was known", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let answer: () => Promise<unknown> = async () => "known";
    live.keep("program 7", () => answer());
    await until(() => live.resource("program 7").value === "known");
    answer = () => Promise.reject(new TransportError("lost", "gone"));
    daemon.send({ kind: "LINK_UPDATED" });
    await sleep(20);
    assert.equal(live.resource("program 7").value, "known");
    answer = () => Promise.reject(new CallError("NOT_FOUND", "program 7: there is no such program"));
    daemon.send({ kind: "PROGRAM_UNLOADED" });
    await until(() => live.resource("program 7").error instanceof CallError);
});

test("an answer that comes late does not replace a later one's", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    await until(() => live.connection().state === "ready");
    const late = Promise.withResolvers<string>();
    let fetches = 0;
    const fetch = () => (++fetches === 1 ? late.promise : Promise.resolve("new"));
    live.keep("links", fetch);
    daemon.send({ kind: "LINK_ATTACHED" });
    await until(() => live.resource("links").value === "new");
    late.resolve("old");
    await sleep(20);
    assert.equal(live.resource("links").value, "new");
});

test("what a stopping daemon refuses is no error of what is shown, and each new connection counts", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let answer: () => Promise<unknown> = async () => "known";
    live.keep("programs", () => answer());
    await until(() => live.resource("programs").value === "known");
    assert.equal(live.timesReady(), 1);
    answer = () => Promise.reject(new CallError("UNAVAILABLE", "the daemon is stopping"));
    daemon.send({ kind: "PROGRAM_LOADED" });
    await sleep(20);
    assert.deepEqual(live.resource("programs"), { value: "known", error: undefined });
    daemon.send(new CallError("UNAVAILABLE", "the daemon is stopping"));
    await until(() => live.timesReady() === 2);
});

test("a view that comes with the connection fetches once", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    let fetches = 0;
    live.subscribe(() => {
        if (live.connection().state === "ready" && fetches === 0) live.keep("programs", async () => ++fetches);
    });
    await until(() => live.resource("programs").value === 1);
    daemon.send({ kind: "PROGRAM_LOADED" });
    await until(() => live.resource("programs").value === 2);
    await sleep(30);
    assert.equal(fetches, 2);
});

test("what no view shows any more is forgotten in the order it was left, the latest last", async () => {
    const daemon = new Daemon();
    using live = started(daemon);
    await until(() => live.connection().state === "ready");
    const shown = live.keep("shown", async () => "shown");
    for (let id = 0; id < 50; id++) {
        const leave = live.keep(`program ${id}`, async () => id);
        await until(() => live.resource(`program ${id}`).value === id);
        leave();
    }
    assert.equal(live.resource("program 0").value, undefined);
    assert.equal(live.resource("program 49").value, 49);
    assert.equal(live.resource("shown").value, "shown");
    shown();
});
