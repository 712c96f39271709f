// SPDX-License-Identifier: Apache-2.0
// The options of bpfman serve.
import { join } from "node:path";

export interface LogSpec {
    /** undefined: not said */
    readonly level: string | undefined;
    /** by the component's name, also of those that there are not */
    readonly components: ReadonlyMap<string, string>;
}

export interface ServeOptions {
    readonly help: boolean;
    readonly runtimeDir: string;
    readonly stateDir: string;
    readonly imageCacheDir: string;
    readonly socketPath: string;
    readonly config: { readonly path: string; readonly named: boolean };
    readonly log: LogSpec;
    /** 0: never; undefined: not said */
    readonly idleTimeoutMs: number | undefined;
}

export const usage = `Usage: bpfman serve [OPTION]...

  --runtime-dir DIR       pins and locks (/run/bpfman)
  --state-dir DIR         what survives a restart (/var/lib/bpfman)
  --image-cache-dir DIR   images (/var/cache/bpfman)
  --socket-path PATH      where to listen (/run/bpfman-sock/bpfman.sock, or bpfman.sock in the runtime directory
                          where that is another)
  --config FILE           configuration (/etc/bpfman/bpfman.toml)
  --log SPEC              LEVEL, or LEVEL,COMPONENT=LEVEL…: trace, debug, info, warn or error; components are api, image
                          and manager (levels of the configuration, else info)
  --idle-timeout SECONDS  exit after that long without a connection; 0: never (idle_timeout of the configuration,
                          else 60 at a socket of the service manager's, 0 at one of its own)`;

const defaultRuntimeDir = "/run/bpfman";
const defaultSocketPath = "/run/bpfman-sock/bpfman.sock";

const withValue = [
    "--runtime-dir",
    "--state-dir",
    "--image-cache-dir",
    "--socket-path",
    "--config",
    "--idle-timeout",
    "--log",
    // taken by earlier daemons; it comes with each call here
    "--lock-timeout",
] as const;
const withoutValue = ["--csi-support", "--help", "-h"] as const;

type ValueFlag = (typeof withValue)[number];

/** Throws an Error whose message is for people. */
export function parseServeOptions(argv: readonly string[], environment: NodeJS.ProcessEnv): ServeOptions {
    const { values, flags } = split(argv);
    const runtimeDir = directory(values, "--runtime-dir") ?? defaultRuntimeDir;
    const fallback = runtimeDir === defaultRuntimeDir ? defaultSocketPath : join(runtimeDir, "bpfman.sock");
    // an empty variable is as good as none
    const fromEnvironment = environment["BPFMAN_SOCKET_PATH"] || undefined;
    const config = values.get("--config");
    const idle = values.get("--idle-timeout");
    return {
        help: flags.has("--help") || flags.has("-h"),
        runtimeDir,
        stateDir: directory(values, "--state-dir") ?? "/var/lib/bpfman",
        imageCacheDir: directory(values, "--image-cache-dir") ?? "/var/cache/bpfman",
        socketPath: socketPath(values.get("--socket-path") ?? fromEnvironment ?? fallback),
        config: { path: config ?? "/etc/bpfman/bpfman.toml", named: config !== undefined },
        log: logSpec(values.get("--log")),
        idleTimeoutMs: idle === undefined ? undefined : seconds(idle) * 1000,
    };
}

function split(argv: readonly string[]): { values: Map<ValueFlag, string>; flags: Set<string> } {
    const values = new Map<ValueFlag, string>();
    const flags = new Set<string>();
    const rest = [...argv];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
        const equals = word.startsWith("--") ? word.indexOf("=") : -1;
        const name = equals < 0 ? word : word.slice(0, equals);
        const flag = withValue.find(known => known === name);
        if (flag !== undefined) {
            const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
            if (value === undefined || value === "") throw new Error(`${name} needs a value`);
            values.set(flag, value);
        } else if (withoutValue.some(known => known === name)) {
            if (equals >= 0) throw new Error(`${name} takes no value`);
            flags.add(name);
        } else if (word.startsWith("-")) {
            throw new Error(`unknown option ${name}`);
        } else {
            throw new Error(`unexpected argument ${word}`);
        }
    }
    return { values, flags };
}

function directory(values: ReadonlyMap<ValueFlag, string>, flag: ValueFlag): string | undefined {
    const path = values.get(flag);
    if (path === undefined) return undefined;
    if (!path.startsWith("/")) throw new Error(`${flag} needs an absolute path`);
    return join(path, ".").replace(/\/$/, "") || "/";
}

const levels: Readonly<Record<string, string>> = {
    ...Object.fromEntries(["trace", "debug", "info", "warn", "error"].map(level => [level, level])),
    warning: "warn",
    err: "error",
};

/** LEVEL[,COMPONENT=LEVEL]… */
function logSpec(spec: string | undefined): LogSpec {
    let level: string | undefined;
    const components = new Map<string, string>();
    for (const part of spec?.toLowerCase().split(",") ?? []) {
        const equals = part.indexOf("=");
        const word = levels[part.slice(equals + 1)];
        if (word === undefined) throw new Error(`--log needs trace, debug, info, warn or error, not ${part}`);
        if (equals < 0) level ??= word;
        else components.set(part.slice(0, equals), word);
    }
    return { level, components };
}

// sun_path of struct sockaddr_un has 108 bytes, a NUL among them
const maxSocketPathBytes = 107;

function socketPath(path: string): string {
    if (!path.startsWith("/")) throw new Error("--socket-path needs an absolute path");
    if (Buffer.byteLength(path) > maxSocketPathBytes)
        throw new Error(`a socket's path has at most ${maxSocketPathBytes} bytes: ${path}`);
    return path;
}

// setTimeout counts milliseconds in 31 bits
const maxSeconds = 2_147_483;

function seconds(text: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > maxSeconds)
        throw new Error(`--idle-timeout needs whole seconds from 0 to ${maxSeconds}, not ${text}`);
    return value;
}
