// SPDX-License-Identifier: Apache-2.0
// Boots a distribution kernel once and runs there what the machine's own kernel may refuse: extension programs (freplace).
// Each test of the guest is a subtest here. VM_KERNEL=oldest boots Debian 12's 6.1 instead; VM_FILES names other test files.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtureProgram } from "../fixtures/objects.ts";
import type { GuestTest } from "./guest/events.ts";
import { findKernel, type KernelWanted } from "./kernel.ts";
import { runInVm, type VmResult } from "./vm.ts";
import { newerTools } from "./xdp-tools.ts";

const root = join(import.meta.dirname, "../..");
const timeoutMs = 20 * 60_000;
const testTimeoutMs = 3 * 60_000;

const wanted: KernelWanted = process.env["VM_KERNEL"] === "oldest" ? "oldest" : "default";
const files =
    process.env["VM_FILES"]?.split(" ") ??
    ["test/vm/guest/smoke.ts", "test/kernel/{chain,hooks,libxdp,statistics-chains}*.test.ts"].flatMap(pattern =>
        globSync(pattern, { cwd: root }).sort(),
    );

const kernel = findKernel(wanted);
// compiled and fetched here: the guest sees the repository read-only, has no network, and no time for a compiler
fixtureProgram("probed");
newerTools();

test(`in a machine with kernel ${kernel.release}`, async guest => {
    const result = await runInVm({
        kernel,
        timeoutMs,
        command: [
            ...["env", `GUEST_RELEASE=${kernel.release}`, "BPFMAN_TEST_BUNDLE=1"],
            // One file at a time: there is one CPU. A process each, because a file may end its own.
            ...["node", "--test", "--test-concurrency=1", `--test-timeout=${testTimeoutMs}`],
            ...["--test-reporter=./test/vm/guest/events.ts", "--test-reporter-destination=/run/vm/events"],
            ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
            ...files,
        ],
        collect: ["events"],
    });
    const tests = (result.collected.get("events") ?? "")
        .split("\n")
        .filter(line => line !== "")
        .map(line => JSON.parse(line) as GuestTest);
    for (const { path, outcome, text, durationMs } of tests) {
        await guest.test(path.join(" › "), here => {
            here.diagnostic(`${(durationMs / 1000).toFixed(1)} s in the guest`);
            if (outcome === "skip") here.skip(text);
            else if (outcome === "fail") throw new Error(`in the guest: ${text}`);
        });
    }
    if (result.status === undefined) assert.fail(`${death(result)}\n${lastLines(result)}`);
    assert.ok(tests.length > 0, `no test ran in the guest\n${lastLines(result)}`);
    const failures = tests.filter(one => one.outcome === "fail").length;
    if (failures === 0) assert.equal(result.status, 0, `the guest's test run failed\n${lastLines(result)}`);
});

function death({ timedOut }: VmResult): string {
    return timedOut ? `the guest was not done after ${timeoutMs / 1000} s` : "the guest died";
}

function lastLines({ console, output }: VmResult): string {
    const last = (text: string): string => text.trimEnd().split("\n").slice(-40).join("\n");
    return `-- console of the guest:\n${last(console)}\n-- output of the tests:\n${last(output)}`;
}
