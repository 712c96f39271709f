// SPDX-License-Identifier: Apache-2.0
// What chains count while statistics are watched, against traffic whose verdicts are known; and that the revisions which
// count come and go without a packet being lost, or seen twice, or let through.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { probeFreplace } from "../../daemon/kernel/dispatch/dispatcher.ts";
import type { ChainStatisticsJson, StatisticsJson, VerdictCountJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { floodCount, floodPace, type Wire } from "../lab/namespaces.ts";
import { SequenceLog } from "../lab/sequence.ts";
import { sharedLab } from "../lab/shared-lab.ts";
import { chainIn, programIn, StatisticsWatch } from "../lab/statistics.ts";

const noFreplace = probeFreplace();
const chainBackend = noFreplace === undefined ? "freplace" : "tail-call";

const countingPins = (lab: Lab) =>
    ["xdp", "tc-ingress"].flatMap(folder => lab.pins(folder)).filter(name => name.endsWith("_counting"));

/** The last watch is over: the chains run as before, and nothing is held open. */
async function untilNotCounting(lab: Lab): Promise<void> {
    for (let waited = 0; countingPins(lab).length > 0 && waited < 500; waited++) await sleep(10);
    assert.deepEqual(countingPins(lab), []);
    for (let waited = 0; waited < 500; waited++) {
        try {
            lab.assertNoDescriptors();
            return;
        } catch {
            await sleep(10);
        }
    }
    lab.assertNoDescriptors();
}

/** The totals of verdicts, by name. */
function totals(verdicts: readonly VerdictCountJson[] | undefined): Record<string, number> {
    return Object.fromEntries((verdicts ?? []).map(({ name = "", total }) => [name, Number(total)]));
}

/** Sends N echo requests, of which the chain drops every fourth. */
async function traffic(wire: Wire, count: number): Promise<void> {
    const result = await wire.ping(count, { intervalSeconds: 0.002, waitSeconds: 0.2 }).result;
    assert.deepEqual(result, { sent: count, received: count - Math.floor(count / 4) });
}

async function untilPackets(watch: StatisticsWatch, type: string, count: number): Promise<ChainStatisticsJson> {
    const packets = (record: StatisticsJson) =>
        Object.values(totals(chainIn(record, type)?.verdicts)).reduce((sum, one) => sum + one, 0);
    return await watch.until(
        record => (packets(record) >= count ? chainIn(record, type) : undefined),
        `${count} packets in ${type}`,
    );
}

suite(`counting in chains by ${chainBackend}${noFreplace === undefined ? "" : ` (${noFreplace})`}`, () => {
    const labTest = sharedLab();

    labTest("AnXdpChainOfThreeTellsEachSlotsVerdicts", async lab => {
        const wire = lab.wire();
        const [first, last] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1"]);
        const [fourth] = await lab.load("every_fourth", ["xdp:xdp_every_fourth"]);
        const links = await lab.attach(
            xdpItem(wire, first?.id, 10),
            xdpItem(wire, fourth?.id, 20),
            xdpItem(wire, last?.id, 30),
        );
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            const begun = chainIn(await watch.next(), "xdp");
            assert.deepEqual([begun?.interface, begun?.unmeasured ?? "", begun?.packets], ["veth1", "", "0"]);
            assert.equal(countingPins(lab).length, 1);
            await traffic(wire, 400);
            const chain = await untilPackets(watch, "xdp", 400);
            assert.deepEqual(totals(chain.verdicts), { drop: 100, pass: 300 });
            assert.deepEqual(
                chain.slots?.map(({ linkId, verdicts }) => [linkId, totals(verdicts)]),
                [
                    [links[0]?.id, { pass: 400 }],
                    [links[1]?.id, { drop: 100, pass: 300 }],
                    [links[2]?.id, { pass: 300 }],
                ],
            );
            const runs = [first, fourth, last].map(program => watch.sum(one => programIn(one, program?.id)?.runs));
            assert.deepEqual(runs, [400, 400, 300], "rows of programs count their slots");
            assert.equal(
                watch.sum(one => chainIn(one, "xdp")?.packets),
                400,
            );
            const row = programIn(watch.records.at(-1)!, first?.id);
            assert.deepEqual([row?.byChain, row?.unmeasured ?? ""], [true, ""]);
            assert.ok(watch.sum(one => programIn(one, first?.id)?.runTimeNs) > 0);
        }
        await untilNotCounting(lab);
        await traffic(wire, 40);
    });

    labTest("ATcChainTellsEachSlotsVerdicts", async lab => {
        const wire = lab.wire();
        const [first, last] = await lab.load("tc_sequence", ["tc:tc_sequence_0", "tc:tc_sequence_1"]);
        const [fourth] = await lab.load("every_fourth", ["tc:tc_every_fourth"]);
        const proceedOn = [-1, 3];
        await lab.attach(
            tcItem(wire, first?.id, 10, { proceedOn }),
            tcItem(wire, fourth?.id, 20, { proceedOn }),
            tcItem(wire, last?.id, 30, { proceedOn }),
        );
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            await watch.next();
            await traffic(wire, 400);
            const chain = await untilPackets(watch, "tc-ingress", 400);
            assert.deepEqual(totals(chain.verdicts), { shot: 100, unspec: 300 }, "unspec: on to what comes next");
            assert.deepEqual(
                chain.slots?.map(({ verdicts }) => totals(verdicts)),
                [{ unspec: 400 }, { pipe: 300, shot: 100 }, { unspec: 300 }],
            );
        }
        await untilNotCounting(lab);
        await traffic(wire, 40);
    });

    labTest("ALoneProgramsVerdictsAreToldAndItRunsDirectlyAgainAfter", async lab => {
        const wire = lab.wire();
        const [fourth] = await lab.load("every_fourth", ["xdp:xdp_every_fourth"]);
        const [link] = await lab.attach(xdpItem(wire, fourth?.id, 10));
        assert.equal(link?.backend, "direct");
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            await watch.next();
            const shown = await lab.client.getLink(link?.id ?? 0);
            assert.equal(shown.backend, chainBackend);
            const [chain] = (await lab.client.listChains({})).chains ?? [];
            assert.equal(chain?.revision, 1);
            assert.match(chain?.backendReason ?? "", /it counts what they do while statistics are watched$/);
            await traffic(wire, 200);
            const { verdicts } = await untilPackets(watch, "xdp", 200);
            assert.deepEqual(totals(verdicts), { drop: 50, pass: 150 });
            assert.equal(
                watch.sum(one => programIn(one, fourth?.id)?.runs),
                200,
            );
        }
        await untilNotCounting(lab);
        assert.equal((await lab.client.getLink(link?.id ?? 0)).backend, "direct");
        await traffic(wire, 40);
    });

    labTest("AFloodLosesNothingWhileWatchesComeAndGo", async lab => {
        const wire = lab.wire();
        const names = [0, 1, 2].map(n => `xdp:xdp_sequence_${n}`);
        const programs = await lab.load("xdp_sequence", names);
        const links = await lab.attach(...programs.map(({ id }, i) => xdpItem(wire, id, 10 + i)));
        const events: string[] = [];
        const abort = new AbortController();
        const watching = (async () => {
            // that something in the kernel came or went is true, whoever did it
            for await (const { kind = "" } of lab.client.watch(abort.signal))
                if (kind !== "KERNEL_CHANGED") events.push(kind);
        })();
        const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
        log.clear();
        const count = floodCount(2500);
        const flood = wire.ping(count, { intervalSeconds: floodPace });
        let rounds = 0;
        while (flood.running) {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            await watch.next();
            rounds++;
        }
        assert.deepEqual(await flood.result, { sent: count, received: count });
        assert.ok(rounds >= 2, `${rounds} rounds`);
        const packets = log.packets();
        packets.delete(0);
        assert.equal(packets.size, count);
        for (const seen of packets.values()) assert.deepEqual(seen, [0, 1, 2]);
        await untilNotCounting(lab);
        abort.abort(new Error("enough"));
        await watching.catch(() => undefined);
        assert.deepEqual(events, ["READY"], "nobody is told of a change");
        const after = await Promise.all(links.map(({ id = 0 }) => lab.client.getLink(id)));
        assert.deepEqual(
            after.map(({ revision }) => revision),
            [1, 1, 1],
            "the revision is the one that the user made",
        );
    });

    labTest("CountsGoOnThroughChangesOfTheChain", async lab => {
        const wire = lab.wire();
        const [first, second] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1"]);
        const [one] = await lab.attach(xdpItem(wire, first?.id, 50));
        const count = 1500;
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            await watch.next();
            const flood = wire.ping(count, { intervalSeconds: 0.001 });
            let changes = 0;
            while (flood.running) {
                const [link] = await lab.attach(xdpItem(wire, second?.id, changes % 2 === 0 ? 5 : 95));
                assert.equal(countingPins(lab).length, 1, "a change makes a revision that counts at once");
                await lab.detach(link?.id);
                changes++;
            }
            assert.deepEqual(await flood.result, { sent: count, received: count });
            assert.ok(changes >= 2, `${changes} changes`);
            const chain = await untilPackets(watch, "xdp", count);
            assert.deepEqual(totals(chain.verdicts), { pass: count });
            assert.deepEqual(
                chain.slots?.map(({ linkId, verdicts }) => [linkId, totals(verdicts)]),
                [[one?.id, { pass: count }]],
            );
            for (const record of watch.records)
                for (const slot of chainIn(record, "xdp")?.slots ?? []) assert.ok(Number(slot.runs) >= 0);
            assert.equal(
                watch.sum(record => programIn(record, first?.id)?.runs),
                count,
            );
        }
        await untilNotCounting(lab);
    });

    labTest("ADroppingChainDropsThroughKillAndStart", async lab => {
        const wire = lab.wire();
        const [first] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0"]);
        const [dropper] = await lab.load("xdp_drop", ["xdp:xdp_drop"]);
        await lab.attach(xdpItem(wire, first?.id, 10), xdpItem(wire, dropper?.id, 20));
        const other = lab.wire();
        await lab.attach(xdpItem(other, dropper?.id, 10));
        const arrived = wire.arrived();
        const flood = wire.ping(1_000_000, { waitSeconds: 0.1 });
        for (let round = 0; round < 3; round++) {
            const watch = new StatisticsWatch(lab.client, { chains: true });
            await watch.next();
            assert.equal(countingPins(lab).length, 2);
            await lab.stopDaemon("SIGKILL");
            await watch[Symbol.asyncDispose]();
            assert.equal(countingPins(lab).length, 2, "what counts runs on without a daemon");
            await lab.startDaemon();
            assert.deepEqual(countingPins(lab), [], "a start swaps back what nobody watches");
        }
        const { chains = [] } = await lab.client.listChains({});
        assert.deepEqual(chains.map(({ backend }) => backend).sort(), [chainBackend, "direct"].sort());
        flood.stop();
        assert.equal((await flood.result).received, 0);
        assert.equal(wire.arrived(), arrived);
        assert.deepEqual(await other.ping(3, { waitSeconds: 0.1 }).result, { sent: 3, received: 0 });
    });

    labTest("AnOrderlyStopSwapsBack", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(xdpItem(wire, program?.id, 10), xdpItem(wire, program?.id, 20));
        const watch = new StatisticsWatch(lab.client, { chains: true });
        await watch.next();
        await lab.stopDaemon();
        await watch[Symbol.asyncDispose]();
        assert.deepEqual(countingPins(lab), []);
        await lab.startDaemon();
    });

    labTest("AChainThatCannotBeMadeToCountSaysWhyAndRunsOn", async lab => {
        const wire = lab.wire();
        const [fourth] = await lab.load("every_fourth", ["xdp:xdp_every_fourth"]);
        const [first] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0"]);
        await lab.attach(xdpItem(wire, first?.id, 10), xdpItem(wire, fourth?.id, 20));
        const [{ nsid, ifindex, programId } = {}] = (await lab.client.listChains({})).chains ?? [];
        // something is where its counters would be pinned
        const folder = path.join(lab.runtimeDir, "fs/xdp", `dispatcher_${nsid}_${ifindex}_1_counting`);
        fs.mkdirSync(path.join(folder, "counts"), { recursive: true });
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            const record = await watch.next();
            const why = /^it runs in the chain of xdp veth1, which can't be made to count: .*EEXIST/;
            assert.match(chainIn(record, "xdp")?.unmeasured ?? "", why);
            assert.match(programIn(record, first?.id)?.unmeasured ?? "", why);
            assert.equal((await lab.client.listChains({})).chains?.[0]?.programId, programId, "the same dispatcher");
            await traffic(wire, 40);
            // also when it changes
            const [link] = await lab.attach(xdpItem(wire, first?.id, 30));
            await traffic(wire, 40);
            await lab.detach(link?.id);
        }
        await untilNotCounting(lab);
    });

    labTest("TcxListsSayThatTheKernelCountsThem", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("tc_sequence", ["tcx:tc_sequence_0"]);
        await lab.attach(tcxItem(wire, program?.id, 10));
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            const chain = chainIn(await watch.next(), "tcx-ingress");
            assert.match(chain?.unmeasured ?? "", /the kernel keeps this list/);
            await wire.ping(50, { intervalSeconds: 0.002 }).result;
            await watch.until(
                () => (watch.sum(one => programIn(one, program?.id)?.runs) >= 50 ? true : undefined),
                "50 runs",
            );
            assert.equal(
                watch.sum(one => programIn(one, program?.id)?.runs),
                50,
            );
        }
        await untilNotCounting(lab);
    });
});
