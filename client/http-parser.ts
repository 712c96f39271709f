// SPDX-License-Identifier: Apache-2.0
// Reads one HTTP/1.1 answer (RFC 9112) as its bytes come, in pieces of any size.
import { TransportError } from "./errors.ts";

const maxHeadBytes = 32 * 1024;
// a head is shorter than this nearly always, and what follows it is not looked at
const headStepBytes = 512;
// a chunk's size line with its extensions, and each trailer line
const maxLineBytes = 4096;
const maxTrailerLines = 64;

export interface ResponseHead {
    readonly status: number;
    /** names in lower case; repeated fields joined by ", " */
    readonly headers: ReadonlyMap<string, string>;
    /** whether the connection can carry another call after this answer */
    readonly keepAlive: boolean;
}

export interface ResponseSink {
    head(head: ResponseHead): void;
    body(bytes: Uint8Array): void;
    done(): void;
}

type State = "head" | "length" | "until-close" | "chunk-size" | "chunk-data" | "chunk-end" | "trailer" | "done";

export class ResponseParser {
    readonly #sink: ResponseSink;
    #state: State = "head";
    // what of a line or head has come so far
    #text = "";
    #remaining = 0;
    #trailerLines = 0;

    constructor(sink: ResponseSink) {
        this.#sink = sink;
    }

    /** Throws TransportError("lost") where the bytes are no HTTP. */
    push(bytes: Uint8Array): void {
        let at = 0;
        while (at < bytes.length) {
            switch (this.#state) {
                case "head":
                    at = this.#head(bytes, at);
                    break;
                case "length":
                case "chunk-data":
                    at = this.#data(bytes, at);
                    break;
                case "until-close":
                    this.#sink.body(bytes.subarray(at));
                    return;
                case "chunk-size":
                case "chunk-end":
                case "trailer":
                    at = this.#line(bytes, at);
                    break;
                case "done":
                    throw malformed("more bytes than the answer has");
            }
        }
    }

    /** The other side has ended; throws where the answer is not whole. */
    end(): void {
        if (this.#state === "until-close") {
            this.#finish();
        } else if (this.#state !== "done") {
            throw new TransportError("lost", "the connection ended before the answer was whole");
        }
    }

    #head(bytes: Uint8Array, from: number): number {
        // header bytes are Latin-1; one character a byte keeps offsets equal
        const kept = this.#text.length;
        const piece = bytes.subarray(from, from + headStepBytes);
        this.#text += latin1(piece);
        const end = this.#text.indexOf("\r\n\r\n", Math.max(0, kept - 3));
        if (end < 0) {
            if (this.#text.length > maxHeadBytes) throw malformed("its header is too long");
            return from + piece.length;
        }
        const text = this.#text.slice(0, end);
        this.#text = "";
        this.#begin(text);
        return from + end + 4 - kept;
    }

    #begin(text: string): void {
        const [statusLine = "", ...lines] = text.split("\r\n");
        const match = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: .*)?$/.exec(statusLine);
        if (!match) throw malformed("it does not begin with an HTTP status");
        const status = Number(match[2]);
        // 1xx announce the answer proper (RFC 9110 §15.2)
        if (status < 200) return;
        const headers = parseHeaders(lines);
        const connection = headers.get("connection")?.toLowerCase() ?? "";
        const chunked = (headers.get("transfer-encoding") ?? "").toLowerCase() === "chunked";
        if (headers.has("transfer-encoding") && !chunked) throw malformed("its transfer encoding is unknown");
        const length = chunked ? undefined : headers.get("content-length");
        if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) throw malformed("its length is no number");
        const bodyless = status === 204 || status === 304;
        const untilClose = !bodyless && !chunked && length === undefined;
        const keepAlive = !untilClose && match[1] === "1" && !/\bclose\b/.test(connection);
        this.#sink.head({ status, headers, keepAlive });
        if (chunked && !bodyless) {
            this.#state = "chunk-size";
        } else if (untilClose) {
            this.#state = "until-close";
        } else {
            this.#remaining = bodyless ? 0 : Number(length);
            if (this.#remaining === 0) this.#finish();
            else this.#state = "length";
        }
    }

    #data(bytes: Uint8Array, from: number): number {
        const piece = bytes.subarray(from, from + this.#remaining);
        this.#remaining -= piece.length;
        this.#sink.body(piece);
        if (this.#remaining === 0) {
            if (this.#state === "length") this.#finish();
            else this.#state = "chunk-end";
        }
        return from + piece.length;
    }

    #line(bytes: Uint8Array, from: number): number {
        const newline = bytes.indexOf(0x0a, from);
        const end = newline < 0 ? bytes.length : newline;
        if (this.#text.length + end - from > maxLineBytes) throw malformed("a line in it is too long");
        this.#text += latin1(bytes.subarray(from, end));
        if (newline < 0) return end;
        const line = this.#text.replace(/\r$/, "");
        this.#text = "";
        if (this.#state === "chunk-size") this.#chunk(line);
        else if (this.#state === "chunk-end") {
            if (line !== "") throw malformed("a chunk is longer than it said");
            this.#state = "chunk-size";
        } else if (line === "") this.#finish();
        else if (++this.#trailerLines > maxTrailerLines) throw malformed("its trailer is too long");
        return newline + 1;
    }

    #chunk(line: string): void {
        const match = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line);
        if (!match?.[1]) throw malformed("a chunk's size is no number");
        this.#remaining = Number.parseInt(match[1], 16);
        this.#state = this.#remaining === 0 ? "trailer" : "chunk-data";
    }

    #finish(): void {
        this.#state = "done";
        this.#sink.done();
    }
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
    const headers = new Map<string, string>();
    for (const line of lines) {
        const colon = line.indexOf(":");
        if (colon < 1) throw malformed("a header line has no name");
        const name = line.slice(0, colon).toLowerCase();
        const value = line.slice(colon + 1).trim();
        const before = headers.get(name);
        headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return headers;
}

function latin1(bytes: Uint8Array): string {
    let text = "";
    // fromCharCode takes its arguments from the stack
    for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
    return text;
}

function malformed(what: string): TransportError {
    return new TransportError("lost", `the answer can't be read: ${what}`);
}
