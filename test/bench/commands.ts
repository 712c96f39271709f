// SPDX-License-Identifier: Apache-2.0
// Whole commands, from start to end: what somebody waits for at a terminal. Runs on this machine and in the VM.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { type Candidate, inTurn, timedCommand } from "./rounds.ts";

const root = path.resolve(import.meta.dirname, "../..");
const bpfman = path.join(root, "dist/bin/bpfman");
const object = path.join(root, "dist/test/xdp_pass.o");

export const commandNames = {
    node: "node -e 0",
    list: "bpfman program list",
    load: "bpfman program load",
    attach: "bpfman link attach",
    loadAttach: "bpfman program load --attach",
    bpftoolList: "bpftool prog show",
    bpftoolLoad: "bpftool prog load",
    bpftoolAttach: "bpftool net attach",
    loaderStatus: "xdp-loader status",
    loaderLoad: "xdp-loader load",
} as const;

const pauseMs = 200;

export interface CommandOptions {
    readonly rounds: number;
    /** needs a kernel with freplace: libxdp has no other way */
    readonly xdpLoader: boolean;
}

/** Medians in milliseconds, by name. */
export async function measureCommands(lab: Lab, options: CommandOptions): Promise<Map<string, number>> {
    const wire = lab.wire();
    const inside = ["nsenter", `--net=${wire.netns}`, "--"];
    const pin = `/sys/fs/bpf/bpfman-bench-${process.pid}`;
    const ours = (...args: string[]) => timedCommand([bpfman, ...args], { BPFMAN_SOCKET_PATH: lab.socketPath });
    const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
    const id = program?.id ?? 0;

    const removeNewPrograms = async () => {
        const { programs = [] } = await lab.client.listPrograms({});
        const programIds = programs.map(one => one.id ?? 0).filter(one => one !== id);
        await lab.client.unload({ programIds });
    };
    const removeLinks = async () => {
        const { links = [] } = await lab.client.listLinks({});
        await lab.client.detach({ linkIds: links.map(link => link.id ?? 0) });
    };
    const hook = `xdp:${wire.interface}:prio=50:netns=${wire.netns}`;
    const candidates: Candidate[] = [
        { name: commandNames.node, run: () => timedCommand([process.execPath, "-e", "0"]) },
        { name: commandNames.list, run: () => ours("program", "list") },
        { name: commandNames.bpftoolList, run: () => timedCommand(["bpftool", "prog", "show"]) },
        {
            name: commandNames.load,
            run: () => ours("program", "load", "file", object, "--programs", "xdp:xdp_pass"),
            after: removeNewPrograms,
        },
        {
            name: commandNames.bpftoolLoad,
            run: () => timedCommand(["bpftool", "prog", "load", object, pin, "type", "xdp"]),
            after: () => fs.rmSync(pin),
        },
        {
            name: commandNames.attach,
            run: () => ours("link", "attach", "xdp", `${id}`, wire.interface, "-p", "50", "-n", wire.netns),
            after: removeLinks,
        },
        {
            name: commandNames.bpftoolAttach,
            run: () =>
                timedCommand([...inside, "bpftool", "net", "attach", "xdp", "id", `${id}`, "dev", wire.interface]),
            after: () => {
                timedCommand([...inside, "bpftool", "net", "detach", "xdp", "dev", wire.interface]);
            },
        },
        {
            name: commandNames.loadAttach,
            run: () => ours("program", "load", "file", object, "--programs", "xdp:xdp_pass", "--attach", hook),
            after: removeNewPrograms,
        },
    ];
    if (options.xdpLoader)
        candidates.push(
            { name: commandNames.loaderStatus, run: () => timedCommand([...inside, "xdp-loader", "status"]) },
            {
                name: commandNames.loaderLoad,
                run: () => timedCommand([...inside, "xdp-loader", "load", wire.interface, object]),
                after: () => {
                    timedCommand([...inside, "xdp-loader", "unload", "--all", wire.interface]);
                },
            },
        );
    try {
        return await inTurn(options.rounds, candidates, pauseMs);
    } finally {
        fs.rmSync(pin, { force: true });
        if (options.xdpLoader) spawnSync("nsenter", [...inside.slice(1), "xdp-loader", "unload", "-a", wire.interface]);
    }
}
