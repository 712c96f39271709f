// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "yaml";
import { parseApplyFile } from "./apply-file.ts";

const whole = `
set: firewall
bytecode:
  - name: filter
    file: build/filter.bpf.o
    globals: {limit: "e8030000", rate: 5, ports: [80, 443]}
    private_maps: true
  - file: trace.o
programs:
  - name: drop-bad
    bytecode: filter
    function: xdp_drop
    type: xdp
    application: web
    metadata: {owner: me}
  - {bytecode: trace, function: on_unlink, type: fentry, attach_function: do_unlinkat}
links:
  - name: front
    program: drop-bad
    xdp: {interface: eth0, netns: /run/netns/blue, priority: 10, proceed_on: [pass, drop], mode: generic}
    metadata: {why: test}
  - program: drop-bad
    xdp: {interface: eth1, priority: 0, proceed_on: "pass,tx"}
  - program: on_unlink
    fentry: {}
`;

test("a whole file becomes a request", () => {
    const { request, objects } = parseApplyFile(parseDocument(whole).toJS());
    assert.deepEqual(objects, ["build/filter.bpf.o", "trace.o"]);
    assert.deepEqual(request, {
        set: "firewall",
        bytecode: [
            {
                name: "filter",
                globalValues: {
                    limit: { text: "e8030000" },
                    rate: { text: "5", typed: true },
                    ports: { text: "[80,443]", typed: true },
                },
                privateMaps: true,
            },
            { name: "trace", globalValues: {}, privateMaps: false },
        ],
        programs: [
            {
                name: "drop-bad",
                bytecode: "filter",
                spec: { name: "xdp_drop", type: "xdp", attachFunction: "" },
                metadata: { owner: "me", "bpfman.io/application": "web" },
            },
            {
                name: "on_unlink",
                bytecode: "trace",
                spec: { name: "on_unlink", type: "fentry", attachFunction: "do_unlinkat" },
                metadata: {},
            },
        ],
        links: [
            {
                name: "front",
                attach: {
                    programName: "drop-bad",
                    xdp: {
                        interface: "eth0",
                        netns: "/run/netns/blue",
                        priority: 10,
                        proceedOn: [2, 1],
                        mode: "generic",
                    },
                    metadata: { why: "test" },
                },
            },
            {
                name: "drop-bad xdp eth1",
                attach: {
                    programName: "drop-bad",
                    xdp: { interface: "eth1", priority: 0, proceedOn: [2, 3] },
                    metadata: {},
                },
            },
            { name: "on_unlink fentry", attach: { programName: "on_unlink", fentry: {}, metadata: {} } },
        ],
    });
});

test("what is alone need not be named", () => {
    const { request } = parseApplyFile({
        set: "s",
        bytecode: [{ file: "a.o" }],
        programs: [{ function: "f", type: "tc" }],
        links: [{ tc: { interface: "eth0", direction: "egress", priority: 5 } }],
    });
    assert.deepEqual(request.programs?.[0]?.bytecode, "a");
    assert.deepEqual(request.links?.[0]?.name, "f tc eth0 egress");
    assert.deepEqual(parseApplyFile({ set: "s" }).request, { set: "s", bytecode: [], programs: [], links: [] });
});

test("a bytecode is a file or an image, which is called by its repository", () => {
    const { request, objects } = parseApplyFile({
        set: "s",
        bytecode: [
            { image: "quay.io:443/acme/filter:v1@sha256:00" },
            { image: "oci:pass-image:v1" },
            { image: "localhost/count", name: "other", pull_policy: "Always" },
            { file: "a.o" },
        ],
    });
    assert.deepEqual(objects, [undefined, undefined, undefined, "a.o"]);
    assert.deepEqual(
        request.bytecode?.map(({ name, image }) => [name, image]),
        [
            ["filter", { url: "quay.io:443/acme/filter:v1@sha256:00", pullPolicy: "IfNotPresent" }],
            ["pass-image", { url: "oci:pass-image:v1", pullPolicy: "IfNotPresent" }],
            ["other", { url: "localhost/count", pullPolicy: "Always" }],
            ["a", undefined],
        ],
    );
    const refused = (bytecode: object, message: RegExp) =>
        assert.throws(() => parseApplyFile({ set: "s", bytecode: [bytecode] }), { message });
    refused({}, /^bytecode\[0\] needs either a file or an image$/);
    refused({ file: "a.o", image: "b" }, /^bytecode\[0\] needs either a file or an image$/);
    refused({ file: "a.o", pull_policy: "Never" }, /^bytecode\[0\] has a pull_policy but no image$/);
    refused(
        { image: "a", pull_policy: "always" },
        /^bytecode\[0\]\.pull_policy must be one of Always, IfNotPresent, Never, not "always"$/,
    );
});

test("every hook has its keys", () => {
    const hook = (value: object) => {
        const links = [{ program: "p", ...value }];
        const { attach } = parseApplyFile({ set: "s", links }).request.links?.[0] ?? {};
        const { programName: _, metadata: __, ...rest } = attach ?? {};
        return rest;
    };
    const cases: [object, object][] = [
        [
            { tcx: { interface: "eth0", direction: "ingress", priority: 1 } },
            { tcx: { interface: "eth0", direction: "ingress", priority: 1 } },
        ],
        [
            { tracepoint: { group: "sched", name: "sched_switch" } },
            { tracepoint: { group: "sched", name: "sched_switch" } },
        ],
        [{ kprobe: { function: "f", offset: 8 } }, { kprobe: { function: "f", offset: "8" } }],
        [
            { uprobe: { target: "libc", function: "malloc", container_pid: 7 } },
            { uprobe: { target: "libc", function: "malloc", containerPid: 7 } },
        ],
        [
            { perf_event: { event: "cpu-clock", cpu: 1, period: 5 } },
            { perfEvent: { event: "cpu-clock", cpu: 1, period: "5" } },
        ],
        [{ raw_tracepoint: { name: "x" } }, { rawTracepoint: { name: "x" } }],
        [{ cgroup: { path: "/a" } }, { cgroup: { path: "/a" } }],
        [{ fexit: {} }, { fexit: {} }],
        [{ lsm: {} }, { lsm: {} }],
    ];
    for (const [value, wanted] of cases) assert.deepEqual(hook(value), wanted);
});

test("what can't be meant is told with its place in the file", () => {
    const xdp = { interface: "eth0", priority: 1 };
    const cases: [unknown, string][] = [
        [null, "the file must be a mapping, not null"],
        [[], "the file must be a mapping, not a list"],
        [{}, "the file has no set"],
        [{ set: "" }, 'set must be a word, not ""'],
        [{ set: 1 }, "set must be a word, not 1"],
        [{ set: "s", link: [] }, 'the file has an unknown key "link"; did you mean links?'],
        [{ set: "s", links: {} }, "links must be a list, not a mapping"],
        [{ set: "s", bytecode: [{}] }, "bytecode[0] needs either a file or an image"],
        [{ set: "s", bytecode: ["a.o"] }, 'bytecode[0] must be a mapping, not "a.o"'],
        [
            { set: "s", programs: [{ function: "f", type: "xdp", metadata: { g: 1 } }], bytecode: [{ file: "a.o" }] },
            "programs[0].metadata.g must be text (in quotes), not 1",
        ],
        [{ set: "s", programs: [{ type: "xdp" }] }, "programs[0] has no function"],
        [{ set: "s", programs: [{ function: "f", type: "xdp" }] }, "programs[0] has no bytecode"],
        [{ set: "s", links: [{ xdp }] }, "links[0] has no program"],
        [
            { set: "s", links: [{ program: "p" }] },
            "links[0] needs exactly one hook: xdp, tc, tcx, tracepoint, kprobe, uprobe, fentry, fexit, lsm, perf_event, raw_tracepoint, cgroup",
        ],
        [{ set: "s", links: [{ program: "p", xdp: { interface: "eth0" } }] }, "links[0].xdp has no priority"],
        [
            { set: "s", links: [{ program: "p", xdp: { ...xdp, priority: -1 } }] },
            "links[0].xdp.priority must be a whole number from 0 to 2147483647, not -1",
        ],
        [
            { set: "s", links: [{ program: "p", xdp: { ...xdp, netns: "blue" } }] },
            'links[0].xdp.netns must be an absolute path, not "blue"',
        ],
        [
            { set: "s", links: [{ program: "p", xdp: { ...xdp, proceed_on: ["psas"] } }] },
            'links[0].xdp.proceed_on: error parsing proceed_on "psas" (xdp); did you mean pass?',
        ],
        [
            { set: "s", links: [{ program: "p", tcx: { ...xdp, direction: "ingress", proceed_on: [] } }] },
            'links[0].tcx has an unknown key "proceed_on"',
        ],
    ];
    for (const [document, message] of cases) {
        const parse = () => parseApplyFile(document);
        assert.throws(parse, { message }, JSON.stringify(document));
    }
});

test("mutations of a file end in a request or an error that is told", () => {
    const pieces = [
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "\n",
        '"',
        "'",
        "&a",
        "*a",
        "!!js",
        "|",
        "1e9",
        "null",
        "~",
        "\u0000",
        "  ",
    ];
    let state = 11;
    const random = (below: number) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
    let taken = 0;
    for (let round = 0; round < 2000; round++) {
        let text = whole;
        for (let edit = 0; edit <= random(3); edit++) {
            const at = random(text.length);
            text = text.slice(0, at) + (pieces[random(pieces.length)] ?? "") + text.slice(at + random(4));
        }
        const document = parseDocument(text, { stringKeys: true });
        if (document.errors.length > 0) continue;
        try {
            parseApplyFile(document.toJS({ maxAliasCount: 100 }));
            taken++;
        } catch (error) {
            assert.ok(error instanceof Error && !(error instanceof TypeError), `${text}\n${String(error)}`);
        }
    }
    assert.ok(taken > 0 && taken < 2000, `${taken} of 2000 were taken`);
});
