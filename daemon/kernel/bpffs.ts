// SPDX-License-Identifier: Apache-2.0
// Our own bpffs: where pins live. Nothing outside its mount is ever made or removed through this file.
import fs from "node:fs";
import path from "node:path";
import { BpfmanError } from "../model/error.ts";
import { check } from "./errors.ts";
import { libc } from "./ffi.ts";

const BPF_FS_MAGIC = 0xcafe4a11;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;

/** Gid of a group of this host; undefined where there is none of that name. */
export function groupId(name: string): number | undefined {
    for (const line of fs.readFileSync("/etc/group", "utf8").split("\n")) {
        const [group, , gid] = line.split(":");
        if (group === name && gid !== undefined) return Number(gid);
    }
    return undefined;
}

/** Parts with neither dot (bpffs forbids them) nor NUL. */
const pinName = /^[^./\0]+(?:\/[^./\0]+)*$/;

export class BpfFs {
    readonly root: string;
    readonly #gid: number;
    private constructor(root: string, gid: number) {
        this.root = root;
        this.#gid = gid;
    }

    /** Takes the bpffs at root, or mounts one: a mount unit may have done it before. */
    static open(root: string): BpfFs {
        fs.mkdirSync(root, { recursive: true, mode: 0o750 });
        const gid = groupId("bpfman") ?? 0;
        if (fs.statfsSync(root).type !== BPF_FS_MAGIC) {
            const options = `mode=0750,gid=${gid}`;
            check(
                libc.mount("bpf", root, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, options),
                `mount a bpffs on ${root}`,
            );
            if (fs.statfsSync(root).type !== BPF_FS_MAGIC)
                throw new BpfmanError("INTERNAL", `${root} is no bpffs after it was mounted`);
        }
        const bpffs = new BpfFs(fs.realpathSync(root), gid);
        fs.chownSync(bpffs.root, 0, gid);
        fs.chmodSync(bpffs.root, 0o750);
        for (const folder of ["xdp", "tc-ingress", "tc-egress", "links", "copies", "staging"]) bpffs.makeFolder(folder);
        bpffs.makeFolder("maps", "group");
        return bpffs;
    }

    /** The absolute path of a name inside; a name that leads outside, or that bpffs forbids, is refused. */
    path(name: string): string {
        // without a dot there is no way out; every program of a list has one, so nothing is resolved
        if (!pinName.test(name))
            throw new BpfmanError("INVALID_ARGUMENT", `${JSON.stringify(name)} cannot be the name of a pin`);
        return `${this.root}/${name}`;
    }

    makeFolder(name: string, access: "root" | "group" = "root"): string {
        const absolute = this.path(name);
        fs.mkdirSync(absolute, { recursive: true, mode: 0o700 });
        if (access === "group") {
            fs.chownSync(absolute, 0, this.#gid);
            fs.chmodSync(absolute, 0o750);
        }
        return absolute;
    }

    /** A map's pin is for members of the group too; set after pinning, not left to the umask. */
    shareWithGroup(name: string): void {
        const absolute = this.path(name);
        fs.chownSync(absolute, 0, this.#gid);
        fs.chmodSync(absolute, 0o660);
    }

    exists(name: string): boolean {
        try {
            return fs.lstatSync(this.path(name), { throwIfNoEntry: false }) !== undefined;
        } catch (error) {
            // below a pin there is nothing
            if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
            throw error;
        }
    }

    /** The entries of a folder (empty: of the root), sorted; none where there is no such folder. */
    entries(name: string): string[] {
        try {
            return fs.readdirSync(name === "" ? this.root : this.path(name)).sort();
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
            throw error;
        }
    }

    rename(from: string, to: string): void {
        fs.renameSync(this.path(from), this.path(to));
    }

    /** Removes a pin, or a folder with all pins in it. What is not there is no error; links are never followed. */
    remove(name: string): void {
        this.#mustBeMounted();
        this.#removeTree(this.path(name));
    }

    #removeTree(absolute: string): void {
        const stat = fs.lstatSync(absolute, { throwIfNoEntry: false });
        if (stat === undefined) return;
        if (!stat.isDirectory()) {
            fs.unlinkSync(absolute);
            return;
        }
        for (const entry of fs.readdirSync(absolute)) this.#removeTree(path.join(absolute, entry));
        fs.rmdirSync(absolute);
    }

    /** Were the bpffs gone, the same paths would name ordinary files of the host. */
    #mustBeMounted(): void {
        if (fs.statfsSync(this.root).type !== BPF_FS_MAGIC)
            throw new BpfmanError("FAILED_PRECONDITION", `the bpffs on ${this.root} is not mounted any more`, {
                hint: "Restart the daemon: it mounts the file system again.",
            });
    }
}
