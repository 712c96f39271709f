// SPDX-License-Identifier: Apache-2.0
// The two ways a call fails: the daemon answered with an error, or no answer came.
import type { ErrorDetailJson } from "../proto/gen/bpfman/host/v1/host_pb.js";

/** The daemon's own refusal. */
export class CallError extends Error {
    override readonly name = "CallError";
    /** as google.rpc.Code names it: NOT_FOUND */
    readonly code: string;
    readonly detail: ErrorDetailJson | undefined;
    constructor(code: string, message: string, detail?: ErrorDetailJson) {
        super(message);
        this.code = code;
        this.detail = detail;
    }
}

/**
 * absent: there is no socket; refused: a socket nobody serves; denied: this caller may not connect;
 * lost: the connection ended or spoke nonsense before the answer was whole.
 */
export type TransportReason = "absent" | "refused" | "denied" | "lost";

/** No whole answer came. After "lost" it is unknown whether the daemon carried the call out. */
export class TransportError extends Error {
    override readonly name = "TransportError";
    readonly reason: TransportReason;
    constructor(reason: TransportReason, message: string, cause?: unknown) {
        super(message, cause === undefined ? undefined : { cause });
        this.reason = reason;
    }
}

interface ErrorJson {
    code?: unknown;
    message?: unknown;
    details?: unknown;
}

/** The error object of a Connect answer or end record: `{code: "not_found", message, details: {…}}`. */
export function callErrorFromJson(json: unknown, fallback: string): CallError {
    const error: ErrorJson = typeof json === "object" && json !== null ? json : {};
    // Connect spells this one with one l
    const word = error.code === "canceled" ? "cancelled" : error.code;
    const code = typeof word === "string" ? word.toUpperCase() : "UNKNOWN";
    const message = typeof error.message === "string" && error.message !== "" ? error.message : fallback;
    const detail = typeof error.details === "object" && error.details !== null ? error.details : undefined;
    return new CallError(code, message, detail);
}

/** The error of an answer whose status is not 200; its body is a Connect error object, or anything. */
export function httpError(status: number, body: readonly Uint8Array[]): Error {
    const decoder = new TextDecoder();
    const text = body.map(piece => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
    let json: unknown;
    try {
        json = JSON.parse(text);
    } catch {
        json = undefined;
    }
    return callErrorFromJson(json, `the daemon answered with HTTP status ${status}`);
}
