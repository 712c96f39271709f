// SPDX-License-Identifier: Apache-2.0
// XDP chains with real packets. The same scenarios run on every kernel: by freplace where it has it, else by tail call.
import assert from "node:assert/strict";
import path from "node:path";
import { suite } from "node:test";
import { openProgram, testRun } from "../../daemon/kernel/bpf.ts";
import { probeFreplace } from "../../daemon/kernel/dispatch/dispatcher.ts";
import type { ProgramId } from "../../daemon/model/ids.ts";
import type { ChainJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { xdpItem as item, refusal, u32 } from "../lab/items.ts";
import { type Lab, run } from "../lab/lab.ts";
import { perCpuSum } from "../lab/maps.ts";
import { floodCount, floodPace } from "../lab/namespaces.ts";
import { SequenceLog } from "../lab/sequence.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const noFreplace = probeFreplace();
const chainBackend = noFreplace === undefined ? "freplace" : "tail-call";
const ten = Array.from({ length: 10 }, (_, i) => `xdp:xdp_sequence_${i}`);
const all = [0, 1, 2, 3, 4, 31];
const pass = 2;
const drop = 1;

async function chain(lab: Lab): Promise<ChainJson | undefined> {
    const { chains = [] } = await lab.client.listChains({});
    return chains.find(({ type }) => type === "xdp");
}

/** The return code of whatever sits at the hook, for one packet. */
async function verdict(lab: Lab): Promise<number> {
    using fd = openProgram(((await chain(lab))?.programId ?? 0) as ProgramId);
    assert.ok(fd !== undefined, "the program at the hook is in the kernel");
    return testRun(fd, Buffer.alloc(64), 1).returnCode;
}

/** Each member is a link of the kernel's to a function of the dispatcher, as bpftool tells it too. */
async function assertExtends(lab: Lab, dispatcher: number): Promise<void> {
    const told = JSON.parse(run("bpftool", "-j", "link", "show")) as Record<string, unknown>[];
    for (const { kernelLinkId, kernel, pinPresent } of (await lab.client.listLinks({})).links ?? []) {
        assert.deepEqual([kernel?.id, kernel?.type, pinPresent], [kernelLinkId, "tracing", true]);
        assert.equal(kernel?.targetObjId, dispatcher);
        const seen = told.find(({ id }) => id === kernelLinkId);
        assert.deepEqual([seen?.["type"], seen?.["prog_id"]], ["tracing", kernel?.programId]);
    }
}

suite(`xdp chains by ${chainBackend}${noFreplace === undefined ? "" : ` (${noFreplace})`}`, () => {
    const labTest = sharedLab();

    labTest("RunsInOrderOfPriority", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten);
        const priorities = [70, 10, 50, 90, 30, 20, 100, 60, 40, 80];
        await lab.attach(...programs.map(({ id }, i) => item(wire, id, priorities[i]!)));
        const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
        log.clear();
        assert.deepEqual(await wire.ping(20, { intervalSeconds: 0.01 }).result, { sent: 20, received: 20 });
        const expected = ten.map((_, i) => i).sort((a, b) => priorities[a]! - priorities[b]!);
        const packets = log.packets();
        assert.equal(packets.size, 20);
        for (const ids of packets.values()) assert.deepEqual(ids, expected);
        const shown = await chain(lab);
        assert.equal(shown?.backend, chainBackend);
        assert.equal(shown?.revision, 1, "ten links in one request are one rebuild");
        if (noFreplace === undefined) await assertExtends(lab, shown?.programId ?? 0);
        assert.deepEqual(
            shown?.members?.map(({ programName }) => programName),
            expected.map(i => `xdp_sequence_${i}`),
        );
    });

    labTest("NewestFirstAtEqualPriorityAndRequestOrderWithin", async lab => {
        const wire = lab.wire();
        const [a, b, c, d] = await lab.load("xdp_sequence", ten.slice(0, 4));
        await lab.attach(item(wire, a?.id, 50));
        await lab.attach(item(wire, b?.id, 50), item(wire, c?.id, 50));
        await lab.attach(item(wire, d?.id, 50));
        const names = (await chain(lab))?.members?.map(({ programName }) => programName);
        assert.deepEqual(names, ["xdp_sequence_3", "xdp_sequence_1", "xdp_sequence_2", "xdp_sequence_0"]);
    });

    labTest("AStoppingMemberEndsTheChainAtEachPosition", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 9));
        const links = await lab.attach(...programs.map(({ id }, i) => item(wire, id, 10 * (i + 1))));
        const [stopper] = await lab.load("xdp_sequence", ["xdp:xdp_sequence"], {
            globals: { id: u32(99), action: u32(drop) },
        });
        const log = new SequenceLog(programs[0]!.record!.mapPinPath!);
        for (let position = 0; position <= 9; position++) {
            const [link] = await lab.attach(item(wire, stopper?.id, 10 * position + 5));
            assert.equal(link?.position ?? 0, position);
            log.clear();
            const { received } = await wire.ping(3, { intervalSeconds: 0.01, waitSeconds: 0.2 }).result;
            assert.equal(received, 0);
            const expected = Array.from({ length: position }, (_, i) => i);
            const packets = log.packets();
            // where nobody ran before the stopper nobody logged: it has a log of its own
            assert.equal(packets.size, position === 0 ? 0 : 3);
            for (const ids of packets.values()) assert.deepEqual(ids, expected);
            await lab.detach(link?.id);
        }
        assert.equal(links.length, 9);
    });

    labTest("EveryActionAndProceedOnGivesTheSameVerdictAloneAndWithANeighbour", async lab => {
        const wire = lab.wire();
        const [neighbour] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        for (const action of [0, 1, 2, 3, 4]) {
            const [program] = await lab.load("xdp_count", ["xdp:xdp_count"], { globals: { action: u32(action) } });
            for (const proceedOn of [[], ...all.map(code => [code]), all]) {
                const effective = proceedOn.length === 0 ? [2, 31] : proceedOn;
                const expected = effective.includes(action) ? pass : action;
                const [link] = await lab.attach(item(wire, program?.id, 50, { proceedOn }));
                assert.equal(await verdict(lab), expected, `alone: action ${action}, proceed-on ${effective}`);
                for (const priority of [40, 60]) {
                    const [other] = await lab.attach(item(wire, neighbour?.id, priority));
                    const where = priority < 50 ? "after" : "before";
                    assert.equal(await verdict(lab), expected, `${where} a neighbour: ${action}, ${effective}`);
                    await lab.detach(other?.id);
                }
                await lab.detach(link?.id);
            }
            await lab.client.unload({ programIds: [program?.id ?? 0] });
        }
    });

    labTest("AFloodLosesNothingWhileMembersComeAndGo", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten);
        const [first, second] = programs;
        const log = new SequenceLog(first!.record!.mapPinPath!);
        const links = await lab.attach(item(wire, first?.id, 10));
        // 1 <-> 2
        const count = floodCount(2500);
        log.clear();
        let flood = wire.ping(count, { intervalSeconds: floodPace });
        let changes = 0;
        while (flood.running) {
            const [link] = await lab.attach(item(wire, second?.id, changes % 2 === 0 ? 5 : 15));
            await lab.detach(link?.id);
            changes += 2;
        }
        assert.deepEqual(await flood.result, { sent: count, received: count });
        assert.ok(changes >= 2, `${changes} changes`);
        assertEachSawEveryPacketOnce(log, count, [0]);
        // 10 <-> 9, and other orders
        const rest = await lab.attach(...programs.slice(1).map(({ id }, i) => item(wire, id, 20 + i)));
        links.push(...rest);
        log.clear();
        flood = wire.ping(count, { intervalSeconds: floodPace });
        let last = rest.at(-1);
        changes = 0;
        while (flood.running) {
            await lab.client.updateLink({ linkId: links[changes % 9]?.id ?? 0, priority: 1 + (changes % 50) });
            await lab.detach(last?.id);
            [last] = await lab.attach(item(wire, programs.at(-1)?.id, 1 + (changes % 40)));
            changes += 3;
        }
        assert.deepEqual(await flood.result, { sent: count, received: count });
        assert.ok(changes >= 3, `${changes} changes`);
        assertEachSawEveryPacketOnce(log, count, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        lab.assertNoDescriptors();
    });

    labTest("ADroppingMemberDropsEverythingThroughAHundredChanges", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 9));
        const [dropper] = await lab.load("xdp_drop", ["xdp:xdp_drop"]);
        await lab.attach(item(wire, dropper?.id, 50));
        const arrived = wire.arrived();
        const flood = wire.ping(1_000_000, { waitSeconds: 0.1 });
        let changes = 0;
        const both = async (...ids: (number | undefined)[]) => {
            const links = await lab.attach(...ids.map((id, i) => item(wire, id, i % 2 === 0 ? 10 + i : 90 + i)));
            await lab.detach(...links.map(({ id }) => id));
            changes += 2;
        };
        while (changes < 50) await both(programs[0]?.id);
        await lab.attach(...programs.slice(1).map(({ id }, i) => item(wire, id, 20 + 10 * i)));
        while (changes < 100) await both(programs[0]?.id);
        flood.stop();
        const { sent, received } = await flood.result;
        assert.ok(sent > 100, `${sent} packets were sent`);
        assert.equal(received, 0);
        assert.equal(wire.arrived(), arrived);
    });

    labTest("TheEleventhIsRefusedAndNothingChanges", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten);
        await lab.attach(...programs.map(({ id }, i) => item(wire, id, i)));
        const before = await chain(lab);
        const [extra] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const error = await refusal(lab.attach(item(wire, extra?.id, 5)));
        assert.equal(error.code, "RESOURCE_EXHAUSTED");
        assert.match(error.message, /no free dispatcher slots \(all 10 occupied\) for xdp on veth1$/);
        assert.deepEqual(await chain(lab), before);
        assert.equal(lab.pins("xdp").length, 2, "the link and one revision");
    });

    labTest("AKilledDaemonLeavesADroppingChainThatDrops", async lab => {
        const wire = lab.wire();
        const [first] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0"]);
        const [dropper] = await lab.load("xdp_drop", ["xdp:xdp_drop"]);
        await lab.attach(item(wire, first?.id, 10), item(wire, dropper?.id, 20));
        const arrived = wire.arrived();
        const flood = wire.ping(1_000_000, { waitSeconds: 0.1 });
        await lab.stopDaemon("SIGKILL");
        const log = new SequenceLog(first!.record!.mapPinPath!);
        log.clear();
        for (let waited = 0; log.count() < 100 && waited < 200; waited++) await new Promise(r => setTimeout(r, 10));
        assert.ok(log.count() >= 100, "the member before it still runs");
        assert.equal(wire.arrived(), arrived);
        await lab.startDaemon();
        assert.equal((await chain(lab))?.members?.length, 2, "a new daemon knows the chain");
        await lab.detach((await lab.client.listLinks({})).links?.at(0)?.id);
        flood.stop();
        assert.equal((await flood.result).received, 0);
        assert.equal(wire.arrived(), arrived);
    });

    labTest("MembersThatTailCallThemselvesRunAloneAndInAChain", async lab => {
        const wire = lab.wire();
        const [jumper] = await lab.load("xdp_tail_call", ["xdp:xdp_tail_call"]);
        const [counter] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const jumped = () => perCpuSum(jumper!.record!.mapPinPath!, "jumped");
        await lab.attach(item(wire, jumper?.id, 10));
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        assert.equal(jumped(), 5);
        await lab.attach(item(wire, counter?.id, 20));
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        assert.equal(jumped(), 10);
        assert.equal(perCpuSum(counter!.record!.mapPinPath!, "packets"), 5);
    });

    labTest("MembersThatChangeThePacketJoinAChain", async lab => {
        const wire = lab.wire();
        const [changer] = await lab.load("xdp_adjust", ["xdp:xdp_adjust"]);
        const [counter] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        await lab.attach(item(wire, changer?.id, 10), item(wire, counter?.id, 20));
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        assert.equal(perCpuSum(counter!.record!.mapPinPath!, "packets"), 5);
    });

    labTest("FragsFollowTheFirstMember", async lab => {
        const wire = lab.wire();
        const [frags, plain] = await lab.load("xdp_frags", ["xdp:xdp_frags", "xdp:xdp_linear"]);
        const [one] = await lab.attach(item(wire, frags?.id, 10));
        assert.equal((await chain(lab))?.frags, true);
        const refused = await refusal(lab.attach(item(wire, plain?.id, 20)));
        assert.equal(refused.code, "FAILED_PRECONDITION");
        assert.match(refused.message, /does not take multi-buffer packets/);
        await lab.attach(item(wire, frags?.id, 20));
        assert.equal((await chain(lab))?.frags, true);
        await lab.detach(...(await lab.client.listLinks({})).links!.map(({ id }) => id));
        assert.equal(await chain(lab), undefined);
        await lab.attach(item(wire, plain?.id, 20));
        await lab.attach(item(wire, frags?.id, 10));
        assert.equal((await chain(lab))?.frags ?? false, false);
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        assert.notEqual(one?.id, undefined);
    });

    labTest("JumboPacketsPassMembersThatTakeFragments", async lab => {
        const wire = lab.wire({ mtu: 9000 });
        const [frags, plain] = await lab.load("xdp_frags", ["xdp:xdp_frags", "xdp:xdp_linear"]);
        await lab.attach(item(wire, frags?.id, 10));
        for (const backend of ["direct", chainBackend]) {
            const { mode, frags: takes, backend: found } = (await chain(lab)) ?? {};
            assert.deepEqual([mode, takes, found], ["native", true, backend]);
            const sent = await wire.ping(3, { intervalSeconds: 0.01, size: 8000 }).result;
            assert.deepEqual(sent, { sent: 3, received: 3 });
            if (backend === "direct") await lab.attach(item(wire, frags?.id, 20));
        }
        const bss = (await lab.client.listMaps({})).maps?.find(({ map }) => map?.name?.endsWith(".bss"));
        const [dumped] = JSON.parse(run("bpftool", "-j", "map", "dump", "id", String(bss?.map?.id))) as {
            value: string[];
        }[];
        const longest = Buffer.from((dumped?.value ?? []).map(Number)).readBigUInt64LE(0);
        assert.equal(longest, BigInt(14 + 20 + 8 + 8000), "each was seen whole");
        // one that takes no fragments cannot join, and runs alone in generic mode
        await lab.detach(...((await lab.client.listLinks({})).links ?? []).map(({ id }) => id));
        const [alone] = await lab.attach(item(wire, plain?.id, 10));
        assert.equal(alone?.xdpMode, "generic");
        assert.match((await chain(lab))?.modeReason ?? "", /^the driver of veth1 refused native mode \(E/);
        const native = await refusal(lab.attach(item(lab.wire({ mtu: 9000 }), plain?.id, 10, { mode: "native" })));
        assert.equal(native.code, "FAILED_PRECONDITION");
        assert.match(native.message, /driver refuses the program in native mode \(MTU 9000\): E/);
        assert.match(native.detail?.hint ?? "", /xdp\.frags/);
        assert.equal((await wire.ping(3, { intervalSeconds: 0.01, size: 8000 }).result).received, 3);
    });

    labTest("ModesAreFixedByTheFirstMember", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const [generic] = await lab.attach(item(wire, program?.id, 10, { mode: "generic" }));
        assert.equal(generic?.xdpMode, "generic");
        const refused = await refusal(lab.attach(item(wire, program?.id, 20, { mode: "native" })));
        assert.equal(refused.code, "FAILED_PRECONDITION");
        const [second] = await lab.attach(item(wire, program?.id, 20));
        assert.equal(second?.xdpMode, "generic");
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        // the loopback has no native XDP
        const lo = {
            programId: program?.id ?? 0,
            xdp: { interface: "lo", netns: wire.netns, priority: 1, mode: "auto" },
        };
        const [fallen] = await lab.attach(lo);
        assert.equal(fallen?.xdpMode, "generic");
        const { chains = [] } = await lab.client.listChains({});
        assert.match(chains.find(one => one.interface === "lo")?.modeReason ?? "", /refused native mode/);
        const native = await refusal(lab.attach({ ...lo, xdp: { ...lo.xdp, mode: "native" } }));
        assert.equal(native.code, "FAILED_PRECONDITION");
    });

    labTest("ProceedOnChangesInPlace", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_drop", ["xdp:xdp_drop"]);
        const [link] = await lab.attach(item(wire, program?.id, 10));
        assert.equal(await verdict(lab), drop);
        const changed = await lab.client.updateLink({ linkId: link?.id ?? 0, proceedOn: { actions: [1, 2] } });
        assert.deepEqual(changed.proceedOn, [1, 2]);
        assert.equal(changed.id, link?.id);
        assert.equal(await verdict(lab), pass);
        const { received } = await wire.ping(5, { intervalSeconds: 0.01 }).result;
        assert.equal(received, 5);
    });

    labTest("AnInterfaceThatGoesTakesItsLinksAlong", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(item(wire, program?.id, 10), item(wire, program?.id, 20));
        wire.deleteInterface();
        const other = lab.wire();
        await lab.attach(item(other, program?.id, 10));
        const { links = [] } = await lab.client.listLinks({});
        assert.equal(links.length, 1);
        assert.equal(lab.pins("xdp").length, 1, "only the direct link of the other interface");
    });

    labTest("ANamespaceInUseCanBeDeletedAndDies", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(item(wire, program?.id, 10));
        wire.deleteReceiver();
        // the namespace died only if its end of the pair went, and the peer with it
        for (let waited = 0; waited < 300; waited++) {
            if (!wire.senderHasInterface()) break;
            await new Promise(r => setTimeout(r, 10));
        }
        assert.equal(wire.senderHasInterface(), false);
    });

    labTest("ForeignProgramsAreNamedAndLeftAlone", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const object = path.resolve(import.meta.dirname, "../../dist/test/xdp_drop.o");
        wire.inside("ip", "link", "set", "dev", wire.interface, "xdpdrv", "obj", object, "sec", "xdp");
        const error = await refusal(lab.attach(item(wire, program?.id, 10)));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(
            error.message,
            /another XDP program is attached \(program \d+ xdp_drop, native\), not managed here/,
        );
        assert.match(wire.inside("ip", "-d", "link", "show", wire.interface), /xdp/);
    });
});

function assertEachSawEveryPacketOnce(log: SequenceLog, count: number, ids: readonly number[]): void {
    const packets = log.packets();
    packets.delete(0);
    assert.equal(packets.size, count, "packets seen");
    for (const [packet, seen] of packets)
        for (const id of ids)
            assert.equal(seen.filter(one => one === id).length, 1, `program ${id}, packet ${packet}: ${seen}`);
}
