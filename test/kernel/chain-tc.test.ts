// SPDX-License-Identifier: Apache-2.0
// TC chains behind a dispatcher, held by one TCX link or by a filter of clsact, and TCX links in the kernel's own list, with
// real packets.
import assert from "node:assert/strict";
import path from "node:path";
import { suite } from "node:test";
import { probeFreplace } from "../../daemon/kernel/dispatch/dispatcher.ts";
import { Foreign } from "../lab/foreign.ts";
import { refusal, tcItem, tcxItem, u32 } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { floodCount, floodPace, type Wire } from "../lab/namespaces.ts";
import { lacks } from "../lab/needs.ts";
import { SequenceLog } from "../lab/sequence.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const chainBackend = probeFreplace() === undefined ? "freplace" : "tail-call";
const six = Array.from({ length: 6 }, (_, i) => i);
const names = (type: string) => six.map(i => `${type}:tc_sequence_${i}`);
const rest = (type: string) => [6, 7, 8, 9].map(i => `${type}:tc_sequence_${i}`);
const noTcx = lacks("link/tcx");
const next = -1;
const fill = (value: number) => Buffer.concat(Array.from({ length: 10 }, () => u32(value)));

async function tcChain(lab: Lab, type = "tc-ingress") {
    const { interfaces = [] } = await lab.client.listInterfaces({});
    return interfaces.flatMap(({ chains = [] }) => chains).find(chain => chain.type === type);
}

/** How many pings come through each of these wires. */
const pings = (...wires: Wire[]): Promise<number[]> =>
    Promise.all(
        wires.map(async wire => (await wire.ping(3, { intervalSeconds: 0.01, waitSeconds: 0.2 }).result).received),
    );

/** What comes through while plain clsact filters run the program, one at each hook: what chains are held against. */
function throughClsact(...hooks: readonly (readonly [Wire, string])[]): (pin: string) => Promise<number[]> {
    for (const [wire] of hooks) wire.inside("tc", "qdisc", "add", "dev", wire.interface, "clsact");
    const filter = (what: string, ...bpf: string[]): void => {
        for (const [wire, direction] of hooks)
            wire.inside("tc", "filter", what, "dev", wire.interface, direction, "pref", "7", ...bpf);
    };
    return async pin => {
        filter("add", "bpf", "direct-action", "object-pinned", pin);
        const received = await pings(...hooks.map(([wire]) => wire));
        filter("del");
        return received;
    };
}

/** What holds the dispatcher: on a kernel with TCX the other too, where it is the machine's own. */
const emulated = process.env["GUEST_RELEASE"] !== undefined;
const holders = noTcx === false ? (emulated ? ["tcx"] : ["tcx", "clsact"]) : ["clsact"];

for (const held of holders)
    suite(`tc chains by ${chainBackend}, held by ${held}`, () => {
        const labTest = sharedLab(held === "clsact" ? { BPFMAN_TEST_CLSACT: "1" } : {});

        labTest("TcRunsInOrderOfPriorityAndCostsOneRebuild", async lab => {
            const wire = lab.wire();
            const programs = await lab.load("tc_sequence", names("tc"), { globals: { actions: fill(3) } });
            const priorities = [60, 10, 30, 50, 20, 40];
            await lab.attach(...programs.map(({ id }, i) => tcItem(wire, id, priorities[i]!)));
            const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
            log.clear();
            assert.deepEqual(await wire.ping(20, { intervalSeconds: 0.01 }).result, { sent: 20, received: 20 });
            const packets = log.packets();
            packets.delete(0);
            assert.equal(packets.size, 20);
            for (const ids of packets.values()) assert.deepEqual(ids, [1, 4, 2, 5, 3, 0]);
            const chain = await tcChain(lab);
            assert.equal(chain?.backend, chainBackend);
            assert.equal(chain?.revision, 1);
            assert.equal(chain?.filter?.priority, held === "clsact" ? 50 : undefined);
            assert.equal((chain?.kernelLinkId ?? 0) === 0, held === "clsact");
        });

        labTest("EveryReturnCodeMeansWhatItMeansToClsact", async lab => {
            const [alone, joined, leaving] = [lab.wire(), lab.wire(), lab.wire()];
            // the third one makes its own qdisc where it needs one
            const plainly = throughClsact([alone, "ingress"], [leaving, "egress"]);
            const codes = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
            const actions = Buffer.concat(codes.map(u32));
            const programs = await lab.load("tc_sequence", [...names("tc"), ...rest("tc")], { globals: { actions } });
            const [neighbour] = await lab.load("tc_sequence", ["tc:tc_sequence"], { globals: { action: u32(3) } });
            const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
            // all at once elsewhere: what a chain needs of a program is made once
            const elsewhere = { interface: "lo", netns: alone.netns };
            await lab.attach(...programs.map(({ id }) => tcItem(elsewhere, id, 50)));
            for (const [index, code] of codes.entries()) {
                const { id, record } = programs[index] ?? {};
                const [entering, answering] = await plainly(record?.pinPath ?? "");
                const links = await lab.attach(
                    tcItem(alone, id, 50, { proceedOn: [30] }),
                    tcItem(joined, neighbour?.id, 40),
                    tcItem(joined, id, 50, { proceedOn: [30] }),
                    tcItem(leaving, id, 50, { proceedOn: [30], direction: "egress" }),
                );
                log.clear();
                const received = await pings(alone, joined, leaving);
                const where = `return code ${code}: alone, behind a neighbour that passes everything on, at egress`;
                assert.deepEqual(received, [entering, entering, answering], where);
                const seen = log.packets();
                seen.delete(0);
                const once = Array.from({ length: 9 }, () => [index]);
                assert.deepEqual([...seen.values()], once, "three packets of each of the three");
                await lab.detach(...links.map(link => link.id));
            }
        });

        labTest("TcAFloodLosesNothingWhileTheOrderChanges", async lab => {
            const wire = lab.wire();
            const programs = await lab.load("tc_sequence", names("tc"), { globals: { actions: fill(3) } });
            const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
            const links = await lab.attach(...programs.slice(0, 5).map(({ id }, i) => tcItem(wire, id, 10 * (i + 1))));
            log.clear();
            const count = floodCount(2000);
            const flood = wire.ping(count, { intervalSeconds: floodPace });
            let changes = 0;
            while (flood.running) {
                await lab.client.updateLink({ linkId: links[changes % 5]?.id ?? 0, priority: 1 + (changes % 70) });
                const [sixth] = await lab.attach(tcItem(wire, programs[5]?.id, 1 + (changes % 60)));
                await lab.detach(sixth?.id);
                changes += 3;
            }
            assert.deepEqual(await flood.result, { sent: count, received: count });
            assert.ok(changes >= 3, `${changes} changes`);
            const packets = log.packets();
            packets.delete(0);
            assert.equal(packets.size, count);
            for (const [packet, seen] of packets)
                for (const id of [0, 1, 2, 3, 4])
                    assert.equal(seen.filter(one => one === id).length, 1, `program ${id}, packet ${packet}: ${seen}`);
            lab.assertNoDescriptors();
        });

        labTest("TcTenFitAndTheEleventhIsRefused", async lab => {
            const wire = lab.wire();
            const [program] = await lab.load("tc_actions", ["tc:tc_action"], { globals: { action: u32(3) } });
            await lab.attach(...Array.from({ length: 10 }, (_, i) => tcItem(wire, program?.id, i)));
            const error = await refusal(lab.attach(tcItem(wire, program?.id, 5)));
            assert.equal(error.code, "RESOURCE_EXHAUSTED");
            assert.match(error.message, /all 10 occupied/);
            // egress is a chain of its own
            await lab.attach(tcItem(wire, program?.id, 5, { direction: "egress" }));
            assert.equal((await tcChain(lab))?.members?.length, 10);
            assert.equal((await tcChain(lab, "tc-egress"))?.members?.length, 1);
        });

        labTest("SectionsOfEveryKindLoadAsWhatTheyAre", async lab => {
            const loaded = await lab.load("tc_actions", [
                "tc:tc_action",
                "tc:classifier_action",
                "tc:classifier_named_action",
                "tcx:tcx_ingress_action",
                "tcx:tcx_egress_action",
            ]);
            assert.deepEqual(
                loaded.map(({ kernel }) => kernel?.typeName),
                Array.from({ length: 5 }, () => "sched_cls"),
            );
            const asTcx = await lab.load("tc_actions", ["tcx:tc_action"]);
            assert.equal(asTcx[0]?.record?.type, "tcx");
            const error = await refusal(lab.load("tc_actions", ["xdp:tc_action"]));
            assert.equal(error.code, "INVALID_ARGUMENT");
            assert.match(error.message, /program type mismatch: caller specified xdp but ELF section "tc" implies tc/);
        });
    });

suite("tcx links", { skip: noTcx }, () => {
    const labTest = sharedLab();

    labTest("TcxRunsInOrderOfPriorityNewestLastAtEqual", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("tc_sequence", names("tcx"), { globals: { actions: fill(next) } });
        const priorities = [50, 10, 50, 90, 10, 70];
        for (const [i, { id }] of programs.entries()) await lab.attach(tcxItem(wire, id, priorities[i]!));
        const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
        log.clear();
        assert.deepEqual(await wire.ping(10, { intervalSeconds: 0.01 }).result, { sent: 10, received: 10 });
        const packets = log.packets();
        packets.delete(0);
        for (const ids of packets.values()) assert.deepEqual(ids, [1, 4, 0, 2, 5, 3]);
        const again = await refusal(lab.attach(tcxItem(wire, programs[0]?.id, 5)));
        assert.equal(again.code, "ALREADY_EXISTS");
        assert.match(again.message, /program \d+ is already attached to veth1 ingress as link \d+; detach it first/);
    });

    labTest("ATcxLinkThatMovesIsNeverMissing", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("tc_sequence", names("tcx").slice(0, 3), { globals: { actions: fill(next) } });
        const links = await lab.attach(...programs.map(({ id }, i) => tcxItem(wire, id, 10 * (i + 1))));
        const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
        log.clear();
        const count = floodCount(1500);
        const flood = wire.ping(count, { intervalSeconds: floodPace });
        let moves = 0;
        while (flood.running) {
            const moved = await lab.client.updateLink({
                linkId: links[0]?.id ?? 0,
                priority: moves % 2 === 0 ? 25 : 5,
            });
            assert.equal(moved.id, links[0]?.id);
            moves++;
        }
        assert.deepEqual(await flood.result, { sent: count, received: count });
        const packets = log.packets();
        packets.delete(0);
        assert.equal(packets.size, count);
        for (const [packet, seen] of packets) {
            assert.ok(seen.includes(0), `packet ${packet} missed the moving program: ${seen}`);
            for (const id of [1, 2]) assert.equal(seen.filter(one => one === id).length, 1, `program ${id}: ${seen}`);
        }
        assert.ok(moves >= 2, `${moves} moves`);
        // the order after the last move
        await lab.client.updateLink({ linkId: links[0]?.id ?? 0, priority: 15 });
        await lab.client.updateLink({ linkId: links[2]?.id ?? 0, priority: 1 });
        log.clear();
        await wire.ping(1, { waitSeconds: 0.5 }).result;
        assert.deepEqual([...log.packets()].find(([packet]) => packet !== 0)?.[1], [2, 0, 1]);
    });

    labTest("TheTcChainRunsAfterTcxLinksAndForeignOnesStay", async lab => {
        const wire = lab.wire();
        using foreign = new Foreign("tc_return_unspec", "classifier");
        await foreign.attach(wire, "tcx");
        const [tc, ...tcx] = await lab.load(
            "tc_sequence",
            ["tc:tc_sequence_0", "tcx:tc_sequence_1", "tcx:tc_sequence_2"],
            { globals: { actions: Buffer.concat([u32(3), fill(next)]).subarray(0, 40) } },
        );
        const links = await lab.attach(tcItem(wire, tc?.id, 1));
        links.push(...(await lab.attach(...tcx.map(({ id }, i) => tcxItem(wire, id, 100 + i)))));
        const dispatcher = (await tcChain(lab))?.programId;
        assert.deepEqual(atIngress(wire), [foreign.program.id, ...tcx.map(({ id }) => id), dispatcher]);
        const chain = await tcChain(lab, "tcx-ingress");
        assert.deepEqual(
            chain?.members?.map(({ programName, foreign: isForeign = false }) => [programName, isForeign]),
            [
                ["tc_return", true],
                ["tc_sequence_1", false],
                ["tc_sequence_2", false],
            ],
        );
        const log = new SequenceLog(tc!.record!.mapPinPath!);
        log.clear();
        assert.equal((await wire.ping(2, { intervalSeconds: 0.01 }).result).received, 2);
        const packets = log.packets();
        packets.delete(0);
        assert.deepEqual(
            [...packets.values()],
            [
                [1, 2, 0],
                [1, 2, 0],
            ],
        );
        await lab.detach(...links.map(({ id }) => id));
        assert.deepEqual(atIngress(wire), [foreign.program.id]);
        foreign.assertUntouched();
    });
});

/** Ids of the TCX programs at the ingress hook of the wire, in the kernel's order, as a process of its own reads them. */
function atIngress(wire: Wire): number[] {
    const script = path.resolve(import.meta.dirname, "../lab/list-tcx.ts");
    return JSON.parse(wire.inside(process.execPath, script, wire.interface)) as number[];
}
