// SPDX-License-Identifier: Apache-2.0
// As root, with nobody at the socket and no systemd unit to ask: a daemon of the caller's own, which ends when idle.
// Scripts written for a bpfman without a daemon work that way.
import { spawn } from "node:child_process";
import {
    closeSync,
    constants,
    existsSync,
    fstatSync,
    ftruncateSync,
    lstatSync,
    mkdirSync,
    openSync,
    readSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream } from "../client/byte-stream.ts";
import { TransportError } from "../client/errors.ts";
import { dialSocket } from "./dial.ts";
import { defaultSocketPath, type Settings, serveArguments } from "./settings.ts";

const idleSeconds = 60;
const startTimeoutMs = 10_000;
const pollMs = 15;
// of two daemons started at once one ends at once: this long the other may still need until it listens
const winnerGraceMs = 3000;
// begun anew at a start: the folder is in memory
const maxLogBytes = 1024 * 1024;
const maxLogTailBytes = 16 * 1024;

const unitDirs = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

export async function startDaemon(settings: Settings): Promise<ByteStream> {
    const advice = adviceInstead(settings);
    if (advice !== undefined) throw new TransportError("absent", advice);
    const log = openLog(settings.runtimeDir);
    try {
        return await spawnAndWait(settings, log);
    } finally {
        closeSync(log.fd);
    }
}

/** What to tell where starting one is not ours to do. */
function adviceInstead({ socketPath }: Settings): string | undefined {
    // connect(2) says ECONNREFUSED of a regular file too
    const stat = lstatSync(socketPath, { throwIfNoEntry: false });
    if (stat && !stat.isSocket()) return `${socketPath} is not a socket`;
    const hasUnit =
        socketPath === defaultSocketPath &&
        existsSync("/run/systemd/system") &&
        unitDirs.some(dir => existsSync(join(dir, "bpfman.socket")));
    if (hasUnit) return "the daemon is not running; start it with: systemctl enable --now bpfman.socket";
    if (process.geteuid?.() !== 0)
        return `the daemon is not running (nobody listens at ${socketPath}); start it as root`;
    return undefined;
}

interface Log {
    readonly path: string;
    readonly fd: number;
    /** where this daemon's words begin */
    readonly from: number;
}

function openLog(runtimeDir: string): Log {
    const path = join(runtimeDir, "daemon.log");
    try {
        mkdirSync(runtimeDir, { recursive: true, mode: 0o750 });
        const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
        const fd = openSync(path, flags, 0o600);
        if (fstatSync(fd).size > maxLogBytes) ftruncateSync(fd);
        return { path, fd, from: fstatSync(fd).size };
    } catch (error) {
        throw new Error(`the daemon can't be started: ${(error as Error).message}`, { cause: error });
    }
}

async function spawnAndWait(settings: Settings, log: Log): Promise<ByteStream> {
    const serve = ["serve", ...serveArguments(settings), "--idle-timeout", String(idleSeconds)];
    const child = spawn(process.execPath, ["--max-semi-space-size=1", mainPath(), ...serve], {
        cwd: "/",
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
        // a daemon that outlives the call takes nothing from the caller's environment
        env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    let died: { how: string; at: number } | undefined;
    child.once("error", error => {
        died ??= { how: error.message, at: Date.now() };
    });
    child.once("exit", (code, signal) => {
        died ??= { how: signal === null ? `status ${code}` : signal, at: Date.now() };
    });
    child.unref();
    const started = Date.now();
    for (;;) {
        try {
            return await dialSocket(settings.socketPath);
        } catch (error) {
            if (!(error instanceof TransportError) || error.reason === "denied" || error.reason === "lost") throw error;
        }
        const now = Date.now();
        if (died && (now - died.at > winnerGraceMs || !lostRace(log))) {
            throw new Error(`the daemon ended while it started (${died.how}): ${lastLine(log)}`);
        }
        if (now - started > startTimeoutMs) {
            throw new Error(`the daemon does not answer at ${settings.socketPath} after 10 s; see ${log.path}`);
        }
        await sleep(pollMs);
    }
}

/** The bundle or source file that this process runs. */
function mainPath(): string {
    const main = process.argv[1];
    if (main === undefined) throw new Error("the path of this command is unknown");
    return main;
}

/** Whether the daemon's words say that another one was first. */
function lostRace(log: Log): boolean {
    return /another (?:bpfman )?daemon/.test(newText(log));
}

function lastLine(log: Log): string {
    const lines = newText(log).split("\n");
    return lines.findLast(line => line.trim() !== "")?.trim() ?? `it said nothing in ${log.path}`;
}

function newText({ fd, from }: Log): string {
    const size = fstatSync(fd).size;
    const start = Math.max(from, size - maxLogTailBytes);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const count = readSync(fd, bytes, 0, bytes.length, start);
    return bytes.toString("utf8", 0, count);
}
