// SPDX-License-Identifier: Apache-2.0
// Sets applied to the real kernel: whole or not at all, once for each chain, without a lost packet.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cgroupRoot } from "../../daemon/kernel/hooks/cgroup.ts";
import type {
    ApplyBytecodeJson,
    ApplyLinkJson,
    ApplyProgramJson,
    ApplyRequestJson,
    ApplyResponseJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { refusal, tcxItem, u32, xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import { perCpuSum } from "../lab/maps.ts";
import type { Wire } from "../lab/namespaces.ts";
import { SequenceLog } from "../lab/sequence.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const code = (fixture: string, globals: Record<string, Buffer> = {}): ApplyBytecodeJson => ({
    name: fixture,
    object: fixtureObject(fixture).toString("base64"),
    sourcePath: `/fixtures/${fixture}.o`,
    globalData: Object.fromEntries(Object.entries(globals).map(([name, value]) => [name, value.toString("base64")])),
});
const program = (name: string, bytecode: string, type = "xdp"): ApplyProgramJson => ({
    name,
    bytecode,
    spec: { name, type },
});
const xdpLink = (wire: Wire, of: string, priority: number, proceedOn: number[] = []): ApplyLinkJson => {
    const { programId: _, ...hook } = xdpItem(wire, 0, priority, { proceedOn });
    return { name: of, attach: { programName: of, ...hook } };
};
const tcxLink = (wire: Wire, of: string, priority: number): ApplyLinkJson => {
    const { programId: _, ...hook } = tcxItem(wire, 0, priority);
    return { name: of, attach: { programName: of, ...hook } };
};
const sequence = (n: number) => `xdp_sequence_${n}`;

/** Programs n of the sequence fixture, at these priorities. */
function sequenceSet(wire: Wire, priorities: readonly [n: number, priority: number][]): ApplyRequestJson {
    return {
        set: "test",
        bytecode: [code("xdp_sequence")],
        programs: priorities.map(([n]) => program(sequence(n), "xdp_sequence")),
        links: priorities.map(([n, priority]) => xdpLink(wire, sequence(n), priority)),
    };
}

const words = ({ steps = [] }: ApplyResponseJson) =>
    steps.filter(({ action }) => action !== "keep").map(({ action, name }) => `${action} ${name}`);

const chain = async (lab: Lab, type = "xdp") => (await lab.client.listChains({ type })).chains?.[0];

/** Everything that an apply which fails must leave as it was. */
async function everything(lab: Lab): Promise<unknown> {
    const { programs } = await lab.client.listPrograms({});
    const { links } = await lab.client.listLinks({});
    const { chains } = await lab.client.listChains({});
    const pins = ["", "xdp", "tc-ingress", "links", "maps", "staging"].map(folder => lab.pins(folder).sort());
    return { programs, links, chains, pins };
}

suite("apply", () => {
    const labTest = sharedLab();

    labTest("MakesWhatIsListedAndASecondApplyChangesNothing", async lab => {
        const wire = lab.wire();
        const set = sequenceSet(wire, [
            [0, 30],
            [1, 10],
            [2, 20],
        ]);
        const dry = await lab.client.apply({ ...set, dryRun: true });
        assert.deepEqual(words(dry).length, 6);
        assert.deepEqual([dry.programs ?? [], (await lab.client.listPrograms({})).programs ?? []], [[], []]);
        const first = await lab.client.apply(set);
        assert.deepEqual(words(first), words(dry));
        assert.equal((await chain(lab))?.revision, 1, "three links are one rebuild");
        assert.deepEqual(
            (await chain(lab))?.members?.map(({ programName }) => programName),
            [1, 2, 0].map(sequence),
        );
        assert.deepEqual(
            first.programs?.map(({ record }) => record?.metadata),
            [0, 1, 2].map(n => ({ "bpfman.io/apply": "test", "bpfman.io/apply-name": sequence(n) })),
        );
        assert.deepEqual(
            first.steps?.map(({ id }) => id),
            [...(first.programs ?? []), ...(first.links ?? [])].map(({ id }) => id),
        );
        const before = await everything(lab);
        const second = await lab.client.apply(set);
        assert.deepEqual(words(second), []);
        assert.deepEqual(await everything(lab), before);
        assert.deepEqual(
            second.links?.map(({ id }) => id),
            first.links?.map(({ id }) => id),
        );
        lab.assertNoDescriptors();
        // programs of one object share its maps, one that comes later too
        const more = await lab.client.apply(
            sequenceSet(wire, [
                [0, 30],
                [1, 10],
                [2, 20],
                [3, 40],
            ]),
        );
        assert.deepEqual(words(more), [`load ${sequence(3)}`, `attach ${sequence(3)}`]);
        const log = new SequenceLog(more.programs?.[3]?.record?.mapPinPath ?? "");
        log.clear();
        await wire.ping(5, { intervalSeconds: 0.01 }).result;
        for (const ids of log.packets().values()) assert.deepEqual(ids, [1, 2, 0, 3]);
        assert.equal(log.packets().size, 5);
        const maps = more.programs?.map(({ kernel }) => kernel?.mapIds);
        assert.deepEqual(maps?.[3], maps?.[0]);
    });

    labTest("ChangesComesAndGoesInOneRebuild", async lab => {
        const wire = lab.wire();
        await lab.client.apply(
            sequenceSet(wire, [
                [0, 10],
                [1, 20],
                [2, 30],
            ]),
        );
        const ids = (await lab.client.listLinks({})).links?.map(({ id }) => id);
        const set = sequenceSet(wire, [
            [2, 5],
            [0, 10],
            [4, 7],
        ]);
        const changed = await lab.client.apply({
            ...set,
            links: [
                xdpLink(wire, sequence(2), 5),
                xdpLink(wire, sequence(0), 10, [2, 3]),
                xdpLink(wire, sequence(4), 7),
            ],
        });
        assert.deepEqual(words(changed), [
            `load ${sequence(4)}`,
            `update ${sequence(2)}`,
            `update ${sequence(0)}`,
            `attach ${sequence(4)}`,
            `detach ${sequence(1)}`,
            `unload ${sequence(1)}`,
        ]);
        const now = await chain(lab);
        assert.equal(now?.revision, 2);
        assert.deepEqual(
            now?.members?.map(({ programName, linkId }) => [programName, linkId]),
            [
                [sequence(2), ids?.[2]],
                [sequence(4), changed.links?.[2]?.id],
                [sequence(0), ids?.[0]],
            ],
        );
        assert.deepEqual(now?.members?.[2]?.proceedOn, [2, 3]);
        await wire.ping(2, { intervalSeconds: 0.01 }).result;
        // an empty set is the way to take all of it away
        assert.equal(words(await lab.client.apply({ set: "test" })).length, 6);
        assert.deepEqual(await chain(lab), undefined);
        assert.deepEqual((await lab.client.listPrograms({})).programs ?? [], []);
        lab.assertNoDescriptors();
    });

    labTest("AFailureInTheMiddleChangesNothing", async lab => {
        const wire = lab.wire();
        const set = sequenceSet(wire, [
            [0, 10],
            [1, 20],
        ]);
        await lab.client.apply(set);
        const before = await everything(lab);
        const refused: [string, ApplyRequestJson, RegExp][] = [
            [
                "the verifier refuses the second object",
                {
                    ...set,
                    bytecode: [code("xdp_sequence"), code("xdp_pass"), code("xdp_reject")],
                    programs: [
                        program(sequence(0), "xdp_sequence"),
                        program("xdp_pass", "xdp_pass"),
                        program("reject_null", "xdp_reject"),
                    ],
                    links: [xdpLink(wire, sequence(0), 99), xdpLink(wire, "xdp_pass", 1)],
                },
                /reject_null/,
            ],
            [
                "the interface of the last link is not there",
                {
                    ...set,
                    links: [
                        xdpLink(wire, sequence(0), 99),
                        { name: "x", attach: { programName: sequence(1), xdp: { interface: "nosuch", priority: 1 } } },
                    ],
                },
                /nosuch/,
            ],
        ];
        for (const [what, request, message] of refused) {
            assert.match((await refusal(lab.client.apply(request))).message, message, what);
            assert.deepEqual(await everything(lab), before, what);
        }
        // the change of one chain is made when the next one fails: eleven links do not fit, at the second interface
        const other = lab.wire();
        const eleven = Array.from({ length: 10 }, (_, n) => n);
        const many: ApplyRequestJson = {
            set: "test",
            bytecode: [code("xdp_sequence"), code("xdp_pass")],
            programs: [...eleven.map(n => program(sequence(n), "xdp_sequence")), program("xdp_pass", "xdp_pass")],
            links: [
                xdpLink(wire, sequence(1), 1),
                xdpLink(wire, sequence(0), 2),
                ...[...eleven.map(sequence), "xdp_pass"].map((name, i) => ({
                    ...xdpLink(other, name, i),
                    name: `other ${name}`,
                })),
            ],
        };
        assert.match((await refusal(lab.client.apply(many))).message, /all 10 occupied/);
        assert.deepEqual(await everything(lab), before, "what was swapped is swapped back");
        await wire.ping(2, { intervalSeconds: 0.01 }).result;
        lab.assertNoDescriptors();
    });

    labTest("ANewObjectTakesThePlaceOfTheOldAndLinksKeepTheirIds", async lab => {
        const wire = lab.wire();
        const set = (action: number): ApplyRequestJson => ({
            set: "test",
            bytecode: [code("xdp_count", { action: u32(action) }), code("tc_sequence")],
            programs: [program("xdp_count", "xdp_count"), program("tc_sequence_0", "tc_sequence", "tcx")],
            links: [xdpLink(wire, "xdp_count", 10), tcxLink(wire, "tc_sequence_0", 10)],
        });
        const first = await lab.client.apply(set(2));
        assert.equal((await wire.ping(2, { intervalSeconds: 0.01 }).result).received, 2);
        const second = await lab.client.apply(set(1));
        assert.deepEqual(words(second), ["replace xdp_count", "update xdp_count"]);
        assert.equal((await wire.ping(2, { intervalSeconds: 0.01, waitSeconds: 0.2 }).result).received, 0);
        assert.deepEqual(
            second.links?.map(({ id }) => id),
            first.links?.map(({ id }) => id),
        );
        assert.notEqual(second.programs?.[0]?.id, first.programs?.[0]?.id);
        assert.equal(second.programs?.[1]?.id, first.programs?.[1]?.id);
        const gone = await refusal(lab.client.getProgram(first.programs?.[0]?.id ?? 0));
        assert.match(gone.message, new RegExp(`was replaced by program ${second.programs?.[0]?.id}$`));
        // what its maps hold stays
        const counts = second.programs?.[0]?.record?.mapPinPath ?? "";
        assert.equal(perCpuSum(counts, "packets"), 4);
        // the same for TCX: the program is exchanged in its place
        const others = set(1);
        const third = await lab.client.apply({
            ...others,
            bytecode:
                others.bytecode?.map(one =>
                    one.name === "tc_sequence"
                        ? {
                              ...one,
                              object: Buffer.concat([fixtureObject("tc_sequence"), Buffer.alloc(8)]).toString("base64"),
                          }
                        : one,
                ) ?? [],
        });
        assert.deepEqual(words(third), ["replace tc_sequence_0", "update tc_sequence_0"]);
        assert.equal(third.links?.[1]?.kernelLinkId, first.links?.[1]?.kernelLinkId);
        assert.ok(third.links?.[1]?.pinPresent);
        await lab.client.apply(others);
        // a link of somebody else's keeps a program from being replaced
        const other = lab.wire();
        const [stranger] = await lab.attach(xdpItem(other, second.programs?.[0]?.id, 5));
        const before = await everything(lab);
        const error = await refusal(lab.client.apply(set(2)));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(error.message, new RegExp(`link ${stranger?.id} of it is not of this set`));
        assert.deepEqual(await everything(lab), before);
    });

    labTest("TwoSetsAndWhatNobodyAppliedShareAChain", async lab => {
        const wire = lab.wire();
        const [own] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        await lab.attach(xdpItem(wire, own?.id, 15));
        await lab.client.apply(sequenceSet(wire, [[0, 10]]));
        await lab.client.apply({ ...sequenceSet(wire, [[1, 20]]), set: "other" });
        const names = async () => (await chain(lab))?.members?.map(({ programName }) => programName);
        assert.deepEqual(await names(), [sequence(0), "xdp_pass", sequence(1)]);
        await lab.client.apply({ set: "test" });
        assert.deepEqual(await names(), ["xdp_pass", sequence(1)]);
        await lab.client.apply({ set: "other" });
        assert.deepEqual(await names(), ["xdp_pass"]);
        // what somebody took away comes back
        await lab.client.apply(sequenceSet(wire, [[0, 10]]));
        const { links = [] } = await lab.client.listLinks({});
        await lab.detach(links.find(({ programName }) => programName === sequence(0))?.id);
        assert.deepEqual(words(await lab.client.apply(sequenceSet(wire, [[0, 10]]))), [`attach ${sequence(0)}`]);
    });

    labTest("AFloodLosesNothingWhileSetsReorder", async lab => {
        const wire = lab.wire();
        const all = [0, 1, 2, 3, 4];
        const orders = [
            [0, 1, 2, 3, 4],
            [4, 3, 2, 1, 0],
            [2, 0, 1],
            [0, 4, 1, 2, 3],
        ];
        const apply = (order: number[]) =>
            lab.client.apply(
                sequenceSet(
                    wire,
                    order.map((n, at) => [n, 10 * (at + 1)]),
                ),
            );
        const { programs } = await apply(all);
        const log = new SequenceLog(programs?.[0]?.record?.mapPinPath ?? "");
        log.clear();
        const count = 1200;
        const flood = wire.ping(count, { intervalSeconds: 0.001 });
        let applies = 0;
        while (flood.running) await apply(orders[++applies % orders.length]!);
        assert.deepEqual(await flood.result, { sent: count, received: count });
        assert.ok(applies >= 4, `${applies} applies`);
        const packets = log.packets();
        assert.equal(packets.size, count);
        const allowed = new Set(orders.map(String));
        for (const [packet, ids] of packets) assert.ok(allowed.has(String(ids)), `packet ${packet} saw ${ids}`);
        lab.assertNoDescriptors();
    });

    labTest("TcxLinksMoveToTheOrderOfTheFileAndAreNeverMissing", async lab => {
        const wire = lab.wire();
        const next = Buffer.alloc(40);
        for (let n = 0; n < 10; n++) next.writeInt32LE(-1, 4 * n);
        const set = (order: number[]): ApplyRequestJson => ({
            set: "test",
            bytecode: [code("tc_sequence", { actions: next })],
            programs: order.map(n => program(`tc_sequence_${n}`, "tc_sequence", "tcx")),
            links: order.map(n => tcxLink(wire, `tc_sequence_${n}`, 50)),
        });
        const { programs } = await lab.client.apply(set([0, 1, 2]));
        const log = new SequenceLog(programs?.[0]?.record?.mapPinPath ?? "");
        const seen = async () => {
            log.clear();
            await wire.ping(1, { waitSeconds: 0.5 }).result;
            return [...log.packets()].find(([packet]) => packet !== 0)?.[1];
        };
        assert.deepEqual(await seen(), [0, 1, 2]);
        const count = 500;
        log.clear();
        const flood = wire.ping(count, { intervalSeconds: 0.001 });
        let applies = 0;
        while (flood.running) await lab.client.apply(set(++applies % 2 === 0 ? [0, 1, 2] : [2, 1, 0]));
        assert.deepEqual(await flood.result, { sent: count, received: count });
        const packets = log.packets();
        packets.delete(0);
        assert.equal(packets.size, count);
        for (const [packet, ids] of packets)
            for (const n of [0, 1, 2]) assert.ok(ids.includes(n), `packet ${packet} missed ${n}: ${ids}`);
        for (const order of [
            [2, 0, 1],
            [1, 2, 0],
            [1, 0],
            [1, 3, 0, 2],
        ]) {
            await lab.client.apply(set(order));
            assert.deepEqual(await seen(), order);
            assert.deepEqual(words(await lab.client.apply(set(order))), []);
        }
    });

    labTest("ADaemonKilledInTheMiddleHasTheOldSetOrTheNew", async lab => {
        const wire = lab.wire();
        const next = Buffer.alloc(40);
        for (let n = 0; n < 10; n++) next.writeInt32LE(-1, 4 * n);
        const set = (order: number[]): ApplyRequestJson => ({
            set: "test",
            bytecode: [code("xdp_sequence"), code("tc_sequence", { actions: next })],
            programs: [
                ...order.map(n => program(sequence(n), "xdp_sequence")),
                ...order.map(n => program(`tc_sequence_${n}`, "tc_sequence", "tcx")),
            ],
            links: [
                ...order.map(n => xdpLink(wire, sequence(n), 50)),
                ...order.map(n => tcxLink(wire, `tc_sequence_${n}`, 50)),
            ],
        });
        const orders = [
            [0, 1, 2],
            [2, 3, 0],
        ];
        const runs = async (): Promise<string> => {
            const { interfaces = [] } = await lab.client.listInterfaces();
            const { chains = [] } = interfaces.find(({ name }) => name === wire.interface) ?? {};
            const of = (type: string) => chains.find(one => one.type === type)?.members ?? [];
            const numbers = (type: string) =>
                of(type)
                    .map(({ programName = "" }) => programName.at(-1))
                    .join();
            assert.equal(numbers("xdp"), numbers("tcx-ingress"), "one transaction");
            return numbers("xdp");
        };
        await lab.client.apply(set(orders[0]!));
        const outcomes = new Set<string>();
        let longestMs = 0;
        for (let round = 0; round < 6; round++) {
            const [old, wanted] = [orders[round % 2]!, orders[(round + 1) % 2]!];
            const started = performance.now();
            const applied = lab.client.apply(set(wanted)).then(
                () => true,
                () => false,
            );
            // later and later, up to and past the end
            if (round > 0) {
                const killed = sleep((longestMs * round) / 5).then(() => lab.stopDaemon("SIGKILL"));
                await applied;
                await killed;
                await lab.startDaemon();
            } else assert.ok(await applied);
            longestMs = Math.max(longestMs, performance.now() - started);
            const now = await runs();
            assert.ok([String(old), String(wanted)].includes(now), `${now} after a kill between ${old} and ${wanted}`);
            outcomes.add(now === String(old) ? "old" : "new");
            const { links = [] } = await lab.client.listLinks({});
            for (const link of links) assert.ok(link.kernelSeen && link.pinPresent, `link ${link.id}`);
            assert.equal(lab.pins("links").length, 3, "no pin of half a change is left");
            await lab.client.apply(set(wanted));
            assert.equal(await runs(), String(wanted));
        }
        assert.deepEqual(outcomes, new Set(["new", "old"]));
        await wire.ping(2, { intervalSeconds: 0.01 }).result;
    });

    labTest("HooksThatAreNoChainsAreMadeBeforeTheOldOnesGo", async lab => {
        const root = cgroupRoot();
        assert.ok(root !== undefined, "a cgroup2 file system is mounted");
        const group = path.join(root, `apply-test-${process.pid}`);
        mkdirSync(group);
        try {
            const names = ["on_sample", "on_cgroup_skb"];
            const set = (object: Buffer, cpu: number): ApplyRequestJson => ({
                set: "test",
                bytecode: [{ ...code("hooks"), object: object.toString("base64") }],
                programs: [program("on_sample", "hooks", "perf_event"), program("on_cgroup_skb", "hooks", "cgroup")],
                links: [
                    {
                        name: "samples",
                        attach: { programName: "on_sample", perfEvent: { event: "cpu-clock", frequencyHz: 50, cpu } },
                    },
                    { name: "group", attach: { programName: "on_cgroup_skb", cgroup: { path: path.basename(group) } } },
                ],
            });
            const object = fixtureObject("hooks");
            const first = await lab.client.apply(set(object, 0));
            assert.deepEqual(words(first), [...names.map(name => `load ${name}`), "attach samples", "attach group"]);
            assert.deepEqual(
                first.links?.map(({ kernelSeen }) => kernelSeen),
                [true, true],
            );
            const before = await everything(lab);
            assert.deepEqual(words(await lab.client.apply(set(object, 0))), []);
            assert.deepEqual(await everything(lab), before);
            // other bytes, the same programs: each link keeps its id and has a new one in the kernel
            const other = Buffer.concat([object, Buffer.alloc(8)]);
            const second = await lab.client.apply(set(other, 0));
            assert.deepEqual(words(second), [
                ...names.map(name => `replace ${name}`),
                "update samples",
                "update group",
            ]);
            for (const [at, link] of (second.links ?? []).entries()) {
                assert.equal(link.id, first.links?.[at]?.id);
                assert.notEqual(link.kernelLinkId, first.links?.[at]?.kernelLinkId);
                assert.ok(link.kernelSeen && link.pinPresent);
            }
            assert.equal(lab.pins("links").length, 2);
            // another place is another link
            const third = await lab.client.apply({ ...set(other, 0), links: set(other, 0).links?.slice(1) ?? [] });
            assert.deepEqual(words(third), ["detach samples"]);
            assert.equal(lab.pins("links").length, 1);
            const nowhere = {
                ...set(other, 0),
                links: [
                    ...(set(other, 0).links ?? []),
                    { name: "x", attach: { programName: "on_cgroup_skb", cgroup: { path: "/no/such/group" } } },
                ],
            };
            const unchanged = await everything(lab);
            assert.match((await refusal(lab.client.apply(nowhere))).message, /no\/such\/group/);
            assert.deepEqual(await everything(lab), unchanged);
            lab.assertNoDescriptors();
            await lab.client.apply({ set: "test" });
            assert.deepEqual(lab.pins("links"), []);
        } finally {
            rmdirSync(group);
        }
    });

    labTest("TheCommandReadsYamlAndJson", async lab => {
        const wire = lab.wire();
        const dir = mkdtempSync(path.join(tmpdir(), "apply-"));
        try {
            writeFileSync(path.join(dir, "pass.o"), fixtureObject("xdp_pass"));
            const file = path.join(dir, "set.yaml");
            writeFileSync(
                file,
                `
set: web
bytecode:
  - file: pass.o
programs:
  - function: xdp_pass
    type: xdp
    application: web
links:
  - xdp: {interface: ${wire.interface}, netns: ${wire.netns}, priority: 50, proceed_on: [pass, drop]}
`,
            );
            const bpfman = (...args: string[]) =>
                new Promise<{ status: number; out: string; err: string }>(resolve => {
                    const all = [main, "--socket-path", lab.socketPath, ...args];
                    execFile(process.execPath, all, { cwd: "/", env: {}, encoding: "utf8" }, (error, out, err) =>
                        resolve({ status: Number(error?.code ?? 0), out, err }),
                    );
                });
            const dry = await bpfman("apply", "-f", file, "--dry-run");
            assert.equal(dry.err, "");
            assert.match(
                dry.out,
                /^ACTION +KIND +ID +NAME +DETAIL\nLOAD +program +- +xdp_pass +xdp xdp_pass of pass\n/,
            );
            assert.match(dry.out, /\n2 changes, 0 unchanged; nothing was done \(--dry-run\)\n$/);
            const done = JSON.parse((await bpfman("apply", "-f", file, "-o", "json")).out);
            assert.deepEqual(Object.keys(done), ["set", "dry_run", "steps", "programs", "links"]);
            assert.deepEqual(done.links[0].record.details.proceed_on, [1, 2]);
            assert.equal(done.programs[0].record.meta.metadata["bpfman.io/application"], "web");
            assert.equal((await bpfman("apply", "-f", file)).out, "0 changes, 2 unchanged\n");
            const json = path.join(dir, "empty.json");
            writeFileSync(json, '{"set": "web"}');
            assert.match(
                (await bpfman("apply", "-f", json)).out,
                /^ACTION[\s\S]*DETACH[\s\S]*UNLOAD[\s\S]*2 changes, 0 unchanged\n$/,
            );
            writeFileSync(file, "set: web\nlinks:\n  - xpd: {}\n");
            const wrong = await bpfman("apply", "-f", file);
            assert.deepEqual(wrong, {
                status: 1,
                out: "",
                err: `bpfman: error: ${file}: links[0] has an unknown key "xpd"; did you mean xdp?\n`,
            });
            writeFileSync(file, "set: web\nlinks: [\n");
            assert.match((await bpfman("apply", "-f", file)).err, /set\.yaml: line 3, column 1: /);
        } finally {
            rmSync(dir, { recursive: true });
        }
    });
});
