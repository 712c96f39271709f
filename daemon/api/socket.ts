// SPDX-License-Identifier: Apache-2.0
// One Unix socket for HTTP/2 and HTTP/1.1: made here or inherited, its connections counted, limited and told apart.
import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import { callerOf } from "./caller.ts";
import { printable } from "./printable.ts";

export type Protocol = "http/1.1" | "http/2";

export interface SocketLimits {
    readonly connections: number;
    /** of one user; root is held by the total alone */
    readonly connectionsPerUser: number;
    /** until enough bytes came to tell the protocol */
    readonly firstBytesMs: number;
}

export const socketLimits: SocketLimits = { connections: 256, connectionsPerUser: 64, firstBytesMs: 10_000 };

export interface ListenOptions {
    /** a path to listen at, or the descriptor that the service manager listens with */
    readonly at: { readonly path: string } | { readonly fd: number };
    readonly onConnection: (socket: Socket, caller: Caller, protocol: Protocol) => void;
    /** called when the first connection has come, and when the last has gone */
    readonly onBusy?: () => void;
    readonly onEmpty?: () => void;
    readonly log: (line: string) => void;
    readonly limits?: SocketLimits;
    readonly identify?: (socket: Socket) => Caller | undefined;
}

// https://www.rfc-editor.org/rfc/rfc9113#section-3.4
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export class Listener {
    readonly #server: Server;
    readonly #options: ListenOptions;
    readonly #limits: SocketLimits;
    readonly #sockets = new Set<Socket>();
    /** those whose protocol is not known yet */
    readonly #undecided = new Set<Socket>();
    readonly #perUser = new Map<number, number>();

    private constructor(options: ListenOptions) {
        this.#options = options;
        this.#limits = options.limits ?? socketLimits;
        this.#server = createServer({ pauseOnConnect: true }, socket => this.#connected(socket));
    }

    static async open(options: ListenOptions): Promise<Listener> {
        const listener = new Listener(options);
        const { at } = options;
        if ("path" in at) await clearStale(at.path);
        await listener.#listen(at);
        // connect(2) needs write permission: nobody but root has it until the mode is set (umask 077)
        if ("path" in at) openToGroup(at.path);
        return listener;
    }

    get connections(): number {
        return this.#sockets.size;
    }

    /** Takes no more connections. libuv removes the file of a socket that it made, and leaves an inherited one's. */
    stopListening(): void {
        this.#server.close();
    }

    /** Waits until every connection is closed by who took it over, at most graceMs, and destroys what is left. */
    async closeConnections(graceMs: number): Promise<void> {
        for (const socket of this.#undecided) socket.destroy();
        const gone = [...this.#sockets].map(socket => new Promise(resolve => socket.once("close", resolve)));
        const timer = setTimeout(() => {
            for (const socket of this.#sockets) socket.destroy();
        }, graceMs);
        await Promise.all(gone);
        clearTimeout(timer);
    }

    #listen(at: ListenOptions["at"]): Promise<void> {
        return new Promise((resolve, reject) => {
            this.#server.once("error", reject);
            this.#server.listen("path" in at ? { path: at.path } : { fd: at.fd }, () => {
                this.#server.off("error", reject);
                this.#server.on("error", error => this.#options.log(printable(`socket: ${error.message}`)));
                resolve();
            });
        });
    }

    #connected(socket: Socket): void {
        socket.on("error", () => {
            // a peer that went away; "close" follows
        });
        const caller = (this.#options.identify ?? callerOf)(socket);
        if (!caller) {
            socket.destroy();
            return;
        }
        const ofUser = this.#perUser.get(caller.uid) ?? 0;
        const userIsFull = caller.uid !== 0 && ofUser >= this.#limits.connectionsPerUser;
        if (userIsFull || this.#sockets.size >= this.#limits.connections) {
            this.#options.log(`connection refused: uid ${caller.uid} has ${ofUser} of ${this.#sockets.size}`);
            socket.destroy();
            return;
        }
        this.#sockets.add(socket);
        if (this.#sockets.size === 1) this.#options.onBusy?.();
        this.#perUser.set(caller.uid, ofUser + 1);
        socket.once("close", () => this.#closed(socket, caller.uid));
        this.#sniff(socket, caller);
    }

    #closed(socket: Socket, uid: number): void {
        this.#sockets.delete(socket);
        const left = (this.#perUser.get(uid) ?? 1) - 1;
        if (left === 0) this.#perUser.delete(uid);
        else this.#perUser.set(uid, left);
        if (this.#sockets.size === 0) this.#options.onEmpty?.();
    }

    #sniff(socket: Socket, caller: Caller): void {
        let seen: Buffer = Buffer.alloc(0);
        const deadline = setTimeout(() => socket.destroy(), this.#limits.firstBytesMs);
        this.#undecided.add(socket);
        const onClose = () => {
            clearTimeout(deadline);
            this.#undecided.delete(socket);
        };
        const onEnd = () => socket.destroy();
        const onReadable = () => {
            for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
                seen = Buffer.concat([seen, chunk]);
            const protocol = protocolOf(seen);
            if (protocol === undefined) return;
            onClose();
            socket.off("readable", onReadable);
            socket.off("end", onEnd);
            socket.off("close", onClose);
            socket.unshift(seen);
            this.#options.onConnection(socket, caller, protocol);
        };
        socket.once("close", onClose);
        socket.once("end", onEnd);
        socket.on("readable", onReadable);
        socket.read(0);
    }
}

/** Undefined while the bytes may still become either. */
export function protocolOf(seen: Buffer): Protocol | undefined {
    const length = Math.min(seen.length, preface.length);
    if (!seen.subarray(0, length).equals(preface.subarray(0, length))) return "http/1.1";
    return length === preface.length ? "http/2" : undefined;
}

/** The descriptor of the one socket that the service manager passed: sd_listen_fds(3). Undefined where it passed none. */
export function inheritedSocket(environment: NodeJS.ProcessEnv): number | undefined {
    const { LISTEN_PID: pid, LISTEN_FDS: count } = environment;
    if (pid !== String(process.pid) || count === undefined) return undefined;
    if (count !== "1")
        throw new BpfmanError("FAILED_PRECONDITION", `the service manager passed ${count} sockets, one is served`);
    // SD_LISTEN_FDS_START
    return 3;
}

/** Removes a socket file that nobody answers at; throws where somebody does, or where it is no socket. */
async function clearStale(path: string): Promise<void> {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (!stat.isSocket())
        throw new BpfmanError("ALREADY_EXISTS", `${path} is there and is no socket`, { hint: "Move it away." });
    if (await answers(path))
        throw new BpfmanError("ALREADY_EXISTS", `another daemon serves at ${path}`, {
            hint: "Stop it, or name another socket by --socket-path.",
        });
    rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
        const probe = connect(path);
        probe.once("connect", () => {
            probe.destroy();
            resolve(true);
        });
        probe.once("error", (error: NodeJS.ErrnoException) => {
            if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
            // EAGAIN: somebody listens there and is behind with accepting
            else if (error.code === "EAGAIN") resolve(true);
            else reject(error);
        });
    });
}

/** root:bpfman 0660 where that group is known, else 0600. */
function openToGroup(path: string): void {
    const gid = bpfmanGroup();
    if (gid === undefined) {
        chmodSync(path, 0o600);
    } else {
        chownSync(path, 0, gid);
        chmodSync(path, 0o660);
    }
}

/** The gid of the group bpfman in /etc/group, which the package makes. */
export function bpfmanGroup(): number | undefined {
    try {
        return groupId(readFileSync("/etc/group", "utf8"), "bpfman");
    } catch {
        return undefined;
    }
}

export function groupId(groups: string, name: string): number | undefined {
    for (const line of groups.split("\n")) {
        const [group, , gid] = line.split(":");
        if (group === name && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
    }
    return undefined;
}
