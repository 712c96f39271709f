// SPDX-License-Identifier: Apache-2.0
// Whatever is no error of ours becomes one: the words for the caller, the cause for the journal.
import { BpfmanError } from "../model/error.ts";

export function asBpfmanError(error: unknown, log: (line: string) => void): BpfmanError {
    if (error instanceof BpfmanError) return error;
    log(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return new BpfmanError("INTERNAL", "internal error", {
        cause: error,
        hint: "The daemon's journal has the details.",
    });
}
