// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import { type Known, type Sample, statisticsRecord, type VerdictCounts } from "./statistics-record.ts";

const p = (id: number) => id as ProgramId;
const l = (id: number) => id as LinkId;
const request = { intervalMs: 1000, programIds: [], chains: true };

const known: Known = {
    program: id => ({ name: `program ${id}`, type: id === 9 ? "ext" : "xdp" }),
    chains: [
        {
            ...{ key: "a", type: "xdp", nsid: 1n, ifindex: 2, interface: "eth0", unmeasured: "", byKernel: false },
            actionName: action => (action === 2 ? "pass" : "drop"),
            members: [
                { linkId: l(1), programId: p(5) },
                { linkId: l(2), programId: p(6) },
            ],
        },
    ],
    cpus: 2,
    unavailable: "",
};

const counted = (pass: bigint, drop: bigint): VerdictCounts => ({
    runs: pass + drop,
    timeNs: 10n * (pass + drop),
    verdicts: new Map([
        [2, pass],
        [1, drop],
    ]),
});

function sample(seconds: number, kernelRuns: bigint, first: VerdictCounts, second: VerdictCounts): Sample {
    const one = { runs: kernelRuns, timeNs: 100n * kernelRuns };
    const slots = new Map([
        [l(1), first],
        [l(2), second],
    ]);
    return {
        atNs: BigInt(seconds * 1e9),
        time: `${seconds}`,
        programs: new Map([5, 6, 9].map(id => [p(id), one])),
        chains: new Map([["a", { whole: second, slots }]]),
    };
}

const before = sample(1, 10n, counted(10n, 0n), counted(7n, 3n));
const now = sample(3, 15n, counted(30n, 0n), counted(17n, 13n));

test("a member's row adds its slots to what the kernel counted", () => {
    const { programs, intervalMs } = statisticsRecord(request, before, before, now, known);
    assert.equal(intervalMs, 2000);
    const [five] = programs;
    assert.deepEqual(
        [five?.runs, five?.timeNs, five?.byChain, five?.unmeasured, five?.total.runs],
        [5n + 20n, 500n + 200n, true, "", 15n + 30n],
    );
});

test("a chain tells its verdicts since the look before and since the stream began", () => {
    const first = sample(0, 0n, counted(0n, 0n), counted(0n, 0n));
    const [chain] = statisticsRecord(request, first, before, now, known).chains;
    assert.equal(chain?.packets, 20n);
    assert.deepEqual(chain?.verdicts, [
        { action: 1, name: "drop", count: 10n, total: 13n },
        { action: 2, name: "pass", count: 10n, total: 17n },
    ]);
    assert.deepEqual(
        chain?.slots.map(({ runs, verdicts }) => [runs, verdicts.length]),
        [
            [20n, 1],
            [20n, 2],
        ],
    );
});

test("the first record holds totals alone", () => {
    const record = statisticsRecord(request, now, now, now, known);
    assert.equal(record.intervalMs, 0);
    assert.deepEqual([record.programs[0]?.runs, record.programs[0]?.total.runs], [0n, 15n + 30n]);
    assert.deepEqual([record.chains[0]?.packets, record.chains[0]?.verdicts], [0n, []]);
});

test("what can't be counted says why, and a program that came meanwhile counts from nothing", () => {
    const refused = { ...known, unavailable: "the kernel does not count" };
    const rows = statisticsRecord(request, before, before, now, refused).programs;
    // the chain counts without the kernel
    assert.deepEqual([rows[0]?.byChain, rows[0]?.unmeasured], [true, ""]);
    assert.match(rows[2]?.unmeasured ?? "", /replaces a function of another/);
    const alone = { ...refused, chains: [] };
    assert.equal(statisticsRecord(request, before, before, now, alone).programs[0]?.unmeasured, refused.unavailable);
    const empty = { ...before, programs: new Map() };
    assert.equal(statisticsRecord(request, empty, empty, now, alone).programs[0]?.runs, 15n);
});

test("a chain that counts no more has no figure, and none that is less than before", () => {
    const [chain] = known.chains;
    const stopped = { ...known, chains: [{ ...chain!, unmeasured: "it can't be made to count" }] };
    const later = sample(5, 15n, counted(30n, 0n), counted(17n, 13n));
    const { programs, chains } = statisticsRecord(request, before, now, later, stopped);
    assert.deepEqual([programs[0]?.runs, programs[0]?.byChain], [0n, false]);
    assert.equal(programs[0]?.unmeasured, "it can't be made to count");
    assert.deepEqual([chains[0]?.packets, chains[0]?.verdicts.map(({ count }) => count)], [0n, [0n, 0n]]);
});

test("only what was asked for", () => {
    const one = statisticsRecord({ ...request, programIds: [p(9)], chains: true }, before, before, now, known);
    assert.deepEqual([one.programs.map(({ id }) => id), one.chains], [[9], []]);
    assert.deepEqual(statisticsRecord({ ...request, chains: false }, before, before, now, known).chains, []);
});
