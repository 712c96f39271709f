// SPDX-License-Identifier: Apache-2.0
// The newest libbpf that the distribution's archive serves, built once from its source into .cache/libbpf: the machine's
// own is the oldest that we support, and hosts have anything in between.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const cache = path.join(root, ".cache/libbpf");

/** Path of a libbpf.so.1 of that suite. */
export function libbpfOf(suite: string): string {
    const library = path.join(cache, suite, "libbpf.so.1");
    if (existsSync(library)) return library;
    mkdirSync(cache, { recursive: true });
    const work = mkdtempSync(path.join(cache, "build-"));
    try {
        for (const folder of ["sources", "lists/partial", "cache/archives/partial"])
            mkdirSync(path.join(work, folder), { recursive: true });
        const entry = execFileSync(path.join(root, "packaging/debian-source.sh"), [suite], { encoding: "utf8" });
        writeFileSync(path.join(work, "sources/libbpf.sources"), entry.replace(/^Types:.*$/m, "Types: deb-src"));
        const options = [
            "Dir::Etc::sourcelist=/dev/null",
            `Dir::Etc::sourceparts=${work}/sources`,
            `Dir::State::lists=${work}/lists`,
            `Dir::Cache=${work}/cache`,
            // an archive's old suites are not signed anew
            "Acquire::Check-Valid-Until=false",
        ].flatMap(option => ["-o", option]);
        const apt = (...args: string[]) =>
            execFileSync("apt-get", [...options, "-qq", ...args], { cwd: work, stdio: "pipe" });
        apt("update");
        apt("source", "--download-only", "libbpf");
        const [archive = ""] = globSync("libbpf_*.orig.tar.*", { cwd: work });
        execFileSync("tar", ["xf", archive, "--one-top-level=tree", "--strip-components=1"], { cwd: work });
        execFileSync("make", ["-s", "-C", "tree/src", "-j2", "libbpf.so.1"], { cwd: work, stdio: "pipe" });
        const built = path.join(work, "built");
        mkdirSync(built);
        execFileSync("cp", ["-L", "tree/src/libbpf.so.1", built], { cwd: work });
        renameSync(built, path.join(cache, suite));
    } finally {
        rmSync(work, { recursive: true, force: true });
    }
    return library;
}
