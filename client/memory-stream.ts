// SPDX-License-Identifier: Apache-2.0
// A byte stream without a transport: tests play the daemon's side.
import type { ByteStream, Dial } from "./byte-stream.ts";
import { TransportError } from "./errors.ts";

export class MemoryStream implements ByteStream {
    closed = false;
    /** everything written so far */
    written = "";
    /** called after each write; a promise holds the writer back */
    onWrite: ((stream: MemoryStream) => void | Promise<void>) | undefined;
    #data: ((bytes: Uint8Array) => void) | undefined;
    #end: ((error?: Error) => void) | undefined;
    #ended = false;

    async write(bytes: Uint8Array): Promise<void> {
        if (this.#ended || this.closed) throw new TransportError("lost", "the stream has ended");
        this.written += new TextDecoder("latin1").decode(bytes);
        await this.onWrite?.(this);
    }

    close(): void {
        this.closed = true;
    }

    onData(callback: (bytes: Uint8Array) => void): void {
        this.#data = callback;
    }

    onEnd(callback: (error?: Error) => void): void {
        this.#end = callback;
    }

    /** The other side sends, in pieces of this many bytes. */
    receive(data: string | Uint8Array, pieceBytes = Number.POSITIVE_INFINITY): void {
        const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
        for (let at = 0; at < bytes.length && !this.closed; at += pieceBytes) {
            this.#data?.(bytes.slice(at, Math.min(bytes.length, at + pieceBytes)));
        }
    }

    /** The other side ends. */
    end(error?: Error): void {
        this.#ended = true;
        if (!this.closed) this.#end?.(error);
    }
}

/** Gives the streams that it made in order; each is handed to `serve` first. */
export function memoryDial(serve: (stream: MemoryStream, nth: number) => void): {
    dial: Dial;
    streams: MemoryStream[];
} {
    const streams: MemoryStream[] = [];
    const dial: Dial = () => {
        const stream = new MemoryStream();
        streams.push(stream);
        serve(stream, streams.length);
        return Promise.resolve(stream);
    };
    return { dial, streams };
}
