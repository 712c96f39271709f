// SPDX-License-Identifier: Apache-2.0
// Who calls: the kernel's word for the peer of a connection, and the login behind it.
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { peerCredentials } from "../kernel/peer.ts";
import type { Caller } from "../model/caller.ts";

/** (uid_t)-1, in /proc/PID/loginuid of what no login started: include/linux/audit.h, AUDIT_UID_UNSET */
const unsetLoginUid = 4_294_967_295;

/** The caller at the other end; undefined where the kernel does not say (the socket is closed). */
export function callerOf(socket: Socket): Caller | undefined {
    const fd = descriptor(socket);
    if (fd === undefined) return undefined;
    try {
        const { pid, uid, gid } = peerCredentials(fd);
        return { pid, uid, gid, loginUid: loginUidOf(pid) };
    } catch {
        return undefined;
    }
}

// Node gives no other way to a connection's descriptor
function descriptor(socket: Socket): number | undefined {
    const fd = (socket as { _handle?: { fd?: unknown } | null })._handle?.fd;
    return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

function loginUidOf(pid: number): number | undefined {
    try {
        return parseLoginUid(readFileSync(`/proc/${pid}/loginuid`, "latin1"));
    } catch {
        // the peer ended, its process is outside this pid namespace, or the kernel has no audit
        return undefined;
    }
}

export function parseLoginUid(text: string): number | undefined {
    if (!/^\d{1,10}\n?$/.test(text)) return undefined;
    const uid = Number(text);
    return uid === unsetLoginUid ? undefined : uid;
}

/** "root", "uid 1000", or, where another login is behind it, "admin (uid 1000) through root". */
export function describeCaller(caller: Caller, nameOf: (uid: number) => string | undefined = userName): string {
    const peer = caller.uid === 0 ? "root" : `uid ${caller.uid}`;
    if (caller.loginUid === undefined || caller.loginUid === caller.uid) return peer;
    const name = caller.loginUid === 0 ? "root" : nameOf(caller.loginUid);
    const human = name === undefined ? `uid ${caller.loginUid}` : `${name} (uid ${caller.loginUid})`;
    return `${human} through ${peer}`;
}

/** Names in /etc/passwd only: asking a directory service here would let it hold up the daemon. */
function userName(uid: number): string | undefined {
    try {
        return nameInPasswd(readFileSync("/etc/passwd", "utf8"), uid);
    } catch {
        return undefined;
    }
}

export function nameInPasswd(passwd: string, uid: number): string | undefined {
    for (const line of passwd.split("\n")) {
        const [name, , id] = line.split(":");
        if (id === String(uid) && name) return name;
    }
    return undefined;
}
