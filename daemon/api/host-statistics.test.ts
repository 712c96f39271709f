// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type StatisticsJson, WatchStatisticsRequestSchema } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { BpfmanError } from "../model/error.ts";
import type { LinkId, ProgramId } from "../model/ids.ts";
import type { StatisticsView } from "../model/statistics.ts";
import { FakeManager, root } from "./fake-manager.ts";
import { statisticsHandlers } from "./host-statistics.ts";

const view: StatisticsView = {
    time: "2026-01-01T00:00:00.500Z",
    intervalMs: 500,
    cpus: 2,
    unavailable: "",
    programs: [
        {
            ...{ id: 7 as ProgramId, name: "count", type: "xdp", runs: 100n, timeNs: 5_000_000n },
            ...{ total: { runs: 300n, timeNs: 9_000_000n }, unmeasured: "", byChain: false },
        },
        {
            ...{ id: 8 as ProgramId, name: "idle", type: "kprobe", runs: 0n, timeNs: 0n },
            ...{ total: { runs: 0n, timeNs: 0n }, unmeasured: "it can't", byChain: false },
        },
    ],
    chains: [
        {
            ...{ type: "xdp", nsid: 4026531840n, ifindex: 2, interface: "eth0", packets: 50n, unmeasured: "" },
            slots: [
                {
                    ...{ position: 0, linkId: 3 as LinkId, programId: 7 as ProgramId, runs: 50n, timeNs: 1000n },
                    verdicts: [{ action: 2, name: "pass", count: 50n, total: 60n }],
                },
            ],
            verdicts: [{ action: 1, name: "drop", count: 50n, total: 60n }],
        },
    ],
};

function watch(views: StatisticsView[], options: { pendingBytes?: number; request?: object } = {}) {
    const manager = new FakeManager();
    manager.statistics = views;
    const sent: StatisticsJson[] = [];
    const ends: string[] = [];
    const sink = {
        pendingBytes: options.pendingBytes ?? 0,
        send: (record: StatisticsJson) => void sent.push(record),
        end: () => void ends.push("end"),
        fail: (error: BpfmanError) => void ends.push(`fail ${error.code}`),
        cut: (error: BpfmanError) => void ends.push(`cut ${error.code}`),
    };
    const request = create(WatchStatisticsRequestSchema, options.request ?? {});
    const stop = statisticsHandlers(manager).watchStatistics(request, root, sink);
    return { manager, sent, ends, stop };
}

test("rates are per second, per run and of one CPU", () => {
    const { sent, manager, stop } = watch([view], { request: { intervalMs: 500, programIds: [7], chains: true } });
    assert.deepEqual(manager.asked["watchStatistics"], { intervalMs: 500, programIds: [7], chains: true });
    const [record] = sent;
    assert.deepEqual(record?.programs?.[0], {
        ...{ id: 7, name: "count", type: "xdp", runs: "100", runTimeNs: "5000000" },
        ...{ runsPerSecond: 200, nsPerRun: 50_000, cpuShare: 0.01, totalRuns: "300", totalRunTimeNs: "9000000" },
    });
    assert.deepEqual(record?.programs?.[1], { id: 8, name: "idle", type: "kprobe", unmeasured: "it can't" });
    const [chain] = record?.chains ?? [];
    assert.equal(chain?.packetsPerSecond, 100);
    assert.deepEqual(chain?.verdicts, [{ action: 1, name: "drop", count: "50", perSecond: 100, total: "60" }]);
    const [slot] = chain?.slots ?? [];
    assert.deepEqual([slot?.runs, slot?.runsPerSecond, slot?.nsPerRun], ["50", 100, 20]);
    stop();
    assert.equal(manager.asked["watchStatistics"], undefined);
});

test("the first record holds no rates", () => {
    const { sent } = watch([{ ...view, intervalMs: 0 }]);
    assert.equal(sent[0]?.programs?.[0]?.runsPerSecond, 0);
});

test("no interval asked for is a second, and one that makes no sense is refused", () => {
    const { manager } = watch([]);
    assert.deepEqual(manager.asked["watchStatistics"], { intervalMs: 1000, programIds: [], chains: false });
    assert.throws(() => watch([], { request: { intervalMs: 100 } }), /every 250 to 3600000 ms, not every 100/);
});

test("a slow reader misses records, and what they hold is in the next one", () => {
    const { manager, sent, ends } = watch([view, view], { pendingBytes: 1_000_000 });
    assert.deepEqual(sent, []);
    assert.deepEqual(manager.taken, [false, false]);
    assert.deepEqual(ends, []);
});

test("one that reads nothing for a minute is cut off", context => {
    context.mock.timers.enable({ apis: ["Date"], now: 0 });
    const manager = new FakeManager();
    let record: ((told: StatisticsView) => boolean) | undefined;
    manager.watchStatistics = (_request, watcher) => {
        record = told => watcher.record(told);
        return () => {};
    };
    const ends: string[] = [];
    const sink = {
        pendingBytes: 1_000_000,
        send: () => assert.fail("nothing is sent"),
        end: () => {},
        fail: () => {},
        cut: (error: BpfmanError) => void ends.push(error.code),
    };
    statisticsHandlers(manager).watchStatistics(create(WatchStatisticsRequestSchema), root, sink);
    record?.(view);
    assert.deepEqual(ends, []);
    context.mock.timers.setTime(62_000);
    record?.(view);
    assert.deepEqual(ends, ["RESOURCE_EXHAUSTED"]);
});
