// SPDX-License-Identifier: Apache-2.0
// Server streams: records with a prefix of one flag byte and their length (32 bits, big-endian), the last one flagged
// as the end (the Connect protocol's streaming form). Each stream has a connection of its own.
import type { Dial } from "./byte-stream.ts";
import { callErrorFromJson, httpError, TransportError } from "./errors.ts";
import { asTransportError, concat, encodeHead } from "./http.ts";
import { type ResponseHead, ResponseParser } from "./http-parser.ts";

const prefixBytes = 5;
const flagCompressed = 1;
const flagEnd = 2;
const maxRecordBytes = 16 * 1024 * 1024;
const maxErrorBytes = 1024 * 1024;

const lostMessage = "the daemon went away";

/** Posts one record and yields the answer's records until its end record; throws the error that one carries. */
export async function* serverStream(
    dial: Dial,
    path: string,
    request: unknown,
    signal?: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
    signal?.throwIfAborted();
    const stream = await dial();
    const inbox = new Inbox();
    const onAbort = () => inbox.fail(signal?.reason);
    try {
        signal?.throwIfAborted();
        signal?.addEventListener("abort", onAbort, { once: true });
        stream.onData(bytes => inbox.data(bytes));
        stream.onEnd(error => inbox.end(error));
        const body = encodeRecord(request);
        const headers = { "Content-Type": "application/connect+json", "Connect-Protocol-Version": "1" };
        // a failed write is followed by the stream's end, which says why
        stream.write(concat([encodeHead(path, headers, body.length), body])).catch(error => inbox.fail(error));
        for (let next = await inbox.take(); next !== undefined; next = await inbox.take()) yield next.message;
    } finally {
        signal?.removeEventListener("abort", onAbort);
        stream.close();
    }
}

/** Records that came and were not taken yet, and how the stream ended. */
class Inbox {
    readonly #records: { message: unknown }[] = [];
    #ended: { error: unknown } | undefined;
    #complete = false;
    #wake: (() => void) | undefined;
    #head: ResponseHead | undefined;
    readonly #reader = new RecordReader();
    readonly #errorText: Uint8Array[] = [];
    #errorSize = 0;
    readonly #parser = new ResponseParser({
        head: head => {
            this.#head = head;
        },
        body: bytes => this.#body(bytes),
        done: () => this.#done(),
    });

    data(bytes: Uint8Array): void {
        if (this.#ended || this.#complete) return;
        try {
            this.#parser.push(bytes);
        } catch (error) {
            this.fail(error);
        }
        this.#notify();
    }

    end(error: Error | undefined): void {
        if (this.#complete) return;
        if (error) {
            this.fail(asTransportError(error));
            return;
        }
        try {
            this.#parser.end();
        } catch (cause) {
            this.fail(new TransportError("lost", lostMessage, cause));
        }
    }

    fail(error: unknown): void {
        this.#ended ??= { error };
        this.#notify();
    }

    /** The next record; undefined after the end record. What came before a failure is given first. */
    async take(): Promise<{ message: unknown } | undefined> {
        for (;;) {
            const record = this.#records.shift();
            if (record) return record;
            if (this.#ended) throw this.#ended.error;
            if (this.#complete) return undefined;
            await new Promise<void>(resolve => {
                this.#wake = resolve;
            });
        }
    }

    #body(bytes: Uint8Array): void {
        if (this.#head?.status !== 200) {
            this.#errorSize += bytes.length;
            if (this.#errorSize <= maxErrorBytes) this.#errorText.push(bytes.slice());
            return;
        }
        for (const { flags, payload } of this.#reader.push(bytes)) {
            if (this.#ended || this.#complete) return;
            if ((flags & flagCompressed) !== 0) throw new TransportError("lost", "a record is compressed");
            const json = parseJson(payload);
            if ((flags & flagEnd) === 0) this.#records.push({ message: json });
            else this.#endRecord(json);
        }
    }

    #endRecord(json: unknown): void {
        const error = typeof json === "object" && json !== null && "error" in json ? json.error : undefined;
        if (error === undefined || error === null) this.#complete = true;
        else this.#ended = { error: callErrorFromJson(error, "the stream failed") };
    }

    #done(): void {
        if (this.#head && this.#head.status !== 200) {
            this.fail(httpError(this.#head.status, this.#errorText));
        } else if (!this.#complete) {
            this.fail(new TransportError("lost", lostMessage));
        }
    }

    #notify(): void {
        this.#wake?.();
        this.#wake = undefined;
    }
}

/** Cuts bytes into records. */
class RecordReader {
    #buffer = new Uint8Array(0);

    push(bytes: Uint8Array): { flags: number; payload: Uint8Array }[] {
        const joined = new Uint8Array(this.#buffer.length + bytes.length);
        joined.set(this.#buffer);
        joined.set(bytes, this.#buffer.length);
        const view = new DataView(joined.buffer);
        const records = [];
        let at = 0;
        while (joined.length - at >= prefixBytes) {
            const length = view.getUint32(at + 1);
            if (length > maxRecordBytes) throw new TransportError("lost", "a record is too long");
            if (joined.length - at - prefixBytes < length) break;
            const payload = joined.subarray(at + prefixBytes, at + prefixBytes + length);
            records.push({ flags: view.getUint8(at), payload });
            at += prefixBytes + length;
        }
        this.#buffer = joined.slice(at);
        return records;
    }
}

function encodeRecord(message: unknown): Uint8Array {
    const payload = new TextEncoder().encode(JSON.stringify(message));
    const record = new Uint8Array(prefixBytes + payload.length);
    new DataView(record.buffer).setUint32(1, payload.length);
    record.set(payload, prefixBytes);
    return record;
}

function parseJson(bytes: Uint8Array): unknown {
    try {
        return JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
        throw new TransportError("lost", "a record is no JSON", error);
    }
}
