// SPDX-License-Identifier: Apache-2.0
// Errors as people and scripts see them: `bpfman: error: …`, the verifier's words below, and what to do next.
import { CallError } from "../client/errors.ts";
import { UsageError } from "./args.ts";
import { printErrorLine } from "./output/print.ts";

/** Prints it; returns the exit status. */
export function reportError(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    printMessage(`bpfman: error: ${message}`);
    if (error instanceof CallError) reportDetail(error);
    if (!(error instanceof UsageError)) return 1;
    if (error.command !== "") printErrorLine(`hint: ${error.command} --help`);
    return error.exit;
}

export function reportDetail({ detail }: Pick<CallError, "detail">): void {
    if (detail?.verifierLog) {
        printMessage(detail.verifierLog.trimEnd());
    } else if (detail?.verifierLines?.length) {
        for (const line of detail.verifierLines) printErrorLine(`    ${line}`);
        const omitted = detail.verifierLinesOmitted ?? 0;
        if (omitted > 0) {
            const lines = omitted === 1 ? "1 line" : `${omitted} lines`;
            printErrorLine(`    (${lines} of the verifier's log left out; --full-log prints all)`);
        }
    }
    if (detail?.hint) printErrorLine(`hint: ${detail.hint}`);
}

/** Line feeds of messages are structure, everything else that steers is shown. */
function printMessage(message: string): void {
    for (const line of message.split("\n")) printErrorLine(line);
}
