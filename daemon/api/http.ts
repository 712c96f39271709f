// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 for the page and the command: POST /package.Service/Method with proto3 JSON, the Connect protocol's unary
// form, and its enveloped records for streams. https://connectrpc.com/docs/protocol
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { Caller, Patience } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import { answerBytes } from "./answer-bytes.ts";
import type { Calls } from "./calls.ts";
import { connectError, type Failure, failureOf, httpStatus, invalid } from "./errors.ts";
import type { Sink, StreamMethod, UnaryMethod } from "./service.ts";

// An import statement would read every export of node:http, and so load all of undici behind its WebSocket: a third of
// the daemon's start.
const { createServer } = process.getBuiltinModule("node:http");

export interface HttpLimits {
    readonly bodyBytes: number;
    /** of all requests that are being read */
    readonly totalBodyBytes: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly keepAliveTimeoutMs: number;
}

export const httpLimits: HttpLimits = {
    // an object of 16 MiB in base64, and what is said beside it
    bodyBytes: 24 * 1024 * 1024,
    totalBodyBytes: 128 * 1024 * 1024,
    headersTimeoutMs: 10_000,
    // an upload from the administrator's machine comes over his line
    requestTimeoutMs: 300_000,
    keepAliveTimeoutMs: 600_000,
};

const unaryType = "application/json";
const streamType = "application/connect+json";
const flagCompressed = 1;
const flagEnd = 2;
const prefixBytes = 5;

export class HttpFront {
    readonly #calls: Calls;
    readonly #limits: HttpLimits;
    readonly #server: Server;
    readonly #callers = new WeakMap<Socket, Caller>();
    #bodyBytes = 0;

    constructor(calls: Calls, limits: HttpLimits = httpLimits) {
        this.#calls = calls;
        this.#limits = limits;
        this.#server = createServer(
            {
                headersTimeout: limits.headersTimeoutMs,
                requestTimeout: limits.requestTimeoutMs,
                keepAliveTimeout: limits.keepAliveTimeoutMs,
                connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
            },
            (request, response) => void this.#serve(request, response),
        );
        // connections are handed over, the server listens nowhere: its timeouts start with this event all the same
        this.#server.emit("listening");
    }

    accept(socket: Socket, caller: Caller): void {
        this.#callers.set(socket, caller);
        this.#server.emit("connection", socket);
    }

    /** Closes what waits for no answer. */
    close(): void {
        this.#server.closeIdleConnections();
        // stops the timer of the timeouts; the error that it never listened is no news
        this.#server.close(() => {});
    }

    async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        try {
            const caller = this.#callers.get(request.socket);
            if (!caller) throw new Error("a connection without a caller");
            const method = this.#route(request, response);
            if (!method) return;
            if (method.kind === "unary") await this.#unary(method, request, response, caller);
            else await this.#stream(method, request, response, caller);
        } catch (error) {
            // the peer went away before its request was whole
            if (request.socket.destroyed) return;
            if (response.headersSent) response.destroy();
            else sendFailure(response, this.#calls.failure(error));
        }
    }

    #route(request: IncomingMessage, response: ServerResponse): UnaryMethod | StreamMethod | undefined {
        const refuse = (status: number, message: string) => {
            request.resume();
            const failure = this.#calls.failure(new BpfmanError("UNIMPLEMENTED", message));
            sendFailure(response, failure, status);
            return undefined;
        };
        const [path = ""] = (request.url ?? "").split("?");
        const method = this.#calls.find(path);
        if (!method) return refuse(404, "no such method");
        if (request.method !== "POST") {
            response.setHeader("Allow", "POST");
            return refuse(405, "methods are called by POST");
        }
        const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
        const encoding = request.headers["content-encoding"] ?? "identity";
        const known = method.kind === "unary" ? type === unaryType : type === streamType || type === unaryType;
        if (!known) return refuse(415, `the content type must be ${method.kind === "unary" ? unaryType : streamType}`);
        if (encoding !== "identity") return refuse(415, "compressed requests are not read");
        return method;
    }

    async #unary(method: UnaryMethod, request: IncomingMessage, response: ServerResponse, caller: Caller) {
        const body = await this.#read(request, response);
        const parse = () => fromJson(method.descriptor.input, parseJson(body));
        const outcome = await this.#calls.unary(method, parse, { ...caller, patience: patienceOf(request) });
        if ("failure" in outcome) sendFailure(response, outcome.failure);
        else sendJson(response, 200, answerBytes(outcome.answer));
    }

    async #stream(method: StreamMethod, request: IncomingMessage, response: ServerResponse, caller: Caller) {
        const enveloped = request.headers["content-type"]?.startsWith(streamType) === true;
        const body = await this.#read(request, response);
        const parse = () => fromJson(method.descriptor.input, parseJson(enveloped ? recordOf(body) : body));
        const sink = new HttpSink(response);
        // the peer may have gone while its request was read
        if (request.socket.destroyed) return;
        try {
            const finish = this.#calls.stream(method, parse, caller, sink);
            response.on("close", finish);
        } catch (error) {
            // the Connect protocol tells a stream's error in its end record
            sink.failWith(this.#calls.failure(error));
        }
    }

    /** The body; where it is too long, what is still coming is read past, so that the answer is not lost. */
    async #read(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
        const readPast = () => {
            response.setHeader("Connection", "close");
            request.resume();
            const socket = request.socket;
            const timer = setTimeout(() => socket.destroy(), this.#limits.headersTimeoutMs);
            socket.once("close", () => clearTimeout(timer));
        };
        const tooLarge = () => {
            readPast();
            const most = `${this.#limits.bodyBytes / 1024 / 1024} MiB`;
            return new BpfmanError("RESOURCE_EXHAUSTED", `the request has more than ${most}`);
        };
        if (Number(request.headers["content-length"] ?? 0) > this.#limits.bodyBytes) throw tooLarge();
        const chunks: Buffer[] = [];
        let size = 0;
        try {
            for await (const chunk of bodyChunks(request)) {
                size += chunk.length;
                this.#bodyBytes += chunk.length;
                if (size > this.#limits.bodyBytes) throw tooLarge();
                if (this.#bodyBytes > this.#limits.totalBodyBytes) {
                    readPast();
                    throw new BpfmanError("RESOURCE_EXHAUSTED", "too many requests are being read at once");
                }
                chunks.push(chunk);
            }
        } finally {
            this.#bodyBytes -= size;
        }
        return Buffer.concat(chunks, size);
    }
}

// a request's own iterator would destroy its connection when left early
function bodyChunks(request: IncomingMessage): AsyncIterable<Buffer> {
    return request.iterator({ destroyOnReturn: false });
}

/** The header by which the command carries its --lock-timeout. */
export const lockTimeoutHeader = "bpfman-lock-timeout-ms";
// setTimeout counts milliseconds in 31 bits
const maxTimeoutMs = 0x7fffffff;

/** 0, or no header: for ever. */
function patienceOf(request: IncomingMessage): Patience | undefined {
    const text = request.headers[lockTimeoutHeader];
    if (text === undefined || text === "0") return undefined;
    const ms = Number(text);
    if (typeof text !== "string" || !/^\d+$/.test(text) || ms > maxTimeoutMs)
        throw invalid(`${lockTimeoutHeader} must be a number of milliseconds from 0 to ${maxTimeoutMs}`);
    return { ms, said: `--lock-timeout=${durationText(ms)}` };
}

/** As Go writes durations: 30s, 1m30s, 500ms. */
function durationText(ms: number): string {
    if (ms % 1000 !== 0) return `${ms}ms`;
    const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms / 1000) % 60];
    if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
    return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** A stream's records: a flag byte, the length in 32 bits (big-endian), JSON; the last one carries the end flag. */
class HttpSink implements Sink {
    readonly #response: ServerResponse;
    constructor(response: ServerResponse) {
        this.#response = response;
    }

    get pendingBytes(): number {
        return this.#response.writableLength;
    }

    send(record: unknown): void {
        if (this.#response.writableEnded || this.#response.destroyed) return;
        this.#head();
        this.#response.write(envelope(0, record));
    }

    end(): void {
        this.#finish({});
    }

    fail(error: BpfmanError): void {
        this.failWith(failureOf(error, { fullLog: false }));
    }

    failWith(failure: Failure): void {
        this.#finish({ error: connectError(failure) });
    }

    cut(): void {
        this.#response.destroy();
    }

    #finish(record: unknown): void {
        if (this.#response.writableEnded || this.#response.destroyed) return;
        this.#head();
        this.#response.end(envelope(flagEnd, record));
    }

    #head(): void {
        if (!this.#response.headersSent) this.#response.writeHead(200, { "Content-Type": streamType });
    }
}

function envelope(flags: number, record: unknown): Buffer {
    const json = Buffer.from(JSON.stringify(record));
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt8(flags);
    prefix.writeUInt32BE(json.length, 1);
    return Buffer.concat([prefix, json]);
}

/** The one record of a stream's request. */
function recordOf(body: Buffer): Buffer {
    const whole = body.length >= prefixBytes && body.readUInt32BE(1) === body.length - prefixBytes;
    if (!whole) throw invalid("the request is not one whole record");
    if ((body.readUInt8(0) & flagCompressed) !== 0) throw invalid("compressed records are not read");
    return body.subarray(prefixBytes);
}

function parseJson(body: Buffer): JsonValue {
    try {
        return JSON.parse(body.toString("utf8")) as JsonValue;
    } catch {
        throw invalid("the request is no JSON");
    }
}

function sendFailure(response: ServerResponse, failure: Failure, status = httpStatus(failure.code)): void {
    sendJson(response, status, Buffer.from(JSON.stringify(connectError(failure))));
}

function sendJson(response: ServerResponse, status: number, body: Buffer): void {
    if (response.destroyed) return;
    response.writeHead(status, { "Content-Type": unaryType, "Content-Length": body.length });
    response.end(body);
}
