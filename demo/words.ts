// SPDX-License-Identifier: Apache-2.0
// What the demo tells: where to look and what to type. Every command works as it is printed, in this order.
import path from "node:path";
import type { ChosenSocket } from "./daemon.ts";
import type { Network } from "./network.ts";
import type { PageOffer } from "./page.ts";

export const readyLine =
    "Ready. Ctrl-C ends the demo, unloads what was loaded through it, and removes everything it made.";

interface Facts {
    readonly repository: string;
    readonly socket: ChosenSocket;
    readonly network: Network;
    readonly page: PageOffer;
}

export function introduction({ repository, socket, network, page }: Facts): string {
    const { hostAddress, guestAddresses, namespace } = network;
    return [
        "",
        `Interface ${network.interface} (${hostAddress}) leads into the network namespace ${namespace}, from where`,
        `${guestAddresses[0]} and ${guestAddresses[1]} ping it five times a second. The daemon serves at ${socket.path}.`,
        "",
        ...pageWords(page),
        "",
        "Type, as root in another terminal:",
        "",
        ...commands(repository, socket, network).map(line => (line === "" ? "" : `    ${line}`)),
        "",
        readyLine,
    ].join("\n");
}

function pageWords(page: PageOffer): string[] {
    switch (page.kind) {
        case "machine":
            return [
                `Open   ${page.url}`,
                "       The page is linked into this machine's Cockpit, with its own login and administrative access.",
                "       Who is logged in already logs in again to see it.",
            ];
        case "own":
            return [
                `Open   ${page.url}`,
                ...(page.login
                    ? ["       It asks for a user of this machine and the password."]
                    : [
                          `       WARNING: whoever reaches port ${page.port} of this machine's loopback IS ROOT until the demo stops.`,
                          "       LOGIN=1 make run asks for a user and a password instead.",
                      ]),
                `       From elsewhere: ssh -L ${page.port}:127.0.0.1:${page.port} THIS-MACHINE`,
            ];
        case "none":
            return ["There is no page to open:", `       ${page.reason.replaceAll("\n", "\n       ")}`];
    }
}

function commands(repository: string, socket: ChosenSocket, network: Network): string[] {
    const { interface: device, guestAddresses, hostAddress, namespace } = network;
    const object = (name: string) => quoted(path.join(repository, "dist/demo", `${name}.o`));
    const ids = (application: string) => `$(bpfman program list -q --application ${application})`;
    const [, second] = guestAddresses;
    const hex = second.split(".").map(byte => Number(byte).toString(16).padStart(2, "0"));
    return [
        `export PATH=${quoted(path.join(repository, "dist/bin"))}:$PATH`,
        ...(socket.usual ? [] : [`export BPFMAN_SOCKET_PATH=${quoted(socket.path)}`]),
        "",
        `# two XDP programs: one counts, one drops what comes from ${second}`,
        `bpfman program load file ${object("counter")} --programs xdp:counter -a counter`,
        `bpfman program load file ${object("block")} --programs xdp:block -a block --global source=${hex.join("")}`,
        "bpfman program list",
        "",
        "# on one interface, the lower priority first; then the other way round",
        `bpfman link attach xdp ${ids("counter")} ${device} --priority 50`,
        `bpfman link attach xdp ${ids("block")} ${device} --priority 100`,
        `bpfman dispatcher get xdp ${network.nsid} ${network.ifindex}`,
        "bpfman link update $(bpfman link list -q --application block) --priority 10",
        "bpfman link list",
        "",
        "# one of the two is answered, the other one is not, and is counted no more",
        `ip netns exec ${namespace} ping -c 2 -W 1 -I ${guestAddresses[0]} ${hostAddress}`,
        `ip netns exec ${namespace} ping -c 2 -W 1 -I ${second} ${hostAddress} || echo dropped`,
        `bpftool map dump pinned ${quoted(path.join(socket.pins, "maps"))}/${ids("counter")}/traffic`,
        "",
        "# a TC program, loaded and attached in one go",
        `bpfman program load file ${object("marker")} --programs tc:marker -a marker --attach tc:${device}:ingress:prio=10`,
        "bpfman dispatcher list",
        "",
        "# and all of it away; Ctrl-C over there does the same",
        `bpfman link detach $(bpfman link list -q --kind xdp)`,
        `bpfman program unload $(bpfman program list -q)`,
    ];
}

/** One word of a shell. */
function quoted(text: string): string {
    return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
