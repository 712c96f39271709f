// SPDX-License-Identifier: Apache-2.0
// Control groups of version 2, by path.
import fs from "node:fs";
import path from "node:path";
import { BpfmanError } from "../../model/error.ts";
import { Fd } from "../fd.ts";
import { suggest } from "../near-names.ts";

const CGROUP2_SUPER_MAGIC = 0x63677270;

/** Where version 2 is mounted; undefined: nowhere. */
export function cgroupRoot(): string | undefined {
    for (const place of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"])
        if (fs.existsSync(place) && fs.statfsSync(place).type === CGROUP2_SUPER_MAGIC) return place;
    const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return mounts.find(line => line.includes(" - cgroup2 "))?.split(" ", 5)[4];
}

/** Opens a control group: an absolute path, or one below the root. The path as it is then shown. */
export function openCgroup(wanted: string): { fd: Fd; path: string } {
    const root = cgroupRoot();
    if (root === undefined)
        throw new BpfmanError("UNIMPLEMENTED", "no cgroup2 file system is mounted, and programs attach to no other", {
            errno: "ENOENT",
        });
    const absolute = path.resolve(root, wanted);
    let fd: number;
    try {
        fd = fs.openSync(absolute, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT" && code !== "ENOTDIR")
            throw new BpfmanError("FAILED_PRECONDITION", `open the control group ${absolute}: ${code}`, {
                errno: code,
            });
        throw missing(root, absolute, code);
    }
    const found = new Fd(fd);
    if (fs.statfsSync(`/proc/self/fd/${fd}`).type === CGROUP2_SUPER_MAGIC)
        return { fd: found, path: fs.realpathSync(absolute) };
    found[Symbol.dispose]();
    throw new BpfmanError("INVALID_ARGUMENT", `${absolute} is in no cgroup2 file system; that is mounted on ${root}`);
}

function missing(root: string, absolute: string, errno: string): BpfmanError {
    const parent = path.dirname(absolute);
    // of other folders nothing is told: the caller may not be allowed to read them
    const inside = `${absolute}/`.startsWith(`${root}/`);
    const beside =
        inside && fs.existsSync(parent) && fs.statSync(parent).isDirectory()
            ? fs.readdirSync(parent, { withFileTypes: true })
            : [];
    const near = suggest(
        path.basename(absolute),
        beside.filter(entry => entry.isDirectory()).map(({ name }) => name),
    );
    return new BpfmanError(
        "NOT_FOUND",
        `control group ${JSON.stringify(absolute)} not found${near.length === 0 ? "" : `; did you mean: ${near.join(", ")}?`}`,
        { errno },
    );
}
