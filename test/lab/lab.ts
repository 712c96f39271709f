// SPDX-License-Identifier: Apache-2.0
// A daemon of its own for a test, in folders of its own, and the check that the test leaves nothing behind.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dialSocket } from "../../cli/dial.ts";
import { HostClient } from "../../client/host-client.ts";
import { libc } from "../../daemon/kernel/ffi.ts";
import type { AttachItemJson, LinkJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { assertNothingLeft, bpfDescriptors, type Snapshot, snapshot } from "./leaks.ts";
import { main } from "./main.ts";
import { Wire, type WireOptions } from "./namespaces.ts";

export class Lab implements AsyncDisposable {
    readonly dir: string;
    readonly runtimeDir: string;
    readonly stateDir: string;
    readonly socketPath: string;
    readonly client: HostClient;
    readonly #before: Snapshot;
    readonly #wires: Wire[] = [];
    readonly #options: readonly string[];
    readonly #environment: NodeJS.ProcessEnv;
    #daemon: ChildProcess | undefined;
    #log = "";

    private constructor(options: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
        this.#options = options;
        this.#environment = environment;
        this.#before = snapshot();
        this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-lab-"));
        this.runtimeDir = path.join(this.dir, "run");
        this.stateDir = path.join(this.dir, "state");
        this.socketPath = path.join(this.runtimeDir, "bpfman.sock");
        this.client = new HostClient(() => dialSocket(this.socketPath));
    }

    /** One whose daemon is yet to be started. */
    static prepare(options: readonly string[] = []): Lab {
        return new Lab(options);
    }

    /** options: more of `serve`; environment: more than this process has */
    static async start(options: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Lab> {
        const lab = new Lab(options, environment);
        await lab.startDaemon();
        return lab;
    }

    /** A daemon whose own network namespace is the receiving side of a wire. */
    static async startInside(): Promise<{ lab: Lab; wire: Wire }> {
        const lab = new Lab();
        const wire = lab.wire();
        await lab.startDaemon(["nsenter", `--net=${wire.netns}`]);
        return { lab, wire };
    }

    get pid(): number {
        return this.#daemon?.pid ?? 0;
    }

    /** everything that the daemons of this lab wrote to stderr */
    get log(): string {
        return this.#log;
    }

    /** wrapper: a command line that runs the daemon, as in `unshare -m …` */
    async startDaemon(wrapper: readonly string[] = []): Promise<void> {
        const serve = [process.execPath, main, "serve"];
        const dirs = ["--runtime-dir", this.runtimeDir, "--state-dir", this.stateDir];
        const [file = "", ...args] = [...wrapper, ...serve, ...dirs, ...this.#options];
        const daemon = spawn(file, args, {
            stdio: ["ignore", "ignore", "pipe"],
            env: { ...process.env, ...this.#environment },
        });
        daemon.stderr?.on("data", (text: Buffer) => {
            this.#log += text.toString();
        });
        this.#daemon = daemon;
        for (;;) {
            assert.equal(daemon.exitCode, null, `the daemon ended: ${this.#log}`);
            if (fs.existsSync(this.socketPath)) {
                try {
                    await this.client.version({});
                    return;
                } catch {
                    // not yet
                }
            }
            await sleep(10);
        }
    }

    async stopDaemon(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
        const daemon = this.#daemon;
        if (daemon === undefined) return;
        this.#daemon = undefined;
        if (daemon.exitCode !== null || daemon.signalCode !== null) return;
        const closed = once(daemon, "exit");
        daemon.kill(signal);
        await closed;
    }

    wire(options: WireOptions = {}): Wire {
        const wire = new Wire(options);
        this.#wires.push(wire);
        return wire;
    }

    /** Loads programs of a fixture, by name; globals as bytes. */
    async load(
        fixture: string,
        programs: readonly string[],
        options: { globals?: Record<string, Buffer>; attach?: AttachItemJson[]; privateMaps?: boolean } = {},
    ): Promise<ProgramJson[]> {
        const globals = Object.entries(options.globals ?? {}).map(([name, value]) => [name, value.toString("base64")]);
        const { programs: loaded = [] } = await this.client.load({
            object: fixtureObject(fixture).toString("base64"),
            sourcePath: `/fixtures/${fixture}.o`,
            programs: programs.map(program => {
                const [type = "", name = "", attachFunction = ""] = program.split(":");
                return { type, name, attachFunction };
            }),
            globalData: Object.fromEntries(globals),
            attach: options.attach ?? [],
            privateMaps: options.privateMaps ?? false,
        });
        return loaded;
    }

    async attach(...items: AttachItemJson[]): Promise<LinkJson[]> {
        return (await this.client.attach({ items })).links ?? [];
    }

    async detach(...ids: (number | undefined)[]): Promise<void> {
        const { failures = [] } = await this.client.detach({ linkIds: ids.map(id => id ?? 0) });
        assert.deepEqual(failures, []);
    }

    /** Names of the pins in a folder of the daemon's bpffs. */
    pins(folder = ""): string[] {
        return fs.readdirSync(path.join(this.runtimeDir, "fs", folder)).filter(name => !name.endsWith(".debug"));
    }

    assertNoDescriptors(): void {
        assert.deepEqual(bpfDescriptors(this.pid), [], "the daemon holds bpf descriptors between calls");
    }

    async #unloadAll(): Promise<void> {
        const { programs = [] } = await this.client.listPrograms({});
        if (programs.length === 0) return;
        const { failures = [] } = await this.client.unload({ programIds: programs.map(({ id = 0 }) => id) });
        assert.deepEqual(failures, []);
    }

    /** Unloads everything and asserts that the daemon keeps nothing of it; the daemon goes on. */
    async clean(): Promise<void> {
        try {
            if (this.#daemon === undefined) await this.startDaemon();
            this.assertNoDescriptors();
            await this.#unloadAll();
            this.assertNoDescriptors();
            for (const folder of ["xdp", "tc-ingress", "tc-egress", "links", "copies", "maps", "staging"])
                assert.deepEqual(this.pins(folder), [], `pins left in ${folder}`);
            assert.deepEqual(fs.readdirSync(path.join(this.stateDir, "objects")), [], "objects left");
        } finally {
            for (const wire of this.#wires.splice(0)) wire[Symbol.dispose]();
        }
    }

    async [Symbol.asyncDispose](): Promise<void> {
        try {
            await this.clean();
        } finally {
            await this.stopDaemon();
            libc.umount(path.join(this.runtimeDir, "fs"), 0);
            fs.rmSync(this.dir, { recursive: true, force: true });
        }
        await assertNothingLeft(this.#before);
    }
}

/** Output of a command, on the machine itself. */
export const run = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: "utf8" });
