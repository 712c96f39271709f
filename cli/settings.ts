// SPDX-License-Identifier: Apache-2.0
// What every command takes: where the daemon is and where it keeps things.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Args, type Option, UsageError } from "./args.ts";
import { nearest } from "./nearest.ts";
import { parseDuration } from "./values.ts";

export const defaultRuntimeDir = "/run/bpfman";
export const defaultSocketPath = "/run/bpfman-sock/bpfman.sock";

export interface Settings {
    readonly socketPath: string;
    readonly runtimeDir: string;
    /** as given; undefined: the daemon's own choice */
    readonly stateDir: string | undefined;
    readonly imageCacheDir: string | undefined;
    readonly config: string | undefined;
    readonly log: string | undefined;
    /** 0: for ever */
    readonly lockTimeoutMs: number;
}

export const globalOptions: readonly Option[] = [
    { name: "config", value: "FILE", env: "BPFMAN_CONFIG", help: "configuration (default /etc/bpfman/bpfman.toml)" },
    {
        name: "log",
        value: "SPEC",
        env: "BPFMAN_LOG",
        help: "level of a daemon that this command starts (default info)",
    },
    {
        name: "runtime-dir",
        value: "DIR",
        env: "BPFMAN_RUNTIME_DIR",
        help: `pins and sockets (default ${defaultRuntimeDir}); another one has a daemon of its own`,
    },
    {
        name: "state-dir",
        value: "DIR",
        help: "what outlives a reboot (default /var/lib/bpfman, or DIR/state of --runtime-dir DIR)",
    },
    { name: "image-cache-dir", value: "DIR", help: "pulled images (default /var/cache/bpfman)" },
    {
        name: "socket-path",
        value: "PATH",
        env: "BPFMAN_SOCKET_PATH",
        help: `the daemon's socket (default ${defaultSocketPath}, or DIR/bpfman.sock of --runtime-dir DIR)`,
    },
    {
        name: "lock-timeout",
        value: "DURATION",
        env: "BPFMAN_LOCK_TIMEOUT",
        help: "how long a change waits for another one (default 30s, 0: for ever)",
    },
];

export function settingsOf(args: Args): Settings {
    const directory = (name: string) => {
        const given = args.value(name);
        if (given === "") throw new UsageError(`--${name} is empty`);
        return given === undefined ? undefined : resolve(given);
    };
    const runtimeDir = directory("runtime-dir") ?? defaultRuntimeDir;
    const ownSocket = runtimeDir === defaultRuntimeDir ? defaultSocketPath : join(runtimeDir, "bpfman.sock");
    const socketPath = directory("socket-path") ?? ownSocket;
    // sun_path of struct sockaddr_un, with its terminating NUL
    if (Buffer.byteLength(socketPath) > 107) throw new UsageError(`the socket's path is too long: ${socketPath}`);
    const config = directory("config");
    if (config !== undefined && !existsSync(config)) throw new Error(`configuration ${config}: no such file`);
    return {
        socketPath,
        runtimeDir,
        // two daemons must not share one state folder
        stateDir: directory("state-dir") ?? (runtimeDir === defaultRuntimeDir ? undefined : join(runtimeDir, "state")),
        imageCacheDir: directory("image-cache-dir"),
        config,
        log: checkLog(args.value("log")),
        lockTimeoutMs: Math.min(
            Math.ceil(parseDuration("--lock-timeout", args.value("lock-timeout") ?? "30s")),
            0x7fffffff,
        ),
    };
}

const logLevels = ["trace", "debug", "info", "warn", "warning", "error", "err"];

/** LEVEL[,COMPONENT=LEVEL]… */
function checkLog(spec: string | undefined): string | undefined {
    for (const part of spec?.toLowerCase().split(",") ?? []) {
        const level = part.slice(part.indexOf("=") + 1);
        if (logLevels.includes(level)) continue;
        const near = nearest(level, logLevels);
        const help = near === undefined ? `one of ${logLevels.join(", ")}` : `did you mean ${near}?`;
        throw new UsageError(`invalid --log "${spec}": unknown level "${level}"; ${help}`);
    }
    return spec;
}

/** The same settings as `serve` takes them. */
export function serveArguments(settings: Settings): string[] {
    const pairs: [string, string | undefined][] = [
        ["--runtime-dir", settings.runtimeDir],
        ["--state-dir", settings.stateDir],
        ["--image-cache-dir", settings.imageCacheDir],
        ["--socket-path", settings.socketPath],
        ["--config", settings.config],
        ["--log", settings.log],
    ];
    return pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}
