// SPDX-License-Identifier: Apache-2.0
// A Cockpit of its own on a loopback port, without systemd: for trying the page out, and for its tests.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface CockpitOptions {
    /** the built page: dist/cockpit */
    readonly pageDir: string;
    /** the daemon's socket, as the page is to reach it */
    readonly socketPath: string;
    /** true: asks for name and password through PAM; false: whoever reaches the port is the user it runs as */
    readonly login: boolean;
    /** any free one where absent */
    readonly port?: number;
    /** without login: runs as this user instead of the caller's own */
    readonly user?: string;
    /** without login: Cockpit of this root, where /proc, /dev, /sys, /run and /tmp are the machine's */
    readonly root?: string;
}

export interface Cockpit {
    /** of the page within Cockpit's shell */
    readonly url: string;
    /** of the page alone, for tests */
    readonly frameUrl: string;
    stop(): Promise<void>;
}

const startTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;

/** Rejects with the reason where Cockpit is not installed or does not start. */
export async function startCockpit(options: CockpitOptions): Promise<Cockpit> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-cockpit-"));
    const children: ChildProcess[] = [];
    const stop = async () => {
        for (const child of children.toReversed()) await end(child);
        fs.rmSync(dir, { recursive: true, force: true });
    };
    try {
        // another user's bridge reads the page and reaches the bus
        fs.chmodSync(dir, 0o755);
        const env = environment(dir);
        linkPage({ into: path.join(dir, "share/cockpit/bpfman"), ...options });
        children.push(startBus(dir, env));
        await until("the message bus", async () => fs.existsSync(path.join(dir, "bus")));
        const port = options.port ?? (await freePort());
        children.push(startWebService(dir, env, port, options));
        const origin = `http://127.0.0.1:${port}`;
        await until("Cockpit's web service", async () => (await fetch(`${origin}/ping`)).ok);
        const frameUrl = `${origin}/cockpit/@localhost/bpfman/index.html`;
        return { url: `${origin}/bpfman`, frameUrl, stop };
    } catch (error) {
        const log = readLog(dir);
        await stop();
        throw new Error(`Cockpit did not start: ${error instanceof Error ? error.message : error}${log}`, {
            cause: error,
        });
    }
}

/** Makes a folder that Cockpit takes for the installed page, pointed at this socket. */
export function linkPage({ into, pageDir, socketPath }: { into: string; pageDir: string; socketPath: string }): void {
    fs.mkdirSync(into, { recursive: true });
    for (const name of fs.readdirSync(pageDir)) {
        if (name !== "manifest.json") fs.symlinkSync(path.resolve(pageDir, name), path.join(into, name));
    }
    const manifest: unknown = JSON.parse(fs.readFileSync(path.join(pageDir, "manifest.json"), "utf8"));
    const patched = { ...(manifest as object), config: { socket: path.resolve(socketPath) } };
    fs.writeFileSync(path.join(into, "manifest.json"), JSON.stringify(patched));
}

function environment(dir: string): Record<string, string> {
    const bus = `unix:path=${path.join(dir, "bus")}`;
    return {
        PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        LANG: "C.UTF-8",
        XDG_DATA_HOME: path.join(dir, "share"),
        // the bridge ends without a system and a session bus, but is content with one that knows no services
        DBUS_SYSTEM_BUS_ADDRESS: bus,
        DBUS_SESSION_BUS_ADDRESS: bus,
    };
}

function startBus(dir: string, env: Record<string, string>): ChildProcess {
    const rules = ["send_type", "receive_type"].flatMap(direction =>
        ["method_call", "method_return", "error", "signal"].map(type => `<allow ${direction}="${type}"/>`),
    );
    const config = path.join(dir, "bus.conf");
    fs.writeFileSync(
        config,
        `<busconfig><type>system</type><listen>unix:path=${path.join(dir, "bus")}</listen><auth>EXTERNAL</auth>` +
            `<policy context="default"><allow user="*"/><allow own="*"/>${rules.join("")}</policy></busconfig>`,
    );
    return start(dir, env, ["dbus-daemon", `--config-file=${config}`, "--nofork", "--nopidfile"]);
}

function startWebService(
    dir: string,
    env: Record<string, string>,
    port: number,
    options: CockpitOptions,
): ChildProcess {
    const command = [libexec("cockpit-ws", options.root), "--no-tls", "--port", String(port), "--address", "127.0.0.1"];
    if (options.login) return start(dir, { ...env, ...loginEnvironment(dir, env) }, [...withBridge(dir), ...command]);
    const asUser = options.user
        ? ["setpriv", `--reuid=${options.user}`, "--regid=nogroup", "--clear-groups", "--"]
        : [];
    const inRoot = options.root === undefined ? [] : withinRoot(options.root);
    return start(dir, env, [...inRoot, ...asUser, ...command, "--local-session=cockpit-bridge"]);
}

/** In a mount namespace of its own, which ends with it. */
function withinRoot(root: string): string[] {
    const mounts = ["proc", "dev", "sys", "run", "tmp"].map(
        name => `mkdir -p "$0/${name}" && mount --rbind /${name} "$0/${name}"`,
    );
    const script = `${mounts.join(" && ")} && exec chroot "$0" "$@"`;
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, root];
}

/** cockpit-session called by the web service itself: its usual socket needs systemd. */
function loginEnvironment(dir: string, env: Record<string, string>): Record<string, string> {
    const configDir = path.join(dir, "config/cockpit");
    fs.mkdirSync(configDir, { recursive: true });
    const config = `[WebService]\nAllowUnencrypted = true\n[Basic]\nCommand = ${libexec("cockpit-session")}\n`;
    fs.writeFileSync(path.join(configDir, "cockpit.conf"), config);
    const lines = [
        "#!/bin/sh",
        `export XDG_DATA_HOME='${env["XDG_DATA_HOME"]}'`,
        `[ -S /run/dbus/system_bus_socket ] || export DBUS_SYSTEM_BUS_ADDRESS='${env["DBUS_SYSTEM_BUS_ADDRESS"]}'`,
        `[ -n "$DBUS_SESSION_BUS_ADDRESS" ] || export DBUS_SESSION_BUS_ADDRESS='${env["DBUS_SESSION_BUS_ADDRESS"]}'`,
        `exec '${path.join(dir, "real-bridge")}' "$@"`,
    ];
    fs.writeFileSync(path.join(dir, "bridge"), `${lines.join("\n")}\n`, { mode: 0o755 });
    fs.writeFileSync(path.join(dir, "real-bridge"), "");
    return { XDG_CONFIG_DIRS: path.join(dir, "config") };
}

/**
 * PAM makes the session's environment anew, and cockpit-session looks for the bridge in fixed folders only. So in a
 * mount namespace of this Cockpit alone, the bridge's place holds a script that adds what is missing.
 */
function withBridge(dir: string): string[] {
    const script = `mount --bind /usr/bin/cockpit-bridge "$0/real-bridge" && mount --bind "$0/bridge" /usr/bin/cockpit-bridge && exec "$@"`;
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, dir];
}

function libexec(program: string, root = "/"): string {
    const candidates = ["/usr/libexec", "/usr/lib/cockpit"].map(folder => path.join(folder, program));
    const found = candidates.find(candidate => fs.existsSync(path.join(root, candidate)));
    if (!found) throw new Error(`${program} is not installed (looked for ${candidates.join(" and ")})`);
    return found;
}

function start(dir: string, env: Record<string, string>, [command = "", ...args]: readonly string[]): ChildProcess {
    const log = fs.openSync(path.join(dir, "log"), "a");
    const child = spawn(command, args, { env, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    child.on("error", error => fs.appendFileSync(path.join(dir, "log"), `${command}: ${error.message}\n`));
    return child;
}

async function end(child: ChildProcess): Promise<void> {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>(resolve => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const timeout = new AbortController();
    const late = sleep(stopTimeoutMs, undefined, { signal: timeout.signal }).then(
        () => child.kill("SIGKILL"),
        () => undefined,
    );
    await exited;
    timeout.abort();
    await late;
}

async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while (!(await ready().catch(() => false))) {
        if (Date.now() > deadline) throw new Error(`${what} did not answer in ${startTimeoutMs / 1000} s`);
        await sleep(30);
    }
}

function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            const port = typeof address === "object" && address !== null ? address.port : 0;
            server.close(() => resolve(port));
        });
    });
}

function readLog(dir: string): string {
    const file = path.join(dir, "log");
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "";
    return text === "" ? "" : `\n${text}`;
}
