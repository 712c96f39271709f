// SPDX-License-Identifier: Apache-2.0
// errno -> the one error class. Where a caller knows better what an errno means at its call, it says so itself.
import { BpfmanError, type Code, type ErrorFacts } from "../model/error.ts";
import { errnoName } from "./ffi.ts";

const codes: Readonly<Record<string, Code>> = {
    EPERM: "PERMISSION_DENIED",
    EACCES: "PERMISSION_DENIED",
    ENOENT: "NOT_FOUND",
    ENODEV: "NOT_FOUND",
    EEXIST: "ALREADY_EXISTS",
    EBUSY: "FAILED_PRECONDITION",
    EINVAL: "INVALID_ARGUMENT",
    E2BIG: "INVALID_ARGUMENT",
    ENOMEM: "RESOURCE_EXHAUSTED",
    ENOSPC: "RESOURCE_EXHAUSTED",
    EMFILE: "RESOURCE_EXHAUSTED",
    ENFILE: "RESOURCE_EXHAUSTED",
    EOPNOTSUPP: "UNIMPLEMENTED",
    ENOTSUPP: "UNIMPLEMENTED",
    ENOSYS: "UNIMPLEMENTED",
};

/** `what: ERRNO`, with the code that the errno stands for unless the facts name one. */
export function kernelError(what: string, errno: number, facts: ErrorFacts & { code?: Code } = {}): BpfmanError {
    const name = errnoName(errno);
    return new BpfmanError(facts.code ?? codes[name] ?? "INTERNAL", `${what}: ${name}`, { ...facts, errno: name });
}

/** The result, or the error of a call that answers -errno. */
export function check(result: number, what: string, facts: ErrorFacts & { code?: Code } = {}): number {
    if (result < 0) throw kernelError(what, result, facts);
    return result;
}

/** For an object that is not what its format demands. */
export function broken(what: string): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", `broken eBPF object: ${what}`);
}
