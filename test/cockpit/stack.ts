// SPDX-License-Identifier: Apache-2.0
// The whole thing for one test file: a network namespace with a veth pair, the daemon in it, a real Cockpit with the
// built page, and a browser. Nothing of it is left behind.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { buildPage } from "../../build-page.ts";
import { dialSocket } from "../../cli/dial.ts";
import { HostClient } from "../../client/host-client.ts";
import { type Cockpit, startCockpit } from "../../demo/cockpit.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { main } from "../lab/main.ts";
import { Kernel } from "./kernel.ts";
import { writePseudoLanguages } from "./pseudo.ts";

const root = path.join(import.meta.dirname, "../..");
const pictures = path.join(root, "test-results");
const pageDir = path.join(root, "dist/cockpit");

export interface StackOptions {
    /** false: nobody serves the socket until startDaemon() */
    readonly daemon?: boolean;
    /** Cockpit's session runs as this user */
    readonly user?: string;
    /** Cockpit asks for name and password */
    readonly login?: boolean;
    /** Cockpit is this root's instead of the machine's */
    readonly cockpitRoot?: string;
    /** the page also speaks the languages of pseudo.ts */
    readonly pseudoLanguages?: boolean;
    /** what the page takes itself for */
    readonly pageVersion?: string;
    /** what the daemon finds as /etc/containers; it is then in the machine's network namespace, as registries are */
    readonly containers?: string;
    /** further files of the page's folder, by name */
    readonly files?: Readonly<Record<string, string>>;
}

export class Stack {
    readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-page-"));
    readonly runtimeDir = path.join(this.dir, "run");
    readonly socketPath = path.join(this.runtimeDir, "bpfman.sock");
    readonly #netnsName = `bpfman-page-${process.pid}`;
    readonly netns = `/run/netns/${this.#netnsName}`;
    readonly kernel = new Kernel(this.netns);
    readonly client = new HostClient(() => dialSocket(this.socketPath));
    readonly #contexts: { context: BrowserContext; errors: string[] }[] = [];
    readonly #containers: string | undefined;
    #daemon: ChildProcess | undefined;
    #cockpit: Cockpit | undefined;
    #browser: Browser | undefined;

    private constructor(containers?: string) {
        this.#containers = containers;
        execFileSync("ip", ["netns", "add", this.#netnsName]);
        this.#inNetns("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "downlink");
        for (const device of ["uplink", "downlink"]) {
            // a link that comes up is greeted by IPv6, whose packets tests would count as their own
            this.#inNetns("sysctl", "-qw", `net.ipv6.conf.${device}.disable_ipv6=1`);
            this.#inNetns("ip", "link", "set", device, "up");
        }
    }

    static async start(options: StackOptions = {}): Promise<Stack> {
        const stack = new Stack(options.containers);
        try {
            await upToDatePage();
            if (options.daemon !== false) await stack.startDaemon();
            // a build that runs meanwhile takes the page away for a moment
            const page = path.join(stack.dir, "page");
            fs.cpSync(pageDir, page, { recursive: true });
            if (options.pseudoLanguages) writePseudoLanguages(page);
            if (options.pageVersion !== undefined)
                await buildPage({ production: true, version: options.pageVersion, outputDir: page });
            for (const [name, text] of Object.entries(options.files ?? {}))
                fs.writeFileSync(path.join(page, name), text);
            fs.chmodSync(stack.dir, 0o755);
            const { user, cockpitRoot } = options;
            stack.#cockpit = await startCockpit({
                pageDir: page,
                socketPath: stack.socketPath,
                login: options.login ?? false,
                ...(user === undefined ? {} : { user }),
                ...(cockpitRoot === undefined ? {} : { root: cockpitRoot }),
            });
            const quiet = ["--disable-background-networking", "--no-first-run"];
            stack.#browser = await chromium.launch({
                executablePath: "/usr/bin/chromium",
                args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", ...quiet],
            });
            return stack;
        } catch (error) {
            await stack.stop();
            throw error;
        }
    }

    async startDaemon(): Promise<void> {
        const serve = [main, "serve", "--runtime-dir", this.runtimeDir];
        const places = { "--state-dir": "state", "--image-cache-dir": "images" };
        const folders = Object.entries(places).flatMap(([flag, folder]) => [flag, path.join(this.dir, folder)]);
        const flags = [...folders, "--idle-timeout", "0"];
        const log = fs.openSync(path.join(this.dir, "daemon.log"), "a");
        const [command = "", ...words] = [...this.#namespaces(), process.execPath, ...serve, ...flags];
        const child = spawn(command, words, { stdio: ["ignore", log, log] });
        fs.closeSync(log);
        this.#daemon = child;
        await until("the daemon's socket", () => {
            assert.equal(child.exitCode, null, `the daemon ended: ${this.daemonLog()}`);
            return fs.existsSync(this.socketPath);
        });
    }

    async stopDaemon(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
        const child = this.#daemon;
        this.#daemon = undefined;
        if (!child || child.exitCode !== null) return;
        const exited = new Promise(resolve => child.once("exit", resolve));
        child.kill(signal);
        await exited;
    }

    get daemonPid(): number {
        assert.ok(this.#daemon?.pid);
        return this.#daemon.pid;
    }

    daemonLog(): string {
        return fs.readFileSync(path.join(this.dir, "daemon.log"), "utf8");
    }

    /** Runs the command against this daemon and gives what it prints. */
    cli(...args: string[]): string {
        return execFileSync(process.execPath, [main, ...args], {
            encoding: "utf8",
            env: { ...process.env, BPFMAN_RUNTIME_DIR: this.runtimeDir },
        });
    }

    /** A fixture's object as a file of its name. */
    objectFile(fixture: string): string {
        const file = path.join(this.dir, `${fixture}.o`);
        fs.writeFileSync(file, fixtureObject(fixture));
        return file;
    }

    /** Loads programs of a fixture (TYPE:NAME) by the command; returns the kernel's ids, in this order. */
    loadAll(fixture: string, programs: readonly string[], ...flags: string[]): number[] {
        const words = ["--programs", ...programs, "-o", "json", ...flags];
        const text = this.cli("program", "load", "file", this.objectFile(fixture), ...words);
        const ids = [...text.matchAll(/"program_id":\s*(\d+)/g)].map(([, id]) => Number(id));
        assert.equal(ids.length, programs.length, text);
        return ids;
    }

    load(fixture: string, program = `xdp:${fixture}`, ...flags: string[]): number {
        return this.loadAll(fixture, [program], ...flags)[0]!;
    }

    get origin(): string {
        return new URL(this.#running.url).origin;
    }

    /** Opens the page alone; the same within Cockpit's shell takes twice as long. */
    async open(hash = "#/programs", options: BrowserContextOptions = {}): Promise<Page> {
        const page = await this.newPage(options);
        await this.goTo(page, hash);
        return page;
    }

    /** place: what follows in the address, or another file beside index.html */
    async goTo(page: Page, place: string): Promise<void> {
        await page.goto(new URL(place, this.#running.frameUrl).href);
    }

    async newPage(options: BrowserContextOptions = {}): Promise<Page> {
        assert.ok(this.#browser);
        const viewport = { width: 1280, height: 900 };
        const context = await this.#browser.newContext({
            viewport,
            reducedMotion: "reduce",
            locale: "en-US",
            ...options,
        });
        const errors: string[] = [];
        this.#contexts.push({ context, errors });
        const page = await context.newPage();
        page.setDefaultTimeout(30_000);
        page.on("pageerror", error => {
            // the shell around the page misses services that a test's Cockpit has not, and is not ours to judge
            const ofShell = page.frames().length > 1 && !(error.stack ?? "").includes("/bpfman/");
            if (!ofShell) errors.push(error.message);
        });
        return page;
    }

    /** Closes the browser's windows; none may have thrown an error meanwhile. */
    async closePages(): Promise<void> {
        const opened = this.#contexts.splice(0);
        for (const { context } of opened) await context.close();
        assert.deepEqual(
            opened.flatMap(({ errors }) => errors),
            [],
        );
    }

    /** Unloads what a test loaded, so that each begins with nothing; the kernel must have none of it any more. */
    async unloadAll(): Promise<void> {
        const { programs = [] } = await this.client.listPrograms();
        const ids = programs.map(({ id = 0 }) => id);
        if (ids.length > 0) await this.client.unload({ programIds: ids });
        // they go after an RCU grace period
        await eventually(() => ids.filter(id => this.kernel.hasProgram(id)), []);
        for (const device of ["uplink", "downlink"]) {
            assert.deepEqual(this.kernel.xdpOrder(device), []);
        }
    }

    /** As iproute2 does it: not through the daemon. */
    attachForeign(object: string, device: string): void {
        this.#inNetns("ip", "link", "set", "dev", device, "xdpgeneric", "obj", object, "sec", "xdp");
    }

    addInterface(name: string): void {
        this.#inNetns("ip", "link", "add", name, "type", "veth", "peer", "name", "other-end");
    }

    /**
     * So many packets that arrive at uplink, and nothing else does: to an address that is told to be beyond it. Nobody
     * answers.
     */
    sendToUplink(packets: number): void {
        this.#inNetns("ip", "address", "replace", "192.0.2.1/24", "dev", "downlink");
        this.#inNetns("ip", "neigh", "replace", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "downlink");
        const ping = ["ping", "-q", "-c", String(packets), "-i", "0.02", "-W", "1", "192.0.2.9"];
        // exits with 1, as there is no answer
        const { stdout } = spawnSync("nsenter", [`--net=${this.netns}`, ...ping], { encoding: "utf8" });
        assert.match(stdout, new RegExp(`^${packets} packets transmitted`, "m"));
    }

    detachForeign(device: string): void {
        this.#inNetns("ip", "link", "set", "dev", device, "xdpgeneric", "off");
    }

    async stop(): Promise<void> {
        for (const { context } of this.#contexts.splice(0)) await context.close();
        await this.#browser?.close();
        await this.#cockpit?.stop();
        if (this.#daemon) await this.unloadAll();
        this.client.close();
        await this.stopDaemon();
        const bpffs = path.join(this.runtimeDir, "fs");
        if (fs.readFileSync("/proc/self/mountinfo", "utf8").includes(` ${bpffs} `)) execFileSync("umount", [bpffs]);
        execFileSync("ip", ["netns", "delete", this.#netnsName]);
        fs.rmSync(this.dir, { recursive: true });
    }

    get #running(): Cockpit {
        assert.ok(this.#cockpit);
        return this.#cockpit;
    }

    /** What puts the daemon where it is to run. */
    #namespaces(): string[] {
        const containers = this.#containers;
        if (containers === undefined) return ["nsenter", `--net=${this.netns}`];
        // what it mounts in a mount namespace of its own would not be seen here
        const bpffs = path.join(this.runtimeDir, "fs");
        fs.mkdirSync(bpffs, { recursive: true, mode: 0o750 });
        execFileSync("mount", ["-t", "bpf", "bpf", bpffs]);
        const script = `mount --bind ${containers} /etc/containers && exec "$@"`;
        return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh"];
    }

    #inNetns(...command: string[]): void {
        execFileSync("nsenter", [`--net=${this.netns}`, ...command]);
    }
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await condition())) {
        if (Date.now() > deadline) throw new Error(`waited 30 s for ${what}`);
        await sleep(50);
    }
}

/** Waits until the value is the wanted one, and shows both where it does not become it. A look meanwhile may fail. */
export async function eventually<T>(read: () => T | Promise<T>, wanted: T): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
        try {
            assert.deepEqual(await read(), wanted);
            return;
        } catch (error) {
            if (Date.now() > deadline) throw error;
        }
        await sleep(50);
    }
}

/** What the accessibility rules of WCAG 2.2 AA find on the page as it is now. */
export async function axe(page: Page): Promise<string[]> {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    // the page is one frame; to scan several, axe opens a window more each time
    const { violations } = await new AxeBuilder({ page }).withTags(tags).setLegacyMode().analyze();
    return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(node => node.html).join(" | ")}`);
}

export async function picture(page: Page, name: string): Promise<void> {
    fs.mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true, animations: "disabled" });
}

/** The page may have been built already; a newer source makes it anew. */
async function upToDatePage(): Promise<void> {
    const built = path.join(pageDir, "index.html");
    const sources = ["src", "po", "client"].flatMap(folder =>
        fs
            .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
            .map(name => path.join(root, folder, name)),
    );
    const newest = Math.max(...[...sources, path.join(root, "manifest.json")].map(file => fs.statSync(file).mtimeMs));
    if (!fs.existsSync(built) || fs.statSync(built).mtimeMs < newest) await buildPage({ production: true });
}
