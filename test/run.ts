// SPDX-License-Identifier: Apache-2.0
// Runs the tests by stage, as `node test/run.ts [STAGE…]`; without a name, all of them but the night's.
// The stage in the virtual machine takes the time that the others leave.
// A run of everything writes docs/conformance.md from what the tests came to.
// Exits non-zero when a test fails, when a stage ran none, or when one was skipped without saying why.
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { writeConformance } from "./conformance/table.ts";
import { collectResults, forgetResults, keepResults } from "./results.ts";

interface Stage {
    readonly name: string;
    readonly files: readonly string[];
    /** test files at once */
    readonly concurrency: number;
    readonly fileTimeoutMs: number;
    /** runs beside the stages that follow: it has a kernel of its own and disturbs nobody's */
    readonly beside?: true;
    /** runs only where it is named: hours long */
    readonly nightly?: true;
}

const minuteMs = 60_000;
// Stages run in this order, one after the other but for what may run beside: quick ones first, and what loads the kernel alone, because its tests count packets and time.
const stages: readonly Stage[] = [
    // its machine has one CPU, and gives way to all others
    { name: "vm", files: ["test/vm/*.test.ts"], concurrency: 1, fileTimeoutMs: 60 * minuteMs, beside: true },
    {
        name: "unit",
        files: [
            "{bpf,cli,client,daemon,packaging,po,src}/**/*.test.ts",
            "test/*.test.ts",
            "test/conformance/*.test.ts",
        ],
        concurrency: 2,
        fileTimeoutMs: 2 * minuteMs,
    },
    { name: "fuzz", files: ["test/fuzz/*.test.ts"], concurrency: 1, fileTimeoutMs: 5 * minuteMs },
    {
        name: "kernel",
        files: ["test/{kernel,crash,property}/**/*.test.ts"],
        concurrency: 1,
        fileTimeoutMs: 8 * minuteMs,
    },
    { name: "cockpit", files: ["test/cockpit/**/*.test.ts"], concurrency: 1, fileTimeoutMs: 10 * minuteMs },
    // against a registry on loopback, which has to answer in time
    { name: "image", files: ["test/image/**/*.test.ts"], concurrency: 1, fileTimeoutMs: 5 * minuteMs },
    { name: "demo", files: ["test/demo/**/*.test.ts"], concurrency: 1, fileTimeoutMs: 5 * minuteMs },
    { name: "rpm", files: ["test/rpm/**/*.test.ts"], concurrency: 1, fileTimeoutMs: 8 * minuteMs },
    {
        // tests whose length is howMany() of test/scale.ts, and those that are too long for any day
        name: "nightly",
        files: ["test/fuzz/*.test.ts", "test/property/*.test.ts", "test/crash/kills.test.ts", "test/**/*.nightly.ts"],
        concurrency: 1,
        fileTimeoutMs: 240 * minuteMs,
        nightly: true,
    },
];

interface Outcome {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly problems: readonly string[];
}

const root = join(import.meta.dirname, "..");

// test files are processes of their own: who stops this one means them too
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopping.abort());

async function runStage(stage: Stage): Promise<Outcome> {
    const files = stage.files.flatMap(pattern => globSync(pattern, { cwd: root })).sort();
    const started = performance.now();
    const kept: string[] = [];
    const print = (text: string): void => {
        if (stage.beside === true) kept.push(text);
        else process.stdout.write(text);
    };
    print(`\n== ${stage.name}: ${files.length} files\n`);
    let passed = 0;
    let failed = 0;
    let skipped = 0;
    let unexplainedSkips = 0;
    const problems: string[] = [];
    const stream = run({
        files: files.map(file => join(root, file)),
        cwd: root,
        concurrency: stage.concurrency,
        timeout: stage.fileTimeoutMs,
        signal: stopping.signal,
    });
    stream.on("test:summary", summary => {
        // one summary for each file, then one for all of them
        if (summary.file !== undefined) return;
        const { counts } = summary;
        passed = counts.passed;
        skipped = counts.skipped + counts.todo;
        failed = counts.tests - passed - skipped;
        // a hook of a suite, or the process of a file, can fail while every test passes
        if (!summary.success && failed === 0) failed = 1;
    });
    stream.on("test:fail", event => {
        const cause = event.details.error.cause;
        const why = String(cause instanceof Error ? cause.message : cause);
        if (event.details.type !== "suite" || !/subtests? failed/.test(why))
            problems.push(`failed: ${at(event.file)}: ${event.name}`);
    });
    stream.on("test:pass", event => {
        if (event.skip === undefined && event.todo === undefined) return;
        const reason = event.skip ?? event.todo;
        const unexplained = typeof reason !== "string" || reason === "";
        problems.push(`skipped: ${at(event.file)}: ${event.name}: ${unexplained ? "no reason given" : reason}`);
        if (unexplained) unexplainedSkips += 1;
    });
    const results = collectResults(stream);
    // what runs beside others is told whole, at its end
    let later = "";
    for await (const text of stream.compose(spec)) {
        if (stage.beside) later += text;
        else process.stdout.write(text);
    }
    process.stdout.write(later);
    keepResults(stage.name, results());
    failed += unexplainedSkips;
    if (files.length === 0 || passed + failed === 0) {
        failed += 1;
        problems.push(`failed: stage ${stage.name} ran no test`);
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    print(`== ${stage.name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s\n`);
    process.stdout.write(kept.join(""));
    return { passed, failed, skipped, problems };
}

function at(file: string | undefined): string {
    return file === undefined ? "?" : relative(root, file);
}

const names = process.argv.slice(2);
const unknown = names.filter(name => !stages.some(stage => stage.name === name));
if (unknown.length > 0) {
    console.error(`unknown stage ${unknown.join(", ")}; there are ${stages.map(stage => stage.name).join(", ")}`);
    process.exit(2);
}
if (names.length === 0) forgetResults();
const outcomes: Outcome[] = [];
const beside: Promise<Outcome>[] = [];
for (const stage of stages) {
    if (names.length > 0 ? !names.includes(stage.name) : stage.nightly === true) continue;
    // read by test/scale.ts, in the processes of this stage
    if (stage.nightly === true) process.env["BPFMAN_NIGHTLY"] = "1";
    if (stage.beside === true) beside.push(runStage(stage));
    else outcomes.push(await runStage(stage));
}
if (beside.length > 0) console.log("\nwaiting for the virtual machine");
outcomes.push(...(await Promise.all(beside)));
const total = (count: (outcome: Outcome) => number): number => outcomes.reduce((sum, one) => sum + count(one), 0);
const unproven = names.length === 0 ? writeConformance() : [];
console.log();
for (const line of unproven) console.log(`failed: docs/conformance.md: ${line}`);
for (const problem of outcomes.flatMap(one => one.problems)) console.log(problem);
console.log(
    `${total(one => one.passed)} passed, ${total(one => one.failed)} failed, ${total(one => one.skipped)} skipped`,
);
// not by itself: a process that a killed test left behind may hold an output open for ever
process.exit(total(one => one.failed) === 0 && unproven.length === 0 ? 0 : 1);
