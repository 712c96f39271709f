// SPDX-License-Identifier: Apache-2.0
// A pattern that a caller wrote, tried on a text that a certificate holds: together they can take V8's backtracking as long
// as the universe lasts, and nobody else would be answered meanwhile.
import { runInNewContext } from "node:vm";

// what is meant takes microseconds
const maxMs = 50;

/** undefined: it takes too long to tell. */
export function matches(pattern: RegExp, text: string): boolean | undefined {
    const { source, flags } = pattern;
    try {
        // V8 looks for the end of its time at each step back
        return (
            runInNewContext("new RegExp(source, flags).test(text)", { source, flags, text }, { timeout: maxMs }) ===
            true
        );
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
        throw error;
    }
}
