// SPDX-License-Identifier: Apache-2.0
// The daemon: options, store, kernel, manager and api are wired here and nowhere else.
import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeCaller } from "./api/caller.ts";
import { parseServeOptions, type ServeOptions, usage } from "./api/options.ts";
import { printable } from "./api/printable.ts";
import { Api } from "./api/server.ts";
import { bpfmanGroup, inheritedSocket, Listener } from "./api/socket.ts";
import { bpfmanVersion } from "./api/version.ts";
import {
    type Config,
    configFacts,
    type LogComponent,
    type LogLevel,
    logComponents,
    logLevels,
    readConfig,
} from "./config.ts";
import { usualCacheLimits } from "./image/cache.ts";
import { libbpf } from "./kernel/ffi.ts";
import { takeLock } from "./kernel/lock.ts";
import { notify } from "./kernel/notify.ts";
import { startManager } from "./manager/start.ts";
import { BpfmanError } from "./model/error.ts";
import type { ConfiguredXdpMode } from "./model/hooks.ts";
import { Store } from "./store/store.ts";

/** What a stopping daemon waits for calls in progress. */
const graceMs = 5000;
/** Where the service manager holds the socket, the next call starts the daemon again. */
const activatedIdleMs = 60_000;

/** Serves until a signal or the idle timeout ends it; returns the exit code. */
export async function serve(argv: string[]): Promise<number> {
    process.title = "bpfman";
    // a log that nobody reads any more (its pipe is closed) is no reason to stop
    process.stderr.on("error", () => {});
    process.umask(0o077);
    let options: ServeOptions;
    try {
        options = parseServeOptions(argv, process.env);
    } catch (error) {
        console.error(`bpfman serve: ${error instanceof Error ? error.message : String(error)}`);
        return 2;
    }
    if (options.help) {
        console.log(usage);
        return 0;
    }
    if (process.getuid?.() !== 0) {
        console.error("bpfman serve: must run as root");
        return 1;
    }
    try {
        await run(options);
        return 0;
    } catch (error) {
        log(`bpfman serve: ${told(error)}`, "error");
        return 1;
    }
}

function told(error: unknown): string {
    if (!(error instanceof BpfmanError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    const cause = error.cause === undefined ? "" : ` (${String(error.cause)})`;
    return `${error.message}${cause}${error.hint === undefined ? "" : `. ${error.hint}`}`;
}

let logging: Config["logging"] = { level: "info", format: "text", components: new Map() };

/** One line to the journal. What is in it was escaped by who made it, and is once more: it costs nothing. */
function log(line: string, level: LogLevel = "info", component?: LogComponent): void {
    const least = (component && logging.components.get(component)) ?? logging.level;
    if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
    const message = printable(line);
    const entry = { time: new Date().toISOString(), level, ...(component && { component }), msg: message };
    process.stderr.write(`${logging.format === "json" ? JSON.stringify(entry) : message}\n`);
}

async function run(options: ServeOptions): Promise<void> {
    const { runtimeDir, stateDir, socketPath } = options;
    const config = await readConfig(options.config);
    const level = logLevels.find(known => known === options.log.level) ?? config.logging.level;
    const components = new Map(config.logging.components);
    // one level on the command line is for all that it does not name
    if (options.log.level !== undefined) components.clear();
    for (const component of logComponents) {
        const own = logLevels.find(known => known === options.log.components.get(component));
        if (own !== undefined) components.set(component, own);
    }
    logging = { ...config.logging, level, components };
    for (const warning of config.warnings) log(warning, "warn");
    makeRuntimeDir(runtimeDir);
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });

    using stack = new DisposableStack();
    // two folders, two locks: daemons may share neither
    lockFolder(stack, runtimeDir);
    lockFolder(stack, stateDir);
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    const store = stack.adopt(Store.open(stateDir, bootId), open => open.close());
    const startedAt = new Date().toISOString();
    const stopping = Promise.withResolvers<string>();
    const stopFor = onSignals(stack, stopping.resolve);

    const { manager, stop } = await startManager({
        runtimeDir,
        stateDir,
        bootId,
        store,
        log: line => log(line, "info", "manager"),
        imageLog: line => log(line, "info", "image"),
        describe: describeCaller,
        xdpModes: xdpModesOf(config),
        sharedInterfaces: new Set(
            Array.from(config.interfaces).flatMap(([name, { shared }]) => (shared ? [name] : [])),
        ),
        imageCacheDir: options.imageCacheDir,
        signing: config.signing,
    });
    try {
        const inherited = inheritedSocket(process.env);
        const idleAfterMs =
            options.idleTimeoutMs ?? config.idleTimeoutMs ?? (inherited === undefined ? 0 : activatedIdleMs);
        const api = new Api({
            manager,
            facts: {
                runtimeDir,
                startedAt,
                libbpf: libbpf.versionString().replace(/^v/, ""),
                settings: {
                    // options of the command line are in force too
                    config: configFacts({ ...config, logging, idleTimeoutMs: idleAfterMs }, options.config.path),
                    ...{ socketPath, runtimeDir, stateDir, imageCacheDir: options.imageCacheDir },
                    imageCacheLimitBytes: usualCacheLimits.bytes,
                },
            },
            log: line => log(line, "info", "api"),
        });
        // a child must not take the socket for its own
        for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete process.env[name];
        if (inherited === undefined) makeSocketDir(dirname(socketPath));
        const idle = new IdleTimer(idleAfterMs, () => stopFor("idle"));
        const listener = await Listener.open({
            at: inherited === undefined ? { path: socketPath } : { fd: inherited },
            onConnection: (socket, caller, protocol) => api.accept(socket, caller, protocol),
            onBusy: () => idle.stop(),
            onEmpty: () => idle.start(),
            log,
        });
        idle.start();
        notify("READY=1");
        log(`bpfman ${bpfmanVersion()} serves at ${inherited === undefined ? socketPath : "the inherited socket"}`);

        const reason = await stopping.promise;
        log(`stopping: ${reason}`);
        notify("STOPPING=1");
        idle.stop();
        listener.stopListening();
        await api.stop(graceMs);
        await listener.closeConnections(1000);
        await api.close();
    } finally {
        await stop();
    }
}

function xdpModesOf({ interfaces }: Config): Map<string, ConfiguredXdpMode> {
    return new Map(Array.from(interfaces).flatMap(([name, { xdpMode }]) => (xdpMode ? [[name, xdpMode]] : [])));
}

function lockFolder(stack: DisposableStack, folder: string): void {
    const path = join(folder, "daemon.lock");
    const lock = takeLock(path);
    if (!lock)
        throw new BpfmanError("FAILED_PRECONDITION", `another bpfman daemon holds ${path}`, {
            hint: "Stop it, or name another --runtime-dir and --state-dir.",
        });
    stack.defer(() => lock.release());
}

/** The first SIGTERM or SIGINT asks for an orderly stop, which takes seconds at most; a second one changes nothing. */
function onSignals(stack: DisposableStack, stop: (reason: string) => void): (reason: string) => void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const listener = () => stop(signal);
        process.on(signal, listener);
        stack.defer(() => process.off(signal, listener));
    }
    return stop;
}

/** root:bpfman 0750: the group reaches the map pins below. */
function makeRuntimeDir(path: string): void {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    const gid = bpfmanGroup();
    if (gid !== undefined) chownSync(path, 0, gid);
    chmodSync(path, 0o750);
}

/** A folder made for the socket can be entered by all: the socket's own mode is the gate. */
function makeSocketDir(path: string): void {
    const made = mkdirSync(path, { recursive: true });
    if (made !== undefined) chmodSync(path, 0o755);
}

class IdleTimer {
    readonly #afterMs: number;
    readonly #expired: () => void;
    #timer: NodeJS.Timeout | undefined;
    #immediate: NodeJS.Immediate | undefined;

    /** 0: never */
    constructor(afterMs: number, expired: () => void) {
        this.#afterMs = afterMs;
        this.#expired = expired;
    }

    start(): void {
        this.stop();
        if (this.#afterMs === 0) return;
        // whoever connected in the meantime is seen by the loop before the immediate runs
        this.#timer = setTimeout(() => {
            this.#immediate = setImmediate(this.#expired);
        }, this.#afterMs);
    }

    stop(): void {
        clearTimeout(this.#timer);
        clearImmediate(this.#immediate);
    }
}

// run as a program: bpfman serve, or this file itself
// no await out here: the command reads this with require(), which takes no module that waits
if (import.meta.main) {
    void serve(process.argv.slice(2)).then(status => {
        process.exitCode = status;
    });
}
