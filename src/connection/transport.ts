// SPDX-License-Identifier: Apache-2.0
// Raw cockpit channels as byte streams. Not cockpit.http(): it costs 50 ms a call, and on Cockpit's Python bridge a
// handful of idle http-stream2 channels hold up every other page of the login session.
import type { ByteStream, Dial } from "../../client/byte-stream.ts";
import { TransportError, type TransportReason } from "../../client/errors.ts";

// Cockpit's own limits: larger frames get fragmented by browsers, and the peer's window bounds what the bridge queues.
const frameBytes = 16 * 1024;
const windowBytes = 2 * 1024 * 1024;

export interface ChannelTarget {
    readonly socketPath: string;
    /** through the session's privileged bridge, where it has one */
    readonly privileged: boolean;
}

export function cockpitDial({ socketPath, privileged }: ChannelTarget): Dial {
    return () => {
        const opened = Promise.withResolvers<ByteStream>();
        const channel = cockpit.channel({
            payload: "stream",
            unix: socketPath,
            binary: true,
            "send-acks": "bytes",
            ...(privileged ? { superuser: "try" } : {}),
        });
        const stream = new ChannelStream(channel);
        channel.addEventListener("control", (_event, message) => {
            if (message.command === "ready") opened.resolve(stream);
            else if (message.command === "ack") stream.acknowledge(message.bytes ?? 0);
        });
        channel.addEventListener("close", (_event, message) => {
            const error = transportError(message);
            opened.reject(error ?? new TransportError("lost", "the channel closed"));
            stream.ended(error);
        });
        return opened.promise;
    };
}

class ChannelStream implements ByteStream {
    readonly #channel: cockpit.Channel;
    #unacknowledged = 0;
    #wake: (() => void) | undefined;
    #early: Uint8Array[] = [];
    #onData: ((bytes: Uint8Array) => void) | undefined;
    #onEnd: ((error?: Error) => void) | undefined;
    #end: { error: Error | undefined } | undefined;
    #closed = false;

    constructor(channel: cockpit.Channel) {
        this.#channel = channel;
        channel.addEventListener("message", (_event, data) => {
            if (this.#closed) return;
            if (this.#onData) this.#onData(data);
            else this.#early.push(data);
        });
    }

    async write(bytes: Uint8Array): Promise<void> {
        for (let at = 0; at < bytes.length; at += frameBytes) {
            while (this.#unacknowledged >= windowBytes && !this.#end && !this.#closed) await this.#acknowledged();
            if (this.#end || this.#closed)
                throw this.#end?.error ?? new TransportError("lost", "the channel is closed");
            const frame = bytes.slice(at, at + frameBytes);
            this.#unacknowledged += frame.length;
            this.#channel.send(frame);
        }
    }

    close(): void {
        if (this.#closed) return;
        this.#closed = true;
        this.#notify();
        if (!this.#end) this.#channel.close();
    }

    onData(callback: (bytes: Uint8Array) => void): void {
        this.#onData = callback;
        for (const bytes of this.#early.splice(0)) callback(bytes);
    }

    onEnd(callback: (error?: Error) => void): void {
        this.#onEnd = callback;
        if (this.#end && !this.#closed) callback(this.#end.error);
    }

    acknowledge(bytes: number): void {
        this.#unacknowledged -= bytes;
        this.#notify();
    }

    ended(error: Error | undefined): void {
        if (this.#end) return;
        this.#end = { error };
        this.#notify();
        if (!this.#closed) this.#onEnd?.(error);
    }

    #acknowledged(): Promise<void> {
        return new Promise(resolve => {
            this.#wake = resolve;
        });
    }

    #notify(): void {
        this.#wake?.();
        this.#wake = undefined;
    }
}

/** Undefined for an orderly end. The Python bridge tells apart by errno in the text what the C bridge had codes for. */
export function transportError(close: cockpit.CloseMessage): TransportError | undefined {
    if (close.problem === undefined) return undefined;
    const text = close.message ?? close.problem;
    const errno = /\[Errno (\d+)\]/.exec(text)?.[1];
    return new TransportError(reasonOf(close.problem, errno), text);
}

function reasonOf(problem: string, errno: string | undefined): TransportReason {
    switch (errno) {
        case "2": // ENOENT
        case "20": // ENOTDIR
            return "absent";
        case "111": // ECONNREFUSED
            return "refused";
        case "1": // EPERM
        case "13": // EACCES
            return "denied";
    }
    if (problem === "not-found") return "absent";
    if (problem === "access-denied" || problem === "authentication-failed") return "denied";
    return "lost";
}
