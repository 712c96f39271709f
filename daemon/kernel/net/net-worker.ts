// SPDX-License-Identifier: Apache-2.0
// The thread for calls that wait for RCU (each XDP attach or swap: 8-16 ms) or that need another network namespace.
// It enters the namespace for one call and leaves it: no thread, socket or descriptor of ours stays in a foreign one.
import fs from "node:fs";
import { parentPort } from "node:worker_threads";
import {
    attachType,
    createTargetLink,
    createTcxLink,
    createXdpLink,
    detachLink,
    openRawTracepoint,
    queryTcx,
    updateLink,
} from "../bpf.ts";
import { check } from "../errors.ts";
import { libc } from "../ffi.ts";
import { openPerfEvent } from "../hooks/perf-event.ts";
import type { Namespace, NetAnswer, NetCall, NetRequest } from "./net-protocol.ts";
import { interfaces, setXdp } from "./netlink.ts";
import {
    addFilter,
    attachedFilters,
    filterProgram,
    removeEmptyQdisc,
    removeFilter,
    replaceFilter,
    tcHook,
} from "./tc.ts";

const CLONE_NEWNET = 0x40000000;
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

/** Runs work inside the namespace at path; empty: the daemon's own. */
function inside<T>(path: string, work: () => T): T {
    if (path === "") return work();
    const home = fs.openSync("/proc/thread-self/ns/net", "r");
    try {
        const target = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
        try {
            check(libc.setns(target, CLONE_NEWNET), `enter the network namespace ${path}`);
        } finally {
            fs.closeSync(target);
        }
        try {
            return work();
        } finally {
            // a thread that cannot come home would work in the wrong namespace from now on
            if (libc.setns(home, CLONE_NEWNET) < 0) process.abort();
        }
    } finally {
        fs.closeSync(home);
    }
}

/** Inode and cookie of the namespace that this thread is in. A cookie is never used again, an inode is. */
function namespace(): Namespace {
    const cookie = Buffer.alloc(8);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(cookie.length);
    const socket = check(libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), "open a socket");
    try {
        // Linux 5.14; before it the inode has to do
        if (libc.getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, cookie, length) < 0) cookie.fill(0);
    } finally {
        libc.close(socket);
    }
    const { ino } = fs.statSync("/proc/thread-self/ns/net", { bigint: true });
    return { nsid: ino, cookie: cookie.readBigUInt64LE(0) };
}

function perform(call: NetCall): unknown {
    switch (call.op) {
        case "interfaces":
            return { namespace: namespace(), interfaces: interfaces() };
        case "survey":
            return {
                namespace: namespace(),
                interfaces: interfaces().map(device => ({
                    device,
                    ingress: queryTcx(device.ifindex, attachType.tcxIngress).entries,
                    egress: queryTcx(device.ifindex, attachType.tcxEgress).entries,
                })),
            };
        case "create-xdp-link":
            return createXdpLink(call.program, call.ifindex, call.flags);
        case "create-tcx-link":
            return createTcxLink(call.program, call.ifindex, call.attachType, call.place);
        case "set-xdp":
            return setXdp(call);
        case "tc-hook":
            return tcHook(call.ifindex, call.direction);
        case "filter-program":
            return filterProgram(call.place);
        case "add-filter":
            return addFilter(call.place, call.program, call.name, call.makeQdisc);
        case "replace-filter":
            return replaceFilter(call.place, call.program, call.name, call.expected);
        case "remove-filter":
            return removeFilter(call.place, call.programs);
        case "remove-empty-qdisc":
            return removeEmptyQdisc(call.ifindex);
        case "query-tcx":
            return queryTcx(call.ifindex, call.attachType);
        case "update-link":
            return updateLink(call.link, call.program, call.expected);
        case "detach-link":
            return detachLink(call.link);
        case "open-perf-event":
            return openPerfEvent(call.event, call.pid, call.cpu);
        case "create-target-link":
            return createTargetLink(call.program, call.target, call.attachType);
        case "open-raw-tracepoint":
            return openRawTracepoint(call.program, call.name);
        case "tc-filters":
            return attachedFilters();
        case "close":
            return libc.close(call.fd);
        case "quiesce":
            return libc.membarrierGlobal();
    }
}

/** The namespace that a path names may have changed since the chain was made: nothing is done in the wrong one. */
function performChecked({ netns, expected, call }: NetRequest): NetAnswer["result"] {
    return inside(netns, () => {
        if (expected !== undefined) {
            const now = namespace();
            if (now.nsid !== expected.nsid || now.cookie !== expected.cookie) return { gone: true };
        }
        return { value: perform(call) };
    });
}

parentPort?.on("message", (request: NetRequest) => {
    let answer: NetAnswer;
    try {
        answer = { id: request.id, result: performChecked(request) };
    } catch (error) {
        const failed = error as NodeJS.ErrnoException & { code?: string; errno?: number | string };
        const errno = typeof failed.errno === "string" ? failed.errno : failed.syscall ? (failed.code ?? "") : "";
        answer = { id: request.id, result: { error: failed.message, errno } };
    }
    parentPort?.postMessage(answer);
});
