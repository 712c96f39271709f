// SPDX-License-Identifier: Apache-2.0
// A client that knows the public contract alone, of either line, drives the daemon through every call with every type of
// program: loaded, attached, seen to run, listed, got, detached, unloaded. And thirty-two of them at once.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { suite } from "node:test";
import { fixtureObject } from "../fixtures/objects.ts";
import { type Answer, type Contract, ContractClient, methods } from "../lab/contract-client.ts";
import { refusedCall } from "../lab/grpc-client.ts";
import type { Lab } from "../lab/lab.ts";
import { perCpuSum } from "../lab/maps.ts";
import type { Wire } from "../lab/namespaces.ts";
import { lacks } from "../lab/needs.ts";
import { Probed } from "../lab/probed.ts";
import { sharedLab } from "../lab/shared-lab.ts";

interface Case {
    /** for a message of the test */
    readonly what: string;
    readonly type: string;
    readonly fixture: string;
    readonly program: string;
    /** enum bpf_prog_type of include/uapi/linux/bpf.h */
    readonly kernelType: number;
    readonly loadInfo?: object;
    readonly attach: (wire: Wire, metadata: object) => object;
    /** makes the program run, where it counts in `hits` */
    readonly runs?: { readonly counter: number; readonly trigger: (lab: Lab, probed: Probed) => unknown };
    /** of the kernel, by the names of `bpfman features` */
    readonly needs: readonly string[];
    /** what the daemon answers where the kernel lacks them, and to which call */
    readonly without?: { readonly at: "load" | "attach"; readonly code: RegExp };
    readonly lines: readonly Contract[];
}

const both: readonly Contract[] = ["released", "newest"];
const probedProgram = path.resolve(import.meta.dirname, "../../dist/test/probed");

const unlink = (lab: Lab) => {
    const file = path.join(lab.dir, "unlinked");
    fs.writeFileSync(file, "");
    fs.unlinkSync(file);
};
const step = (_: Lab, probed: Probed) => probed.step();
const hooks = { fixture: "hooks", lines: both } as const;
const network = { needs: [], lines: both } as const;

const trampolines = { at: "load", code: /^(UNIMPLEMENTED|FAILED_PRECONDITION)$/ } as const;
const noKprobes = { at: "attach", code: /^UNIMPLEMENTED$/ } as const;

const cases: readonly Case[] = [
    {
        ...network,
        ...{ what: "xdp", type: "XDP", fixture: "xdp_pass", program: "xdp_pass", kernelType: 6 },
        attach: (wire, metadata) => ({
            xdpAttachInfo: {
                ...{ priority: 50, iface: wire.interface, netns: wire.netns, metadata },
                proceedOn: [2, 31],
            },
        }),
    },
    {
        ...network,
        ...{ what: "tc", type: "TC", fixture: "tc_sequence", program: "tc_sequence_0", kernelType: 3 },
        attach: (wire, metadata) => ({
            tcAttachInfo: {
                ...{ priority: 50, iface: wire.interface, netns: wire.netns, metadata },
                ...{ direction: "egress", proceedOn: [3, 30] },
            },
        }),
    },
    {
        ...network,
        ...{ what: "tcx", type: "TCX", fixture: "tc_sequence", program: "tc_sequence_1", kernelType: 3 },
        needs: ["link/tcx"],
        attach: (wire, metadata) => ({
            tcxAttachInfo: { priority: 50, iface: wire.interface, netns: wire.netns, direction: "ingress", metadata },
        }),
    },
    {
        ...hooks,
        ...{ what: "tracepoint", type: "TRACEPOINT", program: "on_tracepoint", kernelType: 5, needs: [] },
        attach: (_, metadata) => ({
            tracepointAttachInfo: { tracepoint: "sched/sched_process_exec", metadata },
        }),
        runs: { counter: 0, trigger: () => execFileSync("true") },
    },
    ...(["on_kprobe", "on_kretprobe"] as const).map(
        (program, at): Case => ({
            ...hooks,
            ...{ what: program.slice(3), type: "KPROBE", program, kernelType: 2, needs: ["event/kprobe"] },
            attach: (_, metadata) => ({ kprobeAttachInfo: { fnName: "vfs_unlink", offset: 0, metadata } }),
            runs: { counter: 1 + at, trigger: unlink },
            without: noKprobes,
        }),
    ),
    ...(["on_uprobe", "on_uretprobe"] as const).map(
        (program, at): Case => ({
            ...hooks,
            ...{ what: program.slice(3), type: "UPROBE", program, kernelType: 2, needs: ["event/uprobe"] },
            attach: (_, metadata) => ({
                uprobeAttachInfo: { fnName: "main.(*Server).Handle", target: probedProgram, offset: 0, metadata },
            }),
            runs: { counter: 3 + at, trigger: step },
        }),
    ),
    ...(["fentry", "fexit"] as const).map(
        (kind, at): Case => ({
            ...hooks,
            ...{ what: kind, type: kind.toUpperCase(), program: `on_${kind}`, kernelType: 26 },
            needs: [`program/${kind}`],
            loadInfo: { [`${kind}LoadInfo`]: { fnName: "vfs_unlink" } },
            attach: (_, metadata) => ({ [`${kind}AttachInfo`]: { metadata } }),
            runs: { counter: 5 + at, trigger: unlink },
            without: trampolines,
        }),
    ),
    {
        ...hooks,
        ...{ what: "lsm", type: "LSM", program: "on_lsm", kernelType: 29, needs: ["program/lsm", "lsm/bpf"] },
        loadInfo: { lsmLoadInfo: { hookName: "inode_unlink" } },
        attach: (_, metadata) => ({ lsmAttachInfo: { metadata } }),
        runs: { counter: 7, trigger: unlink },
        without: trampolines,
        lines: ["newest"],
    },
];

interface Result {
    readonly info: Answer | null;
    readonly kernelInfo: Answer;
}

function object(lab: Lab, name: string): string {
    const file = path.join(lab.dir, `${name}.o`);
    if (!fs.existsSync(file)) fs.writeFileSync(file, fixtureObject(name));
    return file;
}

function loadRequest(lab: Lab, { type, fixture, program, loadInfo }: Case, metadata: object): object {
    return {
        bytecode: { file: object(lab, fixture) },
        metadata,
        uuid: "",
        info: [{ name: program, programType: type, ...(loadInfo && { info: loadInfo }) }],
    };
}

const results = (answer: Answer): Result[] => (answer["results"] ?? answer["programs"]) as Result[];

async function drive(lab: Lab, client: ContractClient, one: Case, wire: Wire, probed: Probed): Promise<void> {
    const { kernelType, program, runs } = one;
    const metadata = { "bpfman.io/ProgramName": one.what, owner: "contract" };
    const [loaded] = results(await client.call("Load", loadRequest(lab, one, metadata)));
    assert.ok(loaded?.info);
    const { id } = loaded.kernelInfo as { id: number };
    assert.equal(loaded.info["name"], program);
    assert.equal(loaded.kernelInfo["programType"], kernelType);
    assert.deepEqual(loaded.info["metadata"], metadata);

    const fires = async () => {
        if (runs === undefined) return;
        const count = () => perCpuSum(String(loaded.info?.["mapPinPath"]), "hits", runs.counter);
        const before = count();
        await runs.trigger(lab, probed);
        return count() > before;
    };
    assert.ok(!(await fires()), "it runs before it is attached");
    const attach = one.attach(wire, { "bpfman.io/uuid": "link" });
    const { linkId } = (await client.call("Attach", { id, attach })) as { linkId: number };
    assert.ok(linkId > 0);
    if (runs !== undefined) assert.ok(await fires(), "it does not run");
    const link = await lab.client.getLink(linkId);
    assert.equal(link.kernelSeen, true);
    assert.deepEqual(link.metadata, { "bpfman.io/uuid": "link" });

    const got = (await client.call("Get", { id })) as unknown as Result;
    assert.deepEqual(got.info?.["links"], [linkId]);
    assert.equal(got.kernelInfo["id"], id);
    for (const filter of [{ programType: kernelType }, { matchMetadata: metadata }, { bpfmanProgramsOnly: true }]) {
        const found = results(await client.call("List", { bpfmanProgramsOnly: true, ...filter }));
        assert.deepEqual(
            found.map(({ kernelInfo }) => kernelInfo["id"]),
            [id],
            JSON.stringify(filter),
        );
    }
    await client.call("Detach", { linkId });
    assert.ok(!(await fires()), "it runs after it was detached");
    assert.deepEqual(((await client.call("Get", { id })) as unknown as Result).info?.["links"], []);
    await client.call("Attach", { id, attach });
    // links and all
    await client.call("Unload", { id });
    for (const [method, request] of [
        ["Get", { id }],
        ["Unload", { id }],
        ["Attach", { id, attach }],
        ["Detach", { linkId }],
    ] as const)
        assert.equal((await refusedCall(client.call(method, request))).code, "NOT_FOUND", method);
    assert.deepEqual(results(await client.call("List", { bpfmanProgramsOnly: true })), []);
}

/** What this kernel can't is refused in a sentence, by the call that asks for it. */
async function driveWithout(lab: Lab, client: ContractClient, one: Case, wire: Wire): Promise<void> {
    const { at, code } = one.without ?? { at: "attach", code: /^UNIMPLEMENTED$/ };
    const load = client.call("Load", loadRequest(lab, one, {}));
    let refused: { code: string; message: string };
    if (at === "load") refused = await refusedCall(load);
    else {
        const id = results(await load)[0]?.kernelInfo["id"];
        refused = await refusedCall(client.call("Attach", { id, attach: one.attach(wire, {}) }));
        await client.call("Unload", { id });
    }
    assert.match(refused.code, code, refused.message);
    assert.match(refused.message, /this kernel|EPERM with an empty verifier log/);
}

suite("the public contract", () => {
    const labTest = sharedLab();

    for (const line of both) {
        for (const one of cases.filter(({ lines }) => lines.includes(line))) {
            const reason = lacks(...one.needs);
            labTest(`${line}: ${one.what}`, async lab => {
                using client = new ContractClient(lab.socketPath, line, lab.dir);
                assert.deepEqual(client.methods, [...methods]);
                await using probed = await Probed.start();
                if (reason === false) await drive(lab, client, one, lab.wire(), probed);
                else await driveWithout(lab, client, one, lab.wire());
            });
        }
    }

    labTest("ThirtyTwoClientsWithEveryTypeAtOnceLeaveNothing", async lab => {
        const able = cases.filter(({ needs }) => lacks(...needs) === false);
        assert.ok(able.length >= 6, `only ${able.length} types`);
        // ten slots at a hook: eight clients share one
        const wires = Array.from({ length: 4 }, () => lab.wire());
        for (const { fixture } of able) object(lab, fixture);
        let running = 32;
        const patienceMs = 10 * 60_000;
        const work = async (number: number) => {
            using client = new ContractClient(lab.socketPath, "newest", lab.dir);
            const call = (method: (typeof methods)[number], request: object) =>
                client.call(method, request, patienceMs);
            const wire = wires[number % wires.length];
            assert.ok(wire !== undefined);
            // one load for each object, as an application of several programs is loaded
            const loads = Object.values(Object.groupBy(able, ({ fixture }) => fixture)).map(async (group = []) => {
                const info = group.map(one => (loadRequest(lab, one, {}) as { info: object[] }).info[0]);
                const [first] = group;
                assert.ok(first !== undefined);
                const bytecode = { file: object(lab, first.fixture) };
                const loaded = results(await call("Load", { bytecode, info, metadata: { client: `${number}` } }));
                return group.map((one, at) => ({ one, id: loaded[at]?.kernelInfo["id"] as number }));
            });
            const programs = (await Promise.all(loads)).flat();
            const attached = programs.map(async ({ one, id }) => {
                const { linkId } = await call("Attach", { id, attach: one.attach(wire, {}) });
                const got = (await call("Get", { id })) as unknown as Result;
                assert.deepEqual(got.info?.["links"], [linkId], one.what);
                return linkId;
            });
            const links = await Promise.all(attached);
            const own = results(await call("List", { matchMetadata: { client: `${number}` } }));
            assert.equal(own.length, able.length);
            // half detach, half leave it to unload
            if (number % 2 === 0) await Promise.all(links.map(linkId => call("Detach", { linkId })));
            await Promise.all(programs.map(({ id }) => call("Unload", { id })));
        };
        // somebody who only looks is answered all the while
        const watching = async () => {
            using client = new ContractClient(lab.socketPath, "released", lab.dir);
            let lists = 0;
            for (; running > 0; lists++) await client.call("List", {}, patienceMs);
            assert.ok(lists > 0);
        };
        const clients = Array.from({ length: 32 }, (_, number) => work(number).finally(() => running--));
        const ends = await Promise.allSettled([...clients, watching()]);
        assert.deepEqual(
            ends.flatMap(end => (end.status === "rejected" ? [String(end.reason)] : [])),
            [],
        );
        using client = new ContractClient(lab.socketPath, "newest", lab.dir);
        assert.deepEqual(results(await client.call("List", { bpfmanProgramsOnly: true })), []);
        assert.deepEqual((await lab.client.listChains({})).chains ?? [], []);
        for (const folder of ["xdp", "tc-ingress", "tc-egress", "links", "staging", "maps", "copies"])
            assert.deepEqual(lab.pins(folder), []);
        lab.assertNoDescriptors();
    });
});
