// SPDX-License-Identifier: Apache-2.0
// A reporter for Node's test runner: each finished test as one line of JSON, for the host to read back.
import type { TestEvent } from "node:test/reporters";

export interface GuestTest {
    /** the names from the outermost suite down */
    readonly path: readonly string[];
    readonly outcome: "pass" | "fail" | "skip";
    readonly durationMs: number;
    /** the error's text, or the reason of a skip */
    readonly text: string;
}

/** Suites are left out unless they fail by themselves, in a hook. */
export default async function* events(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
    const open: { name: string; hasChildren: boolean }[] = [];
    for await (const event of source) {
        if (event.type === "test:start") {
            const { name, nesting } = event.data;
            const parent = open[nesting - 1];
            if (parent !== undefined) parent.hasChildren = true;
            open.length = nesting;
            open.push({ name, hasChildren: false });
        } else if (event.type === "test:pass" || event.type === "test:fail") {
            const { nesting, details } = event.data;
            const path = open.slice(0, nesting + 1).map(level => level.name);
            const hadChildren = open[nesting]?.hasChildren === true;
            const test = { path, durationMs: details.duration_ms };
            if (event.type === "test:fail") {
                const { cause, message, failureType } = event.data.details.error as Error & { failureType?: string };
                if (hadChildren && failureType === "subtestsFailed") continue;
                const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? message);
                yield line({ ...test, outcome: "fail", text });
            } else if (event.data.skip !== undefined || event.data.todo !== undefined) {
                const reason = event.data.skip ?? event.data.todo;
                yield line({ ...test, outcome: "skip", text: typeof reason === "string" ? reason : "" });
            } else if (!hadChildren && details.type !== "suite") {
                yield line({ ...test, outcome: "pass", text: "" });
            }
        }
    }
}

function line(test: GuestTest): string {
    return `${JSON.stringify(test)}\n`;
}
