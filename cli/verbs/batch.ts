// SPDX-License-Identifier: Apache-2.0
// program unload, link detach; unload, detach: every id is tried, each failure told.
import { CallError } from "../../client/errors.ts";
import type { BatchResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Args } from "../args.ts";
import type { Verb } from "../host.ts";
import { printErrorLine } from "../output/print.ts";
import { reportDetail } from "../report-error.ts";
import { parseId } from "../values.ts";

export const unload: Verb = async (args, { client }) => {
    const programIds = idsOf("program", args);
    const answer = await client.unload({ programIds, ignoreMissing: args.flag("ignore-missing") });
    return batchOutcome("program", "unload", programIds.length, answer);
};

export const detach: Verb = async (args, { client }) => {
    const linkIds = idsOf("link", args);
    const answer = await client.detach({ linkIds, ignoreMissing: args.flag("ignore-missing") });
    return batchOutcome("link", "detach", linkIds.length, answer);
};

export function idsOf(noun: "program" | "link", args: Args): number[] {
    return [...new Set(args.values("ID").map(text => parseId(noun, text)))];
}

export function batchOutcome(noun: string, verb: string, asked: number, { failures = [] }: BatchResponseJson): number {
    if (failures.length === 0) return 0;
    const [only] = failures;
    if (asked === 1 && only) throw new CallError(only.code ?? "UNKNOWN", only.message ?? "", only.detail);
    for (const failure of failures) {
        printErrorLine(`${noun} ${failure.id ?? 0}: ${failure.message ?? ""}`);
        reportDetail({ detail: failure.detail });
    }
    throw new Error(`${failures.length} of ${asked} ${noun}(s) failed to ${verb}`);
}
