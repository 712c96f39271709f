// SPDX-License-Identifier: Apache-2.0
// The built command, with an empty environment, against the daemon that it starts itself. What it says is compared
// with what bpftool and ip say.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fixtureObject } from "../fixtures/objects.ts";
import { assertNothingLeft, bpfDescriptors, snapshot } from "../lab/leaks.ts";

const command = join(import.meta.dirname, "../../dist/bin/bpfman");
const dir = mkdtempSync(join(tmpdir(), "cli-test-"));
const runtimeDir = join(dir, "run");
const namespace = `cli-test-${process.pid}`;
const netns = `/var/run/netns/${namespace}`;

interface Outcome {
    status: number;
    out: string;
    err: string;
}

function bpfman(...words: (string | number)[]): Promise<Outcome> {
    return new Promise(resolve => {
        const options = { cwd: "/", env: {}, encoding: "utf8" } as const;
        execFile(command, ["--runtime-dir", runtimeDir, ...words.map(String)], options, (error, out, err) =>
            resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
    });
}

async function ok(...words: (string | number)[]): Promise<string> {
    const { status, out, err } = await bpfman(...words);
    assert.deepEqual({ status, err }, { status: 0, err: "" }, words.join(" "));
    return out;
}

const okJson = async (...words: (string | number)[]) => JSON.parse(await ok(...words, "-o", "json"));
const ids = async (noun: string) => (await ok(noun, "list", "-q")).split("\n").filter(Boolean).map(Number);

function object(name: string): string {
    const path = join(dir, `${name}.o`);
    writeFileSync(path, fixtureObject(name));
    return path;
}

const ip = (...words: string[]) => execFileSync("ip", words, { encoding: "utf8" });

function kernelProgram(id: number): { type: string; name: string } | undefined {
    try {
        return JSON.parse(
            execFileSync("bpftool", ["-j", "prog", "show", "id", String(id)], { encoding: "utf8", stdio: "pipe" }),
        );
    } catch {
        return undefined;
    }
}

/** The XDP program that the kernel says is at the interface. */
function xdpAt(iface: string): number | undefined {
    return JSON.parse(ip("-n", namespace, "-j", "-d", "link", "show", iface))[0].xdp?.prog.id;
}

const daemonPid = async () => (await okJson("version")).daemon.pid as number;

const pins = () =>
    globSync(`${runtimeDir}/fs/**/*`).filter(path => !path.endsWith(".debug") && !statSync(path).isDirectory());

const atStart = snapshot();

before(() => {
    assert(existsSync(command), "dist/bin/bpfman is not built: node build.ts bpf daemon cli");
    ip("netns", "add", namespace);
    ip("link", "add", "v0", "netns", namespace, "type", "veth", "peer", "name", "v1", "netns", namespace);
    for (const iface of ["v0", "v1"]) ip("-n", namespace, "link", "set", iface, "up");
});

async function stopDaemon(): Promise<void> {
    const { daemon } = JSON.parse((await bpfman("version", "-o", "json")).out);
    if (!daemon) return;
    process.kill(daemon.pid, "SIGTERM");
    for (let round = 0; existsSync(`/proc/${daemon.pid}`); round++) {
        assert(round < 200, "the daemon does not stop");
        await sleep(50);
    }
}

after(async () => {
    await stopDaemon();
    if (readFileSync("/proc/self/mounts", "utf8").includes(` ${runtimeDir}/fs `))
        execFileSync("umount", [`${runtimeDir}/fs`]);
    ip("netns", "del", namespace);
    rmSync(dir, { recursive: true });
    await assertNothingLeft(atStart);
});

afterEach(async () => assert.deepEqual(bpfDescriptors(await daemonPid()), []));

test("several commands at once start one daemon", async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => bpfman("program", "list")));
    for (const outcome of outcomes) assert.deepEqual(outcome, { status: 0, out: "", err: "" });
    const log = readFileSync(join(runtimeDir, "daemon.log"), "utf8");
    assert.equal(log.match(/serves at/g)?.length, 1, log);
    await daemonPid();
});

test("a program is loaded and attached by one command; bpftool and ip see it", async () => {
    const attach = `xdp:v0:prio=100:proceed-on=pass,drop:netns=${netns}`;
    const { programs, links } = await okJson(
        ...["program", "load", object("xdp_count"), "--programs", "xdp:xdp_count", "-a", "web", "-m", "k=v"],
        ...["-g", "action=02000000", "--attach", attach],
    );
    const [{ record, status }] = programs;
    assert.deepEqual(record.meta.metadata, { k: "v", "bpfman.io/application": "web" });
    assert.deepEqual(record.load.global_data, { action: "AgAAAA==" });
    const inKernel = kernelProgram(record.program_id);
    assert.deepEqual([inKernel?.type, inKernel?.name], ["xdp", "xdp_count"]);
    assert.equal(status.kernel.program_type, "xdp");
    assert.notEqual(xdpAt("v0"), undefined);
    const [{ record: link }] = links;
    assert.deepEqual([link.program_id, link.kind, link.details.proceed_on], [record.program_id, "xdp", [1, 2]]);
    assert.match(await ok("program", "list"), /^PROGRAM ID {2}APPLICATION .*\n\d+ +web +xdp +xdp_count +\d+\n$/);
    assert.match(
        await ok("program", "get", record.program_id),
        /\n {2}Links:\n {4}\d+:\n {6}Attach: {2}v0 pos-0 netns=/,
    );
});

test("a load whose attach fails leaves nothing", async () => {
    const programsBefore = await ids("program");
    const linksBefore = await ids("link");
    const pinsBefore = pins();
    const { status, out, err } = await bpfman(
        ...["program", "load", object("xdp_sequence"), "--programs", "xdp:xdp_sequence_0,xdp:xdp_sequence_1"],
        ...["--attach", `xdp_sequence_0=xdp:v0:prio=1:netns=${netns}`],
        ...["--attach", `xdp_sequence_1=xdp:nosuch:prio=1:netns=${netns}`],
    );
    assert.deepEqual([status, out], [1, ""]);
    assert.match(err, /^bpfman: error: .*nosuch/);
    assert.deepEqual(await ids("program"), programsBefore);
    assert.deepEqual(await ids("link"), linksBefore);
    assert.deepEqual(pins(), pinsBefore);
});

test("several programs in one attach are one rebuild, in the order given; update and detach keep the others", async () => {
    const words = ["xdp:xdp_sequence_0,xdp:xdp_sequence_1,xdp:xdp_sequence_2"];
    const { programs } = await okJson("program", "load", "file", object("xdp_sequence"), "--programs", ...words);
    const loaded: number[] = programs.map((program: { record: { program_id: number } }) => program.record.program_id);
    const chain = async () => {
        const [{ key }] = (await okJson("dispatcher", "list", "--type", "xdp")).dispatchers;
        return await okJson("dispatcher", "get", key.type, key.nsid, key.ifindex);
    };
    const names = (members: { program_name: string }[]) => members.map(member => member.program_name).join(" ");
    const { revision } = await chain();
    const { links } = await okJson("link", "attach", "xdp", ...loaded, "v0", "-p", 50, "-n", netns);
    const grown = await chain();
    assert.equal(grown.revision, revision + 1);
    assert.equal(names(grown.members), "xdp_sequence_0 xdp_sequence_1 xdp_sequence_2 xdp_count");
    assert.equal(xdpAt("v0"), grown.runtime.program_id);

    const [first, second] = links.map((link: { record: { id: number } }) => link.record.id);
    await ok("link", "update", first, "--priority", 200, "--proceed-on", "pass,tx");
    const changed = await chain();
    assert.equal(names(changed.members), "xdp_sequence_1 xdp_sequence_2 xdp_count xdp_sequence_0");
    assert.equal(changed.members[3].proceed_on, 12);

    await ok("link", "detach", first, second);
    assert.equal(names((await chain()).members), "xdp_sequence_2 xdp_count");
});

test("the released forms: load and attach in one line, list, get, detach, unload", async () => {
    const out = await ok(
        ...["load", "file", "--path", object("xdp_pass"), "--programs", "xdp:xdp_pass"],
        ...["xdp", "--iface", "v1", "--priority", 7, "--proceed-on", "pass", "dispatcher_return", "--netns", netns],
    );
    assert.match(out, /^ Bpfman State\n[\s\S]*\n Kernel State\n[\s\S]*\n Bpfman State\n[\s\S]*\n Interface: +v1\n/);
    const id = Number(/Program ID: +(\d+)/.exec(out)?.[1]);
    const link = Number(/Link ID: +(\d+)/.exec(out)?.[1]);
    assert.equal(xdpAt("v1"), id, "a lone program that only passes is attached itself");
    assert.match(await ok("list", "programs"), new RegExp(`^ ${id} +xdp +xdp_pass +\\(1\\) ${link}$`, "m"));
    assert.match(await ok("get", "program", id), /\n Kernel Type: +xdp\n/);
    assert.match(await ok("get", "link", link), /\n Proceed On: +pass, dispatcher_return\n/);
    assert.equal(await ok("detach", link), "");
    assert.equal(xdpAt("v1"), undefined);
    assert.equal(await ok("unload", id), "");
    assert.equal(kernelProgram(id), undefined);
    assert.match((await bpfman("unload", id)).err, new RegExp(`^bpfman: error: program ${id} does not exist$`, "m"));
});

test("tc and tcx", async () => {
    const { links } = await okJson(
        ...["program", "load", object("tc_sequence"), "--programs", "tc:tc_sequence_0,tcx:tc_sequence_1"],
        ...["--attach", `tc_sequence_0=tc:v1:ingress:prio=5:netns=${netns}`],
        ...["--attach", `tc_sequence_1=tcx:v1:egress:prio=6:netns=${netns}`],
    );
    const [tc, tcx] = links.map(({ record }: { record: unknown }) => record);
    assert.deepEqual([tc.kind, tc.details.direction, tc.details.proceed_on], ["tc", "ingress", [3, 30]]);
    assert.deepEqual([tcx.kind, tcx.details.direction, tcx.details.priority], ["tcx", "egress", 6]);
    assert.match(await ok("dispatcher", "list", "--type", "tc-ingress"), /^tc-ingress /m);
    const refused = await bpfman("link", "attach", "xdp", tc.program_id, "v0", "-p", 1, "-n", netns);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /is a tc program; the xdp attach accepts xdp/);
    const twice = await bpfman("link", "attach", "tcx", tcx.program_id, "v1", "egress", "-p", 1, "-n", netns);
    assert.match(twice.err, new RegExp(`is already attached to v1 egress as link ${tcx.id}; detach it first`));
    await ok("program", "unload", tc.program_id, tcx.program_id);
    assert.equal(kernelProgram(tc.program_id), undefined);
});

test("bad input is one clear error each; the daemon lives on and nothing is left", async () => {
    const pid = await daemonPid();
    const before = [await ids("program"), pins()];
    const random = join(dir, "random");
    const cut = join(dir, "cut");
    writeFileSync(random, randomBytes(4096));
    writeFileSync(cut, fixtureObject("xdp_count").subarray(0, 900));
    const [first] = await ids("program");
    const pass = object("xdp_pass");
    const cases: [(string | number)[], RegExp][] = [
        [["program", "load", random, "--programs", "xdp:a"], /not an ELF object/],
        [["program", "load", cut, "--programs", "xdp:xdp_count"], /./],
        [["program", "load", pass, "--programs", "xdp:xdp_pas"], /no program "xdp_pas"; did you mean: xdp_pass\?/],
        [["program", "load", pass, "--programs", "tc:xdp_pass"], /type mismatch/],
        [
            ["program", "load", pass, "--programs", "xdp:xdp_pass", "-g", "nosuch=00"],
            /global variable "nosuch" not found/,
        ],
        [
            ["program", "load", object("xdp_reject"), "--programs", "xdp:reject_out_of_bounds"],
            /invalid access to packet/,
        ],
        [["program", "load", dir, "--programs", "xdp:a"], /is a directory/],
        [["link", "attach", "xdp", first!, "nosuch", "-p", 1, "-n", netns], /nosuch/],
        [["link", "attach", "xdp", first!, "v0", "-p", -1, "-n", netns], /priority must be non-negative/],
        [["link", "attach", "xdp", first!, "v0", "-p", 1, "-n", netns, "--proceed-on", "psas"], /did you mean pass\?/],
        [["link", "attach", "xdp", 4294967295, "v0", "-p", 1, "-n", netns], /program 4294967295 does not exist/],
        [["link", "get", 4294967295], /link 4294967295 does not exist/],
        [["program", "get", "0x12"], /invalid program ID "0x12": must be a decimal number/],
    ];
    for (const [words, message] of cases) {
        const { status, out, err } = await bpfman(...words);
        assert.deepEqual([status, out], [1, ""], words.join(" "));
        assert.match(err, /^bpfman: error: /, words.join(" "));
        assert.match(err, message, words.join(" "));
    }
    assert.deepEqual([await ids("program"), pins()], before);
    assert.equal(await daemonPid(), pid);
});

test("somebody without rights is told what is missing", async () => {
    execFileSync("chmod", ["755", dir, runtimeDir]);
    const asNobody = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        command,
        "--runtime-dir",
        runtimeDir,
        "program",
        "list",
    ];
    const { status, err } = await new Promise<Outcome>(resolve =>
        execFile("setpriv", asNobody, { encoding: "utf8" }, (error, out, err) =>
            resolve({ status: Number(error?.code ?? 0), out, err }),
        ),
    );
    assert.equal(status, 1);
    assert.match(err, /^bpfman: error: permission denied: .*bpfman\.sock: run as root or join group bpfman$/m);
});

test("after the daemon was killed the next command starts one that knows everything", async () => {
    const pid = await daemonPid();
    // the kernel counts from boot: the wall clock that this stands for moves a little from one daemon to the next
    const programList = async () => (await ok("program", "list", "-o", "json")).replaceAll(/"loaded_at": ".*"/g, "");
    const programs = await programList();
    const links = await okJson("link", "list");
    const atInterface = xdpAt("v0");
    process.kill(pid, "SIGKILL");
    for (let round = 0; existsSync(`/proc/${pid}`) && round < 100; round++) await sleep(20);
    assert.equal(xdpAt("v0"), atInterface);
    assert.equal(await programList(), programs);
    assert.deepEqual(await okJson("link", "list"), links);
    assert.notEqual(await daemonPid(), pid);
});

test("a second daemon for the same folder is refused", async () => {
    const { status, err } = await bpfman("serve");
    assert.equal(status, 1);
    assert.match(err, /another bpfman daemon holds/);
});

test("a daemon that can't start is told with its last words", async () => {
    const path = join(dir, "blocked");
    writeFileSync(path, "");
    const { status, err } = await bpfman(
        "--state-dir",
        join(path, "state"),
        "--socket-path",
        join(dir, "other.sock"),
        "program",
        "list",
    );
    assert.equal(status, 1);
    assert.match(err, /^bpfman: error: the daemon ended while it started \(status 1\): .*blocked/);
});

test("where systemd has the unit, the command says how to start it and starts nothing", async () => {
    const script = [
        "mount -t tmpfs t /run && mkdir -p /run/systemd/system",
        "mount -t tmpfs t /etc/systemd && mkdir /etc/systemd/system && touch /etc/systemd/system/bpfman.socket",
        `env -i ${command} program list; status=$?; find /run -name "bpfman*"; exit $status`,
    ].join(" && ");
    const { status, out, err } = await new Promise<Outcome>(resolve =>
        execFile("unshare", ["-m", "sh", "-c", script], { encoding: "utf8" }, (error, out, err) =>
            resolve({ status: Number(error?.code ?? 0), out, err }),
        ),
    );
    assert.deepEqual(
        { status, out, err },
        {
            status: 1,
            out: "",
            err: "bpfman: error: the daemon is not running; start it with: systemctl enable --now bpfman.socket\n",
        },
    );
});

test("unloading everything leaves nothing in the kernel and no pin", async () => {
    const loaded = await ids("program");
    await ok("program", "unload", ...loaded);
    assert.equal(await ok("program", "list"), "");
    assert.equal(await ok("link", "list"), "");
    assert.equal(await ok("dispatcher", "list"), "");
    for (const id of loaded) assert.equal(kernelProgram(id), undefined, `program ${id}`);
    assert.equal(xdpAt("v0"), undefined);
    assert.deepEqual(pins(), []);
});
