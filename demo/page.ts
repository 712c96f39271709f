// SPDX-License-Identifier: Apache-2.0
// The page: in the machine's own Cockpit where one runs, else in one on loopback that this demo starts.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { linkPage, startCockpit } from "./cockpit.ts";

export type PageOffer =
    | { readonly kind: "machine"; readonly url: string; readonly folder: string }
    | { readonly kind: "own"; readonly url: string; readonly port: number; readonly login: boolean }
    | { readonly kind: "none"; readonly reason: string };

export interface OfferedPage extends AsyncDisposable {
    readonly offer: PageOffer;
}

interface PageOptions {
    readonly pageDir: string;
    /** of this demo, readable by all */
    readonly folder: string;
    readonly socketPath: string;
    readonly login: boolean;
}

const packageDir = "/usr/local/share/cockpit/bpfman";
/** tells a folder of ours from an installed page */
const marker = path.join(packageDir, ".bpfman-demo");
const defaultPort = 9123;

export async function offerPage(options: PageOptions): Promise<OfferedPage> {
    const url = await machineCockpit();
    if (url !== undefined && !fs.existsSync(packageDir)) {
        linkIntoMachine(options);
        return {
            offer: { kind: "machine", url: `${url}/bpfman`, folder: packageDir },
            [Symbol.asyncDispose]: async () => unlinkPage(),
        };
    }
    // 0: any free one
    const wanted = Number(process.env["PORT"] || defaultPort);
    try {
        const port = wanted > 0 && (await isFree(wanted)) ? { port: wanted } : {};
        const cockpit = await startCockpit({ ...options, ...port });
        return {
            offer: { kind: "own", url: cockpit.url, port: Number(new URL(cockpit.url).port), login: options.login },
            [Symbol.asyncDispose]: () => cockpit.stop(),
        };
    } catch (error) {
        // all the rest of the demo works without
        const reason = error instanceof Error ? error.message : String(error);
        return { offer: { kind: "none", reason }, [Symbol.asyncDispose]: async () => {} };
    }
}

/** Its address, where one answers. */
async function machineCockpit(): Promise<string | undefined> {
    const socket = systemctl("show", "--property=ActiveState,Listen", "cockpit.socket");
    if (/^ActiveState=active$/m.test(socket)) {
        const port = /^Listen=.*?(\d+) \(Stream\)/m.exec(socket)?.[1] ?? "9090";
        return `https://${os.hostname()}:${port}`;
    }
    // started by hand, or in a container
    try {
        const local = "http://127.0.0.1:9090";
        const answer = await fetch(`${local}/ping`, { redirect: "manual", signal: AbortSignal.timeout(2000) });
        if (answer.status >= 300 && answer.status < 400) return "https://127.0.0.1:9090";
        return (await answer.text()).includes('"cockpit"') ? local : undefined;
    } catch {
        return undefined;
    }
}

function systemctl(...args: string[]): string {
    return spawnSync("systemctl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).stdout ?? "";
}

/** For every user of the machine: his session reads the page with his own rights. */
function linkIntoMachine({ pageDir, folder, socketPath }: PageOptions): void {
    let source = pageDir;
    if (!isPublic(pageDir)) {
        source = path.join(folder, "page");
        fs.cpSync(pageDir, source, { recursive: true });
    }
    const mask = process.umask(0o022);
    try {
        // a first folder that had to be made is remembered, so that it goes again
        const made = fs.mkdirSync(packageDir, { recursive: true }) ?? packageDir;
        fs.writeFileSync(marker, made);
        linkPage({ into: packageDir, pageDir: source, socketPath });
    } catch (error) {
        unlinkPage();
        throw error;
    } finally {
        process.umask(mask);
    }
}

/** Whether others may enter every folder on the way. */
function isPublic(folder: string): boolean {
    const mode = fs.statSync(folder).mode;
    const parent = path.dirname(folder);
    return (mode & 0o005) === 0o005 && (parent === folder || isPublic(parent));
}

/** Also what a killed run left; an installed page stays. */
export function unlinkPage(): void {
    if (!fs.existsSync(marker)) return;
    const made = fs.readFileSync(marker, "utf8");
    fs.rmSync(packageDir, { recursive: true, force: true });
    // what others put beside it since then keeps its folder
    for (let dir = path.dirname(packageDir); dir.startsWith(made) && isEmpty(dir); dir = path.dirname(dir))
        fs.rmdirSync(dir);
}

const isEmpty = (dir: string) => fs.readdirSync(dir).length === 0;

function isFree(port: number): Promise<boolean> {
    return new Promise(resolve => {
        const server = net.createServer();
        server.once("error", () => resolve(false));
        server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
}
