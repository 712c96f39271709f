// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { interfaceOf } from "../../model/model.ts";
import { hookOf, initialHook, parsePriority } from "../attach/hook-choice.ts";
import {
    choiceOf,
    chosenKinds,
    type GlobalChoice,
    globalBytes,
    isValid,
    type LoadChoice,
    loadRequest,
} from "./load-choice.ts";

const eth0 = interfaceOf({ name: "eth0", ifindex: 2, nsid: "4026531840" });
const blue = interfaceOf({ name: "eth0", ifindex: 2, nsid: "4026532200", netns: "/run/netns/blue" });
const interfaces = [eth0, blue];

const inspected = choiceOf({
    programs: [
        { name: "count", section: "xdp", type: "xdp" },
        { name: "mark", section: "tc", type: "tc", otherTypes: ["tcx"] },
        { name: "trace", section: "kprobe/x" },
    ],
    globals: [{ name: "rate", sizeBytes: 4 }],
});

const rate: GlobalChoice = { name: "rate", sizeBytes: 4, type: "", initial: undefined, value: "" };

function chosen(...names: string[]): LoadChoice {
    return { ...inspected, programs: inspected.programs.map(one => ({ ...one, isChosen: names.includes(one.name) })) };
}

test("a lone program is chosen, of several none is", () => {
    assert.deepEqual(
        inspected.programs.map(one => one.isChosen),
        [false, false, false],
    );
    assert.equal(choiceOf({ programs: [{ name: "a", type: "xdp" }] }).programs[0]?.isChosen, true);
});

test("a tc section can be loaded as tcx, an unknown section not at all", () => {
    assert.deepEqual(
        inspected.programs.map(one => one.types),
        [["xdp"], ["tc", "tcx"], []],
    );
});

test("nothing is loaded while nothing is chosen or a value is wrong", () => {
    assert.equal(loadRequest(chosen(), interfaces), undefined);
    const wrong = { ...chosen("count"), globals: [{ ...rate, value: "0a" }] };
    assert.equal(loadRequest(wrong, interfaces), undefined);
});

test("values, application and programs go into the request", () => {
    const choice = {
        ...chosen("count", "mark"),
        application: " shop ",
        globals: [{ ...rate, value: "0x0a00_0000" }],
    };
    assert.deepEqual(loadRequest(choice, interfaces), {
        programs: [
            { name: "count", type: "xdp" },
            { name: "mark", type: "tc" },
        ],
        globalData: { rate: "CgAAAA==" },
        metadata: { "bpfman.io/application": "shop" },
    });
});

test("values of known types go as text, metadata and another program's maps go along", () => {
    const choice = {
        ...chosen("count"),
        globals: [
            { ...rate, type: "const volatile __u32", value: " 0x10 " },
            { ...rate, name: "label", type: "char[16]", value: "shop" },
            { ...rate, name: "off", type: "bool", value: "" },
        ],
        application: "",
        metadata: [
            { key: "owner", value: "me" },
            { key: "", value: "" },
        ],
        maps: 12,
    };
    assert.deepEqual(loadRequest(choice, interfaces), {
        programs: [{ name: "count", type: "xdp" }],
        globalValues: { rate: { text: "0x10", typed: true }, label: { text: "shop", typed: true } },
        metadata: { owner: "me" },
        mapOwnerId: 12,
    });
    assert.equal(isValid({ ...rate, type: "int", value: "ten" }), false);
    assert.equal(isValid({ ...rate, type: "struct limits", value: '{"a": 1}' }), true);
    const twice = [...choice.metadata, { key: "owner", value: "you" }];
    assert.equal(loadRequest({ ...choice, metadata: twice }, interfaces), undefined);
    assert.deepEqual(loadRequest({ ...chosen("count"), maps: "private" }, interfaces)?.privateMaps, true);
});

test("a probe is loaded for the function, and attached to the place, that its section names", () => {
    const inside = choiceOf({
        programs: [
            { name: "enter", section: "fentry/do_unlinkat", type: "fentry" },
            { name: "switches", section: "tp/sched/sched_switch", type: "tracepoint" },
        ],
    });
    const programs = inside.programs.map(one => ({ ...one, isChosen: true }));
    assert.deepEqual(loadRequest({ ...inside, programs, hook: initialHook() }, []), {
        programs: [
            { name: "enter", type: "fentry", attachFunction: "do_unlinkat" },
            { name: "switches", type: "tracepoint" },
        ],
        attach: [
            { programName: "enter", fentry: {} },
            { programName: "switches", tracepoint: { group: "sched", name: "sched_switch" } },
        ],
    });
    const unbound = programs.map(one => ({ ...one, attachFunction: "" }));
    assert.equal(loadRequest({ ...inside, programs: unbound }, []), undefined);
});

test("attaching at once gives each chosen program the hook of its type", () => {
    const hook = { ...initialHook(blue.key), direction: "egress" as const, priority: "7" };
    const request = loadRequest({ ...chosen("count", "mark"), hook }, interfaces);
    const place = { interface: "eth0", netns: "/run/netns/blue", priority: 7 };
    assert.deepEqual(request?.attach, [
        { programName: "count", xdp: { ...place, proceedOn: [2, 31] } },
        { programName: "mark", tc: { ...place, direction: "egress", proceedOn: [3, 30] } },
    ]);
    assert.deepEqual(chosenKinds(chosen("count", "mark")), ["xdp", "tc"]);
});

test("a hook needs an interface, a priority and a result to go on after", () => {
    const whole = initialHook(eth0.key);
    assert.ok(hookOf(whole, "xdp", interfaces));
    assert.equal(hookOf({ ...whole, interfaceKey: "" }, "xdp", interfaces), undefined);
    assert.equal(hookOf({ ...whole, priority: "-1" }, "xdp", interfaces), undefined);
    const never = { ...whole, proceedOn: { xdp: [], tc: [], tcx: [] } };
    assert.equal(hookOf(never, "xdp", interfaces), undefined);
    assert.deepEqual(hookOf(never, "tcx", interfaces)?.tcx, {
        interface: "eth0",
        netns: "",
        priority: 50,
        direction: "ingress",
    });
});

test("the mode is asked for where it is not the kernel's choice", () => {
    const generic = { ...initialHook(eth0.key), mode: "generic" as const };
    assert.equal(hookOf(generic, "xdp", interfaces)?.xdp?.mode, "generic");
    assert.equal(hookOf(initialHook(eth0.key), "xdp", interfaces)?.xdp?.mode, undefined);
    assert.equal("mode" in (hookOf(generic, "tcx", interfaces)?.tcx ?? {}), false);
});

test("a hook can lie in a namespace that is not listed", () => {
    const choice = { ...initialHook("elsewhere"), elsewhere: { name: " eth1 ", netns: "/run/netns/red" } };
    assert.deepEqual(hookOf(choice, "tcx", interfaces)?.tcx?.netns, "/run/netns/red");
    assert.deepEqual(hookOf(choice, "tcx", interfaces)?.tcx?.interface, "eth1");
    const relative = { ...choice, elsewhere: { name: "eth1", netns: "red" } };
    assert.equal(hookOf(relative, "tcx", interfaces), undefined);
});

test("priorities are whole, not negative, and fit the kernel's int", () => {
    assert.equal(parsePriority("0"), 0);
    assert.equal(parsePriority(" 2147483647 "), 2147483647);
    for (const text of ["", "-1", "1.5", "2147483648", "1e3", "ten"]) assert.equal(parsePriority(text), undefined);
});

test("values of globals are bytes in memory order", () => {
    const of = (value: string) => globalBytes({ ...rate, sizeBytes: 2, value });
    assert.deepEqual(of("0x0AfF"), Uint8Array.of(10, 255));
    assert.deepEqual(of("0a ff"), Uint8Array.of(10, 255));
    assert.deepEqual(of(""), new Uint8Array(0));
    for (const value of ["0a", "0aff00", "0xzz00", "xx"]) assert.equal(of(value), undefined);
});
