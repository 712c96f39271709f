// SPDX-License-Identifier: Apache-2.0
// The daemon as a process of its own: how it starts, refuses, stops and answers. What it does is tested elsewhere.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const main = new URL("./main.ts", import.meta.url).pathname;
const skip = process.getuid?.() === 0 ? false : "only root may serve";

let directory: string;
beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bpfman-daemon-"));
});
afterEach(() => {
    for (const name of ["run", "other"])
        if (existsSync(join(directory, name, "fs"))) spawnSync("umount", [join(directory, name, "fs")]);
    rmSync(directory, { recursive: true });
});

class Daemon {
    readonly child: ChildProcess;
    readonly exited: Promise<unknown[]>;
    errors = "";
    constructor(argv: string[], options: { env?: NodeJS.ProcessEnv; uid?: number } = {}) {
        const env = { ...process.env, BPFMAN_SOCKET_PATH: "", ...options.env };
        this.child = spawn(process.execPath, [main, ...argv], { stdio: ["ignore", "ignore", "pipe"], ...options, env });
        this.exited = once(this.child, "exit");
        this.child.stderr?.on("data", chunk => {
            this.errors += chunk;
        });
    }
    async serves(): Promise<this> {
        while (!this.errors.includes(" serves at ")) {
            assert.equal(this.child.exitCode, null, this.errors);
            await sleep(10);
        }
        return this;
    }
    async code(): Promise<number | null> {
        const [code] = await this.exited;
        return code as number | null;
    }
}

const folders = (run = "run", state = "state") => [
    "--runtime-dir",
    join(directory, run),
    "--state-dir",
    join(directory, state),
];
const socket = () => join(directory, "run", "bpfman.sock");

function post(socketPath: string, method: string, body = "{}"): Promise<{ status: number | undefined; text: string }> {
    return new Promise((resolve, reject) => {
        const headers = { "Content-Type": "application/json" };
        const path = `/bpfman.host.v1.Host/${method}`;
        const call = request({ socketPath, path, method: "POST", headers, agent: false }, response => {
            let text = "";
            response.on("data", chunk => {
                text += chunk;
            });
            response.on("end", () => resolve({ status: response.statusCode, text }));
        });
        call.on("error", reject);
        call.end(body);
    });
}

const version = async (socketPath: string): Promise<{ pid: number; runtimeDir: string }> =>
    JSON.parse((await post(socketPath, "Version")).text);

/** A change that is told with its caller, and changes nothing. */
const unloadNothing = async () => (await post(socket(), "Unload", '{"programIds":[4294967295]}')).status;

test("a daemon serves until a signal, and leaves no socket", { skip }, async () => {
    const daemon = await new Daemon(folders()).serves();
    const { pid, runtimeDir } = await version(socket());
    assert.deepEqual([pid, runtimeDir], [daemon.child.pid, join(directory, "run")]);
    assert.equal(readFileSync(`/proc/${pid}/comm`, "utf8").trim(), "bpfman");
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const served = signal === "SIGTERM" ? daemon : await new Daemon(folders()).serves();
        served.child.kill(signal);
        assert.equal(await served.code(), 0, served.errors);
        assert.ok(served.errors.includes(`stopping: ${signal}`));
        assert.equal(existsSync(socket()), false);
    }
});

test("a killed daemon's place is taken at once", { skip }, async () => {
    const first = await new Daemon(folders()).serves();
    first.child.kill("SIGKILL");
    await first.exited;
    assert.ok(existsSync(socket()));
    const second = await new Daemon(folders()).serves();
    assert.equal((await version(socket())).pid, second.child.pid);
    second.child.kill("SIGTERM");
    assert.equal(await second.code(), 0);
});

test("a second daemon may share neither the runtime nor the state directory", { skip }, async () => {
    const first = await new Daemon(folders()).serves();
    for (const argv of [folders(), folders("run", "other-state"), folders("other", "state")]) {
        const second = new Daemon(argv);
        assert.equal(await second.code(), 1);
        assert.match(second.errors, /another bpfman daemon holds .*daemon\.lock/);
    }
    const sameSocket = new Daemon([...folders("other", "other-state"), "--socket-path", socket()]);
    assert.equal(await sameSocket.code(), 1);
    assert.match(sameSocket.errors, /another daemon serves at /);
    assert.equal((await version(socket())).pid, first.child.pid);
    first.child.kill("SIGTERM");
    assert.equal(await first.code(), 0);
});

test("a daemon whose log nobody reads goes on", { skip }, async () => {
    const daemon = await new Daemon(folders()).serves();
    daemon.child.stderr?.destroy();
    for (let i = 0; i < 3; i++) assert.equal(await unloadNothing(), 200);
    daemon.child.kill("SIGTERM");
    assert.equal(await daemon.code(), 0);
});

test("an idle daemon ends, one with a connection stays", { skip }, async () => {
    const daemon = await new Daemon([...folders(), "--idle-timeout=1"]).serves();
    const connection = connect(socket());
    connection.on("error", () => {});
    await once(connection, "connect");
    await sleep(1300);
    assert.equal(daemon.child.exitCode, null);
    connection.destroy();
    assert.equal(await daemon.code(), 0);
    assert.ok(daemon.errors.includes("stopping: idle"));
});

test("the configuration says when to end and how to log; the option wins", { skip }, async () => {
    const config = join(directory, "bpfman.toml");
    writeFileSync(config, '[daemon]\nidle_timeout = 1\n[logging]\nformat = "json"\n[colours]\n');
    const daemon = new Daemon([...folders(), "--config", config]);
    assert.equal(await daemon.code(), 0);
    const entries = daemon.errors
        .trimEnd()
        .split("\n")
        .map(line => JSON.parse(line));
    assert.deepEqual([entries[0].level, entries[0].msg], ["warn", `${config}: unknown key colours`]);
    assert.deepEqual([entries.at(-1).level, entries.at(-1).msg], ["info", "stopping: idle"]);

    const patient = await new Daemon([...folders(), "--config", config, "--idle-timeout=0", "--log=debug"]).serves();
    await sleep(1500);
    assert.equal(patient.child.exitCode, null);
    const { settings } = JSON.parse((await post(socket(), "GetSettings")).text) as {
        settings: { key: string; value: string }[];
    };
    const inForce = (key: string) => settings.find(setting => setting.key === key)?.value;
    assert.deepEqual([inForce("daemon.idle_timeout"), inForce("logging.level")], ["0", '"debug"']);
    patient.child.kill("SIGTERM");
    assert.equal(await patient.code(), 0);
});

test("components have levels of their own: calls are told or not, whatever the daemon tells of itself", {
    skip,
}, async () => {
    const config = join(directory, "bpfman.toml");
    writeFileSync(config, '[logging.components]\napi = "warn"\n');
    const told = async (...more: string[]) => {
        const daemon = await new Daemon([...folders(), "--config", config, ...more]).serves();
        assert.equal(await unloadNothing(), 200);
        daemon.child.kill("SIGTERM");
        assert.equal(await daemon.code(), 0);
        return /Unload/.test(daemon.errors);
    };
    assert.equal(await told(), false);
    assert.equal(await told("--log", "info"), true, "the command line wins");
    assert.equal(await told("--log", "info,api=error"), false);
});

test("the service manager's socket is served and stays", { skip }, async t => {
    const activate = spawnSync("systemd-socket-activate", ["--version"]);
    if (activate.error) {
        t.skip(`systemd-socket-activate: ${activate.error.message}`);
        return;
    }
    const path = join(directory, "s");
    const child = spawn(
        "systemd-socket-activate",
        ["-l", path, process.execPath, main, ...folders(), "--idle-timeout=1"],
        {
            stdio: ["ignore", "ignore", "inherit"],
        },
    );
    const exited = once(child, "exit");
    try {
        // the file is there a moment before anybody listens at it
        let answer: { pid: number } | undefined;
        while (answer === undefined) answer = await version(path).catch(() => sleep(10));
        assert.equal(answer.pid, child.pid);
        assert.deepEqual(await exited, [0, null]);
    } finally {
        child.kill();
    }
    assert.ok(existsSync(path));
    assert.equal(existsSync(socket()), false);
});

test("what can't be served is told in one line", { skip }, async () => {
    let written = 0;
    const config = (text: string) => {
        const path = join(directory, `${++written}.toml`);
        writeFileSync(path, text);
        return [...folders(), "--config", path];
    };
    const cases: { argv: string[]; code: number; text: RegExp; uid?: number }[] = [
        { argv: config("[signing\n"), code: 1, text: /^bpfman serve: \/.*\.toml:1:\d+: .+\n$/ },
        {
            argv: config("[signing]\nallow_unsigned = 1"),
            code: 1,
            text: /: signing\.allow_unsigned in \/.*\.toml must be/,
        },
        { argv: ["--nothing"], code: 2, text: /^bpfman serve: unknown option --nothing\n$/ },
        { argv: [...folders(), "--config=/nowhere.toml"], code: 1, text: /no configuration file \/nowhere\.toml\n$/ },
        { argv: [...folders(), "--socket-path=/etc/passwd"], code: 1, text: /\/etc\/passwd is there and is no socket/ },
    ];
    for (const { argv, code, text } of cases) {
        const daemon = new Daemon(argv);
        assert.equal(await daemon.code(), code, daemon.errors);
        assert.match(daemon.errors, text);
        assert.equal(daemon.errors.split("\n").length, 2, daemon.errors);
    }
});

test("only root may serve", { skip }, async () => {
    const program = `const { serve } = await import(${JSON.stringify(main)}); process.exitCode = await serve([]);`;
    // dropped in the process itself: another user may not be able to read the interpreter
    const child = spawn(process.execPath, [
        "--input-type=module",
        "-e",
        program.replace("process.exitCode", "process.setuid(65534); process.exitCode"),
    ]);
    let errors = "";
    child.stderr.on("data", chunk => {
        errors += chunk;
    });
    assert.deepEqual(await once(child, "exit"), [1, null]);
    assert.equal(errors, "bpfman serve: must run as root\n");
});
