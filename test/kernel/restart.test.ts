// SPDX-License-Identifier: Apache-2.0
// What a start finds: everything after a stop or a kill, nothing after a reboot, and never what is somebody else's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { linkInfo, openPin } from "../../daemon/kernel/bpf.ts";
import { Foreign } from "../lab/foreign.ts";
import { refusal, tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import { changedMachine } from "../lab/mount-namespace.ts";
import type { Wire } from "../lab/namespaces.ts";

async function everything(lab: Lab) {
    const { programs = [] } = await lab.client.listPrograms({});
    const { links = [] } = await lab.client.listLinks({});
    const { chains = [] } = await lab.client.listChains({});
    // counted from the boot by the kernel, made a time of day by each daemon: some milliseconds apart
    const withoutTime = programs.map(({ kernel, ...program }) => ({ ...program, kernel: { ...kernel, loadedAt: "" } }));
    return { programs: withoutTime, links, chains };
}

/** Chains of three kinds, with metadata. */
async function fill(lab: Lab, wire: Wire): Promise<void> {
    const xdp = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1", "xdp:xdp_sequence_2"]);
    const tcx = await lab.load("tc_sequence", ["tcx:tc_sequence_0", "tcx:tc_sequence_1"]);
    const tc = await lab.load("tc_sequence", ["tc:tc_sequence_2"]);
    const metadata = { owner: "the test", "bpfman.io/application": "app" };
    await lab.attach(
        ...xdp.map(({ id }, i) => ({ ...xdpItem(wire, id, 30 - i, { proceedOn: [2] }), metadata })),
        ...tcx.map(({ id }, i) => ({ ...tcxItem(wire, id, 7 + i), metadata })),
        { ...tcItem(wire, tc[0]?.id, 5), metadata },
    );
}

/** A daemon that is to end by itself. */
function serve(runtimeDir: string, stateDir: string): { status: number | null; err: string } {
    const words = ["serve", "--runtime-dir", runtimeDir, "--state-dir", stateDir];
    const { status, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8", timeout: 20_000 });
    return { status, err: stderr };
}

test("AStopAndAKillLoseNothingAndNoPacket", async () => {
    await using lab = await Lab.start();
    const wire = lab.wire();
    await fill(lab, wire);
    const before = await everything(lab);
    assert.equal(before.links.length, 6);
    const flood = wire.ping(1_000_000, { intervalSeconds: 0.002 });
    try {
        for (const signal of ["SIGTERM", "SIGKILL", "SIGTERM"] as const) {
            await lab.stopDaemon(signal);
            await lab.startDaemon();
            assert.deepEqual(await everything(lab), before, signal);
            lab.assertNoDescriptors();
        }
    } finally {
        flood.stop();
    }
    const { sent, received } = await flood.result;
    assert.ok(sent > 100 && sent - received <= 1, `${received} of ${sent} packets came back`);
    // it is managed on, not only shown
    const [first] = before.links;
    await lab.client.updateLink({ linkId: first?.id ?? 0, priority: 1 });
    await lab.detach(...before.links.map(({ id }) => id));
    assert.deepEqual((await everything(lab)).chains, []);
});

test("AfterARebootNothingOfTheOldBootIsShownOrTouched", async () => {
    await using lab = await Lab.start();
    const wire = lab.wire();
    const other = lab.wire();
    await fill(lab, wire);
    const before = await everything(lab);
    const lastLink = Math.max(...before.links.map(({ id = 0 }) => id));
    await lab.stopDaemon();
    // the programs of before run on under the same ids, pinned where this daemon does not look: now they are strangers'
    const bootId = "11111111-2222-4333-8444-555555555555";
    await lab.startDaemon(changedMachine(lab, { bootId, freshPins: true }));
    assert.deepEqual(await everything(lab), { programs: [], links: [], chains: [] });
    assert.match(lab.log, /6 programs and 6 links of an earlier boot are gone with it/);
    for (const { id = 0, kernel } of before.programs) {
        const stranger = await lab.client.getProgram(id);
        assert.equal(stranger.record, undefined);
        assert.equal(stranger.kernel?.tag, kernel?.tag);
        const refused = await refusal(lab.attach(xdpItem(other, id, 1)));
        assert.match(refused.message, /exists in kernel but is not managed/);
    }
    const ids = before.programs.map(({ id = 0 }) => id);
    const unloaded = await lab.client.unload({ programIds: ids });
    assert.deepEqual(
        unloaded.failures?.map(({ code }) => code),
        ids.map(() => "NOT_FOUND"),
    );
    const detached = await lab.client.detach({ linkIds: before.links.map(({ id = 0 }) => id) });
    assert.equal(detached.failures?.length, before.links.length);

    // link ids go on, those of before are never given again
    const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
    const [link] = await lab.attach(xdpItem(other, program?.id, 1));
    assert.ok((link?.id ?? 0) > lastLink);
    // an interface that is taken by what the old boot left is somebody else's
    const taken = await refusal(lab.attach(xdpItem(wire, program?.id, 1)));
    assert.match(taken.message, /another XDP program is attached/);
    await lab.stopDaemon("SIGKILL");

    for (const { pinPath = "", backend } of before.links) {
        if (backend === "tail-call" || backend === "freplace") continue;
        using pin = openPin(pinPath);
        assert.notEqual(linkInfo(pin).ifindex, 0, `${pinPath} is attached`);
    }
    const chainLink = lab.pins("xdp").find(name => name.endsWith("_link")) ?? "";
    using pin = openPin(path.join(lab.runtimeDir, "fs/xdp", chainLink));
    assert.equal(linkInfo(pin).programId, before.chains.find(({ type }) => type === "xdp")?.programId);
});

test("RowsThatNameWhatOthersLoadedAreForgotten", async () => {
    await using lab = await Lab.start();
    using xdp = new Foreign("xdp_drop", "xdp");
    using tcx = new Foreign("tc_return_0", "classifier");
    const [wire, other] = [lab.wire(), lab.wire()];
    const xdpLink = await xdp.attach(other, "xdp");
    const tcxLink = await tcx.attach(other, "tcx");
    const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
    const [classifier] = await lab.load("tc_sequence", ["tcx:tc_sequence_0"]);
    await lab.attach(xdpItem(wire, program?.id, 1), tcxItem(wire, classifier?.id, 1));
    await lab.stopDaemon();
    const store = new DatabaseSync(path.join(lab.stateDir, "store.db"));
    const rename = (from: number | undefined, to: { id: number; tag: string }) => {
        store.prepare("UPDATE programs SET id = ?, tag = ? WHERE id = ?").run(to.id, to.tag, from ?? 0);
        store.prepare("UPDATE links SET program_id = ? WHERE program_id = ?").run(to.id, from ?? 0);
    };
    rename(program?.id, xdp.program);
    rename(classifier?.id, tcx.program);
    store.prepare("UPDATE links SET kernel_link_id = ? WHERE kind = 'tcx'").run(tcxLink.id);
    store
        .prepare("UPDATE chains SET kernel_link_id = ?, program_id = ?, program_tag = ?")
        .run(xdpLink.id, xdp.program.id, xdp.program.tag);
    store.close();

    await lab.startDaemon();
    assert.deepEqual(await everything(lab), { programs: [], links: [], chains: [] });
    for (const { id } of [xdp.program, tcx.program]) {
        assert.equal((await lab.client.getProgram(id)).record, undefined);
        const { failures = [] } = await lab.client.unload({ programIds: [id] });
        assert.match(failures[0]?.message ?? "", /exists in kernel but is not managed/);
    }
    const { failures = [] } = await lab.client.detach({ linkIds: [1, 2] });
    assert.equal(failures.length, 2);
    for (const foreign of [xdp, tcx]) foreign.assertUntouched();
});

test("RowsOfLinksWhosePinsAreGoneAreForgotten", async () => {
    await using lab = await Lab.start();
    const wire = lab.wire();
    await fill(lab, wire);
    await lab.stopDaemon();
    // somebody holds the links, but not by our pins
    const held: ReturnType<typeof openPin>[] = [];
    for (const folder of ["xdp", "tc-ingress", "links"])
        for (const name of lab.pins(folder).filter(pin => pin.endsWith("_link") || pin.startsWith("tcx_"))) {
            const pin = path.join(lab.runtimeDir, "fs", folder, name);
            held.push(openPin(pin));
            fs.unlinkSync(pin);
        }
    assert.equal(held.length, 4);
    await lab.startDaemon();
    const { programs, links, chains } = await everything(lab);
    assert.equal(programs.length, 6);
    assert.deepEqual({ links, chains }, { links: [], chains: [] });
    for (const link of held) {
        assert.notEqual(linkInfo(link).ifindex, 0, "it is attached");
        link[Symbol.dispose]();
    }
});

test("WhatOthersAttachedBesideOursStaysWhereItIs", async () => {
    await using lab = await Lab.start();
    using foreign = new Foreign("tc_return_0", "classifier");
    const wire = lab.wire();
    await foreign.attach(wire, "tcx");
    const [program] = await lab.load("tc_sequence", ["tcx:tc_sequence_0"]);
    const [link] = await lab.attach(tcxItem(wire, program?.id, 1));
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await lab.stopDaemon(signal);
        await lab.startDaemon();
        foreign.assertUntouched();
    }
    const { interfaces = [] } = await lab.client.listInterfaces();
    const members = interfaces
        .find(({ name, netns }) => name === wire.interface && netns === wire.netns)
        ?.chains?.find(({ type }) => type === "tcx-ingress")?.members;
    assert.deepEqual(members?.map(({ foreign: isForeign = false, programId }) => [isForeign, programId]).toSorted(), [
        [false, program?.id],
        [true, foreign.program.id],
    ]);
    await lab.client.updateLink({ linkId: link?.id ?? 0, priority: 9 });
    await lab.detach(link?.id);
    foreign.assertUntouched();
});

test("TwoDaemonsShareNoFolder", async () => {
    await using lab = await Lab.start();
    await lab.load("xdp_pass", ["xdp:xdp_pass"]);
    const before = await everything(lab);
    const otherState = path.join(lab.dir, "other-state");
    const otherRuntime = path.join(lab.dir, "other-run");
    for (const [runtimeDir, stateDir, held] of [
        [lab.runtimeDir, lab.stateDir, lab.runtimeDir],
        [lab.runtimeDir, otherState, lab.runtimeDir],
        [otherRuntime, lab.stateDir, lab.stateDir],
    ] as const) {
        const { status, err } = serve(runtimeDir, stateDir);
        assert.equal(status, 1, err);
        assert.ok(err.startsWith(`bpfman serve: another bpfman daemon holds ${held}/daemon.lock`), err);
        assert.deepEqual(await everything(lab), before);
    }
    // nor one after the other: the pins of the one would be leftovers to the other
    await lab.stopDaemon();
    const { status, err } = serve(lab.runtimeDir, otherState);
    assert.equal(status, 1, err);
    assert.match(err, /run belongs to the state folder .*\/state\. Start with --state-dir/);
    await lab.startDaemon();
    assert.deepEqual(await everything(lab), before);
});

test("ADamagedStoreIsToldAndNothingIsTouched", async () => {
    await using lab = await Lab.start();
    const wire = lab.wire();
    await fill(lab, wire);
    const before = await everything(lab);
    await lab.stopDaemon();
    const file = path.join(lab.stateDir, "store.db");
    const pins = lab.pins();
    const copy = fs.readFileSync(file);
    const broken = Buffer.from(copy);
    broken.fill(0xa5, 100, 8192);
    for (const [bytes, what] of [
        [Buffer.from("this is no database, but it is long enough to be taken for one\n".repeat(100)), "no database"],
        [broken, "pages overwritten"],
    ] as const) {
        fs.writeFileSync(file, bytes);
        const { status, err } = serve(lab.runtimeDir, lab.stateDir);
        assert.equal(status, 1, what);
        assert.match(err, /^bpfman serve: the store .*\/store\.db is damaged: .*Put a copy of it back/, what);
        assert.equal(err.trimEnd().split("\n").length, 1, err);
        assert.deepEqual(fs.readFileSync(file), bytes, "it is left as it is");
        assert.deepEqual(lab.pins(), pins);
    }
    assert.deepEqual(await wire.ping(3, { intervalSeconds: 0.01 }).result, { sent: 3, received: 3 });
    fs.writeFileSync(file, copy);
    await lab.startDaemon();
    assert.deepEqual(await everything(lab), before);
});
