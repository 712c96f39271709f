// SPDX-License-Identifier: Apache-2.0
// An error as callers see it: a code, one sentence, the facts. Whatever is no BpfmanError says nothing of itself.
import { BpfmanError, type Code } from "../model/error.ts";
import { tellingLines } from "./verifier-log.ts";

/** ErrorDetail of host.proto as proto3 JSON, every field set. */
export interface Detail {
    readonly errno: string;
    readonly verifierLines: string[];
    readonly verifierLog: string;
    readonly verifierLinesOmitted: number;
    readonly hint: string;
}

export interface Failure {
    readonly code: Code;
    readonly message: string;
    readonly detail: Detail;
}

export function invalid(message: string, hint?: string): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", message, { hint });
}

/** A message may name what the caller sent, which is as long as it likes; over gRPC it goes in a header, and into the log. */
const maxMessageLength = 4096;

/** What is told of an error that ended a call. */
export function failureOf(error: unknown, options: { fullLog: boolean }): Failure {
    if (!(error instanceof BpfmanError)) return { code: "INTERNAL", message: "internal error", detail: detail() };
    const log = error.log?.trim() ? error.log : undefined;
    const { lines, omitted } = log === undefined ? { lines: [], omitted: 0 } : tellingLines(log);
    return {
        code: error.code,
        message:
            error.message.length > maxMessageLength ? `${error.message.slice(0, maxMessageLength)}…` : error.message,
        detail: detail({
            errno: error.errno ?? "",
            verifierLines: [...lines],
            verifierLinesOmitted: omitted,
            verifierLog: options.fullLog ? (log ?? "") : "",
            hint: error.hint ?? "",
        }),
    };
}

function detail(facts: Partial<Detail> = {}): Detail {
    return { errno: "", verifierLines: [], verifierLog: "", verifierLinesOmitted: 0, hint: "", ...facts };
}

/** What stays in the journal: the cause of a known error, everything of an unknown one. Empty where there is none. */
export function causeOf(error: unknown): string {
    const cause = error instanceof BpfmanError ? error.cause : error;
    if (cause === undefined) return "";
    return cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause);
}

// https://grpc.io/docs/guides/status-codes/
const grpcCodes: Readonly<Record<Code, number>> = {
    CANCELLED: 1,
    INVALID_ARGUMENT: 3,
    DEADLINE_EXCEEDED: 4,
    NOT_FOUND: 5,
    ALREADY_EXISTS: 6,
    PERMISSION_DENIED: 7,
    RESOURCE_EXHAUSTED: 8,
    FAILED_PRECONDITION: 9,
    ABORTED: 10,
    UNIMPLEMENTED: 12,
    INTERNAL: 13,
    UNAVAILABLE: 14,
};

export const grpcCode = (code: Code): number => grpcCodes[code];

/** Clients that show the status message alone see the verifier's last word in it. */
export function grpcMessage(failure: Failure): string {
    const last = failure.detail.verifierLines.at(-1);
    if (last === undefined || failure.message.includes(last)) return failure.message;
    return `${failure.message}: ${last}`;
}

// https://connectrpc.com/docs/protocol/#error-codes
const httpStatuses: Readonly<Record<Code, number>> = {
    CANCELLED: 499,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
};

export const httpStatus = (code: Code): number => httpStatuses[code];

/** The body of an HTTP error answer, and the error of a stream's end record. */
export function connectError(failure: Failure): { code: string; message: string; details: Detail } {
    // Connect spells this one with one l
    const code = failure.code === "CANCELLED" ? "canceled" : failure.code.toLowerCase();
    return { code, message: failure.message, details: failure.detail };
}
