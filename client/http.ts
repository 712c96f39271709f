// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 calls over one kept-alive byte stream, one after the other.
import type { ByteStream, Dial } from "./byte-stream.ts";
import { TransportError } from "./errors.ts";
import { type ResponseHead, ResponseParser } from "./http-parser.ts";

const bodyPieceBytes = 64 * 1024;
const maxAnswerBytes = 256 * 1024 * 1024;
// A call that must not be carried out twice can't be repeated when a kept connection turns out dead, so it does not
// trust one that was idle for longer than this.
const trustIdleMs = 1000;

export interface HttpRequest {
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
    /** false: carried out twice it does something else than once */
    readonly repeatable: boolean;
    /** bytes of the body that the transport took, and all of them */
    readonly onProgress?: ((sent: number, total: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
    readonly status: number;
    readonly headers: ReadonlyMap<string, string>;
    readonly body: Uint8Array;
}

export class HttpClient {
    readonly #dial: Dial;
    #kept: Connection | undefined;
    #tail: Promise<unknown> = Promise.resolve();

    constructor(dial: Dial) {
        this.#dial = dial;
    }

    /** POSTs. Calls are carried out in the order they were made; an abort of a waiting call touches no other. */
    async post(request: HttpRequest): Promise<HttpResponse> {
        request.signal?.throwIfAborted();
        const before = this.#tail;
        const turn = Promise.withResolvers<void>();
        this.#tail = before.then(() => turn.promise);
        try {
            await abortable(before, request.signal);
            return await this.#exchange(request);
        } finally {
            turn.resolve();
        }
    }

    /** Drops the kept connection; a later call dials again. */
    close(): void {
        this.#kept?.close();
        this.#kept = undefined;
    }

    async #exchange(request: HttpRequest): Promise<HttpResponse> {
        const kept = this.#takeKept(request);
        if (kept) {
            try {
                return await this.#on(kept, request);
            } catch (error) {
                // the other side may close an idle connection at any time: that is no failure of this call
                if (!request.repeatable || kept.answerBegan || request.signal?.aborted) throw error;
            }
        }
        return await this.#on(await this.#connect(request.signal), request);
    }

    #takeKept(request: HttpRequest): Connection | undefined {
        const kept = this.#kept;
        this.#kept = undefined;
        if (!kept?.usable) return undefined;
        if (!request.repeatable && Date.now() - kept.idleSince > trustIdleMs) {
            kept.close();
            return undefined;
        }
        return kept;
    }

    async #connect(signal: AbortSignal | undefined): Promise<Connection> {
        const dialing = this.#dial();
        try {
            return new Connection(await abortable(dialing, signal));
        } catch (error) {
            // dialled too late for an aborted call
            dialing.then(
                stream => stream.close(),
                () => undefined,
            );
            throw error;
        }
    }

    async #on(connection: Connection, request: HttpRequest): Promise<HttpResponse> {
        const response = await connection.exchange(request);
        if (connection.usable) this.#kept = connection;
        return response;
    }
}

/** One stream; at most one exchange at a time. */
class Connection {
    readonly #stream: ByteStream;
    #exchange: Exchange | undefined;
    usable = true;
    idleSince = 0;

    constructor(stream: ByteStream) {
        this.#stream = stream;
        stream.onData(bytes => {
            // nobody asked: what comes now would be taken for the next answer
            if (this.#exchange) this.#exchange.data(bytes);
            else this.close();
        });
        stream.onEnd(error => {
            this.usable = false;
            this.#exchange?.end(error);
        });
    }

    get answerBegan(): boolean {
        return this.#exchange?.began ?? false;
    }

    close(): void {
        this.usable = false;
        this.#stream.close();
    }

    async exchange(request: HttpRequest): Promise<HttpResponse> {
        const exchange = new Exchange();
        this.#exchange = exchange;
        void this.#send(request, exchange);
        try {
            const response = await abortable(exchange.response, request.signal);
            // an answer before the whole body was sent leaves the stream in the middle of a request
            if (!exchange.sent || exchange.failed || !response.keepAlive) this.close();
            this.#exchange = undefined;
            this.idleSince = Date.now();
            return response;
        } catch (error) {
            exchange.over = true;
            this.close();
            throw error;
        }
    }

    /** Ends early where the answer came first; its own failure is the exchange's. */
    async #send({ path, headers, body, onProgress }: HttpRequest, exchange: Exchange): Promise<void> {
        try {
            // one write, so one packet and one wake-up of the other side, for most calls
            const first = body.subarray(0, bodyPieceBytes);
            let at = first.length;
            exchange.sent = at === body.length;
            await this.#stream.write(concat([encodeHead(path, headers, body.length), first]));
            if (!exchange.over) onProgress?.(at, body.length);
            while (at < body.length && !exchange.over) {
                const piece = body.subarray(at, at + bodyPieceBytes);
                at += piece.length;
                // handed over is sent: the next call's bytes queue behind these
                exchange.sent = at === body.length;
                await this.#stream.write(piece);
                if (!exchange.over) onProgress?.(at, body.length);
            }
        } catch (error) {
            // a refusal may have come before the daemon stopped reading: then the answer, or the stream's end, decides
            if (!exchange.began) exchange.fail(error);
        }
    }
}

/** The answer being read. */
class Exchange {
    readonly response: Promise<HttpResponse & { keepAlive: boolean }>;
    began = false;
    /** the whole request is with the transport */
    sent = false;
    /** the answer is whole, or nobody waits for it */
    over = false;
    failed = false;
    readonly #settle = Promise.withResolvers<HttpResponse & { keepAlive: boolean }>();
    readonly #pieces: Uint8Array[] = [];
    #size = 0;
    #head: ResponseHead | undefined;
    readonly #parser = new ResponseParser({
        head: head => {
            this.#head = head;
        },
        body: bytes => {
            this.#size += bytes.length;
            if (this.#size > maxAnswerBytes) throw new TransportError("lost", "the answer is too long");
            this.#pieces.push(bytes);
        },
        done: () => this.#done(),
    });

    constructor() {
        this.response = this.#settle.promise;
        // the caller may have gone by the time it fails
        this.response.catch(() => undefined);
    }

    data(bytes: Uint8Array): void {
        this.began ||= bytes.length > 0;
        try {
            this.#parser.push(bytes);
        } catch (error) {
            this.fail(error);
        }
    }

    end(error: Error | undefined): void {
        if (error) {
            this.fail(asTransportError(error));
            return;
        }
        try {
            this.#parser.end();
        } catch (cause) {
            this.fail(cause);
        }
    }

    fail(error: unknown): void {
        this.failed = true;
        this.over = true;
        this.#settle.reject(error);
    }

    #done(): void {
        if (!this.#head) return;
        this.over = true;
        const { status, headers, keepAlive } = this.#head;
        this.#settle.resolve({ status, headers, keepAlive, body: concat(this.#pieces) });
    }
}

export function encodeHead(path: string, headers: Readonly<Record<string, string>>, length: number): Uint8Array {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return new TextEncoder().encode(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${fields.join("")}Content-Length: ${length}\r\n\r\n`,
    );
}

export function asTransportError(error: Error): TransportError {
    if (error instanceof TransportError) return error;
    return new TransportError("lost", `the connection failed: ${error.message}`, error);
}

/** What the promise gives, or the signal's reason if that comes first. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) return await promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
        return await Promise.race([promise, aborted.promise]);
    } finally {
        signal.removeEventListener("abort", onAbort);
    }
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
    const [only] = pieces;
    if (pieces.length === 1 && only) return only;
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
    }
    return whole;
}
