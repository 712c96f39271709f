// SPDX-License-Identifier: Apache-2.0
// The demo's daemon: in folders of its own, at the usual socket where this machine has no bpfman, so that the command finds it.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dialSocket } from "../cli/dial.ts";
import { HostClient } from "../client/host-client.ts";

export interface ChosenSocket {
    readonly path: string;
    /** the command finds the daemon without being told where */
    readonly usual: boolean;
    /** the daemon's bpffs */
    readonly pins: string;
}

export interface Daemon extends AsyncDisposable {
    /** resolves with the reason when it ends by itself */
    readonly ended: Promise<string>;
}

const startTimeoutMs = 15_000;
const stopTimeoutMs = 10_000;
const usualSocket = "/run/bpfman-sock/bpfman.sock";
// any of these: bpfman is installed or was used here, and its programs may run
const usedHere = [
    "/run/bpfman",
    "/var/lib/bpfman",
    ...["/etc", "/usr/lib", "/lib"].map(dir => `${dir}/systemd/system/bpfman.socket`),
];

export async function chooseSocket(folder: string): Promise<ChosenSocket> {
    const free = !usedHere.some(file => fs.existsSync(file)) && !(await isServed(usualSocket));
    const pins = path.join(folder, "run/fs");
    return free
        ? { path: usualSocket, usual: true, pins }
        : { path: path.join(folder, "bpfman.sock"), usual: false, pins };
}

async function isServed(socketPath: string): Promise<boolean> {
    try {
        (await dialSocket(socketPath)).close();
        return true;
    } catch {
        return false;
    }
}

export async function startDaemon(options: { command: string; folder: string; socketPath: string }): Promise<Daemon> {
    const { command, folder, socketPath } = options;
    const logPath = path.join(folder, "daemon.log");
    const socketDir = path.dirname(socketPath);
    const log = fs.openSync(logPath, "a", 0o600);
    const dirs = ["run", "state", "images"].map(name => path.join(folder, name));
    const [runtimeDir = "", stateDir = "", imageDir = ""] = dirs;
    const serve = ["serve", "--runtime-dir", runtimeDir, "--state-dir", stateDir, "--image-cache-dir", imageDir];
    // A session of its own: Ctrl-C must not end it before its programs are unloaded. It ends with this process all the same.
    const child = spawn("setpriv", ["--pdeathsig", "TERM", command, ...serve, "--socket-path", socketPath], {
        stdio: ["ignore", log, log],
        detached: true,
    });
    fs.closeSync(log);
    const ended = new Promise<string>(resolve => {
        child.once("error", error => resolve(`the daemon did not start: ${error.message}`));
        child.once("exit", (code, signal) => resolve(`the daemon ended (${signal ?? `status ${code}`})`));
    });
    const client = new HostClient(() => dialSocket(socketPath));
    let running = true;
    void ended.then(() => {
        running = false;
    });
    const stop = async () => {
        const problem = running ? await unloadAll(client) : undefined;
        child.kill("SIGTERM");
        await Promise.race([ended, sleep(stopTimeoutMs, undefined, { ref: false })]);
        if (running) child.kill("SIGKILL");
        await ended;
        unmount(folder);
        if (socketDir !== folder) {
            fs.rmSync(socketPath, { force: true });
            removeIfEmpty(socketDir);
        }
        if (problem !== undefined) throw problem;
    };

    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
        const answer = await client.version({}).catch(() => undefined);
        if (answer !== undefined) return { ended, [Symbol.asyncDispose]: stop };
        if (!running || Date.now() > deadline) {
            const why = running ? `the daemon does not answer at ${socketPath}` : await ended;
            const words = fs.readFileSync(logPath, "utf8").trim();
            await stop();
            throw new Error(`${why}\n${words}`);
        }
        await sleep(30);
    }
}

/** Also where a killed run made it: the usual socket is taken only where bpfman is not installed. */
function removeIfEmpty(folder: string): void {
    try {
        fs.rmdirSync(folder);
    } catch (error) {
        if (!["ENOENT", "ENOTEMPTY"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
}

/** Links go before programs and programs before maps, as no unmount would do it. What could not be unloaded is returned. */
async function unloadAll(client: HostClient): Promise<Error | undefined> {
    try {
        const { programs = [] } = await client.listPrograms({});
        const programIds = programs.map(({ id = 0 }) => id);
        if (programIds.length === 0) return undefined;
        const { failures = [] } = await client.unload({ programIds, ignoreMissing: true });
        const [first] = failures;
        return first && new Error(`program ${first.id}: ${first.message}`);
    } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
    }
}

/** The daemon's bpffs, and with it every pin that is left in it. */
export function unmount(folder: string): void {
    const bpffs = path.join(folder, "run/fs");
    const mounted = () =>
        fs
            .readFileSync("/proc/self/mounts", "utf8")
            .split("\n")
            .some(line => line.split(" ")[1] === bpffs);
    while (mounted()) {
        // lazily where a shell stands in it
        const done = [[], ["-l"]].some(how => spawnSync("umount", [...how, bpffs], { stdio: "ignore" }).status === 0);
        if (!done) throw new Error(`${bpffs} can't be unmounted`);
    }
}
