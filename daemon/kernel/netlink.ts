// SPDX-License-Identifier: Apache-2.0
// The interfaces of the calling thread's network namespace, and what happens to those of our own. Synchronous: a dump
// takes well under a millisecond, and a thread that has entered a namespace must not yield in it.
import { BpfmanError } from "../model.ts";
import { check, kernelError } from "./errors.ts";
import { errno, libc } from "./ffi.ts";
import {
    dumpRequest,
    type InterfaceEvent,
    interfaceEvents,
    interfaceRequest,
    type LinkInterface,
    type Message,
    messages,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_OVERRUN,
    parseInterface,
    RTM_GETLINK,
    RTM_NEWLINK,
    type XdpChange,
    xdpRequest,
} from "./netlink-messages.ts";

export type { InterfaceEvent, LinkInterface } from "./netlink-messages.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_TRUNC = 0x20;
const RTMGRP_LINK = 1;
const attempts = 10;
// the kernel fills at most 32 KiB of it at a time (NLMSG_GOODSIZE and max_recvmsg_len in af_netlink.c)
let buffer = Buffer.alloc(64 << 10);

/** One datagram; longer than the buffer: the buffer grows and the datagram is lost. undefined: EAGAIN. */
function receive(fd: number): Buffer | "truncated" | undefined {
    for (;;) {
        const length = libc.recv(fd, buffer, buffer.length, MSG_TRUNC);
        if (length === -(errno["EINTR"] ?? 4)) continue;
        if (length === -(errno["EAGAIN"] ?? 11)) return undefined;
        if (length > buffer.length) {
            buffer = Buffer.alloc(2 * length);
            return "truncated";
        }
        return buffer.subarray(0, check(length, "read from rtnetlink"));
    }
}

/** undefined: the list changed while it was read, or did not fit; to be asked again. */
function dump(fd: number, request: Buffer, sequence: number, what: string): Message[] | undefined {
    check(libc.send(fd, request, request.length, 0), what);
    const found: Message[] = [];
    let whole = true;
    for (;;) {
        const datagram = receive(fd);
        // the end of the dump may have been in what was lost: never wait for it
        if (datagram === "truncated" || datagram === undefined) return undefined;
        // the buffer is used again for the next
        for (const message of messages(Buffer.from(datagram))) {
            if (message.sequence !== sequence) continue;
            if ((message.flags & NLM_F_DUMP_INTR) !== 0 || message.type === NLMSG_OVERRUN) whole = false;
            if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
                // both carry an errno; a dump that failed midway says so in NLMSG_DONE
                const failure = message.payload.length >= 4 ? message.payload.readInt32LE(0) : 0;
                if (failure < 0) throw kernelError(what, failure);
                return whole ? found : undefined;
            }
            found.push(message);
        }
    }
}

/** Everything that the kernel answers to a request for all of a kind; body: what follows the netlink header. */
export function dumpMessages(type: number, body: Buffer, what: string): Message[] {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
        // a socket for each attempt: what is left of a dump that was given up goes with it
        const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open an rtnetlink socket");
        try {
            const found = dump(fd, dumpRequest(type, body, attempt), attempt, what);
            if (found !== undefined) return found;
        } finally {
            libc.close(fd);
        }
    }
    throw new BpfmanError("UNAVAILABLE", `${what}: they changed each time`, { hint: "Try again." });
}

/** By ifindex. */
export function interfaces(): LinkInterface[] {
    return dumpMessages(RTM_GETLINK, interfaceRequest(), "list the interfaces")
        .flatMap(({ type, payload }) => (type === RTM_NEWLINK ? (parseInterface(payload) ?? []) : []))
        .sort((one, other) => one.ifindex - other.ifindex);
}

/** Puts an XDP program to an interface or takes it away, without a link. 0, or -errno as the kernel acknowledges it. */
export function setXdp(change: XdpChange): number {
    const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open an rtnetlink socket");
    try {
        const request = xdpRequest(1, change);
        check(libc.send(fd, request, request.length, 0), "ask rtnetlink for a change of XDP");
        for (;;) {
            const datagram = receive(fd);
            if (datagram === "truncated" || datagram === undefined) continue;
            for (const { sequence, type, payload } of messages(datagram))
                if (sequence === 1 && type === NLMSG_ERROR && payload.length >= 4) return payload.readInt32LE(0);
        }
    } finally {
        libc.close(fd);
    }
}

export interface InterfaceWatch extends Disposable {
    /** readable when something happened */
    readonly fd: number;
    /** what happened since the last call; never waits */
    read(): InterfaceEvent[];
    /** the events of one datagram */
    parse(bytes: Buffer): InterfaceEvent[];
}

/** Notifications about the interfaces of the calling thread's namespace, from now on. */
export function watchInterfaces(): InterfaceWatch {
    const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = check(libc.socket(AF_NETLINK, type, NETLINK_ROUTE), "open an rtnetlink socket");
    // struct sockaddr_nl: family, padding, port id (the kernel's choice), groups
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(RTMGRP_LINK, 8);
    const bound = libc.bind(fd, address, address.length);
    if (bound < 0) {
        libc.close(fd);
        throw kernelError("watch the interfaces", bound);
    }
    let open = true;
    return {
        fd,
        parse: interfaceEvents,
        read: () => readEvents(fd),
        [Symbol.dispose]() {
            if (open) libc.close(fd);
            open = false;
        },
    };
}

function readEvents(fd: number): InterfaceEvent[] {
    const events: InterfaceEvent[] = [];
    const lost: InterfaceEvent = { kind: "lost", ifindex: 0, name: "" };
    for (;;) {
        try {
            const datagram = receive(fd);
            if (datagram === undefined) return events;
            events.push(...(datagram === "truncated" ? [lost] : interfaceEvents(datagram)));
        } catch (error) {
            // the socket's buffer was full and notifications were dropped; the next read goes on
            if (!(error instanceof BpfmanError && error.errno === "ENOBUFS")) throw error;
            events.push(lost);
        }
    }
}
