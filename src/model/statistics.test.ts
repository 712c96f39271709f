// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatisticsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { addRecord, busiest, keptRecords, type LiveStatistics, valuesOf } from "./statistics.ts";

function record(...programs: { id: number; runs?: number; cpu?: number; unmeasured?: string }[]): StatisticsJson {
    return {
        intervalMs: 1000,
        programs: programs.map(({ id, runs = 0, cpu = 0, unmeasured = "" }) => ({
            id,
            runs: String(runs),
            runsPerSecond: runs,
            nsPerRun: runs === 0 ? 0 : 50,
            cpuShare: cpu,
            unmeasured,
        })),
    };
}

function after(...records: StatisticsJson[]): LiveStatistics {
    const [first, ...others] = records;
    return others.reduce(addRecord, addRecord(undefined, first ?? {}));
}

test("the first record holds no rates", () => {
    const statistics = addRecord(undefined, { programs: [{ id: 7, totalRuns: "12" }] });
    assert.equal(statistics.count, 0);
    assert.deepEqual(statistics.programs.get(7)?.samples, []);
    assert.equal(statistics.programs.get(7)?.totalRuns, 12);
});

test("rates come in order, and what did not run has no time of a run", () => {
    const statistics = after({}, record({ id: 7, runs: 10, cpu: 0.5 }), record({ id: 7 }));
    const program = statistics.programs.get(7);
    assert.ok(program);
    assert.deepEqual(valuesOf(program, "runsPerSecond"), [10, 0]);
    assert.deepEqual(valuesOf(program, "nsPerRun"), [50, undefined]);
    assert.equal(statistics.count, 2);
});

test("a stream that begins anew begins a new history", () => {
    const statistics = after({}, record({ id: 7, runs: 10 }), {}, record({ id: 7, runs: 20 }));
    const program = statistics.programs.get(7);
    assert.ok(program);
    assert.deepEqual(valuesOf(program, "runsPerSecond"), [20]);
    assert.equal(statistics.count, 1);
});

test("what can't be measured has no figure, not 0", () => {
    const program = after({}, record({ id: 7, unmeasured: "in a shared chain" })).programs.get(7);
    assert.equal(program?.latest, undefined);
    assert.equal(program?.unmeasured, "in a shared chain");
});

test("a program that is gone is forgotten, and no more is kept than charts show", () => {
    let statistics = after({}, record({ id: 1, runs: 1 }, { id: 2, runs: 1 }));
    for (let at = 0; at < keptRecords + 10; at++) statistics = addRecord(statistics, record({ id: 2, runs: at }));
    assert.deepEqual([...statistics.programs.keys()], [2]);
    assert.equal(statistics.programs.get(2)?.samples.length, keptRecords);
    assert.equal(statistics.count, keptRecords);
    assert.equal(statistics.programs.get(2)?.latest?.runsPerSecond, keptRecords + 9);
});

test("the busiest are those that took most, idle ones left out", () => {
    const statistics = after(
        {},
        record({ id: 1, cpu: 0.1 }, { id: 2, cpu: 0.4 }, { id: 3 }),
        record({ id: 1, cpu: 0.5 }, { id: 2, cpu: 0.1 }, { id: 3 }),
    );
    assert.deepEqual(
        busiest(statistics, 5).map(({ id }) => id),
        [1, 2],
    );
    assert.deepEqual(
        busiest(statistics, 1).map(({ id }) => id),
        [1],
    );
});
