// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fd } from "../../kernel/fd.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { StatisticsView } from "../../model/statistics.ts";
import type { Context } from "../context.ts";
import { Events } from "../events.ts";
import { Statistics, type StatisticsKernel } from "./statistics.ts";

const id = 7 as ProgramId;
const refused = "the kernel does not count runs: this daemon lacks the capability CAP_SYS_ADMIN (EPERM)";

function setUp(kernel: Partial<StatisticsKernel>, counting: object = { isWatched: false }) {
    const context = {
        events: new Events({ keep: () => 1, names: () => ({ programs: new Map(), links: new Map() }), log: () => {} }),
        log: () => {},
        counting,
        kernel: { programIds: () => [id], program: () => ({ name: "count", typeName: "xdp" }) },
        store: { program: () => undefined, links: () => [], chains: () => [] },
    } as unknown as Context;
    return new Statistics(context, {
        enableRunStatistics: () => refused,
        countsAlways: () => false,
        onlineCpus: () => [0],
        runCounts: () => ({ runs: 1n, timeNs: 1n }),
        ...kernel,
    });
}

/** The first record of a watch, which ends with it. */
function firstRecord(statistics: Statistics): StatisticsView {
    const views: StatisticsView[] = [];
    const request = { intervalMs: 1000, programIds: [], chains: false };
    const stop = statistics.watch(request, {
        record: view => views.push(view) > 0,
        fail: error => assert.fail(error.message),
    });
    stop();
    return views[0] ?? assert.fail("no record came");
}

test("a kernel that may not be told to count says so in every record and row", () => {
    const record = firstRecord(setUp({}));
    assert.equal(record.unavailable, refused);
    assert.equal(record.programs[0]?.unmeasured, refused);
});

test("where the administrator has the kernel count, nothing is amiss", () => {
    const record = firstRecord(setUp({ countsAlways: () => true }));
    assert.deepEqual([record.unavailable, record.programs[0]?.unmeasured], ["", ""]);
});

test("a stop ends every watch, closes what counts and has chains swapped back", async () => {
    let closed = 0;
    const counting: string[] = [];
    const fd = { [Symbol.dispose]: () => void closed++ } as unknown as Fd;
    const statistics = setUp(
        { enableRunStatistics: () => fd },
        {
            isWatched: false,
            begin: async () => void counting.push("begin"),
            end: async () => void counting.push("end"),
        },
    );
    const request = { intervalMs: 250, programIds: [], chains: false };
    const watcher = { record: () => true, fail: (error: Error) => assert.fail(error.message) };
    const ends = [request, { ...request, chains: true }].map(one => statistics.watch(one, watcher));
    statistics.stop();
    assert.deepEqual([closed, counting], [1, ["begin", "end"]]);
    for (const end of ends) end();
    assert.deepEqual([closed, counting], [1, ["begin", "end"]], "its own end says nothing more");
});

test("a watch that fails ends, and tells it once", () => {
    const statistics = setUp({
        runCounts: () => {
            throw new TypeError("broken");
        },
    });
    const failures: string[] = [];
    statistics.watch(
        { intervalMs: 250, programIds: [], chains: false },
        { record: () => assert.fail("no record"), fail: error => void failures.push(error.code) },
    );
    assert.deepEqual(failures, ["INTERNAL"]);
});
