// SPDX-License-Identifier: Apache-2.0
// A network namespace, a veth pair into it, and a little traffic: an interface to play with that can't cut anybody off.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";

const namespace = "bpfman-demo";
const hostInterface = "bpfman-demo0";
const guestInterface = "bpfman-demo1";

export interface Network extends AsyncDisposable {
    readonly namespace: string;
    /** the host's end: here programs see what the namespace sends */
    readonly interface: string;
    readonly ifindex: number;
    /** inode of the network namespace of the host's end */
    readonly nsid: number;
    readonly hostAddress: string;
    /** of the namespace; it sends from both */
    readonly guestAddresses: readonly [string, string];
}

export function makeNetwork(): Network {
    const subnet = freeSubnet();
    const [hostAddress, first, second] = [1, 2, 3].map(host => `${subnet}.${host}`) as [string, string, string];
    const pings: ChildProcess[] = [];
    const remove = async () => {
        for (const ping of pings) {
            if (ping.pid === undefined || ping.exitCode !== null || ping.signalCode !== null) continue;
            const gone = once(ping, "exit");
            ping.kill("SIGKILL");
            await gone;
        }
        removeNetwork();
    };
    try {
        ip("netns", "add", namespace);
        ip("link", "add", hostInterface, "type", "veth", "peer", "name", guestInterface, "netns", namespace);
        ip("address", "add", `${hostAddress}/24`, "dev", hostInterface);
        ip("-n", namespace, "address", "add", `${first}/24`, "dev", guestInterface);
        ip("-n", namespace, "address", "add", `${second}/24`, "dev", guestInterface);
        ip("-n", namespace, "link", "set", "lo", "up");
        ip("-n", namespace, "link", "set", guestInterface, "up");
        ip("link", "set", hostInterface, "up");
        pings.push(startPing(first, hostAddress), startPing(second, hostAddress));
    } catch (error) {
        removeNetwork();
        throw error;
    }
    return {
        namespace,
        interface: hostInterface,
        ifindex: Number(fs.readFileSync(`/sys/class/net/${hostInterface}/ifindex`, "utf8")),
        nsid: fs.statSync("/proc/self/ns/net").ino,
        hostAddress,
        guestAddresses: [first, second],
        [Symbol.asyncDispose]: remove,
    };
}

/** Also what a killed run left. */
export function removeNetwork(): void {
    // first the pair: a shell in the namespace would keep its end, and so both, alive
    if (fs.existsSync(`/sys/class/net/${hostInterface}`)) ip("link", "del", hostInterface);
    if (fs.existsSync(`/run/netns/${namespace}`)) ip("netns", "del", namespace);
}

/** The first 10.123.N that no address and no route of this machine uses. */
function freeSubnet(): string {
    const used = `${ip("-4", "-oneline", "address")}\n${ip("-4", "route", "show", "table", "all")}`;
    const subnets = Array.from({ length: 256 }, (_, n) => `10.123.${n}`);
    const free = subnets.find(subnet => !new RegExp(`\\b${subnet.replaceAll(".", "\\.")}\\.`).test(used));
    if (free === undefined) throw new Error("this machine uses all of 10.123.0.0/16");
    return free;
}

/** Five a second, until it is ended; also when nobody answers. */
function startPing(from: string, to: string): ChildProcess {
    const ping = ["ping", "-n", "-q", "-i", "0.2", "-I", from, to];
    const inside = ["setpriv", "--pdeathsig", "KILL", "nsenter", `--net=/run/netns/${namespace}`, "--", ...ping];
    const [command = "", ...args] = inside;
    // a session of its own: Ctrl-C is for this process, which ends it in its turn
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    child.on("error", error => console.error(`no traffic from ${from}: ${error.message}`));
    return child;
}

function ip(...args: string[]): string {
    try {
        return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
        const { stderr, message } = error as Error & { stderr?: string };
        throw new Error(`ip ${args.join(" ")}: ${stderr?.trim() || message}`, { cause: error });
    }
}
