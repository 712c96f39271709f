// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { ApplyRequest } from "../model/apply.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError, type Code } from "../model/error.ts";
import type { ChainRecord } from "../model/records.ts";
import type { AttachItem, LoadRequest } from "../model/requests.ts";
import type { ChainView, InterfaceView } from "../model/views.ts";
import { fakeSettings, objectMap } from "./fake-facts.ts";
import { FakeManager, member, root } from "./fake-manager.ts";
import { hostService } from "./host-v1.ts";

function setUp() {
    const manager = new FakeManager();
    const facts = {
        runtimeDir: "/run/bpfman",
        libbpf: "1.5",
        startedAt: "2026-01-01T00:00:00Z",
        settings: fakeSettings,
    };
    const service = hostService(manager, facts);
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    const call = async (name: string, request: JsonValue = {}, caller: Caller = root): Promise<any> => {
        const method = service.methods.get(name);
        assert.ok(method?.kind === "unary");
        const answer = await method.handle(fromJson(method.descriptor.input, request), caller);
        // every answer is proto3 JSON of its message
        fromJson(method.descriptor.output, answer);
        return answer;
    };
    const refuses = (code: Code, message: RegExp | string, name: string, request: JsonValue, caller?: Caller) =>
        assert.rejects(call(name, request, caller), { name: "BpfmanError", code, message });
    return { manager, service, call, refuses };
}

const object = Buffer.from("\x7fELF").toString("base64");
const xdp = { interface: "eth0", priority: 5 };

test("every method of the contract has a handler", () => {
    const { service } = setUp();
    assert.deepEqual(
        [...service.methods.keys()],
        service.descriptor.methods.map(method => method.name),
    );
    for (const [name, { handle }] of service.methods) assert.equal(typeof handle, "function", name);
    const changing = [...service.methods].filter(([, method]) => method.kind === "unary" && method.changes);
    assert.deepEqual(
        changing.map(([name]) => name),
        [
            "Load",
            "Unload",
            "Attach",
            "Detach",
            "UpdateLink",
            "UpdateLinks",
            "Apply",
            "UpdateMap",
            "DeleteMapEntry",
            "TestRun",
            "ReplaceProgram",
            "RemoveImage",
            "PruneImages",
        ],
    );
});

test("Load takes bytes from anybody, with what is to be attached", async () => {
    const { manager, call } = setUp();
    const request = {
        object,
        sourcePath: "/home/me/x.o",
        programs: [
            { name: "count", type: "xdp", attachFunction: "" },
            { name: "mark", type: "fentry", attachFunction: "vfs_read" },
        ],
        globalData: { limit: "AQI=" },
        globalValues: { rate: { text: "5" } },
        mapOwnerId: 4,
        privateMaps: true,
        attach: [
            { programName: "count", xdp: { ...xdp, proceedOn: [2], mode: "generic" }, metadata: { k: "v" } },
            { programName: "mark", tcx: { ...xdp, direction: "egress" } },
        ],
    };
    await call("Load", request, member);
    const asked = manager.asked["load"] as { request: LoadRequest; caller: Caller };
    assert.equal(asked.caller, member);
    assert.deepEqual(asked.request, {
        object: new Uint8Array([0x7f, 0x45, 0x4c, 0x46]),
        sourcePath: "/home/me/x.o",
        programs: request.programs,
        globalData: new Map([["limit", new Uint8Array([1, 2])]]),
        globalValues: new Map([["rate", { text: "5", typed: false }]]),
        metadata: new Map(),
        mapOwnerId: 4,
        privateMaps: true,
        attach: [
            {
                programName: "count",
                hook: { kind: "xdp", interface: "eth0", netns: "", priority: 5, proceedOn: [2], mode: "generic" },
                metadata: new Map([["k", "v"]]),
            },
            {
                programName: "mark",
                hook: { kind: "tcx", interface: "eth0", netns: "", priority: 5, direction: "egress" },
                metadata: new Map(),
            },
        ],
    });
    assert.equal(manager.asked["readObject"], undefined);
});

test("Load opens a path for root alone", async () => {
    const { manager, call, refuses } = setUp();
    const request = { file: "/opt/x.o", programs: [{ name: "count", type: "xdp" }] };
    await refuses("PERMISSION_DENIED", /only root/, "Load", request, member);
    await call("Load", request);
    assert.equal(manager.asked["readObject"], "/opt/x.o");
    assert.equal((manager.asked["load"] as { request: LoadRequest }).request.sourcePath, "/opt/x.o");
});

test("Load and Attach refuse what is missing, unknown or too much", async () => {
    const { manager, refuses } = setUp();
    const programs = [{ name: "count", type: "xdp" }];
    const load = (message: RegExp | string, request: JsonValue) =>
        refuses("INVALID_ARGUMENT", message, "Load", request);
    await load("no program is named", { object });
    await load("neither an object nor a file nor an image is given", { programs });
    await load("the object is empty", { object: "", programs });
    await load(/type of program count is missing/, { object, programs: [{ name: "count" }] });
    await load(/unknown type usdt of program count/, { object, programs: [{ name: "count", type: "usdt" }] });
    await load(/name is missing/, { object, programs: [{ type: "xdp" }] });
    await load(/program's id is missing/, { object, programs, mapOwnerId: 0 });
    await load(/by its name, not by an id/, { object, programs, attach: [{ programId: 1, xdp }] });
    await load(/place to attach to is missing/, { object, programs, attach: [{ programName: "count" }] });
    const attach = (message: RegExp | string, items: JsonValue[]) =>
        refuses("INVALID_ARGUMENT", message, "Attach", { items });
    await attach("nothing to attach is given", []);
    await attach(/more than 64/, Array(65).fill({ programId: 1, xdp }));
    await attach(/by its id here/, [{ programId: 1, programName: "count", xdp }]);
    await attach(/unknown XDP mode skb/, [{ programId: 1, xdp: { ...xdp, mode: "skb" } }]);
    await attach(/unknown direction up/, [{ programId: 1, tc: { ...xdp, direction: "up" } }]);
    assert.deepEqual(manager.asked, {});
});

test("Attach asks for all links at once", async () => {
    const { manager, call } = setUp();
    manager.add({});
    const { links } = await call("Attach", {
        items: [
            { programId: 10, xdp },
            { programId: 10, tc: { ...xdp, direction: "ingress", netns: "/run/netns/blue", proceedOn: [3, 30] } },
        ],
    });
    assert.equal((manager.asked["attach"] as { items: AttachItem[] }).items.length, 2);
    assert.deepEqual(
        links.map(({ id, kind, direction, netns, proceedOn }: Record<string, unknown>) => [
            id,
            kind,
            direction,
            netns,
            proceedOn,
        ]),
        [
            [1, "xdp", "", "", []],
            [2, "tc", "ingress", "/run/netns/blue", [3, 30]],
        ],
    );
});

test("Unload and Detach tell of every id", async () => {
    const { manager, call, refuses } = setUp();
    manager.add({});
    const answer = await call("Unload", { programIds: [10, 11, 10], ignoreMissing: true });
    assert.deepEqual(answer.done, [10]);
    assert.deepEqual(answer.failures[0], {
        id: 11,
        code: "NOT_FOUND",
        message: "no program 11",
        detail: { errno: "", verifierLines: [], verifierLog: "", verifierLinesOmitted: 0, hint: "" },
    });
    assert.deepEqual((manager.asked["unload"] as { options: object }).options, { ignoreMissing: true });
    await refuses("INVALID_ARGUMENT", "no id is given", "Detach", {});
});

test("UpdateLink checks codes against the kind of link", async () => {
    const { manager, call, refuses } = setUp();
    manager.add({});
    await call("Attach", {
        items: [
            { programId: 10, xdp },
            { programId: 10, tcx: { ...xdp, direction: "ingress" } },
        ],
    });
    const changed = await call("UpdateLink", { linkId: 1, priority: 0, proceedOn: { actions: [31] } });
    assert.deepEqual([changed.priority, changed.proceedOn], [0, [31]]);
    assert.deepEqual(manager.asked["updateLinks"], [{ id: 1, priority: 0, proceedOn: [31] }]);
    await call("UpdateLink", { linkId: 1, proceedOn: {} });
    assert.deepEqual(manager.asked["updateLinks"], [{ id: 1, priority: undefined, proceedOn: [] }]);
    await refuses("INVALID_ARGUMENT", /nothing to change/, "UpdateLink", { linkId: 1 });
    await refuses("INVALID_ARGUMENT", /code 30 for xdp/, "UpdateLink", { linkId: 1, proceedOn: { actions: [30] } });
    await refuses("INVALID_ARGUMENT", /non-negative/, "UpdateLink", { linkId: 1, priority: -1 });
    await refuses("FAILED_PRECONDITION", /tcx link/, "UpdateLink", { linkId: 2, proceedOn: { actions: [2] } });
    await refuses("NOT_FOUND", "no link 9", "UpdateLink", { linkId: 9, proceedOn: { actions: [2] } });
    const { links } = await call("UpdateLinks", {
        updates: [
            { linkId: 2, priority: 7 },
            { linkId: 1, priority: 7, proceedOn: { actions: [2] } },
        ],
    });
    assert.deepEqual(
        links.map((link: { id: number; priority: number }) => [link.id, link.priority]),
        [
            [2, 7],
            [1, 7],
        ],
    );
    const twice = [1, 2, 1].map(linkId => ({ linkId, priority: 1 }));
    await refuses("INVALID_ARGUMENT", "link 1 is given twice", "UpdateLinks", { updates: twice });
    await refuses("INVALID_ARGUMENT", "no link to change is given", "UpdateLinks", {});
    await refuses("INVALID_ARGUMENT", /nothing to change/, "UpdateLinks", { updates: [{ linkId: 1 }] });
});

test("lists are selected", async () => {
    const { manager, call, refuses } = setUp();
    manager.add({ type: "tc" });
    manager.add({});
    manager.addForeign(90);
    const ids = async (request: JsonValue) =>
        ((await call("ListPrograms", request)).programs as { id: number }[]).map(one => one.id);
    assert.deepEqual(await ids({}), [10, 11]);
    assert.deepEqual(await ids({ all: true }), [10, 11, 90]);
    assert.deepEqual(await ids({ all: true, types: ["xdp"] }), [11, 90]);
    await call("Attach", { items: [{ programId: 11, xdp }] });
    assert.deepEqual(await ids({ attached: true }), [11]);
    assert.deepEqual(await ids({ attached: false }), [10]);
    assert.equal((await call("ListLinks", { kinds: ["xdp"] })).links.length, 1);
    assert.equal((await call("ListLinks", { programId: 10 })).links.length, 0);
    await refuses("INVALID_ARGUMENT", /unknown kind of link "usdt"/, "ListLinks", { kinds: ["usdt"] });
});

test("what is known is told, the rest left out", async () => {
    const { manager, call } = setUp();
    const foreign = manager.addForeign(90, { partOf: "dispatcher of xdp eth0" });
    const program = await call("GetProgram", { id: 90 });
    assert.equal(program.record, undefined);
    assert.equal(program.stats, undefined);
    assert.equal(program.partOf, "dispatcher of xdp eth0");
    manager.programs.set(90, {
        ...foreign,
        kernel: undefined,
        stats: { runTimeNs: 18_446_744_073_709_551_615n, runCount: 2n, recursionMisses: 0n },
    });
    const counted = await call("GetProgram", { id: 90 });
    assert.equal(counted.kernel, undefined);
    assert.equal(counted.stats.runTimeNs, "18446744073709551615");
});

test("a link says what carries it", async () => {
    const { manager, call } = setUp();
    manager.add({});
    await call("Attach", { items: [{ programId: 10, xdp }] });
    const view = manager.links.get(1)!;
    const facts = async (chain: Partial<ChainRecord> | undefined) => {
        manager.links.set(1, { ...view, chain: chain as ChainRecord | undefined });
        const { backend, dispatcherId, revision, xdpMode } = await call("GetLink", { id: 1 });
        return { backend, dispatcherId, revision, xdpMode };
    };
    const chain = { programId: 77, revision: 3, mode: "native" } as Partial<ChainRecord>;
    assert.deepEqual(await facts({ ...chain, backend: "freplace" }), {
        backend: "freplace",
        dispatcherId: 77,
        revision: 3,
        xdpMode: "native",
    });
    assert.deepEqual(await facts({ ...chain, backend: "direct" }), {
        backend: "direct",
        dispatcherId: 0,
        revision: 0,
        xdpMode: "native",
    });
    assert.deepEqual(await facts(undefined), { backend: "kernel", dispatcherId: 0, revision: 0, xdpMode: "" });
});

const chain: ChainView = {
    type: "xdp",
    nsid: 4_026_531_840n,
    ifindex: 2,
    interface: "eth0",
    netns: "",
    revision: 1,
    backend: "tail-call",
    backendReason: "this kernel refuses EXT programs",
    mode: "generic",
    modeReason: "the driver refused",
    frags: false,
    programId: 77 as never,
    kernelLinkId: undefined,
    members: [
        {
            position: 0,
            priority: 5,
            linkId: undefined,
            programId: 10 as never,
            programName: "count",
            kernelLinkId: undefined,
            proceedOn: [2, 31],
            foreign: true,
            pinPath: "",
            linkPinPath: "",
            metadata: new Map(),
        },
    ],
};

test("chains are found by type, namespace and interface", async () => {
    const { manager, call, refuses } = setUp();
    manager.chains = [chain, { ...chain, type: "tc-ingress", nsid: 18_446_744_073_709_551_615n, ifindex: 3 }];
    const tcx: ChainView = { ...chain, type: "tcx-ingress", backend: "kernel", programId: undefined };
    const eth0 = { name: "eth0", ifindex: 2, netns: "", nsid: chain.nsid, up: true, mtu: 1500, mac: "", kind: "veth" };
    const view: InterfaceView = { ...eth0, xdpMode: "", chains: [chain, tcx], sessions: [] };
    manager.interfaces = [view];
    const types = async (request: JsonValue) =>
        ((await call("ListChains", request)).chains as { type: string }[]).map(one => one.type);
    assert.deepEqual(await types({}), ["xdp", "tc-ingress"]);
    assert.deepEqual(await types({ type: "tc-ingress" }), ["tc-ingress"]);
    assert.deepEqual(await types({ nsid: "4026531840" }), ["xdp"]);
    assert.deepEqual(await types({ nsid: "18446744073709551615", ifindex: 3 }), ["tc-ingress"]);
    assert.deepEqual(await types({ ifindex: 0 }), []);
    const found = await call("GetChain", { type: "xdp", nsid: "4026531840", ifindex: 2 });
    assert.deepEqual([found.programId, found.kernelLinkId, found.members[0].linkId], [77, 0, 0]);
    const inKernel = await call("GetChain", { type: "tcx-ingress", nsid: "4026531840", ifindex: 2 });
    assert.deepEqual([inKernel.backend, inKernel.programId], ["kernel", 0]);
    await refuses("NOT_FOUND", "no xdp chain at ifindex 9 of namespace 1", "GetChain", {
        type: "xdp",
        nsid: "1",
        ifindex: 9,
    });
    await refuses("INVALID_ARGUMENT", /unknown chain type "tc"/, "ListChains", { type: "tc" });
    await refuses("INVALID_ARGUMENT", /unknown chain type ""/, "GetChain", {});
    assert.equal((await call("ListInterfaces")).interfaces[0].chains.length, 2);
});

test("Inspect, Features and Version tell what the daemon knows", async () => {
    const { call, refuses } = setUp();
    assert.deepEqual((await call("Inspect", { object })).maps, [objectMap]);
    await refuses("INVALID_ARGUMENT", "the object is empty", "Inspect", { object: "" });
    await refuses("INVALID_ARGUMENT", "neither an object nor a file nor an image is given", "Inspect", {});
    assert.deepEqual((await call("Inspect", { file: "/opt/x.o" })).maps, [objectMap]);
    await refuses("INVALID_ARGUMENT", /absolute/, "Inspect", { file: "x.o" });
    await refuses("PERMISSION_DENIED", /only root/, "Inspect", { file: "/opt/x.o" }, member);
    const features = await call("Features");
    assert.deepEqual(features.features, [{ name: "link/tcx", supported: false, errno: "EINVAL", note: "" }]);
    assert.match(features.architecture, /^(x86_64|aarch64|ppc64le|s390x|riscv64)$/);
    const version = await call("Version");
    assert.match(version.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(
        [version.libbpf, version.runtimeDir, version.pid, version.node],
        ["1.5", "/run/bpfman", process.pid, process.version],
    );
});

test("ListTargets checks what it is asked", async () => {
    const { manager, call, refuses } = setUp();
    const answer = await call("ListTargets", { kind: "library", query: "libc", limit: 5000 });
    assert.deepEqual(answer, {
        targets: [{ name: "libc.so.6", sizeBytes: "5000000000" }],
        total: 1,
        unavailable: "",
    });
    const { request } = manager.asked["listTargets"] as { request: { limit: number; containerPid?: number } };
    assert.deepEqual([request.limit, request.containerPid], [1000, undefined]);
    await refuses("INVALID_ARGUMENT", /unknown kind of target ""/, "ListTargets", {});
    await refuses("INVALID_ARGUMENT", /target is missing/, "ListTargets", { kind: "symbol" });
    await refuses("INVALID_ARGUMENT", /not absolute/, "ListTargets", { kind: "file", path: "etc" });
});

test("a program's code and log are told as they are", async () => {
    const { manager, call, refuses } = setUp();
    manager.add({});
    const code = await call("GetProgramCode", { id: 10, jited: true });
    const [first, second] = code.functions[0].instructions;
    assert.deepEqual(first, {
        ...{ index: 0, text: "r0 = 2", hex: "b700000002000000" },
        ...{ source: "return 2;", file: "pass.bpf.c", line: 7, column: 3 },
    });
    assert.deepEqual(second, { index: 1, text: "goto pc-2", hex: "0500feff00000000", jumpTo: 0 });
    assert.equal(code.jited, "kMM=");
    assert.equal((await call("GetProgramCode", { id: 10 })).jited, undefined);
    assert.equal((await call("GetVerifierLog", { programId: 10 })).log, "processed 2 insns");
    await refuses("NOT_FOUND", "no program 99", "GetVerifierLog", { programId: 99 });
    await refuses("INVALID_ARGUMENT", /id is missing/, "GetProgramCode", {});
    const { programs, totals } = await call("GetInventory");
    assert.equal(programs[0].owner, "systemd");
    assert.deepEqual([totals.programs, totals.btfBytes, totals.managedPrograms], [1, "5000000", 0]);
});

test("ListEvents bounds what it asks for", async () => {
    const { manager, call, refuses } = setUp();
    assert.deepEqual(await call("ListEvents"), { events: [], more: false });
    assert.deepEqual(manager.asked["listEvents"], { limit: 200, before: undefined, kinds: [] });
    await call("ListEvents", { limit: 9999, beforeSequence: "7", kinds: ["REFUSED", "LINK_LOST", "REFUSED"] });
    assert.deepEqual(manager.asked["listEvents"], { limit: 2000, before: 7, kinds: ["REFUSED", "LINK_LOST"] });
    await refuses("INVALID_ARGUMENT", /unknown kind of event/, "ListEvents", { kinds: [0] });
});

test("an error of the manager passes as it is", async () => {
    const { manager, call } = setUp();
    manager.fails = new BpfmanError("ABORTED", "stop");
    await assert.rejects(call("Detach", { linkIds: [1] }), { code: "ABORTED", message: "stop" });
});

test("apply hands the set to the manager whole, and refuses fields that can't be meant", async () => {
    const { manager, call, refuses } = setUp();
    const request = {
        set: "s",
        bytecode: [{ name: "a", object, globalData: { g: "AQ==" } }],
        programs: [{ name: "p", bytecode: "a", spec: { name: "f", type: "xdp" }, metadata: { k: "v" } }],
        links: [{ name: "l", attach: { programName: "p", xdp: { interface: "eth0", priority: 5 } } }],
        dryRun: true,
    };
    const { steps } = await call("Apply", request);
    assert.deepEqual(steps, [{ action: "load", kind: "program", name: "p", id: 0, detail: "" }]);
    const asked = (manager.asked["apply"] as { request: ApplyRequest }).request;
    assert.deepEqual(asked.bytecode[0]?.globalData, new Map([["g", new Uint8Array([1])]]));
    assert.deepEqual(asked.programs[0]?.spec, { name: "f", type: "xdp", attachFunction: "" });
    assert.deepEqual(asked.links[0]?.hook, {
        kind: "xdp",
        interface: "eth0",
        netns: "",
        priority: 5,
        proceedOn: [],
        mode: "auto",
    });
    assert.equal(asked.dryRun, true);
    const [program, link] = [request.programs[0], request.links[0]];
    const cases: [object, RegExp][] = [
        [{ set: "" }, /^the set's name is missing$/],
        [{ bytecode: [{ name: "a" }] }, /^neither an object nor a file nor an image is given$/],
        [{ bytecode: [{ object }] }, /^a bytecode's name is missing$/],
        [{ programs: [{ name: "p", bytecode: "a" }] }, /^program p has no spec$/],
        [{ programs: [{ ...program, spec: { name: "f", type: "xpd" } }] }, /^unknown type xpd of program f/],
        [{ programs: Array.from({ length: 257 }, () => program) }, /^more than 256 programs in one request$/],
        [{ links: [{ name: "l" }] }, /^link l has no attachment$/],
        [{ links: [{ name: "l", attach: { ...link?.attach, programId: 3 } }] }, /named by its name, not by an id$/],
        [{ links: [{ name: "l", attach: { programName: "p" } }] }, /^the place to attach to is missing$/],
        [{ links: Array.from({ length: 1025 }, () => link) }, /^more than 1024 links in one request$/],
    ];
    for (const [more, message] of cases)
        await refuses("INVALID_ARGUMENT", message, "Apply", { ...request, ...more } as JsonValue);
});
