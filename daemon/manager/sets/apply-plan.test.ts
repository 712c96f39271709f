// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApplyBytecode, ApplyLink, ApplyProgram, ApplyRequest } from "../../model/apply.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey, HookRequest } from "../../model/hooks.ts";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type { ChainRecord, LinkRecord, ProgramRecord } from "../../model/records.ts";
import { type ApplyState, checkSet, nameKey, planApply, setKey } from "./apply-plan.ts";

const none: ApplyState = { programs: [], links: [], chains: [] };
const noText = new Map<string, string>();

const bytecode = (name: string, more: Partial<ApplyBytecode> = {}): ApplyBytecode => ({
    name,
    object: Buffer.from(name),
    sourcePath: "",
    globalData: new Map(),
    globalValues: new Map(),
    privateMaps: false,
    ...more,
});
const program = (name: string, code = "a", more: Partial<ApplyProgram> = {}): ApplyProgram => ({
    name,
    bytecode: code,
    spec: { name, type: "xdp", attachFunction: "" },
    metadata: noText,
    ...more,
});
const xdp = (interfaceName: string, priority: number, more = {}): HookRequest => ({
    kind: "xdp",
    interface: interfaceName,
    netns: "",
    priority,
    proceedOn: [],
    mode: "auto",
    ...more,
});
const link = (name: string, of: string, hook: HookRequest): ApplyLink => ({
    name,
    program: of,
    hook,
    metadata: noText,
});
const set = (more: Partial<ApplyRequest>): ApplyRequest => ({
    set: "s",
    bytecode: [],
    programs: [],
    links: [],
    dryRun: false,
    ...more,
});

function hookOf(hook: HookRequest): HookKey | undefined {
    if (!("interface" in hook)) return undefined;
    const ifindex = Number(hook.interface.replace(/\D/g, "")) + 1;
    const direction = hook.kind === "xdp" ? "ingress" : hook.direction;
    return { kind: hook.kind, direction, nsid: 1n, netnsCookie: 1n, ifindex };
}

/** hashes: by bytecode, where they are not its name */
function plan(request: ApplyRequest, state: ApplyState, hashes: Record<string, string> = {}) {
    checkSet(request);
    const hooks = new Map(
        request.links.flatMap(({ name, hook }) => {
            const key = hookOf(hook);
            return key === undefined ? [] : [[name, key] as const];
        }),
    );
    const sha256 = new Map(request.bytecode.map(({ name }) => [name, hashes[name] ?? name]));
    const globals = new Map(request.bytecode.map(({ name, globalData }) => [name, globalData]));
    return planApply({ request, sha256, globals, hooks }, state);
}

const marks = (name: string, owner = "s") =>
    new Map([
        [setKey, owner],
        [nameKey, name],
    ]);

const programRow = (id: number, name: string, more: Partial<ProgramRecord> = {}) =>
    ({
        id: id as ProgramId,
        name,
        type: "xdp",
        attachFunction: "",
        objectSha256: "a",
        globalData: new Map(),
        metadata: marks(name),
        mapSet: 1,
        ...more,
    }) as ProgramRecord;

const linkRow = (id: number, name: string, of: number, hook: HookRequest, more: Partial<LinkRecord> = {}) =>
    ({
        id: id as LinkId,
        programId: of as ProgramId,
        hook: hookOf(hook),
        interface: "interface" in hook ? hook.interface : "",
        netns: "",
        priority: "priority" in hook ? hook.priority : 0,
        proceedOn: [2, 31],
        request: 1,
        requestIndex: 0,
        metadata: marks(name),
        ...more,
    }) as LinkRecord;

const told = ({ steps }: ReturnType<typeof plan>) => steps.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

const pair = set({
    bytecode: [bytecode("a")],
    programs: [program("p"), program("q")],
    links: [link("one", "p", xdp("eth0", 10)), link("two", "q", xdp("eth0", 20))],
});
const running: ApplyState = {
    programs: [programRow(11, "p"), programRow(12, "q")],
    links: [linkRow(1, "one", 11, xdp("eth0", 10)), linkRow(2, "two", 12, xdp("eth0", 20), { requestIndex: 1 })],
    chains: [],
};

test("everything is made where nothing is there, and nothing where all is there", () => {
    const first = plan(pair, none);
    assert.deepEqual(told(first), ["load program p", "load program q", "attach link one", "attach link two"]);
    assert.deepEqual(
        first.loads.map(load => [load.bytecode.name, load.programs.length, load.joins]),
        [["a", 2, undefined]],
    );
    const second = plan(pair, running);
    assert.ok(second.changesNothing, JSON.stringify(second.steps));
    assert.deepEqual([second.loads, second.unloads, second.detaches], [[], [], []]);
});

test("what the set no longer lists goes; what is another set's or nobody's stays", () => {
    const strangers: ApplyState = {
        ...running,
        programs: [...running.programs, programRow(13, "r", { metadata: marks("r", "other") })],
        links: [...running.links, linkRow(3, "z", 13, xdp("eth0", 5), { metadata: noText })],
    };
    const less = plan({ ...pair, programs: [program("p")], links: [link("one", "p", xdp("eth0", 10))] }, strangers);
    assert.deepEqual(told(less), ["keep program p", "keep link one", "detach link two", "unload program q"]);
    assert.deepEqual(told(plan(set({}), strangers)), [
        "detach link one",
        "detach link two",
        "unload program p",
        "unload program q",
    ]);
});

test("a program that would go while somebody else's link is on it stays, and nothing changes", () => {
    const state = { ...running, links: [...running.links, linkRow(9, "", 12, xdp("eth1", 1), { metadata: noText })] };
    const less = { ...pair, programs: [program("p")], links: [link("one", "p", xdp("eth0", 10))] };
    assert.throws(() => plan(less, state), {
        message: "program q (id 12) would be unloaded, and link 9 of it is not of this set",
    });
    assert.throws(() => plan(pair, state, { a: "other" }), /link 9 of it is not of this set/);
});

test("another object, global, function or type is another program; its links stay", () => {
    const replaced = ["replace program p", "replace program q", "update link one", "update link two"];
    assert.deepEqual(told(plan(pair, running, { a: "new" })), replaced);
    const globals = { ...pair, bytecode: [bytecode("a", { globalData: new Map([["g", Buffer.from([1])]]) })] };
    assert.deepEqual(told(plan(globals, running)), replaced);
    const fn = {
        ...pair,
        programs: [program("p"), program("q", "a", { spec: { name: "x", type: "xdp", attachFunction: "" } })],
    };
    const one = plan(fn, running);
    assert.deepEqual(told(one), ["keep program p", "replace program q", "keep link one", "update link two"]);
    assert.equal(one.loads[0]?.joins?.id, 11, "the new one shares the maps of the one that stays");
    assert.deepEqual(
        one.unloads.map(({ id }) => id),
        [12],
    );
    assert.equal(one.steps[1]?.detail, "xdp x of a: other function (was 12)");
});

test("maps are shared within a bytecode and not between two; a change of that loads anew", () => {
    assert.deepEqual(told(plan({ ...pair, bytecode: [bytecode("a", { privateMaps: true })] }, running)).slice(0, 2), [
        "keep program p",
        "replace program q",
    ]);
    const apart = { ...running, programs: [programRow(11, "p"), programRow(12, "q", { mapSet: 2 })] };
    assert.ok(plan({ ...pair, bytecode: [bytecode("a", { privateMaps: true })] }, apart).changesNothing);
    const joined = plan(pair, apart);
    assert.deepEqual(told(joined).slice(0, 2), ["keep program p", "replace program q"]);
    assert.equal(joined.loads[0]?.joins?.id, 11);
});

test("metadata alone loads and attaches nothing", () => {
    const labelled = set({
        ...pair,
        programs: [program("p", "a", { metadata: new Map([["owner", "me"]]) }), program("q")],
    });
    const one = plan(labelled, running);
    assert.deepEqual(told(one), ["update program p", "keep program q", "keep link one", "keep link two"]);
    assert.deepEqual([one.loads, one.unloads], [[], []]);
    assert.equal(one.programs[0]?.metadata.get(setKey), "s");
});

test("priority and proceed-on change in place; another hook is another link", () => {
    const one = plan(
        {
            ...pair,
            links: [link("one", "p", xdp("eth0", 30, { proceedOn: [1, 2] })), link("two", "q", xdp("eth1", 20))],
        },
        running,
    );
    assert.deepEqual(told(one).slice(2), ["update link one", "attach link two", "detach link two"]);
    assert.deepEqual(one.links[0]?.changes, ["priority", "proceed-on"]);
    assert.ok(one.links[0]?.placed);
    assert.equal(one.steps[2]?.detail, "xdp eth0: priority 10 to 30, proceed-on 2 31 to 1 2");
});

test("links of equal priority run as listed, and only those that would not take new places", () => {
    const at = (names: string[], kind: "xdp" | "tcx" = "xdp") =>
        set({
            bytecode: [bytecode("a")],
            programs: names.map(name => program(name, "a", { spec: { name, type: kind, attachFunction: "" } })),
            links: names.map(name =>
                link(
                    name,
                    name,
                    kind === "xdp"
                        ? xdp("eth0", 50)
                        : { kind, interface: "eth0", netns: "", direction: "ingress", priority: 50 },
                ),
            ),
        });
    const state = (names: string[], kind: "xdp" | "tcx" = "xdp"): ApplyState => ({
        programs: names.map((name, i) => programRow(11 + i, name, { type: kind })),
        links: names.map((name, i) => {
            const { hook } = at([name], kind).links[0] ?? assert.fail();
            return linkRow(1 + i, name, 11 + i, hook, { requestIndex: i, proceedOn: kind === "xdp" ? [2, 31] : [] });
        }),
        chains: [],
    });
    const placed = (request: ApplyRequest, there: ApplyState) =>
        plan(request, there).links.flatMap(({ desired, placed: moved }) => (moved ? [desired.name] : []));
    assert.deepEqual(placed(at(["p", "q", "r"]), state(["p", "q", "r"])), []);
    assert.deepEqual(placed(at(["q", "p"]), state(["p", "q"])), ["q", "p"]);
    // the newest runs first at XDP, last at TCX
    assert.deepEqual(placed(at(["n", "p", "q"]), state(["p", "q"])), ["n"]);
    assert.deepEqual(placed(at(["p", "q", "n"]), state(["p", "q"])), ["p", "q", "n"]);
    assert.deepEqual(placed(at(["p", "q", "n"], "tcx"), state(["p", "q"], "tcx")), ["n"]);
    assert.deepEqual(placed(at(["n", "p", "q"], "tcx"), state(["p", "q"], "tcx")), ["n", "p", "q"]);
});

test("links that are in no chain stay where what was asked for is what is there", () => {
    const hook: HookRequest = { kind: "kprobe", function: "do_unlinkat", offset: 0 };
    const request = set({
        bytecode: [bytecode("a")],
        programs: [program("p", "a", { spec: { name: "p", type: "kretprobe", attachFunction: "" } })],
        links: [link("one", "p", hook)],
    });
    const state: ApplyState = {
        programs: [programRow(11, "p", { type: "kretprobe" })],
        links: [
            linkRow(1, "one", 11, hook, {
                hook: { kind: "kretprobe", function: "do_unlinkat", offset: 0 },
                proceedOn: [],
            }),
        ],
        chains: [],
    };
    assert.ok(plan(request, state).changesNothing);
    const other = { ...request, links: [link("one", "p", { ...hook, function: "do_mkdirat" })] };
    assert.deepEqual(told(plan(other, state)), ["keep program p", "attach link one", "detach link one"]);
});

test("a chain that runs in another mode is refused", () => {
    const chain = { hook: hookOf(xdp("eth0", 1)), mode: "native", backend: "direct", frags: false, revision: 1 };
    const state = { ...running, chains: [chain as ChainRecord] };
    assert.ok(plan(pair, state).changesNothing);
    const generic = { ...pair, links: [link("one", "p", xdp("eth0", 10, { mode: "generic" }))] };
    assert.throws(() => plan(generic, state), /runs in native mode and cannot change to generic mode/);
});

test("a set that contradicts itself is refused", () => {
    const tcx: HookRequest = { kind: "tcx", interface: "eth0", netns: "", direction: "ingress", priority: 1 };
    const cases: [Partial<ApplyRequest>, RegExp][] = [
        [{ set: "" }, /^the set has no name$/],
        [{ programs: [program("p"), program("p")] }, /^two of the set's programs are called p: give them names$/],
        [{ programs: [program("p", "z")] }, /^program p is of bytecode z, which the set does not have$/],
        [
            { programs: [program("p")], bytecode: [bytecode("a"), bytecode("b")] },
            /^the set has no program of bytecode b$/,
        ],
        [
            {
                programs: [program("p"), program("q", "a", { spec: { name: "p", type: "xdp", attachFunction: "" } })],
                links: [],
            },
            /^programs p and q are one function of bytecode a/,
        ],
        [{ links: [link("l", "z", xdp("eth0", 1))] }, /^link l is of program z, which the set does not have$/],
        [{ links: [link("l", "p", tcx)] }, /^program p is a xdp program; the tcx attach accepts tcx$/],
        [
            { programs: [program("p", "a", { metadata: new Map([[setKey, "x"]]) }), program("q")] },
            /^the metadata of p has the key bpfman\.io\/apply, which apply itself writes$/,
        ],
    ];
    for (const [more, message] of cases)
        assert.throws(
            () => checkSet({ ...pair, ...more }),
            (error: unknown) => {
                assert.ok(error instanceof BpfmanError);
                assert.match(error.message, message);
                return true;
            },
        );
});
