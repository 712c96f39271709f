// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "./args.ts";
import { parseAttach } from "./input/hook.ts";
import { parseSelector } from "./input/selector.ts";
import { nearest } from "./nearest.ts";
import {
    parseDuration,
    parseGlobals,
    parseId,
    parseMetadata,
    parsePriority,
    parseProceedOn,
    parsePrograms,
    proceedOnMask,
    withApplication,
} from "./values.ts";

const refuses = (run: () => unknown, message: RegExp) =>
    assert.throws(run, error => error instanceof UsageError && message.test(error.message));

test("ids are decimal and fit 32 bits", () => {
    assert.equal(parseId("program", "4294967295"), 4294967295);
    refuses(() => parseId("program", "0x12"), /^invalid program ID "0x12": must be a decimal number$/);
    for (const text of ["-1", "", "1.5", "1e3", " 1"]) refuses(() => parseId("link", text), /must be a decimal number/);
    for (const text of ["0", "4294967296"]) refuses(() => parseId("link", text), /must be from 1 to/);
});

test("priorities are not negative and fit int32", () => {
    assert.equal(parsePriority("0"), 0);
    assert.equal(parsePriority("2147483647"), 2147483647);
    refuses(() => parsePriority("-1"), /^priority must be non-negative$/);
    refuses(() => parsePriority("2147483648"), /at most 2147483647/);
    refuses(() => parsePriority("high"), /invalid priority "high"/);
});

test("proceed-on words become codes, and codes the dispatcher's bits", () => {
    assert.deepEqual(parseProceedOn("xdp", ["pass,Drop", "dispatcher_return", "pass"]), [2, 1, 31]);
    assert.deepEqual(parseProceedOn("tc", ["unspec", "ok"]), [-1, 0]);
    assert.deepEqual(parseProceedOn("xdp", []), []);
    refuses(() => parseProceedOn("xdp", ["psas"]), /"psas" \(xdp\); did you mean pass\?/);
    refuses(() => parseProceedOn("xdp", ["shot"]), /one of: aborted, drop/);
    assert.equal(proceedOnMask("xdp", [2, 31]), 2147483652);
    assert.equal(proceedOnMask("tc-ingress", [3, 30]), 2147483664);
    assert.equal(proceedOnMask("tc-egress", [-1]), 1);
});

test("metadata pairs may be joined by commas, and hold commas", () => {
    assert.deepEqual(parseMetadata(["a=1,b=2", "c=x=y"]), { a: "1", b: "2", c: "x=y" });
    assert.deepEqual(parseMetadata(["a=1,2,b=3"]), { a: "1,2", b: "3" });
    assert.equal(JSON.stringify(parseMetadata(["__proto__=x"])), '{"__proto__":"x"}');
    refuses(() => parseMetadata(["a"]), /must be KEY=VALUE/);
    refuses(() => parseMetadata(["=a"]), /must be KEY=VALUE/);
});

test("an application named in the metadata wins", () => {
    assert.deepEqual(withApplication({}, "x"), { metadata: { "bpfman.io/application": "x" }, ignored: false });
    assert.equal(withApplication({ bpfman_application: "y" }, "x").ignored, true);
    assert.equal(withApplication({ "bpfman.io/application": "y" }, undefined).ignored, false);
});

test("globals are sent as they were written, and marked where they are values whatever they look like", () => {
    assert.deepEqual(parseGlobals(["a=0xFF00", "b=eth0", "c:=10", 'd=[1, "="]', "e="]), {
        a: { text: "0xFF00" },
        b: { text: "eth0" },
        c: { text: "10", typed: true },
        d: { text: '[1, "="]' },
        e: { text: "" },
    });
    for (const wrong of ["a", "=1", ":=1"]) refuses(() => parseGlobals([wrong]), /must be NAME=HEX, NAME=VALUE or/);
});

test("programs are TYPE:NAME", () => {
    assert.deepEqual(parsePrograms(["xdp:a,tc:b", "tcx:c"]), [
        { type: "xdp", name: "a" },
        { type: "tc", name: "b" },
        { type: "tcx", name: "c" },
    ]);
    refuses(() => parsePrograms(["xdq:a"]), /^Unknown program type: xdq; did you mean xdp\?$/);
    assert.deepEqual(parsePrograms(["kretprobe:a", "fentry:b:vfs_read,lsm:c:file_open", "perf-event:d"]), [
        { type: "kretprobe", name: "a" },
        { type: "fentry", name: "b", attachFunction: "vfs_read" },
        { type: "lsm", name: "c", attachFunction: "file_open" },
        { type: "perf_event", name: "d" },
    ]);
    refuses(() => parsePrograms(["fexit:a"]), /^Missing function name for fexit program/);
    refuses(() => parsePrograms(["lsm:a"]), /^Missing hook name for lsm program/);
    refuses(() => parsePrograms(["fentry:a:b:c"]), /unexpected "c"/);
    refuses(() => parsePrograms(["xdp"]), /^Missing program name/);
    refuses(() => parsePrograms(["xdp:a:b"]), /unexpected "b"/);
    refuses(() => parsePrograms([","]), /names no program/);
});

test("--attach says hook, place and order in one word", () => {
    assert.deepEqual(parseAttach("xdp:eth0:prio=100:proceed-on=pass,drop:netns=/var/run/netns/a:b:mode=native"), {
        programName: undefined,
        hook: {
            xdp: { interface: "eth0", netns: "/var/run/netns/a:b", priority: 100, proceedOn: [2, 1], mode: "native" },
        },
    });
    assert.deepEqual(parseAttach("mark=tc:eth0:ingress:prio=5"), {
        programName: "mark",
        hook: { tc: { interface: "eth0", direction: "ingress", priority: 5, proceedOn: [] } },
    });
    assert.deepEqual(parseAttach("tcx:eth0:egress:priority=5").hook, {
        tcx: { interface: "eth0", direction: "egress", priority: 5 },
    });
    const cases: [string, RegExp][] = [
        ["eth0", /must be \[NAME=\]xdp:IFACE/],
        ["xdp:eth0", /has no priority/],
        ["xdp:eth0:prio=-1", /non-negative/],
        ["xdp:eth0:ingress:prio=1", /xdp has no direction/],
        ["tc:eth0:prio=1", /tc needs a direction/],
        ["tc:eth0:sideways:prio=1", /sideways is not a valid direction/],
        ["tcx:eth0:egress:prio=1:proceed-on=ok", /tcx has no proceed-on/],
        ["tc:eth0:egress:prio=1:mode=native", /tc has no mode/],
        ["xdp:eth0:prio=1:mode=fast", /invalid mode "fast"/],
        ["xdp:eth0:prip=1", /unknown setting "prip=1".*did you mean prio=\?/],
        ["xdp:averyverylonginterface:prio=1", /invalid interface name/],
        ["xdp::prio=1", /invalid interface name/],
    ];
    for (const [word, message] of cases) refuses(() => parseAttach(word), message);
});

test("durations are written as Go writes them", () => {
    assert.equal(parseDuration("--t", "0"), 0);
    assert.equal(parseDuration("--t", "1m30s"), 90_000);
    assert.equal(parseDuration("--t", "1.5s"), 1500);
    assert.equal(parseDuration("--t", "200ms"), 200);
    assert.equal(parseDuration("--t", "1m.5s"), 60_500);
    assert.equal(parseDuration("--t", "1500us"), 1.5);
    for (const text of ["30", "s", "-1s", "1d", "..5s", "1.2.3s", "."])
        refuses(() => parseDuration("--t", text), /must be a duration/);
});

test("selectors pick by labels", () => {
    const labels = { app: "web", tier: "front" };
    const picked = [
        "",
        "app",
        "app=web",
        "app == web",
        "app!=db",
        "app in (web, db)",
        "app in( web)",
        "app notin (db)",
        "!gone",
        "x notin (a)",
        "app=web,tier=front",
    ];
    const left = ["gone", "app=db", "app!=web", "app in (db)", "app notin (web)", "!app", "app=web,tier=back"];
    for (const text of picked) assert.equal(parseSelector(text)(labels), true, text);
    for (const text of left) assert.equal(parseSelector(text)(labels), false, text);
    refuses(() => parseSelector("a b"), /can't read "a b"/);
});

test("near names are slips, not guesses", () => {
    assert.equal(nearest("--attahc", ["--attach", "--all"]), "--attach");
    assert.equal(nearest("xdp", ["tc", "tcx"]), undefined);
    assert.equal(nearest("disp", ["dispatcher", "link"]), "dispatcher");
});
