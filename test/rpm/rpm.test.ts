// SPDX-License-Identifier: Apache-2.0
// The RPM packages as a user meets them: built, installed by dnf, run from where they are installed, and run by a real systemd.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildPackages, dnf, makeRepository, projectVersion, rpmDatabase } from "./packages.ts";
import { Sandbox } from "./sandbox.ts";

const root = join(import.meta.dirname, "../..");

let work: string;
let sandbox: Sandbox;

before(async () => {
    work = mkdtempSync(join(tmpdir(), "bpfman-rpm-work-"));
    const packages = buildPackages();
    makeRepository(work, packages);
    sandbox = await Sandbox.make();
    // what Fedora's nodejs24 brings
    await sandbox.run("cp", realpathSync(join(root, "node_modules/.bin/node")), join(sandbox.root, "usr/bin/node-24"));
    await sandbox.run("cp", "-r", join(root, "dist/test"), join(sandbox.root, "opt/objects"));
    await dnf(sandbox, work, "install", "cockpit-bpfman");
    // rpm ≥ 4.19 makes the users and groups of a package by itself
    await sandbox.run("systemd-sysusers", `--root=${sandbox.root}`);
});

after(async () => {
    await sandbox?.remove();
    rmSync(work, { recursive: true, force: true });
});

const rpm = async (...command: readonly string[]): Promise<string> =>
    await sandbox.chroot("rpm", "--dbpath", rpmDatabase, ...command);

describe("the installed packages", () => {
    it("have the project's version, and cockpit-bpfman brings bpfman", async () => {
        const names = await rpm("-q", "--qf", "%{NAME} %{VERSION} %{ARCH}\\n", "bpfman", "cockpit-bpfman");
        const version = projectVersion();
        assert.match(names, new RegExp(`^bpfman ${version} (x86_64|aarch64)\ncockpit-bpfman ${version} noarch\n$`));
    });

    it("are on disk as packaged", async () => {
        assert.equal(await rpm("-V", "bpfman", "cockpit-bpfman"), "");
    });

    it("hold command, daemon, dispatchers, page, units and licences, with the right modes", async () => {
        const format = "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\\n]";
        const files = await rpm("-q", "--qf", format, "bpfman", "cockpit-bpfman");
        const lines = files.trim().split("\n");
        for (const wanted of [
            /^lrwxrwxrwx root root \/usr\/bin\/bpfman$/,
            /^-rwxr-xr-x root root \/usr\/lib64\/bpfman\/bin\/bpfman$/,
            /^-rw-r--r-- root root \/usr\/lib64\/bpfman\/lib\/daemon\.js$/,
            /^-rwxr-xr-x root root \/usr\/lib64\/bpfman\/lib\/node_modules\/koffi\/.*\/koffi\.node$/,
            /^-rw-r--r-- root root \/usr\/lib64\/bpfman\/bpf\/xdp_freplace\.o$/,
            /^-rw-r--r-- root root \/usr\/lib64\/bpfman\/bpf\/xdp_tail_call\.o$/,
            /^-rw-r--r-- root root \/usr\/lib\/systemd\/system\/bpfman\.service$/,
            /^-rw-r--r-- root root \/usr\/lib\/systemd\/system\/bpfman\.socket$/,
            /^-rw-r--r-- root root \/usr\/lib\/systemd\/system\/run-bpfman-fs\.mount$/,
            /^-rw-r--r-- root root \/usr\/lib\/sysusers\.d\/bpfman\.conf$/,
            /^-rw-r--r-- root root \/usr\/lib\/tmpfiles\.d\/bpfman\.conf$/,
            /^drwx------ root root \/var\/lib\/bpfman$/,
            /^-rw-r--r-- root root \/usr\/share\/licenses\/bpfman\/LICENSE$/,
            /^-rw-r--r-- root root \/usr\/share\/licenses\/bpfman\/.*GPL-2\.0-only\.txt$/,
            /^-rw-r--r-- root root \/usr\/share\/cockpit\/bpfman\/manifest\.json$/,
            /^-rw-r--r-- root root \/usr\/share\/cockpit\/bpfman\/index\.js(\.gz)?$/,
            /^-rw-r--r-- root root \/usr\/share\/man\/man1\/bpfman\.1\.gz$/,
            /^-rw-r--r-- root root \/usr\/share\/man\/man1\/bpfman-program-load-image\.1\.gz$/,
            /^-rw-r--r-- root root \/usr\/share\/bash-completion\/completions\/bpfman$/,
            /^-rw-r--r-- root root \/usr\/share\/zsh\/site-functions\/_bpfman$/,
            /^-rw-r--r-- root root \/usr\/share\/fish\/vendor_completions\.d\/bpfman\.fish$/,
            /^-rw-r--r-- root root \/usr\/share\/doc\/bpfman\/docs\/cli\.md$/,
            /^-rw-r--r-- root root \/usr\/share\/metainfo\/io\.bpfman\.cockpit\.metainfo\.xml$/,
        ]) {
            assert.equal(lines.filter(line => wanted.test(line)).length, 1, `one ${wanted} in\n${files}`);
        }
        const ownOrWritable = lines.filter(
            line => !/ root root \//.test(line) || (!line.startsWith("l") && /^.(.{4}w|.{7}w)/.test(line)),
        );
        assert.deepEqual(ownOrWritable, [], "all is root's, and nobody else may write");
        assert.deepEqual(
            lines.filter(line => /\/(@koromix|test|demo)\/|\.ts$|\.map$/.test(line)),
            [],
            "nothing that only a checkout needs",
        );
    });

    it("name what they bundle and need", async () => {
        const provides = await rpm("-q", "--provides", "bpfman");
        for (const name of ["@grpc/grpc-js", "@bufbuild/protobuf", "koffi"])
            assert.match(provides, new RegExp(`^bundled\\(npm\\(${name}\\)\\) = \\d`, "m"));
        const requires = await rpm("-q", "--requires", "bpfman");
        assert.match(requires, /^\/usr\/bin\/node-24$/m);
        assert.match(requires, /^libbpf\.so\.1\(\)\(64bit\)$/m);
    });

    it("have no path of the machine that built them", async () => {
        const found = await sandbox.chroot(
            "sh",
            "-c",
            `grep -rlF '${root}/' /usr/lib64/bpfman /usr/share/cockpit/bpfman || true`,
        );
        assert.equal(found, "");
    });

    it("run the command from any folder with an empty environment", async () => {
        const help = await sandbox.chroot("env", "-i", "/usr/bin/bpfman", "--help");
        assert.match(help, /program/);
        const version = await sandbox.chroot("env", "-i", "/usr/bin/bpfman", "version");
        assert.match(version, new RegExp(projectVersion().replaceAll(".", "\\.")));
    });

    it("have units that systemd accepts", async () => {
        const complaints = await sandbox.chroot(
            "sh",
            "-euc",
            "systemd-analyze verify bpfman.socket bpfman.service run-bpfman-fs.mount 2>&1",
        );
        assert.equal(complaints, "");
    });

    it("enable nothing by themselves", async () => {
        const enabled = await sandbox.chroot("sh", "-c", "systemctl is-enabled bpfman.socket bpfman.service || true");
        assert.equal(enabled, "disabled\ndisabled\n");
    });
});

describe("under systemd", () => {
    const bpfman = async (...command: readonly string[]): Promise<string> => {
        const { status, stdout, stderr } = await sandbox.tryInBooted("bpfman", ...command);
        if (status === 0) return stdout;
        const { stdout: journal } = await sandbox.tryInBooted("journalctl", "--no-pager", "-n", "30", "-u", "bpfman");
        throw new Error(`bpfman ${command.join(" ")}: ${stdout}${stderr}\n${journal}`);
    };
    const property = async (unit: string, name: string): Promise<string> =>
        (await sandbox.inBooted("systemctl", "show", "--property", name, "--value", unit)).trim();
    const answersPing = async (): Promise<boolean> =>
        (await sandbox.tryInBooted("ping", "-c", "1", "-W", "1", "127.0.0.1")).status === 0;
    const programIds = async (): Promise<string[]> =>
        (await bpfman("program", "list", "--quiet")).trim().split("\n").filter(Boolean);
    const inKernel = async (id: string): Promise<boolean> =>
        (await sandbox.tryInBooted("bpftool", "prog", "show", "id", id)).status === 0;

    let ids: string[] = [];

    before(async () => {
        await sandbox.boot();
        await sandbox.inBooted("systemctl", "enable", "--now", "bpfman.socket");
    });

    after(async () => {
        await sandbox.powerOff();
    });

    it("the first call starts the daemon, whose pins' file system is seen by all", async () => {
        assert.equal(await property("bpfman.service", "ActiveState"), "inactive");
        const socket = await sandbox.inBooted("stat", "-c", "%U %G %a %F", "/run/bpfman-sock/bpfman.sock");
        assert.equal(socket, "root bpfman 660 socket\n");
        assert.deepEqual(await programIds(), []);
        assert.equal(await property("bpfman.service", "ActiveState"), "active");
        const pins = await sandbox.inBooted("stat", "-f", "-c", "%t", "/run/bpfman/fs");
        assert.equal(pins, "cafe4a11\n");
        const folder = await sandbox.inBooted("stat", "-c", "%U %G %a", "/run/bpfman/fs");
        assert.equal(folder, "root bpfman 750\n");
    });

    it("the confined daemon makes a chain of two, and its verdict holds", async () => {
        assert.equal(await answersPing(), true);
        for (const [name, priority] of [
            ["xdp_pass", 10],
            ["xdp_drop", 20],
        ] as const) {
            const attach = `--attach=xdp:lo:prio=${priority}`;
            await bpfman("program", "load", "file", `/opt/objects/${name}.o`, "--programs", `xdp:${name}`, attach);
        }
        ids = await programIds();
        assert.equal(ids.length, 2);
        assert.equal(await answersPing(), false);
    });

    it("a restart and a kill of the daemon keep programs and links", async () => {
        const links = await bpfman("link", "list");
        await sandbox.inBooted("systemctl", "restart", "bpfman.service");
        assert.deepEqual(await programIds(), ids);
        await sandbox.inBooted("systemctl", "kill", "--signal=KILL", "bpfman.service");
        assert.deepEqual(await programIds(), ids);
        assert.equal(await bpfman("link", "list"), links);
        assert.equal(await answersPing(), false);
    });

    it("an update of the package restarts the daemon and keeps what runs", async () => {
        const daemon = await property("bpfman.service", "MainPID");
        await sandbox.run("sh", "-c", `cp ${work}/repository/*bpfman-*.rpm ${sandbox.root}/opt/`);
        await sandbox.inBooted(...["sh", "-euc", `rpm --dbpath ${rpmDatabase} -U --replacepkgs /opt/*bpfman-*.rpm`]);
        assert.notEqual(await property("bpfman.service", "MainPID"), daemon);
        assert.deepEqual(await programIds(), ids);
        assert.equal(await answersPing(), false);
    });

    it("the file system of the pins can't be stopped", async () => {
        const { status, stderr } = await sandbox.tryInBooted("systemctl", "stop", "run-bpfman-fs.mount");
        assert.notEqual(status, 0);
        assert.match(stderr, /refused/);
    });

    it("removal ends the daemon and its socket, and interrupts no packet", async () => {
        await sandbox.inBooted("rpm", "--dbpath", rpmDatabase, "-e", "cockpit-bpfman", "bpfman");
        for (const unit of ["bpfman.service", "bpfman.socket"])
            assert.equal(await property(unit, "ActiveState"), "inactive", unit);
        assert.notEqual((await sandbox.tryInBooted("test", "-e", "/run/bpfman-sock/bpfman.sock")).status, 0);
        assert.notEqual((await sandbox.tryInBooted("test", "-e", "/usr/bin/bpfman")).status, 0);
        assert.deepEqual(await Promise.all(ids.map(inKernel)), [true, true]);
        assert.equal(await answersPing(), false);
    });

    it("with the machine everything of the kernel's ends", async () => {
        await sandbox.powerOff();
        // the kernel takes namespaces apart in its own time
        const deadline = Date.now() + 20_000;
        for (;;) {
            const left = kernelProgramIds().filter(id => ids.includes(id));
            if (left.length === 0) break;
            assert.ok(Date.now() < deadline, `programs ${left.join(", ")} are still loaded`);
            await sleep(100);
        }
    });
});

/** Ids of the programs in this machine's kernel, which the booted system shares. */
function kernelProgramIds(): string[] {
    const programs = JSON.parse(execFileSync("bpftool", ["-j", "prog", "show"], { encoding: "utf8" })) as {
        id: number;
    }[];
    return programs.map(program => String(program.id));
}
