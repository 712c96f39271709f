// SPDX-License-Identifier: Apache-2.0
// Every pin of every BPF file system that the daemon sees, by object. A pin is opened to learn what it is; what an inode
// pins never changes, so that is done once.
import fs from "node:fs";
import { mapIdOf, openMapPinReadOnly, openPin, programIdentity } from "../bpf.ts";
import { linkIdOf } from "../hooks/link-detail.ts";

export type PinnedKind = "program" | "map" | "link";

export interface Pin {
    readonly path: string;
    readonly kind: PinnedKind;
    readonly id: number;
}

const maxPins = 20_000;
const maxDepth = 16;

/** Mount points of BPF file systems, each file system once. */
export function bpffsMounts(mountinfo: string): string[] {
    const byDevice = new Map<string, string>();
    for (const line of mountinfo.split("\n")) {
        // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS … - TYPE SOURCE … (proc_pid_mountinfo(5))
        const fields = /^\d+ \d+ (\S+) (\S+) (\S+) .* - (\S+) /.exec(line);
        if (fields === null || fields[4] !== "bpf") continue;
        const [, device = "", root = "", point = ""] = fields;
        const path = point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
            String.fromCharCode(Number.parseInt(digits, 8)),
        );
        // a bind mount of a part shows what the whole shows too
        if (root === "/" || !byDevice.has(device)) byDevice.set(device, path);
    }
    return [...byDevice.values()];
}

export class PinWalk {
    /** by device, inode and time of change; undefined: neither a program nor a map nor a link */
    #known = new Map<string, { kind: PinnedKind; id: number } | undefined>();

    pins(): Pin[] {
        const found: Pin[] = [];
        const seen = new Map<string, { kind: PinnedKind; id: number } | undefined>();
        const walk = (folder: string, depth: number) => {
            let entries: fs.Dirent[];
            try {
                entries = fs.readdirSync(folder, { withFileTypes: true });
            } catch {
                return;
            }
            for (const entry of entries) {
                if (found.length >= maxPins) return;
                const path = `${folder === "/" ? "" : folder}/${entry.name}`;
                if (entry.isDirectory() && depth < maxDepth) walk(path, depth + 1);
                // maps.debug and progs.debug are files of the kernel's own
                else if (entry.isFile() && !entry.name.endsWith(".debug")) {
                    const pinned = this.#look(path, seen);
                    if (pinned !== undefined) found.push({ path, ...pinned });
                }
            }
        };
        for (const mount of bpffsMounts(fs.readFileSync("/proc/self/mountinfo", "utf8"))) walk(mount, 0);
        this.#known = seen;
        return found;
    }

    #look(path: string, seen: Map<string, { kind: PinnedKind; id: number } | undefined>) {
        try {
            const { dev, ino, ctimeNs } = fs.lstatSync(path, { bigint: true });
            const key = `${dev} ${ino} ${ctimeNs}`;
            const pinned = this.#known.has(key) ? this.#known.get(key) : identify(path);
            seen.set(key, pinned);
            return pinned;
        } catch {
            // unpinned meanwhile
            return undefined;
        }
    }
}

const kindOfLink: Readonly<Record<string, PinnedKind>> = {
    "anon_inode:bpf-prog": "program",
    "anon_inode:bpf-map": "map",
    // a link that was just made, and one that was opened again (kernel/bpf/syscall.c)
    "anon_inode:bpf_link": "link",
    "anon_inode:bpf-link": "link",
};

/** Read-only first, which is all a map needs; a link can't be opened so (kernel/bpf/inode.c, bpf_obj_get_user). */
function identify(path: string): { kind: PinnedKind; id: number } | undefined {
    for (const open of [openMapPinReadOnly, openPin]) {
        try {
            using fd = open(path);
            const kind = kindOfLink[fs.readlinkSync(`/proc/self/fd/${fd.number}`)];
            if (kind === "program") return { kind, id: programIdentity(fd).id };
            if (kind === "map") return { kind, id: mapIdOf(fd) };
            return kind === "link" ? { kind, id: linkIdOf(fd) } : undefined;
        } catch {
            // a link, or not ours to open
        }
    }
    return undefined;
}
