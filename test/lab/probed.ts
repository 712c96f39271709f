// SPDX-License-Identifier: Apache-2.0
// A process to probe (test/fixtures/probed.c), which does one step each time it is told to; and one in a container: mount
// and pid namespaces of its own, and a root that was pivoted.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fixtureProgram } from "../fixtures/objects.ts";

export class Probed implements AsyncDisposable {
    readonly #child: ChildProcess;
    readonly #folder: string | undefined;
    #pid = 0;

    private constructor(child: ChildProcess, folder?: string) {
        this.#child = child;
        this.#folder = folder;
    }

    static async start(): Promise<Probed> {
        const probed = new Probed(spawn(fixtureProgram("probed"), { stdio: ["pipe", "pipe", "inherit"] }));
        await probed.step();
        probed.#pid = probed.#child.pid ?? 0;
        return probed;
    }

    /** In a root made of the program, as /app/probed, its libraries and a linker's cache; nothing else of the host. */
    static async startContainer(folder: string): Promise<Probed> {
        const root = path.join(folder, "container");
        const program = fixtureProgram("probed");
        fs.mkdirSync(path.join(root, "app"), { recursive: true });
        for (const empty of ["etc", "proc", "old"]) fs.mkdirSync(path.join(root, empty));
        fs.copyFileSync(program, path.join(root, "app/probed"));
        // LIBRARY => PATH (ADDRESS), and the linker itself as PATH (ADDRESS); all into one folder that the host does not have
        const listed = execFileSync("ldd", [program], { encoding: "utf8" });
        const libraries = [...listed.matchAll(/(\/\S+) \(0x/g)].map(match => match[1] ?? "");
        for (const library of libraries) {
            const linker = path.basename(library).startsWith("ld-");
            const target = path.join(root, linker ? library : path.join("/container-lib", path.basename(library)));
            fs.mkdirSync(path.dirname(target), { recursive: true });
            fs.copyFileSync(library, target);
        }
        fs.copyFileSync("/bin/busybox", path.join(root, "app/busybox"));
        fs.writeFileSync(path.join(root, "etc/ld.so.conf"), "/container-lib\n");
        execFileSync("/sbin/ldconfig", ["-r", root]);
        const script = [
            `mount --bind ${root} ${root}`,
            `cd ${root}`,
            "pivot_root . old",
            "/app/busybox mount -t proc proc /proc",
            "/app/busybox umount -l /old",
            "exec /app/probed",
        ].join(" && ");
        const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
        const child = spawn("unshare", [...namespaces, "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
        const probed = new Probed(child, root);
        await probed.step();
        const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
        probed.#pid = Number(children.trim());
        return probed;
    }

    /** As the host counts. */
    get pid(): number {
        return this.#pid;
    }

    /** Calls handle() and getenv() once. */
    async step(): Promise<void> {
        const answer = once(this.#child.stdout ?? this.#child, "data");
        this.#child.stdin?.write("x");
        await answer;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        const ended = once(this.#child, "exit");
        this.#child.stdin?.end();
        await ended;
        if (this.#folder !== undefined) fs.rmSync(this.#folder, { recursive: true, force: true });
    }
}
