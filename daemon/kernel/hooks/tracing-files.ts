// SPDX-License-Identifier: Apache-2.0
// Files of tracefs and securityfs, wherever they are mounted. Where they are not, the file system is mounted detached,
// for this one read: no path leads to it, and it goes with its descriptor.
import fs from "node:fs";
import { check } from "../errors.ts";
import { Fd } from "../fd.ts";
import { libc } from "../ffi.ts";
import { suggestAmong } from "../near-names.ts";

const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_RDONLY = 1;

/** Calls back with the root of a mounted instance. */
function withMount<T>(type: string, places: readonly string[], mark: string, use: (root: string) => T): T {
    for (const place of places) if (fs.existsSync(`${place}/${mark}`)) return use(place);
    using context = new Fd(check(libc.fsopen(type, FSOPEN_CLOEXEC), `open ${type}`, { code: "UNIMPLEMENTED" }));
    check(libc.fsconfig(context.number, FSCONFIG_CMD_CREATE), `mount ${type}`);
    using mount = new Fd(check(libc.fsmount(context.number, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY), `mount ${type}`));
    return use(`/proc/self/fd/${mount.number}`);
}

const withTracefs = <T>(use: (root: string) => T): T =>
    withMount("tracefs", ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"], "events", use);

/** Every tracepoint, as group/name, sorted. */
export function tracepoints(): string[] {
    return withTracefs(availableEvents).sort();
}

/** available_events has group:name a line */
function availableEvents(root: string): string[] {
    const all = fs.readFileSync(`${root}/available_events`, "latin1").split("\n");
    return all.filter(line => line !== "").map(line => line.replace(":", "/"));
}

/** The functions that ftrace, and so a kprobe at its beginning, can stop at; undefined: this kernel was built without. */
export function traceableFunctions(): string | undefined {
    return withTracefs(root => {
        const file = `${root}/available_filter_functions`;
        return fs.existsSync(file) ? fs.readFileSync(file, "latin1") : undefined;
    });
}

/** What perf_event_open takes for a tracepoint; else the names that are near, as group/name. */
export function tracepointId(group: string, name: string): { id: number } | { near: string[] } {
    return withTracefs(root => {
        const path = `${root}/events/${group}/${name}/id`;
        if (fs.existsSync(path)) return { id: Number(fs.readFileSync(path, "latin1")) };
        const wanted = `${group}/${name}`;
        const names = availableEvents(root);
        const near = suggestAmong(wanted, names);
        return { near: near.length > 0 ? near : names.filter(other => other.endsWith(`/${name}`)).slice(0, 3) };
    });
}

/** The security modules that run, in order; undefined where the kernel does not tell. */
export function activeLsms(): string[] | undefined {
    try {
        return withMount("securityfs", ["/sys/kernel/security"], "lsm", root =>
            fs.readFileSync(`${root}/lsm`, "latin1").trim().split(","),
        );
    } catch {
        return undefined;
    }
}
