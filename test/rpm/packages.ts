// SPDX-License-Identifier: Apache-2.0
// Builds the packages and a repository of them, with stand-ins for what Fedora has.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

const root = join(import.meta.dirname, "../..");
const here = import.meta.dirname;

/** Where rpm keeps its database on Fedora; rpm on Debian would put it into the caller's home. */
export const rpmDatabase = "/usr/lib/sysimage/rpm";

/** Builds as `make rpm` does; returns the paths of the binary packages. */
export function buildPackages(): string[] {
    execFileSync(join(root, "packaging/rpm.sh"), { stdio: ["ignore", "inherit", "inherit"] });
    return globSync("rpm-build/*.{x86_64,aarch64,noarch}.rpm", { cwd: root }).map(file => join(root, file));
}

/** A folder with repository, configuration and home of dnf. */
export function makeRepository(folder: string, packages: readonly string[]): void {
    const repository = join(folder, "repository");
    const sources = join(folder, "stubs/SOURCES");
    for (const path of [repository, sources, join(folder, "home")]) mkdirSync(path, { recursive: true });
    cpSync(join(here, "systemd-update-helper"), join(sources, "systemd-update-helper"));
    writeFileSync(join(sources, "99-default-disable.preset"), "disable *\n");
    const needed = execFileSync("rpm", ["-qp", "--requires", ...packages], { encoding: "utf8" }).split("\n");
    // glibc, libstdc++ and libgcc by their symbol versions, which are those of the compiler that built the package
    const runtime = needed.filter(name => /^(lib(c|m|gcc_s|stdc\+\+|pthread|dl)|ld-linux[^.]*)\.so|^rtld\(/.test(name));
    execFileSync(
        "rpmbuild",
        [
            ...["--define", `_topdir ${join(folder, "stubs")}`],
            ...["--define", `runtime_provides ${runtime.join(" ")}`, "-bb", "stubs.spec"],
        ],
        { cwd: here, stdio: ["ignore", "ignore", "pipe"] },
    );
    for (const file of [...globSync(join(folder, "stubs/RPMS/*/*.rpm")), ...packages])
        cpSync(file, join(repository, basename(file)));
    execFileSync("createrepo_c", ["--quiet", repository]);
    writeFileSync(join(folder, "home/.rpmmacros"), `%_dbpath ${rpmDatabase}\n`);
    writeFileSync(join(folder, "dnf.conf"), "[main]\n");
}

/** dnf on the sandbox's root that sees this repository alone. */
export async function dnf(sandbox: Sandbox, folder: string, ...command: readonly string[]): Promise<string> {
    return await sandbox.run(
        ...["env", `HOME=${join(folder, "home")}`, "dnf", "--assumeyes", "--config", join(folder, "dnf.conf")],
        ...[`--installroot=${sandbox.root}`, "--releasever=45", "--noplugins", "--setopt=reposdir=/dev/null"],
        ...["--setopt=gpgcheck=0", "--setopt=metadata_expire=0", "--refresh"],
        ...[`--repofrompath=local,file://${join(folder, "repository")}`, "--repo=local", ...command],
    );
}

/** The version that package.json names. */
export function projectVersion(): string {
    return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}
