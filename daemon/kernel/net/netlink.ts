// SPDX-License-Identifier: Apache-2.0
// The interfaces of the calling thread's network namespace, and what happens to those of our own. Synchronous: a dump
// takes well under a millisecond, and a thread that has entered a namespace must not yield in it.
import { BpfmanError } from "../../model/error.ts";
import { check, kernelError } from "../errors.ts";
import { errno, libc } from "../ffi.ts";
import {
    dumpRequest,
    type InterfaceEvent,
    interfaceEvents,
    type LinkInterface,
    type Message,
    messages,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_OVERRUN,
    parseInterface,
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

/** A list to ask rtnetlink for; parse: an item of it, undefined for what else is told. */
export interface Dump<T> {
    /** as in "list the interfaces" */
    readonly what: string;
    request(sequence: number): Buffer;
    parse(message: Message): T | undefined;
}

/** undefined: the list changed while it was read, or did not fit; to be asked again. */
function dump<T>(fd: number, sequence: number, { what, request, parse }: Dump<T>): T[] | undefined {
    const asked = request(sequence);
    check(libc.send(fd, asked, asked.length, 0), `ask rtnetlink for ${what}`);
    const found: T[] = [];
    let whole = true;
    for (;;) {
        const datagram = receive(fd);
        // the end of the dump may have been in what was lost: never wait for it
        if (datagram === "truncated" || datagram === undefined) return undefined;
        for (const message of messages(datagram)) {
            if (message.sequence !== sequence) continue;
            if ((message.flags & NLM_F_DUMP_INTR) !== 0 || message.type === NLMSG_OVERRUN) whole = false;
            if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
                // both carry an errno; a dump that failed midway says so in NLMSG_DONE
                const failure = message.payload.length >= 4 ? message.payload.readInt32LE(0) : 0;
                if (failure < 0) throw kernelError(`list ${what}`, failure);
                return whole ? found : undefined;
            }
            const parsed = parse(message);
            if (parsed !== undefined) found.push(parsed);
        }
    }
}

/** All items of a list. Throws UNAVAILABLE where it never stays the same for the length of a reading. */
export function dumpAll<T>(list: Dump<T>): T[] {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
        // a socket for each attempt: what is left of a dump that was given up goes with it
        const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open an rtnetlink socket");
        try {
            const found = dump(fd, attempt, list);
            if (found !== undefined) return found;
        } finally {
            libc.close(fd);
        }
    }
    throw new BpfmanError("UNAVAILABLE", `${list.what} changed each time they were listed`, { hint: "Try again." });
}

const interfaceDump: Dump<LinkInterface> = {
    what: "the interfaces",
    request: dumpRequest,
    parse: ({ type, payload }) => (type === RTM_NEWLINK ? parseInterface(payload) : undefined),
};

/** By ifindex. */
export const interfaces = (): LinkInterface[] => dumpAll(interfaceDump).sort((a, b) => a.ifindex - b.ifindex);

/** Puts an XDP program to an interface or takes it away, without a link. 0, or -errno. */
export const setXdp = (change: XdpChange): number =>
    requestChange("a change of XDP", sequence => xdpRequest(sequence, change));

/** Sends a request for a change; 0, or -errno as the kernel acknowledges it. */
export function requestChange(what: string, request: (sequence: number) => Buffer): number {
    const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open an rtnetlink socket");
    try {
        const asked = request(1);
        check(libc.send(fd, asked, asked.length, 0), `ask rtnetlink for ${what}`);
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
