// SPDX-License-Identifier: Apache-2.0
// Two network namespaces and a veth pair between them: real packets, and nothing of the machine's own network.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });

const emulated = process.env["GUEST_RELEASE"] !== undefined;
/** Between two packets of a flood; an emulated machine needs time for the changes meanwhile. */
export const floodPace = emulated ? 0.005 : 0.001;
/** How long a flood is: an emulated machine takes long for each packet. */
export const floodCount = (packets: number): number => (emulated ? Math.ceil(packets / 2) : packets);

let number = 0;

export interface PingResult {
    readonly sent: number;
    readonly received: number;
}

export interface WireOptions {
    /** of both ends; the kernel's default without */
    readonly mtu?: number;
}

export class Wire implements Disposable {
    readonly #name: string;
    /** the namespace whose interface carries programs, and the one that sends */
    readonly netns: string;
    readonly sender: string;
    readonly interface = "veth1";
    readonly address = "10.99.0.2";

    constructor({ mtu }: WireOptions = {}) {
        this.#name = `lab-${process.pid}-${++number}`;
        const [near, far] = [`${this.#name}-a`, `${this.#name}-b`];
        this.sender = `/run/netns/${near}`;
        this.netns = `/run/netns/${far}`;
        ip("netns", "add", near);
        ip("netns", "add", far);
        ip("link", "add", "veth0", "netns", near, "type", "veth", "peer", "name", "veth1", "netns", far);
        // fixed addresses on both sides: no ARP, no IPv6 neighbours to spoil a count
        for (const [space, device, address] of [
            [near, "veth0", "10.99.0.1/24"],
            [far, "veth1", "10.99.0.2/24"],
        ] as const) {
            this.#sysctl(space, `net/ipv6/conf/${device}/disable_ipv6`, "1");
            ip("-n", space, "addr", "add", address, "dev", device);
            if (mtu !== undefined) ip("-n", space, "link", "set", device, "mtu", String(mtu));
            ip("-n", space, "link", "set", device, "up");
            ip("-n", space, "link", "set", "lo", "up");
        }
        this.#neighbour(near, "veth0", "10.99.0.2", this.#mac(far, "veth1"));
        this.#neighbour(far, "veth1", "10.99.0.1", this.#mac(near, "veth0"));
    }

    #sysctl(space: string, name: string, value: string): void {
        execFileSync(
            "nsenter",
            [`--net=/run/netns/${space}`, "sh", "-c", `echo ${value} > /proc/sys/${name} || true`],
            {
                stdio: "ignore",
            },
        );
    }

    #mac(space: string, device: string): string {
        const [link] = JSON.parse(ip("-n", space, "-j", "link", "show", device)) as { address: string }[];
        return link?.address ?? "";
    }

    #neighbour(space: string, device: string, address: string, mac: string): void {
        ip("-n", space, "neigh", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent");
    }

    /** Runs a command in the receiving namespace. */
    inside(command: string, ...args: string[]): string {
        return execFileSync("nsenter", [`--net=${this.netns}`, command, ...args], { encoding: "utf8" });
    }

    /** ICMP echo requests that arrived at the receiver's IP layer. */
    arrived(): number {
        const lines = this.inside("cat", "/proc/net/snmp").split("\n");
        const [names, values] = lines.filter(line => line.startsWith("Icmp:")).map(line => line.split(/\s+/));
        return Number(values?.[names?.indexOf("InEchos") ?? -1]);
    }

    /** Sends echo requests, by default as fast as the answers come; resolves when all were sent and waited for. */
    ping(count: number, options: { intervalSeconds?: number; waitSeconds?: number; size?: number } = {}): Flood {
        const { intervalSeconds = 0, waitSeconds = 1, size = 56 } = options;
        const args = [
            "-q",
            "-n",
            "-c",
            `${count}`,
            "-i",
            `${intervalSeconds}`,
            "-W",
            `${waitSeconds}`,
            "-s",
            `${size}`,
        ];
        return new Flood(
            spawn("nsenter", [`--net=${this.sender}`, "ping", ...args, this.address], {
                stdio: ["ignore", "pipe", "pipe"],
            }),
        );
    }

    /** Deletes only the receiving namespace. */
    deleteReceiver(): void {
        ip("netns", "del", `${this.#name}-b`);
    }

    senderHasInterface(): boolean {
        return ip("-n", `${this.#name}-a`, "-j", "link", "show").includes('"veth0"');
    }

    deleteInterface(): void {
        ip("-n", `${this.#name}-a`, "link", "del", "veth0");
    }

    [Symbol.dispose](): void {
        for (const space of [`${this.#name}-a`, `${this.#name}-b`])
            if (fs.existsSync(`/run/netns/${space}`)) ip("netns", "del", space);
    }
}

export class Flood {
    readonly #child: ChildProcess;
    readonly result: Promise<PingResult>;
    running = true;
    constructor(child: ChildProcess) {
        this.#child = child;
        let output = "";
        child.stdout?.on("data", (text: Buffer) => {
            output += text.toString();
        });
        child.stderr?.on("data", (text: Buffer) => {
            output += text.toString();
        });
        this.result = once(child, "close").then(() => {
            this.running = false;
            const match = /(\d+) packets transmitted, (\d+) received/.exec(output);
            if (match === null) throw new Error(`ping said: ${output}`);
            return { sent: Number(match[1]), received: Number(match[2]) };
        });
    }

    stop(): void {
        this.#child.kill("SIGINT");
    }
}
