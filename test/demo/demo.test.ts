// SPDX-License-Identifier: Apache-2.0
// `make run` as a newcomer meets it: its printed commands are typed, its page is opened, and when it ends nothing is left.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertNothingLeft, type Snapshot, snapshot } from "../lab/leaks.ts";

const root = path.resolve(import.meta.dirname, "../..");
const page = "/usr/local/share/cockpit/bpfman";

/** demo/run.ts as a process of its own. */
class Demo implements AsyncDisposable {
    readonly child: ChildProcess;
    output = "";
    readonly exit: Promise<number | null>;

    constructor(env: Record<string, string> = {}) {
        this.child = spawn(process.execPath, [path.join(root, "demo/run.ts")], {
            // a free port, so that a demo somebody tries out meanwhile keeps its own
            env: { ...process.env, PORT: "0", ...env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [this.child.stdout, this.child.stderr])
            stream?.on("data", (text: Buffer) => {
                this.output += text.toString();
            });
        this.exit = once(this.child, "close").then(([code]) => code as number | null);
    }

    async ready(): Promise<void> {
        for (let waitedMs = 0; !/^Ready\./m.test(this.output); waitedMs += 50) {
            assert.equal(this.child.exitCode, null, this.output);
            assert.ok(waitedMs < 60_000, `not ready: ${this.output}`);
            await sleep(50);
        }
    }

    /** the lines that the demo tells to type */
    get commands(): string[] {
        return [...this.output.matchAll(/^ {4}(\S.*)$/gm)].map(([, line = ""]) => line);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGTERM");
        await this.exit;
    }

    get url(): string {
        return /^Open +(\S+)$/m.exec(this.output)?.[1] ?? assert.fail(`no address in ${this.output}`);
    }
}

/** A shell that takes one line after the other, as a terminal does. */
class Shell {
    #exports: string[] = [];

    type(line: string): string {
        if (line.startsWith("export ")) this.#exports.push(line);
        const result = spawnSync("bash", ["--norc", "-c", [...this.#exports, line].join("\n")], {
            cwd: "/",
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
            // nothing of this repository's own tools
            env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        });
        assert.equal(result.status, 0, `${line}\n${result.stdout}${result.stderr}`);
        assert.equal(result.stderr, "", line);
        return result.stdout;
    }
}

const list = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

interface Before {
    readonly kernel: Snapshot;
    readonly run: string[];
    readonly temporary: string[];
    readonly share: string[];
}

const look = (): Before => ({
    kernel: snapshot(),
    run: list("/run").filter(name => name.startsWith("bpfman")),
    temporary: list(os.tmpdir()).filter(name => name.startsWith("bpfman-cockpit-")),
    share: list("/usr/local/share"),
});

function processes(): string[] {
    return list("/proc")
        .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
        .flatMap(pid => {
            try {
                const words = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").join(" ").trim();
                return /bpfman-demo|10\.123\./.test(words) ? [`${pid}: ${words}`] : [];
            } catch {
                return [];
            }
        });
}

async function assertGone(before: Before): Promise<void> {
    assert.deepEqual(processes(), []);
    assert.ok(!fs.existsSync("/sys/class/net/bpfman-demo0"), "the interface is left");
    assert.ok(!fs.existsSync("/run/netns/bpfman-demo"), "the namespace is left");
    assert.ok(!fs.readFileSync("/proc/self/mounts", "utf8").includes("bpfman-demo"), "a mount is left");
    const { kernel, ...files } = before;
    const { kernel: _, ...now } = look();
    if (process.env["BPFMAN_TEST_SHARED"] !== "1") assert.deepEqual(now, files);
    await assertNothingLeft(kernel);
}

/** Programs, as bpftool knows them. */
function kernelPrograms(): { id: number; name: string; type: string }[] {
    return JSON.parse(execFileSync("bpftool", ["-j", "prog", "show"], { encoding: "utf8" }));
}

test("the printed commands work, the page is served, and Ctrl-C leaves nothing", { timeout: 120_000 }, async () => {
    const before = look();
    await using demo = new Demo();
    await demo.ready();
    assert.match(demo.output, /WARNING: whoever reaches port \d+ of this machine's loopback IS ROOT/);

    await using second = new Demo();
    assert.equal(await second.exit, 1);
    assert.match(second.output, /another one runs on this machine already/);

    const shown = await fetch(demo.url);
    assert.equal(shown.status, 200);
    const { origin } = new URL(demo.url);
    const frame = await fetch(`${origin}/cockpit/@localhost/bpfman/index.html`);
    assert.equal(frame.status, 200);
    assert.match(await frame.text(), /<script[^>]+src="index\.js"/);

    const shell = new Shell();
    const { commands } = demo;
    const end = commands.findIndex(line => line.startsWith("# and all of it away"));
    assert.ok(end > 10, demo.output);
    const said = new Map(commands.slice(0, end).map(line => [line, shell.type(line)]));
    const answer = (start: string) => [...said].find(([line]) => line.startsWith(start))?.[1] ?? assert.fail(start);

    assert.match(answer("ip netns exec bpfman-demo ping -c 2 -W 1 -I 10.123.0.2"), /2 received/);
    assert.match(answer("ip netns exec bpfman-demo ping -c 2 -W 1 -I 10.123.0.3"), /0 received[\s\S]*dropped/);
    const counters = JSON.parse(answer("bpftool map dump pinned")) as { values: { value: { packets: number } }[] }[];
    const packets = counters.flatMap(({ values }) => values.map(({ value }) => value.packets));
    assert.ok(packets.reduce((sum, one) => sum + one, 0) > 0, "the counter counted nothing");
    const order = [...answer("bpfman link list").matchAll(/ (block|counter) +bpfman-demo0 pos-(\d)$/gm)];
    assert.deepEqual(order.map(([, name, position]) => `${position} ${name}`).sort(), ["0 block", "1 counter"]);

    // what the daemon says is what the kernel has
    const mine = JSON.parse(shell.type("bpfman program list -o json")) as { programs: { kernel: { id: number } }[] };
    const ids = mine.programs.map(({ kernel }) => kernel.id);
    const known = kernelPrograms();
    assert.deepEqual(
        ids.map(id => known.find(program => program.id === id)?.name),
        ["counter", "block", "marker"],
    );
    const attached = JSON.parse(
        execFileSync("ip", ["-d", "-j", "link", "show", "bpfman-demo0"], { encoding: "utf8" }),
    ) as { xdp?: { prog?: { id: number } } }[];
    const atInterface = known.find(({ id }) => id === attached[0]?.xdp?.prog?.id);
    assert.equal(atInterface?.name, "bpfman_xdp");
    assert.match(answer("bpfman dispatcher list"), /^tc-ingress /m);

    // every command was run, and what they attached and loaded is there: Ctrl-C takes it along
    demo.child.kill("SIGINT");
    assert.equal(await demo.exit, 0, demo.output);
    assert.match(demo.output, /nothing is left\n$/);
    const left = kernelPrograms().filter(({ id }) => ids.includes(id));
    assert.deepEqual(left, []);
    await assertGone(before);
});

test("the last commands take everything apart by hand", { timeout: 60_000 }, async () => {
    const before = look();
    await using demo = new Demo();
    await demo.ready();
    const shell = new Shell();
    for (const line of demo.commands.filter(line => !line.includes(" ping "))) shell.type(line);
    assert.equal(shell.type("bpfman program list -q"), "");
    assert.equal(shell.type("bpfman dispatcher list -o json").includes("bpfman-demo0"), false);
    demo.child.kill("SIGTERM");
    assert.equal(await demo.exit, 0, demo.output);
    await assertGone(before);
});

test("what fails half way is undone", { timeout: 60_000 }, async () => {
    const before = look();
    const tools = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-test-"));
    try {
        // the daemon runs and the pair is made by then
        const script = `#!/bin/sh\ncase "$*" in *"link set lo"*) echo no >&2; exit 2 ;; esac\nPATH=\${PATH#*:} exec ip "$@"\n`;
        fs.writeFileSync(path.join(tools, "ip"), script, { mode: 0o755 });
        await using demo = new Demo({ PATH: `${tools}:${process.env["PATH"]}` });
        assert.equal(await demo.exit, 1);
        assert.match(demo.output, /make run: ip -n bpfman-demo link set lo up: no/);
    } finally {
        fs.rmSync(tools, { recursive: true });
    }
    await assertGone(before);
});

test("a daemon that ends by itself ends the demo, cleanly", { timeout: 60_000 }, async () => {
    const before = look();
    await using demo = new Demo();
    await demo.ready();
    const shell = new Shell();
    for (const line of demo.commands.slice(0, 4)) shell.type(line);
    const { pid } = JSON.parse(shell.type("bpfman version -o json")).daemon as { pid: number };
    process.kill(pid, "SIGKILL");
    assert.equal(await demo.exit, 1);
    assert.match(demo.output, /the daemon ended \(SIGKILL\)/);
    await assertGone(before);
});

test("the machine's own Cockpit gets the page as long as the demo runs, also when that was killed", {
    timeout: 60_000,
}, async context => {
    const before = look();
    const machine = http.createServer((_, response) => response.end('{ "service": "cockpit" }'));
    const free = await new Promise(resolve => {
        machine.once("error", () => resolve(false));
        machine.listen(9090, "127.0.0.1", () => resolve(true));
    });
    if (free === false || fs.existsSync(page)) {
        machine.close();
        context.skip("port 9090 of this machine is taken, or the page is installed there");
        return;
    }
    try {
        await using killed = new Demo();
        await killed.ready();
        assert.equal(killed.url, "http://127.0.0.1:9090/bpfman");
        const manifest = JSON.parse(fs.readFileSync(path.join(page, "manifest.json"), "utf8"));
        assert.ok(fs.statSync(manifest.config.socket).isSocket());
        assert.match(fs.readFileSync(path.join(page, "index.html"), "utf8"), /index\.js/);
        const shell = new Shell();
        for (const line of killed.commands.slice(0, 4)) shell.type(line);
        killed.child.kill("SIGKILL");
        await killed.exit;

        await using next = new Demo();
        await next.ready();
        assert.equal(next.url, "http://127.0.0.1:9090/bpfman");
        next.child.kill("SIGHUP");
        assert.equal(await next.exit, 0, next.output);
        assert.equal(fs.existsSync(page), false);
    } finally {
        machine.closeAllConnections();
        machine.close();
    }
    await assertGone(before);
});
