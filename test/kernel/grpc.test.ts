// SPDX-License-Identifier: Apache-2.0
// bpfman.v1 over gRPC against the real daemon and the kernel: what existing clients do, every status code, many clients
// at once, and a slow verifier that holds up nobody.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BpfmanProgramType } from "../../proto/gen/bpfman/v1/bpfman_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { Foreign } from "../lab/foreign.ts";
import { GrpcClient, refusedCall } from "../lab/grpc-client.ts";
import type { Lab } from "../lab/lab.ts";
import type { Wire } from "../lab/namespaces.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const { XDP, TC, TCX } = BpfmanProgramType;
// enum bpf_prog_type: include/uapi/linux/bpf.h
const kernelType = { schedCls: 3, xdp: 6 } as const;

/** The fixture as a file that the daemon opens. */
function object(lab: Lab, name: string): string {
    const file = path.join(lab.dir, `${name}.o`);
    fs.writeFileSync(file, fixtureObject(name));
    return file;
}

const fileOf = (file: string) => ({ location: { case: "file", value: file } }) as const;

async function loadOne(client: GrpcClient, file: string, name: string, programType: BpfmanProgramType = XDP) {
    const { programs } = await client.call("load", { bytecode: fileOf(file), info: [{ name, programType }] });
    return programs[0]!.kernelInfo!.id;
}

const xdp = (wire: Wire, priority: number, more: object = {}) =>
    ({
        info: { case: "xdpAttachInfo", value: { priority, iface: wire.interface, netns: wire.netns, ...more } },
    }) as const;
const tcx = (wire: Wire, priority: number, direction = "ingress") =>
    ({
        info: { case: "tcxAttachInfo", value: { priority, iface: wire.interface, netns: wire.netns, direction } },
    }) as const;

suite("bpfman.v1", () => {
    const labTest = sharedLab();

    labTest("LoadGetAttachListDetachUnload", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const wire = lab.wire();
        const file = object(lab, "xdp_sequence");
        const action = Buffer.from([2, 0, 0, 0]);
        const { programs } = await client.call("load", {
            bytecode: fileOf(file),
            info: ["xdp_sequence_1", "xdp_sequence_0"].map(name => ({ name, programType: XDP })),
            metadata: { app: "one" },
            globalData: { action },
        });
        assert.deepEqual(
            programs.map(({ info }) => info?.name),
            ["xdp_sequence_1", "xdp_sequence_0"],
            "in the order asked for",
        );
        const [first, second] = programs;
        assert.ok(first?.info && first.kernelInfo && second?.kernelInfo);
        assert.deepEqual(first.info.bytecode?.location, { case: "file", value: file });
        assert.deepEqual(Buffer.from(first.info.globalData["action"] ?? []), action);
        assert.deepEqual(first.info.metadata, { app: "one" });
        assert.ok(fs.existsSync(path.join(first.info.mapPinPath, "sequence_log")));
        assert.deepEqual(first.info.mapUsedBy, [String(second.kernelInfo.id)]);
        assert.equal(first.kernelInfo.programType, kernelType.xdp);
        assert.equal(first.kernelInfo.name, "xdp_sequence_1");
        assert.match(first.kernelInfo.tag, /^[0-9a-f]{16}$/);
        assert.ok(first.kernelInfo.gplCompatible && first.kernelInfo.verifiedInsns > 0);
        assert.equal(first.kernelInfo.mapIds.length, 3);
        assert.ok(!Number.isNaN(Date.parse(first.kernelInfo.loadedAt)));

        const { id } = first.kernelInfo;
        const one = await client.call("attach", {
            id,
            attach: xdp(wire, 50, { proceedOn: [2, 31], metadata: { "bpfman.io/uuid": "u-1" } }),
        });
        const two = await client.call("attach", { id: second.kernelInfo.id, attach: xdp(wire, 40) });
        assert.notEqual(one.linkId, two.linkId);
        const got = await client.call("get", { id });
        assert.deepEqual(got.info?.links, [one.linkId]);
        const link = await lab.client.getLink(one.linkId);
        assert.deepEqual(
            [link.position, link.priority, link.proceedOn, link.metadata, link.netns],
            [1, 50, [2, 31], { "bpfman.io/uuid": "u-1" }, wire.netns],
        );
        assert.deepEqual(await wire.ping(3, { intervalSeconds: 0.01 }).result, { sent: 3, received: 3 });

        await client.call("detach", { linkId: one.linkId });
        assert.deepEqual((await client.call("get", { id })).info?.links, []);
        await client.call("unload", { id });
        assert.equal((await refusedCall(client.call("get", { id }))).code, "NOT_FOUND");
        assert.deepEqual((await client.call("get", { id: second.kernelInfo.id })).info?.links, [two.linkId]);
    });

    labTest("ListSelectsByManagerTypeAndMetadata", async lab => {
        using client = new GrpcClient(lab.socketPath);
        using foreign = new Foreign("xdp_drop", "xdp");
        const wire = lab.wire();
        const load = async (fixture: string, name: string, programType: BpfmanProgramType, app: string) => {
            const { programs } = await client.call("load", {
                bytecode: fileOf(object(lab, fixture)),
                info: [{ name, programType }],
                metadata: { app, both: "yes" },
            });
            return programs[0]!.kernelInfo!.id;
        };
        const a = await load("xdp_pass", "xdp_pass", XDP, "a");
        const b = await load("tc_sequence", "tc_sequence_0", TCX, "b");
        const c = await load("tc_sequence", "tc_sequence_1", TC, "a");
        // a chain, whose dispatcher is nobody's program
        await client.call("attach", { id: a, attach: xdp(wire, 1) });
        await client.call("attach", { id: a, attach: xdp(wire, 2) });
        await client.call("attach", { id: b, attach: tcx(wire, 1) });
        const ids = async (request: object) =>
            (await client.call("list", request)).results.map(({ kernelInfo }) => kernelInfo?.id);
        const ours = { bpfmanProgramsOnly: true };
        assert.deepEqual(await ids(ours), [a, b, c]);
        assert.deepEqual(await ids({ ...ours, programType: kernelType.xdp }), [a]);
        assert.deepEqual(await ids({ ...ours, programType: kernelType.schedCls }), [b, c]);
        assert.deepEqual(await ids({ ...ours, matchMetadata: { app: "a" } }), [a, c]);
        assert.deepEqual(await ids({ ...ours, matchMetadata: { app: "a", both: "yes" } }), [a, c]);
        assert.deepEqual(await ids({ ...ours, matchMetadata: { app: "a", both: "no" } }), []);
        assert.deepEqual(await ids({ matchMetadata: { app: "b" } }), [b], "what others loaded has no metadata");
        const all = (await client.call("list", {})).results;
        const stranger = all.find(({ kernelInfo }) => kernelInfo?.id === foreign.program.id);
        assert.ok(stranger?.kernelInfo, "what others loaded is listed too");
        assert.equal(stranger.info, undefined);
        assert.equal(stranger.kernelInfo.name, "xdp_drop");
        const dispatcher = (await lab.client.listChains({})).chains?.[0]?.programId;
        assert.ok(dispatcher !== undefined && dispatcher !== a);
        assert.ok(!all.some(({ kernelInfo }) => kernelInfo?.id === dispatcher), "a dispatcher is nobody's program");
        const got = await client.call("get", { id: foreign.program.id });
        assert.equal(got.info, undefined);
        assert.equal(got.kernelInfo?.tag, foreign.program.tag);
        foreign.assertUntouched();
    });

    labTest("AnAgentKeepsProgramsLoadedAndAttached", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const wire = lab.wire();
        const names = ["xdp_sequence_0", "xdp_sequence_1"];
        const request = {
            bytecode: fileOf(object(lab, "xdp_sequence")),
            metadata: { "bpfman.io/uuid": "5b04b9a1-state", "bpfman.io/ProgramName": "app" },
            globalData: {},
            uuid: "",
            info: names.map(name => ({ name, programType: XDP })),
        };
        const { programs } = await client.call("load", request);
        // matched by the name asked for; neither message may be missing
        const ids = names.map(name => programs.find(({ info }) => info?.name === name)!.kernelInfo!.id);
        // a container's namespace is named by one of its processes
        const container = spawn("nsenter", [`--net=${wire.netns}`, "sleep", "60"], { stdio: "ignore" });
        try {
            const own = fs.readlinkSync("/proc/self/ns/net");
            while (fs.readlinkSync(`/proc/${container.pid}/ns/net`) === own) await sleep(5);
            const netns = `/proc/${container.pid}/ns/net`;
            const links: number[] = [];
            for (const id of ids) {
                const attach = xdp(wire, 10, { netns, position: 0, metadata: { "bpfman.io/uuid": `link-${id}` } });
                links.push((await client.call("attach", { id, attach })).linkId);
            }
            // both paths name one namespace, and so one chain
            const [other] = await lab.attach({
                programId: ids[0]!,
                xdp: { interface: wire.interface, netns: wire.netns, priority: 5 },
            });
            assert.equal((await lab.client.listChains({})).chains?.length, 1);
            await client.call("detach", { linkId: other?.id ?? 0 });
            for (const [index, id] of ids.entries()) {
                const { info } = await client.call("get", { id });
                assert.ok(info?.links.includes(links[index]!));
                assert.equal(info?.metadata["bpfman.io/uuid"], "5b04b9a1-state");
            }
        } finally {
            const ended = once(container, "exit");
            container.kill("SIGKILL");
            await ended;
        }
        // in forward order, links and all, although the path of their namespace is gone
        for (const id of ids) await client.call("unload", { id });
        for (const id of ids) assert.equal((await refusedCall(client.call("get", { id }))).code, "NOT_FOUND");
        assert.deepEqual((await client.call("list", { bpfmanProgramsOnly: true })).results, []);
    });

    labTest("AMapOwnerMayGoFirst", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const bytecode = fileOf(object(lab, "xdp_sequence"));
        const owner = await loadOne(client, object(lab, "xdp_sequence"), "xdp_sequence_0");
        const { programs } = await client.call("load", {
            bytecode,
            info: [{ name: "xdp_sequence_1", programType: XDP }],
            mapOwnerId: owner,
        });
        const { info, kernelInfo } = programs[0]!;
        assert.equal(info?.mapOwnerId, owner);
        assert.ok(info !== undefined);
        assert.deepEqual(info.mapUsedBy, [String(owner)]);
        await client.call("unload", { id: owner });
        assert.ok(fs.existsSync(path.join(info.mapPinPath, "sequence_log")), "its maps stay while they are used");
        await client.call("unload", { id: kernelInfo!.id });
        assert.ok(!fs.existsSync(info.mapPinPath));
    });

    labTest("EveryStatusSaysWhatIsWrong", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const wire = lab.wire();
        const file = object(lab, "xdp_pass");
        const info = [{ name: "xdp_pass", programType: XDP }];
        const id = await loadOne(client, file, "xdp_pass");
        const tcxId = await loadOne(client, object(lab, "tc_sequence"), "tc_sequence_0", TCX);
        await client.call("attach", { id: tcxId, attach: tcx(wire, 1) });
        const large = path.join(lab.dir, "large.o");
        fs.writeFileSync(large, "");
        fs.truncateSync(large, 1 << 30);
        const at = (more: object) => client.call("attach", { id, attach: xdp(wire, 10, more) });
        const load = (more: object) => client.call("load", { bytecode: fileOf(file), info, ...more });
        const image = { url: "127.0.0.1:1/nothing:latest", imagePullPolicy: 2, username: "", password: "" };
        const wrong: [() => Promise<unknown>, string, RegExp][] = [
            [() => load({ info: [] }), "INVALID_ARGUMENT", /no program is named/],
            [() => load({ bytecode: fileOf("") }), "INVALID_ARGUMENT", /location of the bytecode is missing/],
            [() => load({ bytecode: {} }), "INVALID_ARGUMENT", /location of the bytecode is missing/],
            [() => load({ bytecode: fileOf("x.o") }), "INVALID_ARGUMENT", /not absolute/],
            [() => load({ bytecode: fileOf("/nowhere/x.o") }), "INVALID_ARGUMENT", /does not exist/],
            [() => load({ bytecode: fileOf(lab.dir) }), "INVALID_ARGUMENT", /is a directory/],
            [() => load({ bytecode: fileOf(large) }), "RESOURCE_EXHAUSTED", /1073741824 bytes/],
            [() => load({ bytecode: fileOf("/etc/passwd") }), "INVALID_ARGUMENT", /not an ELF object/],
            [
                () => load({ info: [{ name: "xdp_pas", programType: XDP }] }),
                "INVALID_ARGUMENT",
                /did you mean: xdp_pass/,
            ],
            [() => load({ info: [{ name: "xdp_pass", programType: TC }] }), "INVALID_ARGUMENT", /type mismatch/],
            [() => load({ info: [{ name: "xdp_pass", programType: 99 }] }), "INVALID_ARGUMENT", /unknown type 99/],
            [() => load({ mapOwnerId: 4_000_000_000 }), "NOT_FOUND", /map_owner_id 4000000000/],
            [() => load({ globalData: { none: new Uint8Array(4) } }), "INVALID_ARGUMENT", /"none" not found/],
            [
                () =>
                    load({
                        bytecode: fileOf(object(lab, "xdp_reject")),
                        info: [{ name: "reject_out_of_bounds", programType: XDP }],
                    }),
                "INVALID_ARGUMENT",
                /refused program reject_out_of_bounds: EACCES: (R\d offset is outside of|invalid access to) (the )?packet/,
            ],
            [() => client.call("get", { id: 0 }), "INVALID_ARGUMENT", /id is missing/],
            [() => client.call("get", { id: 4_000_000_000 }), "NOT_FOUND", /4000000000 does not exist/],
            [() => client.call("unload", { id: 4_000_000_000 }), "NOT_FOUND", /4000000000 does not exist/],
            [() => client.call("detach", { linkId: 4_000_000_000 }), "NOT_FOUND", /4000000000 does not exist/],
            [() => client.call("attach", { id }), "INVALID_ARGUMENT", /attach info is missing/],
            [() => at({ iface: "" }), "INVALID_ARGUMENT", /interface's name is missing/],
            [() => at({ iface: "vet1" }), "NOT_FOUND", /did you mean: veth1/],
            [() => at({ netns: "" }), "NOT_FOUND", /^interface "veth1" not found/],
            [() => at({ netns: "/run/netns/none" }), "NOT_FOUND", /\/run\/netns\/none/],
            [() => at({ priority: -1 }), "INVALID_ARGUMENT", /non-negative/],
            [() => at({ proceedOn: [99] }), "INVALID_ARGUMENT", /proceed-on code 99/],
            [() => client.call("attach", { id, attach: tcx(wire, 1) }), "FAILED_PRECONDITION", /is a xdp program/],
            [() => client.call("attach", { id: tcxId, attach: tcx(wire, 5) }), "ALREADY_EXISTS", /already attached/],
            [
                () => client.call("attach", { id: tcxId, attach: tcx(wire, 5, "") }),
                "INVALID_ARGUMENT",
                /direction is missing/,
            ],
            [() => client.call("pullBytecode", {}), "INVALID_ARGUMENT", /image is missing/],
            [
                () => client.call("pullBytecode", { image }),
                "UNIMPLEMENTED|NOT_FOUND|UNAVAILABLE|FAILED_PRECONDITION",
                /./,
            ],
        ];
        const before = await lab.client.listPrograms({});
        for (const [index, [call, code, message]] of wrong.entries()) {
            const refused = await refusedCall(call());
            assert.match(refused.code, new RegExp(`^(${code})$`), `${index}: ${refused.message}`);
            assert.match(refused.message, message);
            assert.doesNotMatch(refused.message, /\n|internal error/);
        }
        assert.deepEqual(await lab.client.listPrograms({}), before);
        // ten slots
        for (let n = 0; n < 10; n++) await at({ priority: n });
        const eleventh = await refusedCall(at({ priority: 3 }));
        assert.equal(eleventh.code, "RESOURCE_EXHAUSTED");
    });

    labTest("AMessageThatIsTooLargeIsRefusedAndTheConnectionGoesOn", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const huge = { huge: new Uint8Array(25 << 20) };
        const request = { bytecode: fileOf("/x.o"), info: [{ name: "x", programType: XDP }], globalData: huge };
        const { code } = await refusedCall(client.call("load", request));
        assert.equal(code, "RESOURCE_EXHAUSTED");
        assert.deepEqual((await client.call("list", { bpfmanProgramsOnly: true })).results, []);
    });

    labTest("ADeadlineEndsTheCallAndLeavesAConsistentDaemon", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const request = {
            bytecode: fileOf(object(lab, "xdp_slow")),
            info: [0, 1, 2, 3].map(n => ({ name: `xdp_slow_${n}`, programType: XDP })),
        };
        assert.equal((await refusedCall(client.call("load", request, 150))).code, "DEADLINE_EXCEEDED");
        // what the daemon had begun it ends, and shows
        for (let waited = 0; ; waited += 50) {
            assert.ok(waited < 60_000);
            const { results } = await client.call("list", { bpfmanProgramsOnly: true });
            if (results.length === 4 || (results.length === 0 && lab.pins("staging").length === 0)) break;
            await sleep(50);
        }
    });

    labTest("ASlowVerificationHoldsUpNobody", async lab => {
        using client = new GrpcClient(lab.socketPath);
        const wire = lab.wire();
        const quick = await loadOne(client, object(lab, "xdp_pass"), "xdp_pass");
        const file = object(lab, "xdp_slow");
        let isDone = false;
        const slow = client
            .call("load", {
                bytecode: fileOf(file),
                info: [0, 1, 2, 3].map(n => ({ name: `xdp_slow_${n}`, programType: XDP })),
            })
            .finally(() => {
                isDone = true;
            });
        // begun: its folder is there
        while (lab.pins("staging").length === 0) await sleep(1);
        await client.call("list", {});
        await client.call("get", { id: quick });
        await lab.client.listPrograms({ all: true });
        assert.equal(isDone, false, "reads are answered while the verifier works");
        const { linkId } = await client.call("attach", { id: quick, attach: xdp(wire, 1) });
        await client.call("detach", { linkId });
        assert.equal(isDone, false, "changes are made while the verifier works");
        assert.equal((await slow).programs.length, 4);
    });

    labTest("OnlyRootMayNameAFile", async lab => {
        const file = object(lab, "xdp_pass");
        // the socket's mode is the gate: opened here for a user without a group
        for (const folder of [lab.dir, lab.runtimeDir]) fs.chmodSync(folder, 0o755);
        fs.chmodSync(lab.socketPath, 0o666);
        const answer = await asNobody(
            `
            const load = bytecode => client.call("load", { bytecode, info: [{ name: "xdp_pass", programType: 0 }] });
            const named = value => ({ location: { case: "file", value } });
            const errors = [
                await refusedCall(load(named(${JSON.stringify(file)}))),
                await refusedCall(load(named("/etc/shadow"))),
                await refusedCall(load(named("/nowhere"))),
            ];
            const { results } = await client.call("list", { bpfmanProgramsOnly: true });
            console.log(JSON.stringify({ errors, programs: results.length }));
        `,
            lab,
        );
        // not a word about what the path holds
        const refused = { code: "PERMISSION_DENIED", message: "only root may let the daemon open a file" };
        assert.deepEqual(answer, { errors: [refused, refused, refused], programs: 0 });
        assert.match(lab.log, /Load by uid 65534.*: PERMISSION_DENIED/);
        fs.chmodSync(lab.runtimeDir, 0o750);
        fs.chmodSync(lab.socketPath, 0o660);
    });
});

/** Runs code with a client as uid 65534 without groups; what it prints, as JSON. */
function asNobody(code: string, lab: Lab): Promise<unknown> {
    // rights are given up once everything is imported: the sources may lie where only root reads
    const module = `
        import { GrpcClient, refusedCall } from "./test/lab/grpc-client.ts";
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
        using client = new GrpcClient(${JSON.stringify(lab.socketPath)});
        ${code}
    `;
    const root = path.resolve(import.meta.dirname, "../..");
    const args = ["--input-type=module-typescript", "-e", module];
    return new Promise((resolve, reject) => {
        execFile(process.execPath, args, { cwd: root }, (error, out) =>
            error ? reject(error) : resolve(JSON.parse(out)),
        );
    });
}
