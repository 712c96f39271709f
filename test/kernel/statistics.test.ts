// SPDX-License-Identifier: Apache-2.0
// Run statistics against known traffic: the kernel counts while a stream is open and not a moment longer.
import assert from "node:assert/strict";
import fs from "node:fs";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { xdpItem as item, refusal } from "../lab/items.ts";
import { type Lab, run } from "../lab/lab.ts";
import { bpfDescriptors } from "../lab/leaks.ts";
import { sharedLab } from "../lab/shared-lab.ts";
import { programIn, StatisticsWatch } from "../lab/statistics.ts";

const statsDescriptors = (lab: Lab) => bpfDescriptors(lab.pid).filter(fd => fd.includes("bpf-stats"));

/** The daemon hears of the end of a connection a moment later. */
async function untilNoDescriptor(lab: Lab): Promise<void> {
    for (let waited = 0; statsDescriptors(lab).length > 0 && waited < 500; waited++) await sleep(10);
    lab.assertNoDescriptors();
}

/** What the kernel itself shows. */
function runCount(id: number | undefined): number {
    const shown = JSON.parse(run("bpftool", "-j", "prog", "show", "id", `${id}`)) as { run_cnt?: number };
    return shown.run_cnt ?? 0;
}

/** But for the last digits of a quotient. */
function assertSame(actual: unknown, expected: number): void {
    assert.ok(Math.abs(Number(actual) / expected - 1) < 1e-12, `${actual} is not ${expected}`);
}

suite("run statistics", () => {
    const labTest = sharedLab();

    labTest("ARecordTellsWhatWasCountedSinceTheOneBefore", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        await lab.attach(item(wire, program?.id, 10));
        {
            await using watch = new StatisticsWatch(lab.client);
            const first = await watch.next();
            assert.equal(first.intervalMs ?? 0, 0);
            assert.equal(first.unavailable ?? "", "");
            assert.equal(first.cpus, Number(run("nproc", "--all").trim()));
            const row = programIn(first, program?.id);
            assert.deepEqual(
                { name: row?.name, type: row?.type, runs: row?.runs ?? "0", rate: row?.runsPerSecond ?? 0 },
                { name: "xdp_count", type: "xdp", runs: "0", rate: 0 },
            );
            assert.deepEqual(await wire.ping(500, { intervalSeconds: 0.001 }).result, { sent: 500, received: 500 });
            const last = await watch.until(record => {
                const seen = programIn(record, program?.id);
                return watch.sum(one => programIn(one, program?.id)?.runs) >= 500 ? (seen ?? {}) : undefined;
            }, "500 runs");
            assert.equal(
                watch.sum(one => programIn(one, program?.id)?.runs),
                500,
            );
            assert.equal(Number(last.totalRuns), 500);
            assert.equal(runCount(program?.id), 500);
            const busy = watch.records.find(one => Number(programIn(one, program?.id)?.runs ?? 0) > 0);
            const { runs, runTimeNs, runsPerSecond, nsPerRun, cpuShare } = programIn(busy!, program?.id)!;
            const seconds = (busy?.intervalMs ?? 0) / 1000;
            assertSame(runsPerSecond, Number(runs) / seconds);
            assertSame(nsPerRun, Number(runTimeNs) / Number(runs));
            assertSame(cpuShare, Number(runTimeNs) / seconds / 1e9);
        }
        await untilNoDescriptor(lab);
        // nobody looks: the kernel does not count
        await wire.ping(50, { intervalSeconds: 0.001 }).result;
        assert.equal(runCount(program?.id), 500);
    });

    labTest("TheKernelCountsUntilTheLastOfSeveralStreamsEnds", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        await lab.attach(item(wire, program?.id, 10));
        {
            await using slow = new StatisticsWatch(lab.client, { intervalMs: 1500 });
            await slow.next();
            {
                await using quick = new StatisticsWatch(lab.client, { programIds: [program?.id ?? 0] });
                const { programs = [] } = await quick.next();
                assert.deepEqual(
                    programs.map(({ id }) => id),
                    [program?.id],
                );
                assert.equal(statsDescriptors(lab).length, 1, "one descriptor for all streams");
                await quick.next();
                await quick.next();
            }
            await wire.ping(20, { intervalSeconds: 0.001 }).result;
            await slow.until(
                () => (slow.sum(one => programIn(one, program?.id)?.runs) >= 20 ? true : undefined),
                "20 runs",
            );
            assert.equal(
                slow.sum(one => programIn(one, program?.id)?.runs),
                20,
            );
            assert.equal(statsDescriptors(lab).length, 1);
        }
        await untilNoDescriptor(lab);
    });

    labTest("MembersOfAChainAreNoSilentZero", async lab => {
        const wire = lab.wire();
        const [first, second] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1"]);
        await lab.attach(item(wire, first?.id, 10), item(wire, second?.id, 20));
        {
            await using watch = new StatisticsWatch(lab.client);
            const record = await watch.next();
            for (const { id } of [first!, second!])
                assert.match(
                    programIn(record, id)?.unmeasured ?? "",
                    /^it runs in the chain of xdp veth1, where the kernel counts only the dispatcher \(program \d+\)$/,
                );
        }
        await untilNoDescriptor(lab);
    });

    labTest("AKilledDaemonLeavesTheKernelNotCounting", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        await lab.attach(item(wire, program?.id, 10));
        const watch = new StatisticsWatch(lab.client);
        await watch.next();
        await lab.stopDaemon("SIGKILL");
        await watch[Symbol.asyncDispose]();
        await wire.ping(10, { intervalSeconds: 0.001 }).result;
        assert.equal(runCount(program?.id), 0);
        await lab.startDaemon();
    });

    labTest("TheSysctlStaysAsItIs", async lab => {
        const path = "/proc/sys/kernel/bpf_stats_enabled";
        const before = fs.readFileSync(path, "latin1");
        try {
            fs.writeFileSync(path, "1");
            {
                await using watch = new StatisticsWatch(lab.client);
                assert.equal((await watch.next()).unavailable ?? "", "");
            }
            await untilNoDescriptor(lab);
            assert.equal(fs.readFileSync(path, "latin1").trim(), "1");
        } finally {
            fs.writeFileSync(path, before);
        }
    });

    labTest("IntervalsThatMakeNoSenseAreRefused", async lab => {
        for (const intervalMs of [1, 249, 3_600_001]) {
            const watch = new StatisticsWatch(lab.client, { intervalMs });
            const error = await refusal(watch.next());
            assert.equal(error.code, "INVALID_ARGUMENT");
            assert.match(error.message, /every 250 to 3600000 ms/);
        }
        assert.deepEqual(statsDescriptors(lab), []);
    });
});
