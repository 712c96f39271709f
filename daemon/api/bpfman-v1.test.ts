// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { Caller } from "../model/caller.ts";
import type { Code } from "../model/error.ts";
import type { ImageRequest } from "../model/images.ts";
import type { AttachItem, LoadRequest } from "../model/requests.ts";
import { bpfmanService } from "./bpfman-v1.ts";
import { FakeManager, member, root } from "./fake-manager.ts";

function setUp() {
    const manager = new FakeManager();
    const service = bpfmanService(manager);
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    const call = async (name: string, request: JsonValue, caller: Caller = root): Promise<any> => {
        const method = service.methods.get(name);
        assert.equal(method?.kind, "unary");
        assert.ok(method.kind === "unary");
        const answer = await method.handle(fromJson(method.descriptor.input, request), caller);
        // what the gRPC side does with it must be possible
        fromJson(method.descriptor.output, answer);
        return answer;
    };
    const refuses = (code: Code, message: RegExp | string, name: string, request: JsonValue, caller?: Caller) =>
        assert.rejects(call(name, request, caller), { name: "BpfmanError", code, message });
    return { manager, call, refuses };
}

const file = { file: "/opt/x.o" };
const xdp = { name: "count", programType: "XDP" };

test("Load loads one object's programs by their kernel types", async () => {
    const { manager, call } = setUp();
    const answer = await call("Load", {
        bytecode: file,
        metadata: { "bpfman.io/uuid": "u" },
        globalData: { limit: "AQI=" },
        uuid: "",
        info: [xdp, { name: "mark", programType: "TC" }, { name: "tag", programType: "TCX" }],
    });
    const { request } = manager.asked["load"] as { request: LoadRequest };
    assert.deepEqual(request.programs, [
        { name: "count", type: "xdp", attachFunction: "" },
        { name: "mark", type: "tc", attachFunction: "" },
        { name: "tag", type: "tcx", attachFunction: "" },
    ]);
    assert.deepEqual([...request.globalData], [["limit", new Uint8Array([1, 2])]]);
    assert.deepEqual(request.metadata, new Map([["bpfman.io/uuid", "u"]]));
    assert.equal(request.sourcePath, "/opt/x.o");
    assert.equal(request.mapOwnerId, undefined);
    assert.equal(request.privateMaps, false);
    assert.deepEqual(
        answer.programs.map((one: { kernelInfo: { programType: number } }) => one.kernelInfo.programType),
        [6, 3, 3],
    );
    assert.deepEqual(answer.programs[0].info.bytecode, { file: "/opt/x.o" });
});

test("Load refuses what it can't do, each in its own words", async () => {
    const { manager, refuses } = setUp();
    await refuses("INVALID_ARGUMENT", /location of the bytecode/, "Load", { info: [xdp] });
    await refuses("INVALID_ARGUMENT", /location of the bytecode/, "Load", { bytecode: { file: "" }, info: [xdp] });
    await refuses("INVALID_ARGUMENT", /location of the bytecode/, "Load", { bytecode: { image: {} }, info: [xdp] });
    await refuses("INVALID_ARGUMENT", /unknown image_pull_policy 3/, "Load", {
        bytecode: { image: { url: "quay.io/x/y:latest", imagePullPolicy: 3 } },
        info: [xdp],
    });
    await refuses("INVALID_ARGUMENT", "no program is named", "Load", { bytecode: file });
    await refuses("INVALID_ARGUMENT", /name is missing/, "Load", { bytecode: file, info: [{ programType: "XDP" }] });
    await refuses("INVALID_ARGUMENT", /absolute/, "Load", { bytecode: { file: "x.o" }, info: [xdp] });
    for (const [type, missing] of [
        ["FENTRY", "missing FentryInfo"],
        ["FEXIT", "missing FexitInfo"],
        ["LSM", "missing LsmInfo"],
    ] as const)
        await refuses("INVALID_ARGUMENT", missing, "Load", {
            bytecode: file,
            info: [{ name: "count", programType: type }],
        });
    for (const type of [9, -1, 1000])
        await refuses("INVALID_ARGUMENT", `unknown type ${type} of program count`, "Load", {
            bytecode: file,
            info: [{ name: "count", programType: type }],
        });
    assert.equal(manager.asked["load"], undefined);
});

test("Load takes every type of the contract, and the section says whether a probe is at the return", async () => {
    const { manager, call } = setUp();
    const program = { otherTypes: [], instructions: 2, frags: false };
    manager.inspect = () => ({
        programs: [
            { ...program, name: "back", section: "kretprobe", type: "kretprobe" },
            { ...program, name: "uback", section: "uretprobe", type: "uretprobe" },
            { ...program, name: "in", section: "kprobe", type: "kprobe" },
        ],
        maps: [],
        globals: [],
        mapDefinitions: [],
        license: "GPL",
        hasBtf: true,
    });
    const info = [
        { name: "t", programType: "TRACEPOINT" },
        { name: "in", programType: "KPROBE" },
        { name: "back", programType: "KPROBE" },
        { name: "uback", programType: "UPROBE" },
        { name: "fe", programType: "FENTRY", info: { fentryLoadInfo: { fnName: "vfs_read" } } },
        { name: "fx", programType: "FEXIT", info: { fexitLoadInfo: { fnName: "vfs_write" } } },
        { name: "l", programType: "LSM", info: { lsmLoadInfo: { hookName: "file_open" } } },
    ];
    await call("Load", { bytecode: file, info });
    const { request } = manager.asked["load"] as { request: LoadRequest };
    assert.deepEqual(
        request.programs.map(({ name, type, attachFunction }) => `${name} ${type} ${attachFunction}`.trim()),
        [
            "t tracepoint",
            "in kprobe",
            "back kretprobe",
            "uback uretprobe",
            "fe fentry vfs_read",
            "fx fexit vfs_write",
            "l lsm file_open",
        ],
    );
});

test("Load opens a file for root alone", async () => {
    const { manager, refuses } = setUp();
    await refuses("PERMISSION_DENIED", /only root/, "Load", { bytecode: file, info: [xdp] }, member);
    assert.equal(manager.asked["readObject"], undefined);
});

test("Attach makes links of the three kinds and keeps their metadata", async () => {
    const { manager, call } = setUp();
    manager.add({});
    const item = async (attach: JsonValue): Promise<AttachItem> => {
        const { linkId } = await call("Attach", { id: 10, attach });
        assert.equal(linkId, manager.links.size);
        return (manager.asked["attach"] as { items: AttachItem[] }).items[0]!;
    };
    const common = { iface: "eth0", priority: 50, netns: "/run/netns/blue", metadata: { k: "v" } };
    const place = { interface: "eth0", priority: 50, netns: "/run/netns/blue" };
    const metadata = new Map([["k", "v"]]);
    assert.deepEqual(await item({ xdpAttachInfo: { ...common, position: 7, proceedOn: [2, 31] } }), {
        programId: 10,
        hook: { kind: "xdp", ...place, proceedOn: [2, 31], mode: "auto" },
        metadata,
    });
    assert.deepEqual(await item({ tcAttachInfo: { ...common, direction: "egress", proceedOn: [-1] } }), {
        programId: 10,
        hook: { kind: "tc", ...place, direction: "egress", proceedOn: [-1] },
        metadata,
    });
    assert.deepEqual(await item({ tcxAttachInfo: { ...common, netns: "", direction: "ingress" } }), {
        programId: 10,
        hook: { kind: "tcx", ...place, netns: "", direction: "ingress" },
        metadata,
    });
});

test("Attach makes links of every other kind; zeros and empty strings are nothing", async () => {
    const { manager, call } = setUp();
    manager.add({});
    const metadata = { k: "v" };
    const hook = async (attach: JsonValue): Promise<unknown> => {
        await call("Attach", { id: 10, attach });
        const { items } = manager.asked["attach"] as { items: AttachItem[] };
        assert.deepEqual(items[0]?.metadata, new Map([["k", "v"]]));
        return items[0]?.hook;
    };
    assert.deepEqual(await hook({ tracepointAttachInfo: { tracepoint: "sched/sched_switch", metadata } }), {
        kind: "tracepoint",
        group: "sched",
        name: "sched_switch",
    });
    assert.deepEqual(await hook({ kprobeAttachInfo: { fnName: "vfs_read", offset: "4", containerPid: 0, metadata } }), {
        kind: "kprobe",
        function: "vfs_read",
        offset: 4,
    });
    const uprobe = { target: "libc", fnName: "", offset: "4096", pid: 12, containerPid: 0, metadata };
    assert.deepEqual(await hook({ uprobeAttachInfo: uprobe }), {
        kind: "uprobe",
        target: "libc",
        function: "",
        offset: 4096,
        pid: 12,
        containerPid: undefined,
    });
    for (const kind of ["fentry", "fexit", "lsm"])
        assert.deepEqual(await hook({ [`${kind}AttachInfo`]: { metadata } }), { kind });
});

test("Attach refuses what is missing, unknown or not built", async () => {
    const { refuses } = setUp();
    const info = { iface: "eth0", priority: 1 };
    await refuses("INVALID_ARGUMENT", /attach info is missing/, "Attach", { id: 1 });
    await refuses("INVALID_ARGUMENT", /attach info is missing/, "Attach", { id: 1, attach: {} });
    await refuses("INVALID_ARGUMENT", /program's id is missing/, "Attach", { attach: { xdpAttachInfo: info } });
    await refuses("INVALID_ARGUMENT", /interface/, "Attach", { id: 1, attach: { xdpAttachInfo: {} } });
    await refuses("INVALID_ARGUMENT", /priority must be non-negative/, "Attach", {
        id: 1,
        attach: { xdpAttachInfo: { ...info, priority: -1 } },
    });
    await refuses("INVALID_ARGUMENT", /unknown proceed-on code 30 for xdp/, "Attach", {
        id: 1,
        attach: { xdpAttachInfo: { ...info, proceedOn: [30] } },
    });
    await refuses("INVALID_ARGUMENT", /direction/, "Attach", { id: 1, attach: { tcAttachInfo: info } });
    for (const [why, attach] of [
        [/must be GROUP\/NAME/, { tracepointAttachInfo: { tracepoint: "sched_switch" } }],
        [/group cannot be/, { tracepointAttachInfo: { tracepoint: "../x" } }],
        [/function's name is missing/, { kprobeAttachInfo: {} }],
        [/container option not supported/, { kprobeAttachInfo: { fnName: "vfs_read", containerPid: 7 } }],
        [/target is missing/, { uprobeAttachInfo: { fnName: "f" } }],
        [/neither an absolute path nor/, { uprobeAttachInfo: { target: "lib/x.so" } }],
        [/process id is negative/, { uprobeAttachInfo: { target: "libc", pid: -1 } }],
        [/offset is too large/, { uprobeAttachInfo: { target: "libc", offset: "18446744073709551615" } }],
    ] as const)
        await refuses("INVALID_ARGUMENT", why, "Attach", { id: 1, attach });
    await refuses("NOT_FOUND", "no program 1", "Attach", { id: 1, attach: { xdpAttachInfo: info } });
});

test("Detach and Unload tell of what is not there", async () => {
    const { manager, call, refuses } = setUp();
    manager.add({});
    assert.deepEqual(await call("Unload", { id: 10 }), {});
    await refuses("NOT_FOUND", "no program 10", "Unload", { id: 10 });
    await refuses("NOT_FOUND", "no link 3", "Detach", { linkId: 3 });
    await refuses("INVALID_ARGUMENT", /link's id is missing/, "Detach", {});
    await refuses("INVALID_ARGUMENT", /program's id is missing/, "Unload", {});
});

test("List shows unmanaged programs unless asked not to, and never the daemon's own parts", async () => {
    const { manager, call } = setUp();
    manager.add({ metadata: new Map([["bpfman_application", "web"]]) });
    manager.add({ type: "tc" });
    manager.addForeign(90);
    manager.addForeign(91, { partOf: "dispatcher of xdp eth0" });
    const ids = async (request: JsonValue) =>
        ((await call("List", request)).results as { kernelInfo: { id: number } }[]).map(one => one.kernelInfo.id);
    assert.deepEqual(await ids({}), [10, 11, 90]);
    assert.deepEqual(await ids({ bpfmanProgramsOnly: false }), [10, 11, 90]);
    assert.deepEqual(await ids({ bpfmanProgramsOnly: true }), [10, 11]);
    assert.deepEqual(await ids({ programType: 3 }), [11]);
    assert.deepEqual(await ids({ programType: 6 }), [10, 90]);
    assert.deepEqual(await ids({ programType: 0 }), []);
    assert.deepEqual(await ids({ matchMetadata: { "bpfman.io/application": "web" } }), [10]);
    assert.deepEqual(await ids({ matchMetadata: { nothing: "" } }), []);
    const { results } = await call("List", {});
    assert.equal(results[2].info, undefined);
    assert.equal(results[2].kernelInfo.name, "count");
});

test("Get tells the links, the maps' folder and who shares them", async () => {
    const { manager, call, refuses } = setUp();
    const view = manager.add({ sourcePath: "", mapOwnerId: 4 as never });
    manager.programs.set(10, { ...view, mapUsedBy: [11 as never] });
    await call("Attach", { id: 10, attach: { xdpAttachInfo: { iface: "eth0" } } });
    assert.deepEqual(await call("Get", { id: 10 }), {
        info: {
            name: "count",
            bytecode: { file: view.objectPath },
            links: [1],
            globalData: { limit: "AQI=" },
            mapOwnerId: 4,
            mapPinPath: "/run/bpfman/fs/maps/1",
            mapUsedBy: ["11"],
            metadata: {},
        },
        kernelInfo: {
            id: 10,
            name: "count",
            programType: 6,
            loadedAt: "2026-01-01T00:00:00Z",
            tag: "0123456789abcdef",
            gplCompatible: true,
            mapIds: [5],
            btfId: 3,
            bytesXlated: 64,
            jited: true,
            bytesJited: 80,
            bytesMemlock: 4096,
            verifiedInsns: 8,
        },
    });
    manager.addForeign(90);
    assert.equal((await call("Get", { id: 90 })).info, undefined);
    await refuses("NOT_FOUND", "no program 91", "Get", { id: 91 });
});

test("a program that left the kernel is not found by Get, and still listed", async () => {
    const { manager, call, refuses } = setUp();
    manager.programs.set(10, { ...manager.add({ type: "tc" }), kernel: undefined });
    await refuses("NOT_FOUND", "program 10 is no longer in the kernel", "Get", { id: 10 });
    const { results } = await call("List", { programType: 3 });
    assert.deepEqual(results[0].kernelInfo, { id: 10, name: "count", programType: 3 });
});

test("PullBytecode pulls, and empty credentials are none", async () => {
    const { call, manager, refuses } = setUp();
    await refuses("INVALID_ARGUMENT", "the image is missing", "PullBytecode", {});
    const url = "quay.io/x/y:latest";
    assert.deepEqual(
        await call("PullBytecode", { image: { url, imagePullPolicy: 1, username: "", password: "" } }),
        {},
    );
    const asked = () => (manager.asked["getImage"] as { request: ImageRequest }).request;
    assert.deepEqual(asked(), { url, pullPolicy: "IfNotPresent", auth: undefined });
    await call("PullBytecode", { image: { url, username: "me", password: "secret" } });
    assert.deepEqual(asked().pullPolicy, "Always");
    assert.deepEqual(asked().auth, { kind: "password", username: "me", password: "secret" });
});

test("a program of an image is shown with the image, without credentials", async () => {
    const { call } = setUp();
    const image = { url: "quay.io/x/y:latest", imagePullPolicy: 2, username: "me", password: "secret" };
    const { programs } = await call("Load", { bytecode: { image }, info: [xdp] });
    const shown = { image: { url: image.url, imagePullPolicy: 2 } };
    assert.deepEqual(programs[0].info.bytecode, shown);
    const { results } = await call("List", {});
    assert.deepEqual(results[0].info.bytecode, shown);
});
