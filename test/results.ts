// SPDX-License-Identifier: Apache-2.0
// What each test of a run came to, with the names of the suites around it; kept in test-results/, a file for each stage.
import fs from "node:fs";
import { join, relative } from "node:path";
import type { run } from "node:test";

export interface Result {
    readonly file: string;
    /** with the names of what it stands in, joined by " › " */
    readonly name: string;
    readonly outcome: "passed" | "failed" | "skipped";
    /** of a skip */
    readonly reason: string;
}

const root = join(import.meta.dirname, "..");
export const resultsFolder = join(root, "test-results");

interface Ended {
    readonly path: string[];
    readonly outcome: Result["outcome"];
    readonly reason: string;
    nesting: number;
}

interface EndEvent {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string | undefined;
    readonly skip?: string | boolean | undefined;
    readonly todo?: string | boolean | undefined;
}

/**
 * Collects while the stream is read; call the answer afterwards. Events come in the order in which tests are declared,
 * one file after the other. A test's file is that of the outermost suite that it stands in: the call that declares it may
 * stand in a helper.
 */
export function collectResults(stream: Pick<ReturnType<typeof run>, "on">): () => Result[] {
    const results: Result[] = [];
    const unfinished: Ended[] = [];
    const ended = (event: EndEvent, outcome: Result["outcome"]) => {
        // what a test holds ends before it does
        for (const one of unfinished)
            if (one.nesting === event.nesting + 1) {
                one.path.unshift(event.name);
                one.nesting = event.nesting;
            }
        const reason = event.skip ?? event.todo;
        const isSkip = reason !== undefined && outcome === "passed";
        unfinished.push({
            path: [event.name],
            outcome: isSkip ? "skipped" : outcome,
            reason: typeof reason === "string" ? reason : "",
            nesting: event.nesting,
        });
        if (event.nesting > 0) return;
        const file = event.file === undefined ? "?" : relative(root, event.file);
        for (const { path, outcome, reason } of unfinished.splice(0))
            results.push({ file, name: path.join(" › "), outcome, reason });
    };
    stream.on("test:pass", event => ended(event, "passed"));
    stream.on("test:fail", event => ended(event, "failed"));
    return () => results;
}

export function keepResults(stage: string, results: readonly Result[]): void {
    fs.mkdirSync(resultsFolder, { recursive: true });
    fs.writeFileSync(join(resultsFolder, `stage-${stage}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
}

const isResults = (name: string) => /^stage-.*\.json$/.test(name);

/** A run of everything begins with nothing of earlier runs. */
export function forgetResults(): void {
    if (!fs.existsSync(resultsFolder)) return;
    for (const name of fs.readdirSync(resultsFolder).filter(isResults)) fs.rmSync(join(resultsFolder, name));
}

/** Of every stage that ever ran since the last `make clean`, its latest run. */
export function readResults(): Result[] {
    if (!fs.existsSync(resultsFolder)) return [];
    const files = fs.readdirSync(resultsFolder).filter(isResults);
    return files.flatMap(name => JSON.parse(fs.readFileSync(join(resultsFolder, name), "utf8")) as Result[]);
}
