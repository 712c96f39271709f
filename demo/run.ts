// SPDX-License-Identifier: Apache-2.0
// `make run`: a daemon, a network namespace with traffic, sample programs and the page, until Ctrl-C; then nothing of it is left.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { constants } from "node:os";
import path from "node:path";
import { chooseSocket, startDaemon, unmount } from "./daemon.ts";
import { makeNetwork, removeNetwork } from "./network.ts";
import { offerPage, unlinkPage } from "./page.ts";
import { introduction } from "./words.ts";

const repository = path.resolve(import.meta.dirname, "..");
// not in /tmp: there another user could have put something else under this name
const folder = "/run/bpfman-demo";

/** A signal that came before all was ready. */
class Stopped extends Error {}

async function main(): Promise<number> {
    if (process.getuid?.() !== 0) return asRoot();
    // a terminal that was closed must not keep the rest from being removed
    process.stdout.on("error", () => {});
    process.stderr.on("error", () => {});

    const stopping = Promise.withResolvers<NodeJS.Signals>();
    let stopped: NodeJS.Signals | undefined;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.on(signal, () => {
            stopped ??= signal;
            stopping.resolve(signal);
        });
    const proceed = () => {
        if (stopped !== undefined) throw new Stopped();
    };

    const lock = await takeLock();
    if (lock === undefined) {
        console.error("make run: another one runs on this machine already");
        return 1;
    }
    let failed = false;
    const stack = new AsyncDisposableStack();
    try {
        sweep();
        fs.mkdirSync(folder, { mode: 0o755 });
        stack.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
        const socket = await chooseSocket(folder);
        const daemon = stack.use(
            await startDaemon({ command: path.join(repository, "dist/bin/bpfman"), folder, socketPath: socket.path }),
        );
        proceed();
        const network = stack.use(makeNetwork());
        proceed();
        const page = stack.use(
            await offerPage({
                pageDir: path.join(repository, "dist/cockpit"),
                folder,
                socketPath: socket.path,
                login: process.env["LOGIN"] === "1",
            }),
        );
        proceed();
        console.log(introduction({ repository, socket, network, page: page.offer }));
        const end = await Promise.race([stopping.promise, daemon.ended]);
        console.log(`\n${end}: removing what the demo made …`);
        failed = !end.startsWith("SIG");
    } catch (error) {
        if (!(error instanceof Stopped)) {
            failed = true;
            console.error(`make run: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
    try {
        await stack.disposeAsync();
        console.log("nothing is left");
    } catch (error) {
        failed = true;
        for (const one of each(error)) console.error(`make run: could not remove everything: ${one}`);
    } finally {
        lock.close();
    }
    return failed ? 1 : 0;
}

/** What a run that was killed could not remove. All of it has names of its own, and the lock tells that nobody uses them. */
function sweep(): void {
    removeNetwork();
    unlinkPage();
    unmount(folder);
    fs.rmSync(folder, { recursive: true, force: true });
}

/** An abstract socket: the kernel gives it up with the process, however that ends. */
function takeLock(): Promise<net.Server | undefined> {
    return new Promise((resolve, reject) => {
        const server = net.createServer(connection => connection.destroy());
        server.once("error", (error: NodeJS.ErrnoException) =>
            error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
        );
        server.listen("\0bpfman-demo", () => resolve(server));
    });
}

/** The errors of a stack, the last one first, as DisposableStack nests them. */
function each(error: unknown): string[] {
    if (error instanceof SuppressedError) return [...each(error.error), ...each(error.suppressed)];
    return [error instanceof Error ? error.message : String(error)];
}

function asRoot(): Promise<number> | number {
    const self = [process.execPath, path.join(repository, "demo/run.ts")];
    if (spawnSync("sudo", ["--version"], { stdio: "ignore" }).status !== 0) {
        console.error("make run: loading eBPF programs needs root, and there is no sudo: run it as root");
        return 1;
    }
    // Ctrl-C reaches sudo and what it runs by itself; this process waits for them
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
    return new Promise(resolve => {
        const sudo = spawn("sudo", ["--preserve-env=LOGIN,PORT", "--", ...self], { stdio: "inherit" });
        process.on("SIGTERM", () => sudo.kill("SIGTERM"));
        sudo.once("error", error => {
            console.error(`make run: sudo: ${error.message}`);
            resolve(1);
        });
        sudo.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
}

process.exitCode = await main();
