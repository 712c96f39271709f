// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { BpfmanError, type Code } from "../model/error.ts";
import { causeOf, connectError, failureOf, grpcCode, grpcMessage, httpStatus, invalid } from "./errors.ts";

// numbers of google.rpc.Code; statuses and words of the Connect protocol's table of error codes
const table: readonly [Code, number, number, string][] = [
    ["CANCELLED", 1, 499, "canceled"],
    ["INVALID_ARGUMENT", 3, 400, "invalid_argument"],
    ["DEADLINE_EXCEEDED", 4, 504, "deadline_exceeded"],
    ["NOT_FOUND", 5, 404, "not_found"],
    ["ALREADY_EXISTS", 6, 409, "already_exists"],
    ["PERMISSION_DENIED", 7, 403, "permission_denied"],
    ["RESOURCE_EXHAUSTED", 8, 429, "resource_exhausted"],
    ["FAILED_PRECONDITION", 9, 400, "failed_precondition"],
    ["ABORTED", 10, 409, "aborted"],
    ["UNIMPLEMENTED", 12, 501, "unimplemented"],
    ["INTERNAL", 13, 500, "internal"],
    ["UNAVAILABLE", 14, 503, "unavailable"],
];

test("every code has its gRPC number, HTTP status and Connect word", () => {
    for (const [code, number, status, word] of table) {
        assert.deepEqual([grpcCode(code), httpStatus(code)], [number, status], code);
        const failure = failureOf(new BpfmanError(code, "m"), { fullLog: false });
        assert.equal(connectError(failure).code, word);
    }
});

const bare = { errno: "", verifierLines: [], verifierLog: "", verifierLinesOmitted: 0, hint: "" };

test("what is no BpfmanError tells nothing", () => {
    for (const error of [new TypeError("secret"), "secret", undefined, { code: "NOT_FOUND", message: "secret" }])
        assert.deepEqual(failureOf(error, { fullLog: true }), {
            code: "INTERNAL",
            message: "internal error",
            detail: bare,
        });
});

test("facts are told, the cause is not", () => {
    const error = new BpfmanError("PERMISSION_DENIED", "attach: EPERM", {
        errno: "EPERM",
        hint: "Be root.",
        cause: new Error("secret"),
    });
    const failure = failureOf(error, { fullLog: true });
    assert.deepEqual(failure, {
        code: "PERMISSION_DENIED",
        message: "attach: EPERM",
        detail: { ...bare, errno: "EPERM", hint: "Be root." },
    });
    assert.ok(!JSON.stringify(connectError(failure)).includes("secret"));
    assert.match(causeOf(error), /^Error: secret\n/);
});

test("a message is no longer than a header may be", () => {
    const { message } = failureOf(invalid(`unknown word ${"x".repeat(1 << 20)}`), { fullLog: false });
    assert.deepEqual([message.length, message.at(-1)], [4097, "…"]);
});

test("the whole log is told when asked for", () => {
    const log = "0: (b7) r0 = 1\nR0 is bad\n";
    const error = new BpfmanError("FAILED_PRECONDITION", "load", { log });
    assert.equal(failureOf(error, { fullLog: false }).detail.verifierLog, "");
    assert.deepEqual(failureOf(error, { fullLog: true }).detail, {
        ...bare,
        verifierLines: ["0: (b7) r0 = 1", "R0 is bad"],
        verifierLog: log,
    });
    const blank = new BpfmanError("FAILED_PRECONDITION", "load", { log: " \n" });
    assert.deepEqual(failureOf(blank, { fullLog: true }).detail, bare);
});

test("a gRPC message ends with the verifier's last word, once", () => {
    const failure = (message: string) =>
        failureOf(new BpfmanError("FAILED_PRECONDITION", message, { log: "R0 is bad\n" }), { fullLog: false });
    assert.equal(grpcMessage(failure("load")), "load: R0 is bad");
    assert.equal(grpcMessage(failure("load: R0 is bad")), "load: R0 is bad");
    assert.equal(grpcMessage(failureOf(invalid("no"), { fullLog: false })), "no");
});

test("the log gets the cause of a known error and all of an unknown one", () => {
    assert.equal(causeOf(invalid("no")), "");
    assert.equal(causeOf(new BpfmanError("INTERNAL", "m", { cause: "text" })), "text");
    assert.match(causeOf(new RangeError("deep")), /RangeError: deep\n.*errors\.test/s);
    assert.equal(causeOf(undefined), "");
    assert.equal(causeOf("thrown"), "thrown");
});
