// SPDX-License-Identifier: Apache-2.0
// Boots distribution kernels, one after the other, and runs there what the machine's own kernel may refuse or has long left
// behind: extension programs (freplace), trampolines, TC without TCX. Each test of a guest is a subtest here, and what a guest
// skipped is judged: a kernel that is newer than the feature must not skip it.
// VM_KERNEL=6.1 (6.12, newest) boots one only; VM_FILES names other test files, VM_TESTS tests in them; VM_ALL=1 runs all of them on every kernel.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtureProgram } from "../fixtures/objects.ts";
import type { GuestTest } from "./guest/events.ts";
import { findKernel, type Kernel, type KernelWanted, kernelsWanted } from "./kernel.ts";
import { skipProblem } from "./skips.ts";
import { runInVm, type VmResult } from "./vm.ts";
import { fetchTools, type Suite } from "./xdp-tools.ts";

const root = join(import.meta.dirname, "../..");
const testTimeoutMs = 10 * 60_000;

/** What runs on each kernel: guests are slow, so what no kernel does another way runs on one of them. VM_ALL=1: all on each. */
const filesOf: Record<KernelWanted, string> = {
    // clsact instead of TCX, and a verifier that knows less
    "6.1": "test/kernel/{features,hooks,chain-tc,chain-statistics,clsact}.test.ts",
    "6.12": "test/kernel/{hooks,chain-tc,libxdp}.test.ts",
    // chains by freplace
    newest: "test/kernel/{features,hooks,chain-xdp,chain-statistics,libxdp}.test.ts",
};
const everyFile = "test/kernel/{features,hooks,chain-*,clsact,libxdp}.test.ts";
/** Tests that no kernel takes another way: the machine's own runs them, and at night each. */
const sameEverywhere = [
    ...["uprobes that can't be", "uprobe in a container", "functions and hooks that the kernel does not have"],
    ...["a link that somebody else took away", "a detach returns when", "what a kill left"],
    ...["bpfman.v1: the section says", "all or nothing", "perf_event", "raw_tracepoint"],
    ...["ALoneProgramsVerdicts", "AFloodLosesNothingWhileWatches", "CountsGoOn", "ADroppingChainDropsThroughKill"],
    ...["AnOrderlyStopSwapsBack", "AChainThatCannotBe", "TcxListsSay"],
    ...["TcTenFit", "SectionsOfEveryKind", "TcAFloodLosesNothing", "ATcxLinkThatMoves", "TheTcChainRunsAfterTcx"],
    ...["NewestFirstAtEqual", "AStoppingMember", "EveryActionAndProceedOn", "ADroppingMemberDropsEverything"],
    ...["TheEleventhIsRefused", "AKilledDaemonLeaves", "ModesAreFixed", "ProceedOnChanges", "AnInterfaceThatGoes"],
    ...["ANamespaceInUse", "ForeignProgramsAreNamed", "MembersThatChangeThePacket", "FragsFollow"],
    ...["AQdiscOfOursStays", "ARequestThatFails", "ItOutlivesTheDaemon", "AKillWhileItComesOrGoes"],
    ...["WhatSomebodyTookAway", "AnInterfaceOrANamespace"],
    ...["JumboPackets", "AFloodLosesNothingWhileEitherSide", "OneOrderWithTies", "ANamespaceThatGoes"],
    "gives the ids that bpftool gives",
];
/** Of these files, tests whose subject another guest shows. */
const leftOut: Record<KernelWanted, readonly string[]> = {
    "6.1": ["uprobe and uretprobe", "cgroup", "TcRunsInOrder", "AnXdpChainOfThree"],
    "6.12": ["kprobe and kretprobe", "fentry and fexit", "lsm", "EveryReturnCode", "WeJoinAChain"],
    newest: ["uprobe and uretprobe", "cgroup", "ATcChainTells", "WithoutShared", "XdpFilterWorks"],
};
/** The dispatchers of libxdp 1.3 have version 2, those of 1.6 version 3: each on one kernel. */
const toolsOf: Partial<Record<KernelWanted, Suite>> = { "6.12": "bookworm", newest: "sid" };
const all = process.env["VM_ALL"] === "1";
const timeoutMs = (all ? 90 : 25) * 60_000;

function filesFor(wanted: KernelWanted): string[] {
    const named = process.env["VM_FILES"];
    if (named !== undefined) return named.split(" ");
    const pattern = all ? everyFile : filesOf[wanted];
    return ["test/vm/guest/smoke.ts", ...globSync(pattern, { cwd: root }).sort()];
}

const asked = process.env["VM_KERNEL"];
const unknown = asked !== undefined && !(kernelsWanted as readonly string[]).includes(asked);
if (unknown) throw new Error(`VM_KERNEL=${asked}: there are ${kernelsWanted.join(", ")}`);

// compiled and fetched here: the guest sees the repository read-only, has no network, and no time for a compiler
fixtureProgram("probed");
fetchTools();

for (const wanted of kernelsWanted) {
    if (asked !== undefined && asked !== wanted) continue;
    const kernel = findKernel(wanted);
    if (typeof kernel === "string") test(`in a machine with kernel ${wanted}`, { skip: kernel }, () => {});
    else
        test(`in a machine with kernel ${kernel.release}`, async guest => {
            const result = await boot(kernel, wanted);
            for (const { path, outcome, text, durationMs } of testsOf(result)) {
                await guest.test(path.join(" › "), here => {
                    here.diagnostic(`${(durationMs / 1000).toFixed(1)} s in the guest`);
                    if (outcome === "fail") throw new Error(`in the guest: ${text}`);
                    if (outcome !== "skip") return;
                    const problem = skipProblem(text, kernel.release);
                    if (problem !== undefined) throw new Error(`skipped in the guest: ${problem}`);
                    here.skip(text);
                });
            }
            assertRanWhole(result);
        });
}

function boot(kernel: Kernel, wanted: KernelWanted): Promise<VmResult> {
    const tools = all ? undefined : toolsOf[wanted];
    const pattern = process.env["VM_TESTS"];
    const whole = all || pattern !== undefined || process.env["VM_FILES"] !== undefined;
    return runInVm({
        kernel,
        timeoutMs,
        command: [
            ...["env", `GUEST_RELEASE=${kernel.release}`, "BPFMAN_TEST_BUNDLE=1"],
            ...(tools === undefined ? [] : [`XDP_TOOLS=${tools}`]),
            // One file after the other: there is one CPU. All in one process, because to load what they share takes an
            // emulated machine half a minute.
            ...["node", "--test", "--test-isolation=none", "--test-concurrency=1", `--test-timeout=${testTimeoutMs}`],
            ...["--test-reporter=./test/vm/guest/events.ts", "--test-reporter-destination=/run/vm/events"],
            ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
            ...(whole ? [] : [...sameEverywhere, ...leftOut[wanted]]).map(name => `--test-skip-pattern=/${name}/`),
            ...(pattern === undefined ? [] : [`--test-name-pattern=${pattern}`]),
            ...filesFor(wanted),
        ],
        collect: ["events"],
    });
}

function testsOf({ collected }: VmResult): GuestTest[] {
    const lines = (collected.get("events") ?? "").split("\n");
    return lines.filter(line => line !== "").map(line => JSON.parse(line) as GuestTest);
}

function assertRanWhole(result: VmResult): void {
    const tests = testsOf(result);
    if (result.status === undefined) assert.fail(`${death(result)}\n${lastLines(result)}`);
    assert.ok(tests.length > 0, `no test ran in the guest\n${lastLines(result)}`);
    const failures = tests.filter(one => one.outcome === "fail").length;
    if (failures === 0) assert.equal(result.status, 0, `the guest's test run failed\n${lastLines(result)}`);
}

function death({ timedOut }: VmResult): string {
    return timedOut ? `the guest was not done after ${timeoutMs / 1000} s` : "the guest died";
}

function lastLines({ console, output }: VmResult): string {
    const last = (text: string): string => text.trimEnd().split("\n").slice(-40).join("\n");
    return `-- console of the guest:\n${last(console)}\n-- output of the tests:\n${last(output)}`;
}
