// SPDX-License-Identifier: Apache-2.0
// One XDP chain of this daemon's links and of programs that xdp-loader and xdp-filter put there, with real packets.
// Needs a kernel with freplace, as libxdp itself does.
import assert from "node:assert/strict";
import { existsSync, type FSWatcher, mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { AttachItemJson, ChainJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { Foreign } from "../lab/foreign.ts";
import { refusal, u32, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { assertNothingLeft, type Snapshot, snapshot } from "../lab/leaks.ts";
import type { Wire } from "../lab/namespaces.ts";
import { lacks } from "../lab/needs.ts";
import { SequenceLog } from "../lab/sequence.ts";
import { fetchTools, type XdpTools } from "../vm/xdp-tools.ts";

const noFreplace = lacks("program/ext");
const pinFolder = "/sys/fs/bpf/xdp";
const ten = Array.from({ length: 10 }, (_, i) => `xdp:xdp_sequence_${i}`);

const disposable = (watcher: FSWatcher): Disposable => ({ [Symbol.dispose]: () => watcher.close() });

interface Row {
    readonly priority: number;
    readonly name: string;
    readonly id: number;
}

/** The members as `xdp-loader status` lists them; the dispatcher's own line has no arrow. */
function status(tools: XdpTools, netns: string, device: string): Row[] {
    const lines = tools.run(netns, "xdp-loader", "status", device).split("\n");
    return lines.flatMap(line => {
        const match = /^\s*=>\s+(\d+)\s+(\S+)\s+(\d+)\s/.exec(line);
        return match === null ? [] : [{ priority: Number(match[1]), name: match[2] ?? "", id: Number(match[3]) }];
    });
}

// where the suite is skipped, nothing is fetched
const versions = noFreplace === false ? fetchTools() : [undefined];
// XDP_TOOLS: the work is done with those of one suite; the others only make a chain that is joined
const only = process.env["XDP_TOOLS"];
for (const tools of versions.filter(one => only === undefined || one?.suite === only))
    suite(`chains that are shared with ${tools?.name ?? "libxdp"}`, { skip: noFreplace }, () => {
        if (tools !== undefined)
            sharedChains(tools, versions.find(other => other !== undefined && other !== tools) ?? tools);
    });

/** tools: those that are installed as far as the daemon knows, and do the work; others: of the other version. */
function sharedChains(tools: XdpTools, others: XdpTools): void {
    let dir = "";
    let lab: Lab;
    let started: Snapshot;
    let pinned: readonly string[] = [];
    const allPins = () => (existsSync(pinFolder) ? readdirSync(pinFolder) : []);
    const freshPins = () => allPins().filter(name => !pinned.includes(name));
    before(async () => {
        dir = mkdtempSync(join(tmpdir(), "bpfman-libxdp-"));
        // the receiver's interface is shared, the sender's is not
        writeFileSync(join(dir, "bpfman.toml"), "[interfaces.veth1]\nshared = true\n");
        for (const name of ["xdp_pass", "xdp_drop"]) writeFileSync(join(dir, `${name}.o`), fixtureObject(name));
        // libxdp's own variable: the daemon writes dispatchers of the version that it finds there
        const environment = tools.objects === undefined ? {} : { LIBXDP_OBJECT_PATH: tools.objects };
        lab = await Lab.start(["--config", join(dir, "bpfman.toml")], environment);
        started = snapshot();
        pinned = allPins();
    });
    after(async () => {
        await lab?.[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true, force: true });
    });

    const labTest = (name: string, work: () => Promise<void>): void => {
        test(name, async () => {
            try {
                await work();
            } catch (error) {
                // what the other tools left would make the tests after this one fail too
                for (const name of freshPins()) rmSync(join(pinFolder, name), { recursive: true });
                throw error;
            } finally {
                await lab.clean();
            }
            await assertNothingLeft(started);
            assert.deepEqual(freshPins(), [], "libxdp's pins");
        });
    };

    const object = (name: string) => join(dir, `${name}.o`);
    const item = (wire: Wire, id: number | undefined, priority: number, proceedOn: number[] = []) =>
        xdpItem(wire, id, priority, { proceedOn });
    const senderItem = (wire: Wire, id: number | undefined, priority: number): AttachItemJson => ({
        programId: id ?? 0,
        xdp: { interface: "veth0", netns: wire.sender, priority, proceedOn: [], mode: "auto" },
    });
    const chains = async (): Promise<ChainJson[]> => (await lab.client.listChains({})).chains ?? [];

    /** The order as this daemon tells it, which must be the tool's. */
    async function assertSameOrder(tools: XdpTools, netns: string, device: string): Promise<string[]> {
        const chain = (await chains()).find(one => one.interface === device);
        assert.equal(chain?.backend, "libxdp");
        const members = chain?.members ?? [];
        const ours = members.map(({ priority = 0, programName }) => `${priority} ${programName}`);
        const theirs = status(tools, netns, device).map(({ priority, name }) => `${priority} ${name}`);
        assert.deepEqual(ours, theirs);
        assert.deepEqual(
            members.filter(({ foreign }) => foreign).map(({ programName }) => programName),
            members.filter(({ linkId }) => !linkId).map(({ programName }) => programName),
        );
        return ours;
    }

    async function assertPings(wire: Wire, expected: number): Promise<void> {
        const { received } = await wire.ping(3, { intervalSeconds: 0.01, waitSeconds: 0.3 }).result;
        assert.equal(received, expected);
    }

    // found version kept, whatever is installed
    labTest(`WeJoinAChainThatWasThereFirst (of ${others.name}, version ${others.dispatcherVersion})`, async () => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 2));
        const log = new SequenceLog(programs[0]?.record?.mapPinPath ?? "");
        const loader = (...args: string[]) => others.run(wire.sender, "xdp-loader", ...args);
        loader("load", "-P", "30", "-n", "xdp_pass", "veth0", object("xdp_pass"));
        const [foreignId] = status(others, wire.sender, "veth0").map(({ id }) => id);
        const links = await lab.attach(...programs.map(({ id }, i) => senderItem(wire, id, [50, 10][i] ?? 0)));
        const order = ["10 xdp_sequence_1", "30 xdp_pass", "50 xdp_sequence_0"];
        assert.deepEqual(await assertSameOrder(others, wire.sender, "veth0"), order);
        const [chain] = await chains();
        assert.equal(chain?.members?.[1]?.programId, foreignId, "it was not loaded again");
        assert.match(chain?.backendReason ?? "", new RegExp(`version ${others.dispatcherVersion}$`));
        assert.deepEqual(chain?.members?.[1]?.proceedOn, [2]);
        log.clear();
        await assertPings(wire, 3);
        for (const ids of log.packets().values()) assert.deepEqual(ids, [1, 0]);

        // theirs goes and another comes: ours stay
        loader("unload", "-i", `${foreignId}`, "veth0");
        log.clear();
        await assertPings(wire, 3);
        for (const ids of log.packets().values()) assert.deepEqual(ids, [1, 0]);
        loader("load", "-P", "5", "-n", "xdp_drop", "veth0", object("xdp_drop"));
        await assertPings(wire, 0);
        // our changes keep it in its place
        await lab.client.updateLink({ linkId: links[0]?.id ?? 0, priority: 1 });
        const now = ["1 xdp_sequence_0", "5 xdp_drop", "10 xdp_sequence_1"];
        assert.deepEqual(await assertSameOrder(others, wire.sender, "veth0"), now);
        // all of ours go: theirs still drops
        await lab.detach(...links.map(({ id }) => id));
        assert.deepEqual(await chains(), []);
        await assertPings(wire, 0);
        loader("unload", "-a", "veth0");
        await assertPings(wire, 3);
    });

    labTest("OthersJoinAChainOfOursThatIsShared", async () => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 2));
        const [first, second] = await lab.attach(...programs.map(({ id }, i) => item(wire, id, 20 * (i + 1))));
        assert.equal((await chains())[0]?.backend, "libxdp", "also without any other program");
        const link = await lab.client.getLink(first?.id ?? 0);
        assert.equal(link?.kernelSeen, true);
        assert.match(link?.pinPath ?? "", /^\/sys\/fs\/bpf\/xdp\/dispatch-\d+-\d+\/prog0-link$/);
        await assertSameOrder(tools, wire.netns, "veth1");
        const loader = (...args: string[]) => tools.run(wire.netns, "xdp-loader", ...args);
        loader("load", "-P", "30", "-n", "xdp_pass", "veth1", object("xdp_pass"));
        const order = ["20 xdp_sequence_0", "30 xdp_pass", "40 xdp_sequence_1"];
        assert.deepEqual(await assertSameOrder(tools, wire.netns, "veth1"), order);
        const log = new SequenceLog(programs[0]?.record?.mapPinPath ?? "");
        log.clear();
        await assertPings(wire, 3);
        for (const ids of log.packets().values()) assert.deepEqual(ids, [0, 1]);
        // another tool takes a member of ours away
        const [taken] = status(tools, wire.netns, "veth1");
        loader("unload", "-i", `${taken?.id}`, "veth1");
        const gone = await refusal(lab.client.getLink(first?.id ?? 0));
        assert.equal(gone.code, "NOT_FOUND");
        await lab.client.updateLink({ linkId: second?.id ?? 0, priority: 10 });
        assert.deepEqual(await assertSameOrder(tools, wire.netns, "veth1"), ["10 xdp_sequence_1", "30 xdp_pass"]);
        const { links = [] } = await lab.client.listLinks({});
        assert.deepEqual(
            links.map(({ id }) => id),
            [second?.id],
        );
        await lab.detach(second?.id);
        loader("unload", "-a", "veth1");
    });

    labTest("AKilledDaemonLeavesTheOldChainOrTheNewOne", async () => {
        const wire = lab.wire();
        tools.run(wire.netns, "xdp-loader", "load", "-P", "30", "-n", "xdp_pass", "veth1", object("xdp_pass"));
        const [program] = await lab.load("xdp_sequence", ten.slice(0, 1));
        // with the first change of libxdp's folder the next dispatcher is on its way, with the second the old one goes
        const [link] = await lab.attach(item(wire, program?.id, 20));
        for (const [killAt, old, next] of [
            [1, 20, 40],
            [2, 40, 10],
        ] as const) {
            await lab.client.updateLink({ linkId: link?.id ?? 0, priority: old });
            let events = 0;
            using watcher = disposable(
                watch(pinFolder, () => {
                    if (++events === killAt) process.kill(lab.pid, "SIGKILL");
                }),
            );
            void watcher;
            const change = lab.client.updateLink({ linkId: link?.id ?? 0, priority: next });
            await Promise.allSettled([change]);
            assert.ok(events >= killAt, "it was killed");
            await lab.stopDaemon("SIGKILL");
            await lab.startDaemon();
            const order = await assertSameOrder(tools, wire.netns, "veth1");
            const at = (priority: number) => `${priority} xdp_sequence_0`;
            assert.ok([old, next].some(one => order.includes(at(one))) && order.includes("30 xdp_pass"), order.join());
            assert.equal(order.length, 2);
            const [row] = (await lab.client.listLinks({})).links ?? [];
            assert.equal(
                `${row?.priority} xdp_sequence_0`,
                order.find(name => name.endsWith("_0")),
            );
            assert.equal(freshPins().length, 1, `pins of one dispatcher: ${freshPins().join()}`);
            await assertPings(wire, 3);
        }
        await lab.detach(link?.id);
        tools.run(wire.netns, "xdp-loader", "unload", "-a", "veth1");
    });

    labTest("XdpFilterWorksOnASharedChain", async () => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 1));
        const log = new SequenceLog(programs[0]?.record?.mapPinPath ?? "");
        const [link] = await lab.attach(item(wire, programs[0]?.id, 90));
        const filter = (...args: string[]) => tools.run(wire.netns, "xdp-filter", ...args);
        filter("load", "-f", "ipv4", "veth1");
        await assertPings(wire, 3);
        filter("ip", "10.99.0.1", "-m", "src");
        log.clear();
        await assertPings(wire, 0);
        assert.equal(log.count(), 0, "the filter comes first");
        filter("unload", "veth1");
        await assertPings(wire, 3);
        assert.deepEqual(await assertSameOrder(tools, wire.netns, "veth1"), ["90 xdp_sequence_0"]);
        await lab.detach(link?.id);
    });

    labTest("AFloodLosesNothingWhileEitherSideComesAndGoes", async () => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 2));
        const log = new SequenceLog(programs[0]?.record?.mapPinPath ?? "");
        const [stays] = await lab.attach(item(wire, programs[0]?.id, 50));
        log.clear();
        const loader = (...args: string[]) => tools.run(wire.netns, "xdp-loader", ...args);
        const flood = wire.ping(1_000_000, { intervalSeconds: 0.001 });
        try {
            for (let round = 0; round < 2; round++) {
                loader("load", "-P", "40", "-n", "xdp_pass", "veth1", object("xdp_pass"));
                const [link] = await lab.attach(item(wire, programs[1]?.id, 10 + 80 * round));
                const pass = (await chains())[0]?.members?.find(({ foreign }) => foreign);
                loader("unload", "-i", `${pass?.programId}`, "veth1");
                await lab.detach(link?.id);
            }
        } finally {
            flood.stop();
        }
        const { sent, received } = await flood.result;
        assert.ok(sent > 100, `${sent} packets were sent`);
        // the one that was on its way when the sender stopped
        assert.ok(sent - received <= 1, `${received} of ${sent} came back`);
        const seen = log.packets();
        assert.ok(seen.size >= received);
        for (const ids of seen.values()) assert.equal(ids.filter(id => id === 0).length, 1, "once each");
        await lab.detach(stays?.id);
    });

    labTest("OneOrderWithTiesProceedOnAndTenSlots", async () => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ten.slice(0, 2));
        const [dropper] = await lab.load("xdp_sequence", ["xdp:xdp_sequence"], {
            globals: { id: u32(99), action: u32(1) },
        });
        tools.run(wire.netns, "xdp-loader", "load", "-P", "50", "-n", "xdp_pass", "veth1", object("xdp_pass"));
        const [first, second] = programs.map(({ id }) => id);
        await lab.attach(
            item(wire, dropper?.id, 1, [1]),
            // by name at equal priority, ours and theirs; one program several times
            ...[second, first].map(id => item(wire, id, 50)),
            ...[10, 20, 30, 40, 60, 70].map(priority => item(wire, first, priority)),
        );
        const order = await assertSameOrder(tools, wire.netns, "veth1");
        const expected = [10, 20, 30, 40, 50].map(priority => `${priority} xdp_sequence_0`);
        expected.splice(4, 0, "50 xdp_pass");
        expected.push("50 xdp_sequence_1", "60 xdp_sequence_0", "70 xdp_sequence_0");
        assert.deepEqual(order, ["1 xdp_sequence", ...expected]);
        await assertPings(wire, 3);
        const before = await chains();
        const error = await refusal(lab.attach(item(wire, second, 5)));
        assert.equal(error.code, "RESOURCE_EXHAUSTED");
        assert.deepEqual(await chains(), before);
        // everything of ours and of theirs, by their tool
        tools.run(wire.netns, "xdp-loader", "unload", "-a", "veth1");
        assert.deepEqual((await lab.client.listLinks({})).links?.filter(({ kernelSeen }) => kernelSeen) ?? [], []);
    });

    labTest("WithoutSharedEachSideRefusesTheOther", async () => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const [link] = await lab.attach(senderItem(wire, program?.id, 10));
        const theirs =
            /not using a dispatcher, can't replace; unload first\n.*attach XDP program on iface 'veth0': Device or resource busy\(-16\)/;
        const load = () => tools.run(wire.sender, "xdp-loader", "load", "veth0", object("xdp_pass"));
        assert.throws(load, theirs);
        assert.equal((await chains())[0]?.backend, "direct");
        // a chain of ours is no dispatcher to them, and carries our name
        const [second] = await lab.attach(senderItem(wire, program?.id, 20));
        assert.throws(load, theirs);
        assert.match(tools.run(wire.sender, "xdp-loader", "status", "veth0"), /^veth0 .* bpfman_xdp /m);
        const [unshared] = await chains();
        assert.deepEqual([unshared?.backend, unshared?.members?.length], ["freplace", 2]);
        await assertPings(wire, 3);
        await lab.detach(link?.id, second?.id);
        // on the shared one a program that is no dispatcher is in the way
        using foreign = new Foreign("xdp_pass", "xdp");
        await foreign.attach(wire, "xdp");
        const error = await refusal(lab.attach(item(wire, program?.id, 10)));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(error.message, new RegExp(`program ${foreign.program.id} xdp_pass, native.*no dispatcher`));
        foreign.assertUntouched();
        assert.deepEqual(await chains(), []);
    });

    labTest("ANamespaceThatGoesTakesItsChainAndItsPinsAlong", async () => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(item(wire, program?.id, 10));
        assert.equal(freshPins().length, 1);
        wire.deleteReceiver();
        const other = lab.wire();
        await lab.attach(item(other, program?.id, 10));
        assert.equal((await lab.client.listLinks({})).links?.length, 1);
        assert.equal(freshPins().length, 1, "the old dispatcher's pins are gone");
        await assertPings(other, 3);
    });
}

const withoutFreplace = async (): Promise<void> => {
    const dir = mkdtempSync(join(tmpdir(), "bpfman-libxdp-"));
    try {
        writeFileSync(join(dir, "bpfman.toml"), "[interfaces.veth1]\nshared = true\n");
        await using lab = await Lab.start(["--config", join(dir, "bpfman.toml")]);
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const error = await refusal(lab.attach(xdpItem(wire, program?.id, 10)));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(error.message, /xdp veth1 cannot share its chain with libxdp: this kernel refuses freplace/);
        assert.deepEqual((await lab.client.listChains({})).chains ?? [], []);
    } finally {
        rmSync(dir, { recursive: true });
    }
};
if (noFreplace !== false)
    test("where the kernel refuses freplace, a link on a shared interface is refused and told why", withoutFreplace);
