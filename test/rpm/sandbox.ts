// SPDX-License-Identifier: Apache-2.0
// A throw-away copy of this machine's own system, for packages to be installed and a real systemd to be booted in.
// Everything hangs on one process in mount and process namespaces of its own: when it ends, mounts and processes are gone.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Finished {
    readonly status: number;
    readonly stdout: string;
    readonly stderr: string;
}

const bootTimeoutMs = 60_000;
const commandTimeoutMs = 120_000;

export class Sandbox {
    /** the system's root, seen from inside the sandbox */
    readonly root: string;
    /** a folder in memory beside the root */
    readonly folder: string;
    readonly #base: string;
    readonly #holder: ChildProcess;
    // nspawn leaves the control groups that it makes below its own
    readonly #cgroup: string;
    #boot: { process: ChildProcess; output: string; leader: number } | undefined;

    private constructor(base: string, holder: ChildProcess) {
        this.#base = base;
        this.#holder = holder;
        this.#cgroup = basename(base);
        this.folder = join(base, "memory");
        this.root = join(this.folder, "root");
    }

    static async make(): Promise<Sandbox> {
        const base = mkdtempSync(join(tmpdir(), "bpfman-rpm-"));
        const namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        const command = [...namespaces, "sh", "-c", "echo ready; exec sleep infinity"];
        // however this process ends, also by a signal, the sandbox ends with it
        const holder = spawn("setpriv", ["--pdeathsig", "KILL", ...command], { stdio: ["ignore", "pipe", "inherit"] });
        const sandbox = new Sandbox(base, holder);
        try {
            await new Promise<void>((resolve, reject) => {
                holder.stdout?.once("data", () => resolve());
                holder.once("exit", () => reject(new Error("unshare ended")));
            });
            await sandbox.#layOut();
        } catch (error) {
            await sandbox.remove();
            throw error;
        }
        return sandbox;
    }

    // the host's own tree as it is, changes in memory
    async #layOut(): Promise<void> {
        const { folder } = this;
        await this.sh(`
            mkdir ${folder}
            mount -t tmpfs -o size=2g,mode=0755 tmpfs ${folder}
            cd ${folder}
            mkdir upper work root
            mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
            rm -rf root/etc/systemd/system/*.wants root/etc/bpfman root/var/lib/bpfman root/var/cache/bpfman
            for hidden in tmp var/tmp run root home; do mount -t tmpfs tmpfs root/$hidden; done`);
    }

    get #holderPid(): number {
        const unshare = this.#holder.pid;
        if (unshare === undefined) throw new Error("unshare did not start");
        return childrenOf(unshare)[0] ?? unshare;
    }

    /** Runs a command in the sandbox; throws, with its output, when it fails. */
    async run(...command: readonly string[]): Promise<string> {
        return succeeded(command, await finished(this.#inside(command)));
    }

    /** The same by a shell that stops at the first failure. */
    async sh(script: string): Promise<string> {
        return await this.run("sh", "-euc", script);
    }

    /** Runs a command with the system's root as its root; nothing is booted. */
    async chroot(...command: readonly string[]): Promise<string> {
        return await this.run("chroot", this.root, ...command);
    }

    #inside(command: readonly string[]): string[] {
        return ["nsenter", "-t", String(this.#holderPid), "-m", "-p", "--", ...command];
    }

    /** Boots the system's own systemd, and waits until it has started everything. Network: its own, with lo alone. */
    async boot(): Promise<void> {
        const nspawn = [
            ...["sh", "-euc", enterCgroup, this.#cgroup],
            ...["systemd-nspawn", "--quiet", "--directory", this.root, "--machine", "bpfman-test", "--boot"],
            // the test's own process 1 may not be a systemd
            ...["--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3", "--private-network", "--console=pipe"],
            ...["--capability=all", "--system-call-filter=bpf perf_event_open"],
            ...["--", "systemd.unit=multi-user.target"],
        ];
        const [tool = "", ...rest] = this.#inside(nspawn);
        const child = spawn(tool, rest, {
            // With version 1 of control groups a systemd in a container is not told when one has emptied: it would wait for
            // a service's last child until the time-out of stopping.
            env: { ...process.env, SYSTEMD_NSPAWN_API_VFS_WRITABLE: "1", SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const boot = { process: child, output: "", leader: 0 };
        this.#boot = boot;
        const collect = (chunk: Buffer): void => {
            boot.output += chunk.toString("utf8");
        };
        child.stdout.on("data", collect);
        child.stderr.on("data", collect);
        const deadline = Date.now() + bootTimeoutMs;
        for (;;) {
            if (child.exitCode !== null) throw new Error(`systemd-nspawn ended: ${boot.output}`);
            boot.leader = leaderBelow(child.pid ?? 0);
            if (boot.leader !== 0) {
                const { stdout } = await this.tryInBooted("systemctl", "is-system-running");
                if (/^(running|degraded)/.test(stdout)) break;
            }
            if (Date.now() > deadline) throw new Error(`not booted in ${bootTimeoutMs / 1000} s: ${boot.output}`);
            await sleep(100);
        }
        // with a private network /sys is nspawn's own, without a bpffs
        await this.inBooted("sh", "-euc", "mkdir -p /sys/fs/bpf; mount -t bpf bpf /sys/fs/bpf");
    }

    /** Runs a command in the booted system; throws, with its output, when it fails. */
    async inBooted(...command: readonly string[]): Promise<string> {
        return succeeded(command, await this.tryInBooted(...command));
    }

    async tryInBooted(...command: readonly string[]): Promise<Finished> {
        const leader = String(this.#boot?.leader ?? 0);
        // PATH and nothing else of ours
        const environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"];
        return await finished([
            "nsenter",
            "-t",
            leader,
            "-m",
            "-p",
            "-u",
            "-i",
            "-n",
            "-C",
            "-r",
            "-w",
            "--",
            ...environment,
            ...command,
        ]);
    }

    async powerOff(): Promise<void> {
        const boot = this.#boot;
        if (boot === undefined) return;
        const ended = new Promise(resolve => boot.process.once("exit", resolve));
        if (boot.process.exitCode === null) {
            if (boot.leader === 0) boot.process.kill("SIGKILL");
            else await this.tryInBooted("systemctl", "poweroff");
            const killer = setTimeout(() => boot.process.kill("SIGKILL"), bootTimeoutMs);
            await ended;
            clearTimeout(killer);
        }
        this.#boot = undefined;
    }

    async remove(): Promise<void> {
        await this.powerOff();
        const ended = new Promise(resolve => this.#holder.once("exit", resolve));
        if (this.#holder.exitCode === null && this.#holder.signalCode === null) {
            this.#holder.kill("SIGKILL");
            await ended;
        }
        for (const hierarchy of globSync(`/sys/fs/cgroup/{,*/}${this.#cgroup}`)) await removeCgroup(hierarchy);
        rmSync(this.#base, { recursive: true, force: true });
    }
}

// $0 is the name; a host has systemd's v1 hierarchy, one of v2 beside it, or v2 alone
const enterCgroup = `
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [ -e $hierarchy/cgroup.procs ] || continue
        mkdir $hierarchy/$0
        echo $$ > $hierarchy/$0/cgroup.procs
    done
    exec "$@"`;

async function removeCgroup(path: string): Promise<void> {
    for (const child of readdirSync(path, { withFileTypes: true })) {
        if (child.isDirectory()) await removeCgroup(join(path, child.name));
    }
    // EBUSY for as long as the kernel still buries the processes
    for (let attempt = 0; ; attempt++) {
        try {
            rmdirSync(path);
            return;
        } catch (error) {
            if (attempt === 50) throw error;
            await sleep(20);
        }
    }
}

function childrenOf(pid: number): number[] {
    try {
        return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
        return [];
    }
}

// nsenter forks into the process namespace, nspawn forks the system's first process
function leaderBelow(nsenter: number): number {
    for (const nspawn of childrenOf(nsenter)) {
        for (const leader of childrenOf(nspawn)) {
            if (/^systemd|^init/.test(comm(leader))) return leader;
        }
    }
    return 0;
}

function comm(pid: number): string {
    try {
        return readFileSync(`/proc/${pid}/comm`, "utf8");
    } catch {
        return "";
    }
}

function finished(command: readonly string[]): Promise<Finished> {
    const [tool = "", ...rest] = command;
    return new Promise((resolve, reject) => {
        execFile(tool, rest, { timeout: commandTimeoutMs, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
            if (error !== null && typeof error.code === "string") reject(error);
            else resolve({ status: error === null ? 0 : Number(error.code ?? 255), stdout, stderr });
        });
    });
}

function succeeded(command: readonly string[], { status, stdout, stderr }: Finished): string {
    if (status !== 0) throw new Error(`${command.join(" ")}: exit status ${status}\n${stdout}${stderr}`);
    return stdout;
}
