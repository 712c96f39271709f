// SPDX-License-Identifier: Apache-2.0
// Packages of another suite of Debian's archive, unpacked beside the system: nothing is installed.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export function osRelease(): Map<string, string> {
    const lines = readFileSync("/etc/os-release", "utf8").split("\n");
    return new Map(lines.map(line => [line.split("=")[0] ?? "", line.replace(/^[^=]*=/, "").replaceAll('"', "")]));
}

/** An APT of its own: other sources, lists and cache than the machine's, and no installed packages to weigh. */
export class DebianSuite {
    readonly architecture: string;
    readonly #work: string;
    readonly #options: readonly string[];

    /** work: an empty folder that stays while this is used */
    constructor(suite: string, work: string) {
        this.#work = work;
        this.architecture = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
        for (const folder of ["sources", "lists/partial", "cache/archives/partial", "tree"])
            mkdirSync(join(work, folder), { recursive: true });
        writeFileSync(
            join(work, "sources/suite.sources"),
            execFileSync(join(root, "packaging/debian-source.sh"), [suite], { encoding: "utf8" }),
        );
        writeFileSync(join(work, "status"), "");
        this.#options = [
            "Dir::Etc::sourcelist=/dev/null",
            `Dir::Etc::sourceparts=${work}/sources`,
            `Dir::State::lists=${work}/lists`,
            `Dir::State::status=${work}/status`,
            `Dir::Cache=${work}/cache`,
            // a mirror or snapshot whose index has expired still serves what a test needs
            "Acquire::Check-Valid-Until=false",
            // _apt could not write into a folder of the caller
            "APT::Sandbox::User=root",
        ].flatMap(option => ["-o", option]);
        this.#apt("apt-get", "-q", "update");
    }

    #apt(tool: string, ...args: string[]): string {
        return execFileSync(tool, [...this.#options, ...args], {
            cwd: this.#work,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "inherit"],
        });
    }

    show(name: string): string {
        return this.#apt("apt-cache", "show", name);
    }

    /** Fetches packages and answers the folder that all of them are unpacked to. */
    unpack(...names: string[]): string {
        this.#apt("apt-get", "-q", "download", ...names);
        const tree = join(this.#work, "tree");
        for (const archive of globSync("*.deb", { cwd: this.#work }))
            execFileSync("dpkg-deb", ["-x", join(this.#work, archive), tree]);
        return tree;
    }

    /** The same with all that they depend on, as a system that programs can be run in by chroot; nothing is configured. */
    unpackSystem(...names: string[]): string {
        this.#apt("apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install", ...names);
        const tree = join(this.#work, "tree");
        for (const archive of globSync("cache/archives/*.deb", { cwd: this.#work }))
            execFileSync("dpkg-deb", ["-x", join(this.#work, archive), tree]);
        // programs name their interpreters by these, which an installation makes
        for (const name of ["bin", "sbin", "lib", "lib64"])
            if (!existsSync(join(tree, name))) symlinkSync(`usr/${name}`, join(tree, name));
        return tree;
    }
}
