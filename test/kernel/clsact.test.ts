// SPDX-License-Identifier: Apache-2.0
// TC chains where the kernel has no TCX: beside qdiscs and filters of others, through restarts, kills and interfaces that go.
// On a kernel that has TCX the daemon is told not to use it.
import assert from "node:assert/strict";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chainText } from "../../cli/output/text.ts";
import type { ChainJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { Foreign } from "../lab/foreign.ts";
import { refusal, tcItem, tcxItem, u32 } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { perCpuSum } from "../lab/maps.ts";
import type { Wire } from "../lab/namespaces.ts";
import { sharedLab } from "../lab/shared-lab.ts";
import { chainIn, StatisticsWatch } from "../lab/statistics.ts";

const goOn = 3;
const shot = 2;
/** Kills; an emulated machine takes long to start a daemon. */
const rounds = process.env["GUEST_RELEASE"] === undefined ? 4 : 1;

interface ShownFilter {
    readonly pref: number;
    readonly kind: string;
    readonly options?: { readonly handle?: string; readonly prog?: { readonly id: number } };
}

/** The filters of a direction as tc shows them; a line for each priority and one for each filter. */
function filters(wire: Wire, direction = "ingress"): ShownFilter[] {
    const text = wire.inside("tc", "-j", "filter", "show", "dev", wire.interface, direction);
    return (JSON.parse(text) as ShownFilter[]).filter(({ options }) => options !== undefined);
}

function qdisc(wire: Wire): string | undefined {
    const all = JSON.parse(wire.inside("tc", "-j", "qdisc", "show", "dev", wire.interface)) as { kind: string }[];
    return all.map(({ kind }) => kind).find(kind => kind === "clsact" || kind === "ingress");
}

/** A filter of somebody else. */
function foreignFilter(wire: Wire, { program }: Foreign, pref: number, direction = "ingress"): void {
    wire.inside("tc", "filter", "add", "dev", wire.interface, direction, "pref", String(pref), ...bpf(program.pin));
}

const bpf = (pin: string) => ["bpf", "direct-action", "object-pinned", pin];

const addQdisc = (wire: Wire, ...kind: string[]) => wire.inside("tc", "qdisc", "add", "dev", wire.interface, ...kind);

async function received(wire: Wire): Promise<number> {
    return (await wire.ping(3, { intervalSeconds: 0.01, waitSeconds: 0.2 }).result).received;
}

async function chains(lab: Lab): Promise<ChainJson[]> {
    return (await lab.client.listChains({})).chains ?? [];
}

const loadAction = async (lab: Lab, action = goOn) =>
    (await lab.load("tc_actions", ["tc:tc_action"], { globals: { action: u32(action) } }))[0];

const packets = (program: Awaited<ReturnType<typeof loadAction>>) =>
    perCpuSum(program?.record?.mapPinPath ?? "", "packets");

suite("tc chains held by clsact", () => {
    const labTest = sharedLab({ BPFMAN_TEST_CLSACT: "1" });

    labTest("AChainMakesItsQdiscAndTakesItAway", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        const [first] = await lab.attach(tcItem(wire, program?.id, 10));
        assert.equal(qdisc(wire), "clsact");
        const [shown, ...more] = filters(wire);
        assert.deepEqual([shown?.pref, shown?.kind, more.length], [50, "bpf", 0]);
        const [chain] = await chains(lab);
        assert.equal(shown?.options?.prog?.id, chain?.programId);
        assert.deepEqual(chain?.filter, { priority: 50, handle: 1, ownQdisc: true });
        assert.match(chain?.backendReason ?? "", /, so a bpf filter of clsact holds the dispatcher$/);
        assert.match(chainText(chain ?? {}).join("\n"), /Priority: +50\nFilter Handle: +0x1\n/);
        assert.deepEqual([first?.kernelSeen, first?.pinPresent], [true, true]);
        const link = await lab.client.getLink(first?.id ?? 0);
        assert.deepEqual([link.kernelSeen, link.pinPresent, link.backend], [true, true, chain?.backend]);
        // a change is one step: the filter stays the one it is
        const [second] = await lab.attach(tcItem(wire, program?.id, 20));
        assert.equal(second?.kernelSeen, true);
        const [changed] = filters(wire);
        assert.deepEqual([changed?.pref, changed?.options?.handle], [shown?.pref, shown?.options?.handle]);
        assert.notEqual(changed?.options?.prog?.id, shown?.options?.prog?.id);
        // of two chains the second has the first one's qdisc, and keeps it when that one goes
        const [egress] = await lab.attach(tcItem(wire, program?.id, 10, { direction: "egress" }));
        await lab.detach(
            ...((await lab.client.listLinks({})).links ?? []).flatMap(({ id }) => (id === egress?.id ? [] : [id])),
        );
        assert.equal(filters(wire).length, 0);
        assert.equal(filters(wire, "egress").length, 1);
        assert.equal(await received(wire), 3);
        await lab.detach(egress?.id);
        assert.equal(qdisc(wire), undefined);
        lab.assertNoDescriptors();
    });

    labTest("CountsGoOnWhereAChainGoesAndAnotherComes", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        const [first] = await lab.attach(tcItem(wire, program?.id, 10));
        {
            await using watch = new StatisticsWatch(lab.client, { chains: true });
            const counted = () => watch.sum(record => chainIn(record, "tc-ingress")?.packets);
            await watch.next();
            assert.equal(await received(wire), 3);
            await watch.until(() => (counted() >= 3 ? true : undefined), "3 packets");
            await lab.detach(first?.id);
            await watch.next();
            await lab.attach(tcItem(wire, program?.id, 10));
            assert.equal(await received(wire), 3);
            await watch.until(() => (counted() >= 6 ? true : undefined), "6 packets");
            assert.equal(counted(), packets(program));
            for (const { packets: count = "", verdicts = [] } of watch.records.flatMap(({ chains: all = [] }) => all)) {
                assert.ok(Number(count) >= 0, count);
                for (const verdict of verdicts) assert.ok(Number(verdict.count) >= 0, verdict.count);
            }
        }
        const isCounting = () => lab.pins("tc-ingress").some(name => name.endsWith("_counting"));
        for (let waited = 0; isCounting() && waited < 500; waited++) await sleep(10);
        await lab.client.listLinks({});
        lab.assertNoDescriptors();
    });

    labTest("FiltersOfOthersStayWhereTheyAre", async lab => {
        const wire = lab.wire();
        addQdisc(wire, "clsact");
        using passing = new Foreign("tc_return_unspec", "classifier");
        using dropping = new Foreign("tc_return_2", "classifier");
        foreignFilter(wire, passing, 50);
        foreignFilter(wire, passing, 51, "egress");
        const before = [filters(wire), filters(wire, "egress")];
        const program = await loadAction(lab);
        const dropper = await loadAction(lab, shot);
        const [link] = await lab.attach(tcItem(wire, program?.id, 10));
        const [, ours] = filters(wire);
        assert.equal(ours?.pref, 51, "the first that is free");
        assert.equal((await chains(lab))[0]?.filter?.ownQdisc ?? false, false);
        assert.equal(await received(wire), 3);
        assert.equal(packets(program), 3);
        const [drops] = await lab.attach(tcItem(wire, dropper?.id, 20));
        assert.equal(await received(wire), 0);
        // one that comes before ours ends the packet first
        foreignFilter(wire, dropping, 7);
        const seen = packets(program);
        assert.equal(await received(wire), 0);
        assert.equal(packets(program), seen);
        wire.inside("tc", "filter", "del", "dev", wire.interface, "ingress", "pref", "7");
        await lab.detach(link?.id, drops?.id);
        assert.deepEqual([filters(wire), filters(wire, "egress")], before);
        assert.equal(qdisc(wire), "clsact");
    });

    labTest("AQdiscOfOursStaysWhenOthersUseIt", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        const [link] = await lab.attach(tcItem(wire, program?.id, 10));
        using passing = new Foreign("tc_return_unspec", "classifier");
        foreignFilter(wire, passing, 60, "egress");
        await lab.detach(link?.id);
        assert.equal(qdisc(wire), "clsact");
        assert.equal(filters(wire, "egress").length, 1);
    });

    labTest("AnIngressQdiscIsJoinedOrLeftAlone", async lab => {
        const wire = lab.wire();
        addQdisc(wire, "ingress");
        const program = await loadAction(lab);
        const [link] = await lab.attach(tcItem(wire, program?.id, 10));
        assert.equal(await received(wire), 3);
        assert.equal(packets(program), 3);
        const error = await refusal(lab.attach(tcItem(wire, program?.id, 10, { direction: "egress" })));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(
            error.message,
            /tc veth1 egress: the interface has a qdisc of kind ingress in the place of clsact/,
        );
        await lab.detach(link?.id);
        assert.equal(qdisc(wire), "ingress");
        wire.inside("tc", "qdisc", "del", "dev", wire.interface, "ingress");
        // filters that several interfaces share
        addQdisc(wire, "ingress_block", "7", "clsact");
        const shared = await refusal(lab.attach(tcItem(wire, program?.id, 10)));
        assert.match(shared.message, /its ingress filters are in a block that other interfaces share/);
        assert.deepEqual(await chains(lab), []);
    });

    labTest("ARequestThatFailsLeavesNoQdisc", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        const good = [tcItem(wire, program?.id, 10), tcItem(wire, program?.id, 10, { direction: "egress" })];
        const other = lab.wire();
        addQdisc(other, "ingress");
        const error = await refusal(lab.attach(...good, tcItem(other, program?.id, 1, { direction: "egress" })));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.equal(qdisc(wire), undefined);
        assert.deepEqual(await chains(lab), []);
        assert.deepEqual(lab.pins("tc-ingress"), []);
        // a change that fails leaves the running chain
        const [link] = await lab.attach(tcItem(wire, program?.id, 10));
        const before = [await chains(lab), filters(wire)];
        await refusal(
            lab.attach(tcItem(wire, program?.id, 20), tcItem(other, program?.id, 1, { direction: "egress" })),
        );
        assert.deepEqual([await chains(lab), filters(wire)], before);
        await lab.detach(link?.id);
    });

    labTest("ItOutlivesTheDaemonAndAKillTakesNothing", async lab => {
        const wire = lab.wire();
        const dropper = await loadAction(lab, shot);
        const program = await loadAction(lab);
        const [first] = await lab.attach(tcItem(wire, program?.id, 10));
        await lab.attach(tcItem(wire, dropper?.id, 20));
        const before = [await chains(lab), filters(wire)];
        await lab.stopDaemon();
        assert.equal(await received(wire), 0);
        await lab.startDaemon();
        assert.deepEqual([await chains(lab), filters(wire)], before);
        // killed in the middle of changes: what runs drops, and the rows say what runs
        for (let round = 0; round < rounds; round++) {
            const change = lab.client.updateLink({ linkId: first?.id ?? 0, priority: 30 + round });
            const kill = new Promise(resolve => setTimeout(resolve, 4 * round)).then(() => lab.stopDaemon("SIGKILL"));
            await Promise.allSettled([change, kill]);
            assert.equal(await received(wire), 0);
            await lab.startDaemon();
            const [chain] = await chains(lab);
            assert.deepEqual(
                filters(wire).map(({ options }) => options?.prog?.id),
                [chain?.programId],
            );
            assert.equal(chain?.members?.length, 2);
            assert.equal(lab.pins("tc-ingress").length, 1);
        }
        await lab.detach(...((await lab.client.listLinks({})).links ?? []).map(({ id }) => id));
        assert.equal(qdisc(wire), undefined);
        assert.equal(await received(wire), 3);
    });

    labTest("AKillWhileItComesOrGoesLeavesAllOrNothing", async lab => {
        const program = await loadAction(lab);
        for (let round = 0; round < 2 * rounds; round++) {
            const wire = lab.wire();
            const coming = round % 2 === 0;
            const [link] = coming ? [] : await lab.attach(tcItem(wire, program?.id, 10));
            const change = coming ? lab.attach(tcItem(wire, program?.id, 10)) : lab.detach(link?.id);
            const kill = new Promise(resolve => setTimeout(resolve, 3 * (round >> 1))).then(() =>
                lab.stopDaemon("SIGKILL"),
            );
            await Promise.allSettled([change, kill]);
            await lab.startDaemon();
            const shown = await chains(lab);
            assert.equal(filters(wire).length, shown.length);
            assert.equal(lab.pins("tc-ingress").length, shown.length);
            const { links = [] } = await lab.client.listLinks({});
            assert.equal(links.length, shown.length);
            if (links.length > 0) await lab.detach(...links.map(({ id }) => id));
            assert.equal(filters(wire).length, 0);
        }
    });

    labTest("WhatSomebodyTookAwayIsForgottenAndWhatHeChangedIsLeft", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        const [link] = await lab.attach(tcItem(wire, program?.id, 10));
        wire.inside("tc", "qdisc", "del", "dev", wire.interface, "clsact");
        assert.equal((await refusal(lab.client.getLink(link?.id ?? 0))).code, "NOT_FOUND");
        const [again] = await lab.attach(tcItem(wire, program?.id, 10));
        const links = (await lab.client.listLinks({})).links ?? [];
        assert.deepEqual(
            links.map(({ id, kernelSeen }) => [id, kernelSeen]),
            [[again?.id, true]],
        );
        // another program in the place of ours
        using dropping = new Foreign("tc_return_2", "classifier");
        const at = ["ingress", "pref", "50", "handle", "0x1"];
        wire.inside("tc", "filter", "replace", "dev", wire.interface, ...at, ...bpf(dropping.program.pin));
        const theirs = filters(wire);
        assert.equal((await refusal(lab.client.getLink(again?.id ?? 0))).code, "NOT_FOUND");
        const [third] = await lab.attach(tcItem(wire, program?.id, 10));
        assert.deepEqual(filters(wire)[0], theirs[0]);
        assert.equal(filters(wire)[1]?.pref, 51);
        await lab.detach(third?.id);
        assert.deepEqual(filters(wire), theirs);
    });

    labTest("AnInterfaceOrANamespaceThatGoesTakesItsChainAlong", async lab => {
        const wire = lab.wire();
        const program = await loadAction(lab);
        await lab.attach(tcItem(wire, program?.id, 10));
        wire.deleteInterface();
        const other = lab.wire();
        await lab.attach(tcItem(other, program?.id, 10));
        assert.equal((await chains(lab)).length, 1);
        other.deleteReceiver();
        const third = lab.wire();
        const [link] = await lab.attach(tcItem(third, program?.id, 10));
        assert.deepEqual(
            (await lab.client.listLinks({})).links?.map(({ id }) => id),
            [link?.id],
        );
        assert.equal(lab.pins("tc-ingress").length, 1);
    });

    labTest("TcxLinksAreRefusedInASentence", async lab => {
        const wire = lab.wire();
        const [program] = await lab.load("tc_actions", ["tcx:tcx_ingress_action"]);
        const tc = await loadAction(lab);
        const error = await refusal(lab.attach(tcItem(wire, tc?.id, 1), tcxItem(wire, program?.id, 10)));
        assert.equal(error.code, "UNIMPLEMENTED");
        assert.match(error.message, /^attach to tcx veth1 ingress: .*TCX.*, which came with Linux 6\.6$/);
        assert.match(error.detail?.hint ?? "", /type tc/);
        assert.equal(qdisc(wire), undefined);
    });
});
