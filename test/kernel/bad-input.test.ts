// SPDX-License-Identifier: Apache-2.0
// Whatever a caller sends that is wrong: one clear error with the right code, over the daemon's API and from the
// command, nothing left behind, and the daemon lives on.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { dialSocket } from "../../cli/dial.ts";
import { CallError, TransportError } from "../../client/errors.ts";
import { HostClient } from "../../client/host-client.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import { BpfmanError } from "../../daemon/model/error.ts";
import type { AttachItemJson, LoadRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { craftCrashingObject } from "../fixtures/crash-object.ts";
import { craftHungryObject } from "../fixtures/hungry-object.ts";
import { fixtureObject, fixtureObjectWithoutBtf } from "../fixtures/objects.ts";
import { Foreign } from "../lab/foreign.ts";
import { tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import type { Wire } from "../lab/namespaces.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-bad-"));
let lab: Lab;
let wire: Wire;
/** a program that is loaded and attached all the time: nothing may happen to it */
let keeper = 0;
let keeperLink = 0;

interface Outcome {
    readonly status: number;
    readonly out: string;
    readonly err: string;
}

function command(...words: string[]): Promise<Outcome> {
    const flags = ["--runtime-dir", lab.runtimeDir, "--state-dir", lab.stateDir];
    return new Promise(resolve => {
        execFile(process.execPath, [main, ...flags, ...words], { cwd: "/", env: {} }, (error, out, err) =>
            resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
    });
}

/** Everything that the daemon has: what it lists, what it pinned, what it kept. */
async function everything(): Promise<unknown> {
    const [programs, links, chains] = [
        await lab.client.listPrograms({}),
        await lab.client.listLinks({}),
        await lab.client.listChains({}),
    ];
    const folders = ["", "xdp", "tc-ingress", "tc-egress", "links", "copies", "maps", "staging"];
    const pins = folders.map(folder => [folder, lab.pins(folder)]);
    return { programs, links, chains, pins, objects: fs.readdirSync(path.join(lab.stateDir, "objects")) };
}

/** Runs what must be refused; afterwards everything is as it was, and the same daemon answers. */
async function leavesNothing<T>(work: () => Promise<T>): Promise<T> {
    const pid = lab.pid;
    const then = await everything();
    const result = await work();
    assert.deepEqual(await everything(), then);
    assert.equal((await lab.client.version({})).pid, pid);
    lab.assertNoDescriptors();
    return result;
}

async function refused(promise: Promise<unknown>): Promise<CallError> {
    try {
        await promise;
    } catch (error) {
        assert.ok(error instanceof CallError, String(error));
        assert.doesNotMatch(error.message, /\n/, "one sentence");
        assert.doesNotMatch(error.message, /internal error|undefined|\[object|at file:/);
        return error;
    }
    return assert.fail("nothing was refused");
}

const file = (name: string, bytes: Uint8Array): string => {
    const at = path.join(dir, name);
    fs.writeFileSync(at, bytes);
    return at;
};

const request = (object: Uint8Array, program = "xdp:xdp_pass", more: LoadRequestJson = {}): LoadRequestJson => {
    const [type = "", name = ""] = program.split(":");
    return { object: Buffer.from(object).toString("base64"), programs: [{ type, name }], ...more };
};

interface Refusal {
    readonly what: string;
    readonly code: string;
    readonly message: RegExp;
    readonly detail?: RegExp;
    readonly call: () => Promise<unknown>;
    /** the same from the command line; the message is on standard error too unless stderr says otherwise */
    readonly words?: () => string[];
    readonly stderr?: RegExp;
}

function refusals(cases: readonly Refusal[]): void {
    for (const { what, code, message, detail, call, words, stderr } of cases)
        test(what, async () => {
            const error = await leavesNothing(() => refused(call()));
            assert.equal(error.code, code, error.message);
            assert.match(error.message, message);
            if (detail !== undefined) assert.match(JSON.stringify(error.detail), detail);
            if (words === undefined) return;
            const { status, out, err } = await leavesNothing(() => command(...words()));
            assert.deepEqual({ status, out }, { status: 1, out: "" }, err);
            const [first = "", ...more] = err.trimEnd().split("\n");
            assert.ok(first.startsWith("bpfman: error: "), first);
            assert.match(first.slice("bpfman: error: ".length), stderr ?? message);
            // the verifier's words are indented, advice is a hint: nothing else is said
            for (const line of more) assert.match(line, /^ {4}|^hint: /);
        });
}

const load = (at: string, ...words: string[]) => ["program", "load", "file", at, "--programs", ...words];

before(async () => {
    lab = await Lab.start();
    wire = lab.wire();
    const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
    keeper = program?.id ?? 0;
    const [link] = await lab.attach(xdpItem(wire, keeper, 50));
    keeperLink = link?.id ?? 0;
});

after(async () => {
    assert.deepEqual(await wire.ping(3, { intervalSeconds: 0.01 }).result, { sent: 3, received: 3 });
    await lab[Symbol.asyncDispose]();
    fs.rmSync(dir, { recursive: true });
});

const sound = fixtureObject("xdp_pass");
const attachXdp = (program: () => number, more: Partial<NonNullable<AttachItemJson["xdp"]>> = {}) => {
    const item = xdpItem(wire, program(), 10);
    return lab.client.attach({ items: [{ ...item, xdp: { ...item.xdp, ...more } }] });
};
const attachWords = (...words: string[]) => ["link", "attach", "xdp", `${keeper}`, wire.interface, ...words];

suite("objects", () => {
    const object = (what: string, bytes: () => Uint8Array, message: RegExp, program = "xdp:xdp_pass"): Refusal => ({
        what,
        code: "INVALID_ARGUMENT",
        message,
        call: () => lab.client.load(request(bytes(), program)),
        words: () => load(file("object.o", bytes()), program),
    });

    refusals([
        object("no ELF file", () => Buffer.from("#!/bin/sh\nexit 0\n"), /not an ELF object: .*a script/),
        object("a program for this machine", () => fs.readFileSync("/bin/true"), /not for BPF/),
        object("one that was cut off", () => sound.subarray(0, sound.length >> 1), /ELF|eBPF object/),
        object("one that crashes libbpf", () => craftCrashingObject(sound), /function xdp_pass .* leaves its section/),
        {
            ...object(
                "one that makes libbpf take gigabytes",
                () => craftHungryObject(384, 4 << 20),
                /^open the object .*ENOMEM$/,
                "xdp:eat_0",
            ),
            code: "RESOURCE_EXHAUSTED",
        },
        {
            ...object("an empty one", () => Buffer.alloc(0), /neither an object nor a file|the object is empty/),
            stderr: /object\.o is empty/,
        },
        object("a wrong function name", () => sound, /no program "xdp_pas"; did you mean: xdp_pass\?/, "xdp:xdp_pas"),
        object("a name like no other", () => sound, /no program "qqqq"; it has: xdp_pass/, "xdp:qqqq"),
        object(
            "a section of another type",
            () => sound,
            /program type mismatch: caller specified tc but ELF section "xdp" implies xdp/,
            "tc:xdp_pass",
        ),
        object(
            "a section of a type that is not loaded",
            () => fixtureObject("odd_sections"),
            /kprobe/,
            "xdp:odd_kprobe",
        ),
        object(
            "no BTF where maps need it",
            () => fixtureObjectWithoutBtf("xdp_count"),
            /^the object has no BTF, and its maps need it$/,
            "xdp:xdp_count",
        ),
        {
            ...object("a program that the verifier refuses", () => fixtureObject("xdp_reject"), /./),
            message: /^the verifier refused program reject_out_of_bounds: EACCES$/,
            detail: /invalid access to packet, off=64 size=1/,
            call: () => lab.client.load(request(fixtureObject("xdp_reject"), "xdp:reject_out_of_bounds")),
            words: () => load(file("reject.o", fixtureObject("xdp_reject")), "xdp:reject_out_of_bounds"),
        },
        {
            what: "a sound program together with one that the verifier refuses",
            code: "INVALID_ARGUMENT",
            message: /refused program reject_null/,
            call: () =>
                lab.client.load({
                    ...request(fixtureObject("xdp_reject")),
                    programs: ["sound_sibling", "reject_null"].map(name => ({ type: "xdp", name })),
                }),
            words: () => load(file("reject.o", fixtureObject("xdp_reject")), "xdp:sound_sibling", "xdp:reject_null"),
        },
        {
            what: "a program named twice",
            code: "INVALID_ARGUMENT",
            message: /program xdp_pass is named twice/,
            call: () =>
                lab.client.load({ ...request(sound), programs: [1, 2].map(() => ({ type: "xdp", name: "xdp_pass" })) }),
            words: () => load(file("sound.o", sound), "xdp:xdp_pass", "xdp:xdp_pass"),
            stderr: /xdp_pass.*twice/,
        },
        {
            what: "no program",
            code: "INVALID_ARGUMENT",
            message: /no program is named/,
            call: () => lab.client.load({ ...request(sound), programs: [] }),
            words: () => ["program", "load", "file", file("sound.o", sound)],
            stderr: /--programs/,
        },
        {
            what: "an unknown type",
            code: "INVALID_ARGUMENT",
            message: /unknown type xpd of program xdp_pass; did you mean: xdp/,
            call: () => lab.client.load(request(sound, "xpd:xdp_pass")),
            words: () => load(file("sound.o", sound), "xpd:xdp_pass"),
            stderr: /xpd/,
        },
        {
            what: "a global variable of another size",
            code: "INVALID_ARGUMENT",
            message: /global variable "action" has 4 bytes, 2 were given/,
            call: () =>
                lab.client.load(
                    request(fixtureObject("xdp_count"), "xdp:xdp_count", { globalData: { action: "AQI=" } }),
                ),
            words: () => [
                ...load(file("count.o", fixtureObject("xdp_count")), "xdp:xdp_count"),
                "--global",
                "action=0102",
            ],
        },
        {
            what: "a global variable that the object does not have",
            code: "INVALID_ARGUMENT",
            message: /global variable "acton" not found in program; available: \[action\]/,
            call: () =>
                lab.client.load(
                    request(fixtureObject("xdp_count"), "xdp:xdp_count", { globalData: { acton: "AQAAAA==" } }),
                ),
            words: () => [
                ...load(file("count.o", fixtureObject("xdp_count")), "xdp:xdp_count"),
                "-g",
                "acton=01000000",
            ],
        },
        {
            what: "a map owner that does not exist",
            code: "NOT_FOUND",
            message: /map_owner_id 4000000000 does not exist/,
            call: () => lab.client.load(request(sound, "xdp:xdp_pass", { mapOwnerId: 4_000_000_000 })),
            words: () => [...load(file("sound.o", sound), "xdp:xdp_pass"), "--map-owner-id", "4000000000"],
        },
    ]);

    test("without BTF an object loads where nothing needs it", async () => {
        const object = file("plain.o", fixtureObjectWithoutBtf("xdp_pass"));
        const { status, out, err } = await command(...load(object, "xdp:xdp_pass"), "-o", "json");
        assert.deepEqual({ status, err }, { status: 0, err: "" });
        const id = JSON.parse(out).programs[0].record.program_id;
        assert.deepEqual((await lab.client.unload({ programIds: [id] })).failures ?? [], []);
    });

    test("the command prints the verifier's reason, and all of its log where asked", async () => {
        const object = file("big.o", fixtureObject("xdp_big_log"));
        const short = await leavesNothing(() => command(...load(object, "xdp:xdp_big_log")));
        assert.equal(short.status, 1);
        assert.match(short.err, /^ {4}invalid access to packet, off=64 size=1/m);
        assert.match(short.err, /\(\d{4,} lines of the verifier's log left out; --full-log prints all\)/);
        assert.ok(short.err.length < 2000);
        const whole = await leavesNothing(async () => {
            try {
                execFileSync(
                    process.execPath,
                    [main, "--runtime-dir", lab.runtimeDir, ...load(object, "xdp:xdp_big_log"), "--full-log"],
                    { env: {}, stdio: "pipe", maxBuffer: 64 << 20 },
                );
            } catch (error) {
                return (error as { stderr: Buffer }).stderr.toString();
            }
            return assert.fail("it was loaded");
        });
        assert.ok(whole.length > 1 << 20, `${whole.length} bytes`);
        assert.match(whole.slice(-500), /^processed \d+ insns \(limit 1000000\)/m);
    });

    test("300 objects of random bytes, broken headers and broken sound objects", async t => {
        const random = generator(20240229);
        const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random(256)));
        const magic = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1);
        const counts = { loaded: 0, "before libbpf": 0, "by libbpf or the kernel": 0 };
        await leavesNothing(async () => {
            for (let round = 0; round < 300; round++) {
                let object = Buffer.from(fixtureObject("xdp_count"));
                if (round % 5 < 2) object = bytes(1 + random(4096));
                else if (round % 5 < 4) object = Buffer.concat([magic, bytes(57 + random(2048))]);
                else for (let n = 1 + random(3); n > 0; n--) object[random(object.length)] = random(256);
                try {
                    const { programs = [] } = await lab.client.load(request(object, "xdp:xdp_count"));
                    const ids = programs.map(({ id = 0 }) => id);
                    assert.deepEqual((await lab.client.unload({ programIds: ids })).failures ?? [], []);
                    counts.loaded++;
                } catch (error) {
                    assert.ok(error instanceof CallError, `round ${round}: ${error}`);
                    const known = ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED"];
                    assert.ok(known.includes(error.code), `round ${round}: ${error.code}: ${error.message}`);
                    assert.doesNotMatch(error.message, /\n|internal error|undefined/, `round ${round}`);
                    counts[passes(object) ? "by libbpf or the kernel" : "before libbpf"]++;
                }
            }
        });
        t.diagnostic(JSON.stringify(counts));
        assert.ok(counts["before libbpf"] >= 240);
    });
});

/** Whether the check before libbpf lets an object through. */
function passes(object: Uint8Array): boolean {
    try {
        return checkObject(object) !== undefined;
    } catch (error) {
        assert.ok(error instanceof BpfmanError);
        return false;
    }
}

/** The same numbers below a bound, each time (mulberry32). */
function generator(seed: number): (bound: number) => number {
    let state = seed;
    return bound => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    };
}

suite("paths", () => {
    const paths = {
        directory: path.join(dir, "folder"),
        fifo: path.join(dir, "fifo"),
        link: path.join(dir, "link"),
        sparse: path.join(dir, "sparse"),
        socket: path.join(dir, "socket"),
        absent: path.join(dir, "absent"),
    };
    const server = net.createServer();

    before(() => {
        fs.mkdirSync(paths.directory);
        execFileSync("mkfifo", [paths.fifo]);
        fs.symlinkSync(file("sound.o", sound), paths.link);
        fs.writeFileSync(paths.sparse, "");
        fs.truncateSync(paths.sparse, 1 << 30);
        server.listen(paths.socket);
    });
    after(() => {
        server.close();
    });

    const named = (what: keyof typeof paths, code: string, message: RegExp, stderr: RegExp): Refusal => ({
        what: `named to the daemon and to the command: ${what}`,
        code,
        message,
        call: () => lab.client.load({ file: paths[what], programs: [{ type: "xdp", name: "xdp_pass" }] }),
        words: () => load(paths[what], "xdp:xdp_pass"),
        stderr,
    });
    refusals([
        named("directory", "INVALID_ARGUMENT", /folder" is a directory/, /folder is a directory/),
        named("fifo", "INVALID_ARGUMENT", /fifo" is no regular file/, /fifo is a FIFO/),
        named("link", "INVALID_ARGUMENT", /link" is a symbolic link/, /link is a symbolic link, .*sound\.o/),
        named("sparse", "RESOURCE_EXHAUSTED", /has 1073741824 bytes; an object has 16777216 at most/, /is too large/),
        named("socket", "INVALID_ARGUMENT", /socket" is a socket/, /socket is a socket/),
        named("absent", "INVALID_ARGUMENT", /absent" does not exist/, /absent: no such file/),
        {
            what: "a relative path",
            code: "INVALID_ARGUMENT",
            message: /not absolute: x\.o/,
            call: () => lab.client.load({ file: "x.o", programs: [{ type: "xdp", name: "x" }] }),
        },
    ]);
});

suite("links", () => {
    refusals([
        {
            what: "an unknown interface, with a near name",
            code: "NOT_FOUND",
            message: /interface "vet1" not found in the network namespace \/run\/netns\/.*; did you mean: veth1\?/,
            call: () => attachXdp(() => keeper, { interface: "vet1" }),
            words: () => ["link", "attach", "xdp", `${keeper}`, "vet1", "-p", "10", "-n", wire.netns],
        },
        {
            what: "an interface name that cannot be one",
            code: "INVALID_ARGUMENT",
            message: /longer than 15 bytes/,
            call: () => attachXdp(() => keeper, { interface: "a-name-of-17-char" }),
            words: () => ["link", "attach", "xdp", `${keeper}`, "a-name-of-17-char", "-p", "10"],
            stderr: /invalid interface name/,
        },
        {
            what: "an unknown namespace",
            code: "NOT_FOUND",
            message: /\/run\/netns\/none-of-that-name/,
            call: () => attachXdp(() => keeper, { netns: "/run/netns/none-of-that-name" }),
            words: () => attachWords("-p", "10", "-n", "/run/netns/none-of-that-name"),
        },
        {
            what: "a namespace's path that is none of a namespace",
            code: "INVALID_ARGUMENT",
            message: /\/etc\/passwd/,
            call: () => attachXdp(() => keeper, { netns: "/etc/passwd" }),
            words: () => attachWords("-p", "10", "-n", "/etc/passwd"),
        },
        {
            what: "a namespace of another kind",
            code: "INVALID_ARGUMENT",
            message: /\/proc\/self\/ns\/mnt/,
            call: () => attachXdp(() => keeper, { netns: "/proc/self/ns/mnt" }),
        },
        {
            what: "a negative priority",
            code: "INVALID_ARGUMENT",
            message: /priority must be non-negative/,
            call: () => attachXdp(() => keeper, { priority: -5 }),
            words: () => attachWords("--priority=-5", "-n", wire.netns),
        },
        {
            what: "an unknown proceed-on code, an unknown word",
            code: "INVALID_ARGUMENT",
            message: /unknown proceed-on code 77 for xdp/,
            call: () => attachXdp(() => keeper, { proceedOn: [2, 77] }),
            words: () => attachWords("-p", "10", "--proceed-on", "pas"),
            stderr: /error parsing proceed_on "pas" \(xdp\); did you mean pass\?/,
        },
        {
            what: "an unknown mode",
            code: "INVALID_ARGUMENT",
            message: /mode fast/,
            call: () => attachXdp(() => keeper, { mode: "fast" }),
            words: () => attachWords("-p", "10", "--mode", "fast"),
            stderr: /mode "fast"/,
        },
        {
            what: "an unknown direction",
            code: "INVALID_ARGUMENT",
            message: /sideways/,
            call: () => lab.attach(tcxItem(wire, keeper, 10, "sideways")),
            words: () => ["link", "attach", "tcx", `${keeper}`, wire.interface, "sideways", "-p", "10"],
        },
        {
            what: "a hook of another type",
            code: "FAILED_PRECONDITION",
            message: /program \d+ is a xdp program; the tc attach accepts tc/,
            call: () => lab.attach(tcItem(wire, keeper, 10)),
            words: () => [
                ...["link", "attach", "tc", `${keeper}`, wire.interface, "ingress"],
                ...["-p", "10", "-n", wire.netns],
            ],
        },
        {
            what: "a program that does not exist",
            code: "NOT_FOUND",
            message: /program 4000000000 does not exist/,
            call: () => attachXdp(() => 4_000_000_000),
            words: () => ["link", "attach", "xdp", "4000000000", wire.interface, "-p", "10", "-n", wire.netns],
        },
        {
            what: "65 links in one request",
            code: "INVALID_ARGUMENT",
            message: /more than 64 attachments/,
            call: () => lab.attach(...Array.from({ length: 65 }, () => xdpItem(wire, keeper, 10))),
        },
        {
            what: "a chain of eleven in one request",
            code: "RESOURCE_EXHAUSTED",
            message: /no free dispatcher slots \(all 10 occupied\) for (xdp|tc) on veth1/,
            call: () => lab.attach(...Array.from({ length: 10 }, () => xdpItem(wire, keeper, 10))),
        },
        {
            what: "two modes in one request",
            code: "INVALID_ARGUMENT",
            message: /cannot run XDP in (native and in generic|generic and in native) mode/,
            call: () =>
                lab.attach(
                    xdpItem(wire, keeper, 10, { mode: "native" }),
                    xdpItem(wire, keeper, 10, { mode: "generic" }),
                ),
        },
        {
            what: "several links of which the last is wrong",
            code: "NOT_FOUND",
            message: /interface "veth9" not found/,
            call: () => {
                const wrong = xdpItem(wire, keeper, 30);
                return lab.attach(...[xdpItem(wire, keeper, 10), xdpItem(wire, keeper, 20)], {
                    ...wrong,
                    xdp: { ...wrong.xdp, interface: "veth9" },
                });
            },
        },
        {
            what: "a load whose link is wrong",
            code: "NOT_FOUND",
            message: /interface "veth9" not found/,
            call: () => {
                const { xdp } = xdpItem(wire, 0, 30);
                const attach = [{ programName: "xdp_pass", xdp: { ...xdp, interface: "veth9" } }];
                return lab.client.load(request(sound, "xdp:xdp_pass", { attach }));
            },
            words: () => [
                ...load(file("sound.o", sound), "xdp:xdp_pass"),
                ...["--attach", `xdp:veth9:prio=10:netns=${wire.netns}`],
            ],
        },
    ]);

    test("a program for a devmap is loaded, but at an interface it is refused", async () => {
        const [program] = await lab.load("odd_sections", ["xdp:odd_devmap"]);
        const error = await leavesNothing(() => refused(attachXdp(() => program?.id ?? 0)));
        assert.equal(error.code, "FAILED_PRECONDITION");
        assert.match(error.message, /odd_devmap\) is made for section xdp\/devmap, not for an interface/);
        await lab.client.unload({ programIds: [program?.id ?? 0] });
    });

    test("the same TCX program twice at one hook", async () => {
        const [program] = await lab.load("tc_return_0", [await onlyProgram("tc_return_0", "tcx")]);
        await lab.attach(tcxItem(wire, program?.id, 10));
        const error = await leavesNothing(() => refused(lab.attach(tcxItem(wire, program?.id, 20))));
        assert.equal(error.code, "ALREADY_EXISTS");
        await lab.client.unload({ programIds: [program?.id ?? 0] });
    });
});

async function onlyProgram(fixture: string, type: string): Promise<string> {
    const { programs = [] } = await lab.client.inspect({ object: fixtureObject(fixture).toString("base64") });
    return `${type}:${programs[0]?.name}`;
}

suite("what others loaded", () => {
    let foreign: Foreign;
    before(() => {
        foreign = new Foreign("xdp_drop", "xdp");
    });
    after(() => {
        foreign.assertUntouched();
        foreign[Symbol.dispose]();
    });
    const notOurs = /program \d+ exists in kernel but is not managed by bpfman/;

    refusals([
        {
            what: "is not attached",
            code: "NOT_FOUND",
            message: notOurs,
            call: () => attachXdp(() => foreign.program.id),
            words: () => [
                ...["link", "attach", "xdp", `${foreign.program.id}`, wire.interface],
                ...["-p", "10", "-n", wire.netns],
            ],
        },
        {
            what: "lends no maps",
            code: "NOT_FOUND",
            message: /map_owner_id \d+ does not exist: no managed program has that id/,
            call: () => lab.client.load(request(sound, "xdp:xdp_pass", { mapOwnerId: foreign.program.id })),
        },
    ]);

    test("is not unloaded", async () => {
        const id = foreign.program.id;
        const { failures = [], done = [] } = await leavesNothing(() => lab.client.unload({ programIds: [id] }));
        assert.deepEqual(done, []);
        assert.deepEqual(
            failures.map(({ code }) => code),
            ["NOT_FOUND"],
        );
        assert.match(failures[0]?.message ?? "", notOurs);
        const { status, err } = await leavesNothing(() => command("program", "unload", `${id}`));
        assert.equal(status, 1);
        assert.match(err, notOurs);
        foreign.assertUntouched();
    });
});

suite("ids", () => {
    const unknown = 4_000_000_000;
    refusals([
        {
            what: "get of an unknown program",
            code: "NOT_FOUND",
            message: /program 4000000000 does not exist/,
            call: () => lab.client.getProgram(unknown),
            words: () => ["program", "get", `${unknown}`],
        },
        {
            what: "get of an unknown link",
            code: "NOT_FOUND",
            message: /link 4000000000 does not exist/,
            call: () => lab.client.getLink(unknown),
            words: () => ["link", "get", `${unknown}`],
        },
        {
            what: "an update of an unknown link",
            code: "NOT_FOUND",
            message: /link 4000000000 does not exist/,
            call: () => lab.client.updateLink({ linkId: unknown, priority: 1 }),
            words: () => ["link", "update", `${unknown}`, "-p", "1"],
        },
        {
            what: "no id",
            code: "INVALID_ARGUMENT",
            message: /no id is given/,
            call: () => lab.client.unload({ programIds: [] }),
            words: () => ["program", "unload"],
            stderr: /ID/,
        },
        {
            what: "an id that is no number",
            code: "INVALID_ARGUMENT",
            message: /id is missing/,
            call: () => lab.client.getProgram(0),
            words: () => ["program", "get", "0x12"],
            stderr: /invalid program ID "0x12": must be a decimal number/,
        },
        {
            what: "an update that changes nothing",
            code: "INVALID_ARGUMENT",
            message: /nothing to change/,
            call: () => lab.client.updateLink({ linkId: keeperLink }),
            words: () => ["link", "update", `${keeperLink}`],
            stderr: /./,
        },
        {
            what: "an update to a negative priority",
            code: "INVALID_ARGUMENT",
            message: /priority must be non-negative/,
            call: () => lab.client.updateLink({ linkId: keeperLink, priority: -1 }),
            words: () => ["link", "update", `${keeperLink}`, "--priority=-1"],
        },
    ]);

    for (const [noun, verb, word] of [
        ["program", "unload", "unload"],
        ["link", "detach", "detach"],
    ] as const)
        test(`${verb} of unknown ids, each of them told; with --ignore-missing none`, async () => {
            const { status, err } = await leavesNothing(() => command(noun, verb, `${unknown}`, `${unknown + 1}`));
            assert.equal(status, 1);
            assert.match(err, new RegExp(`${noun} 4000000000 does not exist[^]*${noun} 4000000001 does not exist`));
            const ignored = await leavesNothing(() => command(noun, word, `${unknown}`, "--ignore-missing"));
            assert.equal(ignored.status, 0, ignored.err);
        });
});

suite("sizes", () => {
    const metadata = (pairs: number, length: number) =>
        Object.fromEntries(Array.from({ length: pairs }, (_, i) => [`key${i}`, "v".repeat(length)]));
    refusals([
        {
            what: "65 metadata pairs",
            code: "INVALID_ARGUMENT",
            message: /more than 64 metadata pairs/,
            call: () => lab.client.load(request(sound, "xdp:xdp_pass", { metadata: metadata(65, 1) })),
            words: () => [
                ...load(file("sound.o", sound), "xdp:xdp_pass"),
                ...Object.keys(metadata(65, 1)).flatMap(key => ["-m", `${key}=v`]),
            ],
        },
        {
            what: "a metadata value of 5,000 bytes",
            code: "INVALID_ARGUMENT",
            message: /the metadata value of key0 is longer than 4096 bytes/,
            call: () => lab.attach({ ...xdpItem(wire, keeper, 10), metadata: metadata(1, 5000) }),
            words: () => [...attachWords("-p", "10", "-n", wire.netns), "-m", `key0=${"v".repeat(5000)}`],
        },
        {
            what: "a program's name of 300 bytes",
            code: "INVALID_ARGUMENT",
            message: /a program's name is longer than 255 bytes/,
            call: () => lab.client.load(request(sound, `xdp:${"n".repeat(300)}`)),
        },
        {
            what: "a NUL in a name",
            code: "INVALID_ARGUMENT",
            message: /NUL/,
            call: () => lab.client.load(request(sound, "xdp:xdp\0pass")),
        },
        {
            what: "257 programs",
            code: "INVALID_ARGUMENT",
            message: /more than 256 programs/,
            call: () =>
                lab.client.load({
                    ...request(sound),
                    programs: Array.from({ length: 257 }, (_, i) => ({ type: "xdp", name: `p${i}` })),
                }),
        },
        {
            what: "an object of 17 MiB",
            code: "RESOURCE_EXHAUSTED",
            message: /at most 16 MiB/,
            call: () => lab.client.load(request(Buffer.alloc(17 << 20))),
            words: () => load(file("large.o", Buffer.alloc(17 << 20)), "xdp:xdp_pass"),
            stderr: /is too large/,
        },
    ]);

    test("a message of 40 MiB", async () => {
        const client = new HostClient(() => dialSocket(lab.socketPath));
        // the daemon may close the connection while it is still sent
        await leavesNothing(() =>
            assert.rejects(client.load(request(Buffer.alloc(30 << 20))), error =>
                error instanceof CallError
                    ? error.code === "RESOURCE_EXHAUSTED"
                    : error instanceof TransportError && error.reason === "lost",
            ),
        );
        client.close();
    });
});

suite("sockets", () => {
    test("that nobody serves: told, and what to do where no daemon may be started", async () => {
        const stale = path.join(dir, "stale.sock");
        const script = `require("net").createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, "SIGKILL"))`;
        try {
            execFileSync(process.execPath, ["-e", script], { stdio: "ignore" });
        } catch {
            // killed, as meant
        }
        assert.ok(fs.lstatSync(stale).isSocket());
        await assert.rejects(dialSocket(stale), error => error instanceof TransportError && error.reason === "refused");
        fs.chmodSync(dir, 0o755);
        fs.chmodSync(stale, 0o666);
        const result = await asNobody("--socket-path", stale, "program", "list");
        assert.equal(result.status, 1);
        assert.match(result.err, /^bpfman: error: the daemon is not running \(nobody listens at .*stale\.sock\)/);
    });

    test("that are none", async () => {
        const regular = file("regular", Buffer.from("no socket"));
        const { status, err } = await command("--socket-path", regular, "program", "list");
        assert.equal(status, 1);
        assert.match(err, /^bpfman: error: .*regular is not a socket/);
        assert.equal(fs.readFileSync(regular, "utf8"), "no socket");
    });

    test("that this caller may not connect to", async () => {
        const { status, err } = await asNobody("--socket-path", lab.socketPath, "program", "list");
        assert.equal(status, 1);
        assert.match(err, /^bpfman: error: .*(permission|not allowed|may not|denied)/i);
    });
});

function asNobody(...words: string[]): Promise<Outcome> {
    // the sources may lie where only root looks: a bundle would not help, so the interpreter reads them as root's
    const drop = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    return new Promise(resolve => {
        execFile("setpriv", [...drop, process.execPath, main, ...words], { cwd: "/", env: {} }, (error, out, err) =>
            resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
    });
}
