// SPDX-License-Identifier: Apache-2.0
// Connections by which somebody administers this host, by the interface that their packets come in at: a change of its
// programs may cut them off. Of the daemon's own network namespace.
import fs from "node:fs";
import { networkInterfaces } from "node:os";
import type { AdminSession } from "../../model/views.ts";

type Service = AdminSession["service"];

/** Ports by service, as the files say that set them; where none does, the usual ones. */
const places: readonly { service: Service; usual: number; files: readonly string[]; key: RegExp }[] = [
    {
        service: "ssh",
        usual: 22,
        files: ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"],
        // "Port 2222", "Port=2222" (sshd_config(5))
        key: /^[ \t]*port(?:[ \t]+|[ \t]*=[ \t]*)"?(\d{1,5})\b/gim,
    },
    {
        service: "ssh",
        usual: 22,
        files: ["/etc/systemd/system/{ssh,sshd}.socket", "/etc/systemd/system/{ssh,sshd}.socket.d/*.conf"],
        key: /^ListenStream=(?:.*:)?(\d{1,5})[ \t]*$/gm,
    },
    {
        service: "cockpit",
        usual: 9090,
        files: ["/etc/systemd/system/cockpit.socket", "/etc/systemd/system/cockpit.socket.d/*.conf"],
        key: /^ListenStream=(?:.*:)?(\d{1,5})[ \t]*$/gm,
    },
];
const TCP_ESTABLISHED = "01";
const maxSessions = 100;

interface Connection {
    readonly address: string;
    readonly session: AdminSession;
}

/** An address of /proc/net/tcp: 32-bit words of the machine's order, in hexadecimal (net/ipv4/tcp_ipv4.c). */
function addressOf(hex: string): string {
    const bytes = Buffer.concat(Array.from(hex.match(/.{8}/g) ?? [], word => Buffer.from(word, "hex").reverse()));
    if (bytes.length === 4) return [...bytes].join(".");
    // an IPv4 peer of a socket for both
    if (bytes.subarray(0, 12).toString("hex") === "00000000000000000000ffff") return [...bytes.subarray(12)].join(".");
    const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(":");
    // as everybody writes it: the longest run of zeros is left out
    return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** Where sshd and Cockpit listen. read: the text of each file that a pattern names. */
export function administrationPorts(read: (pattern: string) => readonly string[]): Map<number, Service> {
    const ports = new Map<number, Service>();
    const set = new Set<Service>();
    for (const { service, files, key } of places) {
        for (const text of files.flatMap(read)) {
            for (const [, port] of text.matchAll(key)) {
                ports.set(Number(port), service);
                set.add(service);
            }
        }
    }
    for (const { service, usual } of places) if (!set.has(service)) ports.set(usual, service);
    return ports;
}

export function connectionsIn(table: string, services: ReadonlyMap<number, Service>): Connection[] {
    return table
        .split("\n")
        .slice(1)
        .flatMap(line => {
            const [, local = "", peer = "", state] = line.trim().split(/\s+/);
            if (state !== TCP_ESTABLISHED) return [];
            const [localHex = "", localPort = ""] = local.split(":");
            const [peerHex = "", peerPort = ""] = peer.split(":");
            const service = services.get(Number.parseInt(localPort, 16));
            if (service === undefined) return [];
            const address = addressOf(localHex);
            const text = (host: string, port: string) =>
                `${host.includes(":") ? `[${host}]` : host}:${Number.parseInt(port, 16)}`;
            return [
                {
                    address,
                    session: { service, peer: text(addressOf(peerHex), peerPort), local: text(address, localPort) },
                },
            ];
        });
}

function read(path: string): string {
    try {
        return fs.readFileSync(path, "latin1");
    } catch {
        // a kernel without IPv6, a file that is gone again
        return "";
    }
}

/** The interface that a port of a bridge or a bond belongs to. */
function masterOf(name: string): string | undefined {
    try {
        return fs.readlinkSync(`/sys/class/net/${name}/master`).replace(/^.*\//, "");
    } catch {
        return undefined;
    }
}

/** By interface name: the one that holds the local address, and the ports of a bridge or a bond that does. */
export function adminSessions(names: readonly string[]): Map<string, AdminSession[]> {
    const services = administrationPorts(pattern => fs.globSync(pattern).map(read));
    const connections = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(path => connectionsIn(read(path), services));
    const found = new Map<string, AdminSession[]>();
    if (connections.length === 0) return found;
    const addresses = networkInterfaces();
    const at = (name: string) => {
        const own = new Set((addresses[name] ?? []).map(({ address }) => address));
        return connections.filter(({ address }) => own.has(address)).map(({ session }) => session);
    };
    for (const name of names) {
        const master = masterOf(name);
        const sessions = [...at(name), ...(master === undefined ? [] : at(master))].slice(0, maxSessions);
        if (sessions.length > 0) found.set(name, sessions);
    }
    return found;
}
