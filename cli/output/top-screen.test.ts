// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatisticsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type SortColumn, topRows } from "./top-rows.ts";
import { frame, initialState, keysOf, pressed, title, topLines } from "./top-screen.ts";

const verdicts = [
    { action: 1, name: "drop", count: "5", perSecond: 2.5, total: "9" },
    { action: 2, name: "pass", count: "2000", perSecond: 1000, total: "2000" },
];
const record: StatisticsJson = {
    time: "2026-01-01T12:34:56.789Z",
    intervalMs: 2000,
    cpus: 2,
    programs: [
        { id: 5, type: "xdp", name: "member", runs: "2005", runsPerSecond: 1002.5, nsPerRun: 20, byChain: true },
        { id: 6, type: "kprobe", name: "slow", runs: "2", runsPerSecond: 1, nsPerRun: 5e6, cpuShare: 0.005 },
        { id: 7, type: "kprobe", name: "rare", runs: "1", runsPerSecond: 0.5, nsPerRun: 100, cpuShare: 5e-8 },
        { id: 8, type: "ext", name: "copy", unmeasured: "it is counted elsewhere" },
    ],
    chains: [
        {
            ...{ type: "xdp", nsid: "1", ifindex: 2, interface: "eth0", packets: "2005", packetsPerSecond: 1002.5 },
            verdicts,
            slots: [
                {
                    linkId: 3,
                    programId: 5,
                    runs: "2005",
                    runTimeNs: "40100",
                    runsPerSecond: 1002.5,
                    nsPerRun: 20,
                    verdicts,
                },
            ],
        },
        { type: "tcx-ingress", interface: "eth0", slots: [], unmeasured: "the kernel counts" },
    ],
};
const where = (id: number) => (id === 6 ? "systemd: kprobe do_exit" : "");
const order = (column: SortColumn, reversed = false) =>
    topRows(record, { column, reversed }, where).map(row => row.name);

test("rows come in the order asked for; a member is shown in its chain", () => {
    assert.deepEqual(order("cpu"), ["slow", "eth0", "rare", "copy"]);
    assert.deepEqual(order("runs"), ["eth0", "slow", "rare", "copy"]);
    assert.deepEqual(order("name"), ["copy", "eth0", "rare", "slow"]);
    assert.deepEqual(order("name", true), ["slow", "rare", "eth0", "copy"]);
});

test("a line says what is measured, and no figure is no 0", () => {
    const lines = topLines(topRows(record, { column: "cpu", reversed: false }, where), "cpu");
    assert.deepEqual(lines, [
        "ID  TYPE    NAME           WHERE                    RUNS/S     NS/RUN  CPU%*  VERDICTS",
        " 6  kprobe  slow           systemd: kprobe do_exit       1  5,000,000   0.50",
        "    xdp     chain of eth0  1 link                    1,003         20   0.00  drop 2.5/s, pass 1,000/s",
        " 5            0 member     link 3                    1,003         20   0.00  drop 2.5/s, pass 1,000/s",
        " 7  kprobe  rare                                       0.5        100   0.00",
        " 8  ext     copy                                         -          -      -  it is counted elsewhere",
    ]);
});

test("a frame fills the terminal and no more, and scrolls within its rows", () => {
    const state = { ...initialState("cpu"), scrolled: 99 };
    const { lines, scrolled } = frame(record, state, where, { columns: 30, rows: 6 });
    assert.equal(lines.length, 6);
    assert.ok(lines.every(({ text }) => Array.from(text).length <= 30));
    assert.equal(scrolled, 2);
    assert.match(lines[2]?.text ?? "", /member/);
    const wide = frame(record, initialState("cpu"), where, { columns: 200, rows: 6 }).lines;
    assert.match(wide.at(-1)?.text ?? "", /1-3 of 5$/);
    assert.equal(
        title(record, { paused: true }),
        "bpfman top  12:34:56 UTC  2.0 s  2 CPUs  4 programs  1 chain counted  PAUSED",
    );
});

test("names can't steer the terminal", () => {
    const hostile = { programs: [{ id: 1, name: "a\x1b[2Jb", runsPerSecond: 1 }] };
    const [, line] = topLines(topRows(hostile, { column: "cpu", reversed: false }, where), "cpu");
    assert.match(line ?? "", /a\\x1b\[2Jb/);
});

test("keys are told apart however many come at once", () => {
    assert.deepEqual(keysOf("s\x1b[A\x1b[6~xq"), ["right", "up", "page down", "quit"]);
    assert.deepEqual(keysOf("\x03"), ["quit"]);
    let state = initialState("cpu");
    state = pressed(state, "right", 10);
    assert.equal(state.sort, "runs");
    state = pressed(pressed(state, "left", 10), "left", 10);
    assert.equal(state.sort, "name");
    state = pressed(state, "page down", 10);
    assert.equal(state.scrolled, 10);
    assert.equal(pressed(state, "home", 10).scrolled, 0);
    assert.equal(pressed(state, "pause", 10).paused, true);
    assert.equal(pressed(state, "reverse", 10).reversed, true);
});
