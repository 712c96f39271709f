// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { TransportError } from "./errors.ts";
import { HttpClient, type HttpRequest } from "./http.ts";
import { type MemoryStream, memoryDial } from "./memory-stream.ts";

const text = (body: Uint8Array) => new TextDecoder().decode(body);
const lost = (message: RegExp) => (error: unknown) => {
    assert(error instanceof TransportError);
    assert.equal(error.reason, "lost");
    assert.match(error.message, message);
    return true;
};

function request(path = "/x", more: Partial<HttpRequest> = {}): HttpRequest {
    return { path, headers: {}, body: new TextEncoder().encode("{}"), repeatable: true, ...more };
}

/** Calls back once a whole request with the body "{}" has come, with how many have. */
function onRequest(stream: MemoryStream, answer: (nth: number) => void): void {
    let seen = 0;
    stream.onWrite = () => {
        const complete = stream.written.split("\r\n\r\n{}").length - 1;
        while (seen < complete) answer(++seen);
    };
}

test("an answer is read the same in pieces of every size", async () => {
    const body = '{"a":"ü"}';
    const answers = [
        `HTTP/1.1 200 OK\r\nContent-Length: ${new TextEncoder().encode(body).length}\r\n\r\n${body}`,
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n{"a"\r\n6\r\n:"ü"}\r\n0\r\nTrailer: 1\r\n\r\n`,
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-LENGTH:   10\r\n\r\n${body}`,
    ];
    for (const answer of answers) {
        for (let pieceBytes = 1; pieceBytes < 120; pieceBytes++) {
            const { dial } = memoryDial(stream => onRequest(stream, () => stream.receive(answer, pieceBytes)));
            const response = await new HttpClient(dial).post(request());
            assert.equal(response.status, 200);
            assert.equal(text(response.body), body, `in pieces of ${pieceBytes}`);
        }
    }
});

test("an answer without a length ends with its connection, which is not used again", async () => {
    const { dial, streams } = memoryDial(stream =>
        onRequest(stream, () => {
            stream.receive("HTTP/1.1 200 OK\r\n\r\nabc");
            stream.end();
        }),
    );
    const http = new HttpClient(dial);
    assert.equal(text((await http.post(request())).body), "abc");
    assert.equal(text((await http.post(request())).body), "abc");
    assert.equal(streams.length, 2);
});

test("calls made at once run one after the other on one connection", async () => {
    const { dial, streams } = memoryDial(stream =>
        onRequest(stream, nth =>
            setImmediate(() => stream.receive(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${nth}`)),
        ),
    );
    const http = new HttpClient(dial);
    const answers = await Promise.all(["/a", "/b", "/c"].map(path => http.post(request(path))));
    assert.deepEqual(
        answers.map(answer => text(answer.body)),
        ["1", "2", "3"],
    );
    assert.equal(streams.length, 1);
    assert.match(
        streams[0]!.written,
        /^POST \/a HTTP\/1\.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n\{\}POST \/b /,
    );
});

test("a failed call does not fail the next in the queue", async () => {
    const { dial } = memoryDial((stream, nth) =>
        onRequest(stream, () => {
            if (nth === 1) stream.end();
            else stream.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }),
    );
    const http = new HttpClient(dial);
    const [first, second] = await Promise.allSettled([http.post(request()), http.post(request())]);
    assert.equal(first.status, "rejected");
    assert.equal(second.status, "fulfilled");
});

const okThenDead = (dead: (stream: MemoryStream) => void) =>
    memoryDial((stream, nth) =>
        onRequest(stream, nthRequest => {
            if (nth === 1 && nthRequest === 2) dead(stream);
            else stream.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }),
    );

test("a kept connection that turns out dead is dialled again once", async () => {
    const { dial, streams } = okThenDead(stream => stream.end());
    const http = new HttpClient(dial);
    await http.post(request());
    assert.equal(text((await http.post(request())).body), "ok");
    assert.equal(streams.length, 2);
});

test("a connection that ended while idle is not written to", async () => {
    const { dial, streams } = okThenDead(() => assert.fail("written to"));
    const http = new HttpClient(dial);
    await http.post(request());
    streams[0]!.end();
    await http.post(request("/x", { repeatable: false }));
    assert.equal(streams.length, 2);
});

test("a call that must not run twice is not repeated", async () => {
    const { dial, streams } = okThenDead(stream => stream.end());
    const http = new HttpClient(dial);
    await http.post(request());
    await assert.rejects(http.post(request("/x", { repeatable: false })), lost(/ended before the answer/));
    assert.equal(streams.length, 1);
});

test("a call that must not run twice takes no connection that was idle for long", async context => {
    const { dial, streams } = okThenDead(() => assert.fail("written to"));
    const http = new HttpClient(dial);
    context.mock.timers.enable({ apis: ["Date"], now: 0 });
    await http.post(request());
    context.mock.timers.tick(1001);
    await http.post(request("/x", { repeatable: false }));
    assert.equal(streams.length, 2);
    assert.equal(streams[0]!.closed, true);
});

test("nothing is repeated once the answer has begun, nor on a fresh connection", async () => {
    const begun = okThenDead(stream => {
        stream.receive("H");
        stream.end();
    });
    const http = new HttpClient(begun.dial);
    await http.post(request());
    await assert.rejects(http.post(request()), lost(/ended before/));
    assert.equal(begun.streams.length, 1);

    const fresh = memoryDial(stream => onRequest(stream, () => stream.end()));
    await assert.rejects(new HttpClient(fresh.dial).post(request()), lost(/ended before/));
    assert.equal(fresh.streams.length, 1);
});

test("what is no HTTP answer is told as such", async () => {
    const cases: [string, RegExp][] = [
        ["SSH-2.0-OpenSSH\r\n\r\n", /does not begin with an HTTP status/],
        [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`, /header is too long/],
        ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", /length is no number/],
        ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", /transfer encoding/],
        ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /chunk's size/],
        ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", /chunk is longer/],
        [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(5000)}`, /line in it is too long/],
        ["HTTP/1.1 200 OK\r\nbad\r\n\r\n", /header line has no name/],
    ];
    for (const [answer, message] of cases) {
        const { dial, streams } = memoryDial(stream => onRequest(stream, () => stream.receive(answer)));
        await assert.rejects(new HttpClient(dial).post(request()), lost(message));
        assert.equal(streams[0]!.closed, true);
    }
});

test("bytes after an answer end the connection", async () => {
    const { dial, streams } = memoryDial(stream =>
        onRequest(stream, () => stream.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore")),
    );
    const http = new HttpClient(dial);
    assert.equal(text((await http.post(request())).body), "ok");
    assert.equal(streams[0]!.closed, true);
    await http.post(request());
    assert.equal(streams.length, 2);
});

test("progress counts the body up to its whole length", async () => {
    const body = new Uint8Array(200_000);
    const { dial } = memoryDial(stream => {
        stream.onWrite = () => {
            if (stream.written.length > body.length) stream.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        };
    });
    const seen: [number, number][] = [];
    await new HttpClient(dial).post(request("/x", { body, onProgress: (sent, total) => seen.push([sent, total]) }));
    // the answer came within the last write: nothing is reported after it
    assert.deepEqual(seen, [
        [65536, 200_000],
        [131072, 200_000],
        [196608, 200_000],
    ]);
});

test("an answer in the middle of an upload stops it and ends the connection", async () => {
    const { dial, streams } = memoryDial(stream => {
        stream.onWrite = async () => {
            if (stream.written.length < 100_000) return;
            stream.receive("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}");
            await new Promise(setImmediate);
        };
    });
    const response = await new HttpClient(dial).post(request("/x", { body: new Uint8Array(1_000_000) }));
    assert.equal(response.status, 413);
    assert.equal(streams[0]!.closed, true);
    assert(streams[0]!.written.length < 200_000);
});

test("an abort closes the connection of a call in flight and leaves others alone", async () => {
    const { dial, streams } = memoryDial((stream, nth) =>
        onRequest(stream, () => {
            if (nth > 1) stream.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }),
    );
    const http = new HttpClient(dial);
    const inFlight = new AbortController();
    const waiting = new AbortController();
    const first = http.post(request("/first", { signal: inFlight.signal }));
    const second = http.post(request("/second", { signal: waiting.signal }));
    const third = http.post(request("/third"));
    waiting.abort(new Error("not wanted"));
    await assert.rejects(second, /not wanted/);
    inFlight.abort(new Error("too slow"));
    await assert.rejects(first, /too slow/);
    assert.equal(text((await third).body), "ok");
    assert.equal(streams[0]!.closed, true);
    assert.doesNotMatch(streams.map(stream => stream.written).join(""), /second/);
});

test("an abort while dialling closes the stream that comes too late", async () => {
    const abort = new AbortController();
    const { dial, streams } = memoryDial(() => abort.abort(new Error("too slow")));
    await assert.rejects(new HttpClient(dial).post(request("/x", { signal: abort.signal })), /too slow/);
    await new Promise(setImmediate);
    assert.equal(streams[0]!.closed, true);
});
