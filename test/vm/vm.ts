// SPDX-License-Identifier: Apache-2.0
// Runs one command in a machine of its own: a distribution kernel under QEMU, with the host's programs and this repository.
import { execFileSync, spawn } from "node:child_process";
import {
    chmodSync,
    copyFileSync,
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Kernel } from "./kernel.ts";

export interface VmOptions {
    readonly kernel: Kernel;
    /** run in the repository, which is read-only there; writes elsewhere stay in the guest's memory */
    readonly command: readonly string[];
    readonly timeoutMs: number;
    /** files that the command left in /run/vm, to be handed back */
    readonly collect?: readonly string[];
    /** one nanosecond of the guest is one instruction: slower, and exact */
    readonly countInstructions?: boolean;
}

export interface VmResult {
    /** exit status of the command; undefined when the guest died or ran out of time before it had one */
    readonly status: number | undefined;
    /** what the command wrote to both its outputs */
    readonly output: string;
    /** what the guest's kernel wrote */
    readonly console: string;
    readonly collected: ReadonlyMap<string, string>;
    readonly timedOut: boolean;
}

const root = join(import.meta.dirname, "../..");
/** Node's compile cache of the guests before; it takes nothing from it for a file that has changed. */
const compiled = join(root, ".cache/vm/compiled.tar");

export async function runInVm(options: VmOptions): Promise<VmResult> {
    const work = mkdtempSync(join(tmpdir(), "bpfman-vm-"));
    try {
        const shared = join(work, "shared");
        mkdirSync(shared);
        copyFileSync(join(import.meta.dirname, "guest/guest.sh"), join(shared, "guest.sh"));
        writeFileSync(join(shared, "job.env"), `REPOSITORY=${quote(root)}\n`);
        writeFileSync(join(shared, "command.sh"), `exec ${options.command.map(quote).join(" ")}\n`);
        // a copy, because a build beside the test would change the files under the guest, which caches them
        const dist = join(root, "dist");
        if (existsSync(dist)) cpSync(dist, join(shared, "dist"), { recursive: true });
        if (existsSync(compiled)) copyFileSync(compiled, join(shared, "compiled.tar"));
        const initrd = makeInitrd(work, options.kernel);
        const { output, timedOut } = await boot(options, initrd, shared);
        const read = (name: string): string => {
            const path = join(shared, name);
            return existsSync(path) ? readFileSync(path, "utf8") : "";
        };
        const status = read("status").trim();
        if (status !== "" && existsSync(join(shared, "compiled.tar"))) {
            mkdirSync(dirname(compiled), { recursive: true });
            copyFileSync(join(shared, "compiled.tar"), `${compiled}.new`);
            renameSync(`${compiled}.new`, compiled);
        }
        return {
            status: status === "" ? undefined : Number(status),
            output: read("output"),
            console: output,
            collected: new Map((options.collect ?? []).map(name => [name, read(name)])),
            timedOut,
        };
    } finally {
        rmSync(work, { recursive: true, force: true });
    }
}

function makeInitrd(work: string, kernel: Kernel): string {
    const tree = join(work, "initrd");
    for (const folder of ["bin", "proc", "sys", "dev", "modules"]) mkdirSync(join(tree, folder), { recursive: true });
    copyFileSync("/bin/busybox", join(tree, "bin/busybox"));
    copyFileSync(join(import.meta.dirname, "guest/init.sh"), join(tree, "init"));
    chmodSync(join(tree, "init"), 0o755);
    // numbered, because the shell's * sorts by name and the order matters
    kernel.modulePaths.forEach((path, index) => {
        copyFileSync(path, join(tree, "modules", `${String(index).padStart(2, "0")}-${basename(path)}`));
    });
    const initrd = join(work, "initrd.cpio");
    execFileSync("sh", ["-c", `find . | cpio -o -H newc --quiet > ${quote(initrd)}`], { cwd: tree });
    return initrd;
}

function boot(options: VmOptions, initrd: string, shared: string): Promise<{ output: string; timedOut: boolean }> {
    const share = (path: string, tag: string, readonly: boolean): string[] => [
        "-virtfs",
        // QEMU's option syntax doubles a comma inside a value
        `local,path=${path.replaceAll(",", ",,")},mount_tag=${tag},security_model=none,multidevs=remap${readonly ? ",readonly=on" : ""}`,
    ];
    const machine = [
        // KVM is not asked for: machines that are guests themselves often have one that stock kernels do not survive.
        // Counting instructions takes one thread for all CPUs.
        ...["-accel", `tcg,thread=${options.countInstructions === true ? "single" : "multi"},tb-size=512`],
        ...(options.countInstructions === true ? ["-icount", "shift=0"] : []),
        // QEMU 7.2 emulates cmpxchg16b wrongly, and kernels ≥ 6.9 use it in their allocator.
        ...["-cpu", "max,-la57,-cx16"],
        // One CPU: with two, TCG patches code under a running CPU and panics (int3) when XDP programs are swapped under traffic.
        ...["-smp", "1", "-m", "2048"],
        ...["-nodefaults", "-no-reboot", "-nic", "none", "-display", "none", "-serial", "stdio"],
        ...["-kernel", options.kernel.imagePath, "-initrd", initrd],
        ...["-append", "console=ttyS0 quiet panic=-1 mitigations=off lsm=landlock,lockdown,yama,bpf"],
        ...share("/", "root", true),
        ...share(root, "repository", true),
        ...share(shared, "work", false),
    ];
    return new Promise((resolve, reject) => {
        // however this process ends, also by a signal, the machine ends with it; it gives way to what runs beside it
        const command = ["--pdeathsig", "KILL", "nice", "-n", "19", "qemu-system-x86_64", ...machine];
        const qemu = spawn("setpriv", command, { stdio: ["ignore", "pipe", "pipe"] });
        const chunks: Buffer[] = [];
        let timedOut = false;
        const timer = setTimeout(() => {
            timedOut = true;
            qemu.kill("SIGKILL");
        }, options.timeoutMs);
        qemu.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
        qemu.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
        qemu.on("error", reject);
        qemu.on("close", () => {
            clearTimeout(timer);
            resolve({ output: Buffer.concat(chunks).toString("utf8"), timedOut });
        });
    });
}

function quote(word: string): string {
    return `'${word.replaceAll("'", `'\\''`)}'`;
}
