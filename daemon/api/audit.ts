// SPDX-License-Identifier: Apache-2.0
// One line for every change: who, what, and how it ended.
import type { JsonObject, Message } from "@bufbuild/protobuf";
import type { Caller } from "../model/caller.ts";
import { describeCaller } from "./caller.ts";
import type { Failure } from "./errors.ts";
import { printable } from "./printable.ts";

const maxRequestLength = 1000;

/** `Load by admin (uid 1000) through root (uid 0, loginuid 1000, pid 7) {…}: done: programs 12`. */
export function auditLine(
    method: string,
    caller: Caller,
    request: Message | undefined,
    result: JsonObject | Failure,
): string {
    const { uid, loginUid, pid } = caller;
    const who = `${describeCaller(caller)} (uid ${uid}, loginuid ${loginUid ?? "unset"}, pid ${pid})`;
    const asked = request === undefined ? "" : ` ${brief(request)}`;
    const ended = isFailure(result) ? `${result.code}: ${result.message}` : `done${summary(result)}`;
    return printable(`${method} by ${who}${asked}: ${ended}`);
}

function isFailure(result: JsonObject | Failure): result is Failure {
    return "code" in result && "message" in result;
}

/** The request without its bytes, its secrets and what is not set. */
function brief(request: Message): string {
    const text = JSON.stringify(request, (key, value: unknown) => {
        if (key === "$typeName" || value === "" || value === false || value === 0) return undefined;
        if (key === "password" || key === "username" || key === "authFile") return "…";
        if (value instanceof Uint8Array) return `${value.length} bytes`;
        if (typeof value === "bigint") return String(value);
        if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return undefined;
        return value;
    });
    return text.length > maxRequestLength ? `${text.slice(0, maxRequestLength)}…` : text;
}

/** The ids that an answer of either service names. */
function summary(answer: JsonObject): string {
    const parts = [
        ["programs", ids(answer["programs"])],
        ["links", ids(answer["links"])],
        ["link", ids([answer["linkId"] ?? answer["id"] ?? null])],
        ["of", ids(answer["done"])],
        ["failed", failures(answer["failures"])],
    ].filter(([, text]) => text !== "");
    return parts.map(([name, text]) => `, ${name} ${text}`).join("");
}

function ids(list: unknown): string {
    if (!Array.isArray(list)) return "";
    return list
        .map(item => item?.id ?? item?.kernelInfo?.id ?? item)
        .filter(id => typeof id === "number")
        .join(" ");
}

function failures(list: unknown): string {
    if (!Array.isArray(list)) return "";
    return list.map(({ id, code, message }) => `${id} (${code}: ${message})`).join(" ");
}
