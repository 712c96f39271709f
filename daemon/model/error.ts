// SPDX-License-Identifier: Apache-2.0
// The one error that crosses rooms, and its codes: the only behaviour of this room.

/** Codes as google.rpc.Code names them; api/ maps them to gRPC numbers and HTTP statuses. */
export type Code =
    | "INVALID_ARGUMENT"
    | "NOT_FOUND"
    | "ALREADY_EXISTS"
    | "FAILED_PRECONDITION"
    | "PERMISSION_DENIED"
    | "RESOURCE_EXHAUSTED"
    | "DEADLINE_EXCEEDED"
    | "CANCELLED"
    | "ABORTED"
    | "UNIMPLEMENTED"
    | "UNAVAILABLE"
    | "INTERNAL";

export interface ErrorFacts {
    /** errno by name, where a system call failed */
    readonly errno?: string | undefined;
    /** the verifier's whole log */
    readonly log?: string | undefined;
    /** what to do next, one sentence */
    readonly hint?: string | undefined;
    /** stays in the journal */
    readonly cause?: unknown;
}

/** The one error that crosses rooms: what failed on which object, why, and what to do next. */
export class BpfmanError extends Error {
    override readonly name = "BpfmanError";
    readonly code: Code;
    readonly errno: string | undefined;
    readonly log: string | undefined;
    readonly hint: string | undefined;
    constructor(code: Code, message: string, facts: ErrorFacts = {}) {
        super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
        this.code = code;
        this.errno = facts.errno;
        this.log = facts.log;
        this.hint = facts.hint;
    }
}
