// SPDX-License-Identifier: Apache-2.0
// Calls of a serving daemon, over its socket, and the memory that it takes.
import { spawn } from "node:child_process";
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createXdpLink, xdpFlag } from "../../daemon/kernel/bpf.ts";
import { check } from "../../daemon/kernel/errors.ts";
import { Fd } from "../../daemon/kernel/fd.ts";
import { libc } from "../../daemon/kernel/ffi.ts";
import { xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import type { Wire } from "../lab/namespaces.ts";
import { opened } from "./packets.ts";
import { inTurn, timed, timedCommand } from "./rounds.ts";

const idOf = ({ id = 0 }: { id?: number }) => id;
const unload = (lab: Lab, ids: readonly number[]) => lab.client.unload({ programIds: [...ids] });

export interface CallFigures {
    readonly load: number;
    readonly attach: number;
    /** BPF_LINK_CREATE alone, by this process */
    readonly kernelAttach: number;
    readonly attachSecond: number;
    readonly tenInOne: number;
    readonly tenOneByOne: number;
}

/** Medians in milliseconds. */
export async function measureCalls(lab: Lab, rounds: number): Promise<CallFigures> {
    const wire = lab.wire();
    const programs: number[] = [];
    for (let i = 0; i < 10; i++) programs.push(...(await lab.load("xdp_pass", ["xdp:xdp_pass"])).map(idOf));
    const [first = 0, second = 0, other = 0] = programs;
    const fresh: number[] = [];
    const detachAll = async () => {
        const { links = [] } = await lab.client.listLinks({});
        await lab.detach(...links.map(idOf));
    };
    const kernelWire = lab.wire();
    const kernelLink: Fd[] = [];
    const kernelAttach = (at: Wire, id: number) => {
        using program = opened(id);
        const { link, elapsedMs } = attachInside(at, program);
        kernelLink.push(link);
        return elapsedMs;
    };
    const figures = await inTurn(rounds, [
        {
            name: "load",
            run: () => timed(async () => fresh.push(...(await lab.load("xdp_pass", ["xdp:xdp_pass"])).map(idOf))),
            after: async () => {
                await unload(lab, fresh.splice(0));
            },
        },
        { name: "attach", run: () => timed(() => lab.attach(xdpItem(wire, first, 50))) },
        {
            name: "kernel",
            // not one that is attached elsewhere: the kernel would have its jump to it already, and wait for nothing
            run: () => kernelAttach(kernelWire, other),
            after: () => kernelLink.splice(0).forEach(link => void link[Symbol.dispose]()),
        },
        { name: "second", run: () => timed(() => lab.attach(xdpItem(wire, second, 60))), after: detachAll },
        {
            name: "ten in one",
            run: () => timed(() => lab.attach(...programs.map(id => xdpItem(wire, id, 50)))),
            after: detachAll,
        },
        {
            name: "ten one by one",
            run: () =>
                timed(async () => {
                    for (const id of programs) await lab.attach(xdpItem(wire, id, 50));
                }),
            after: detachAll,
        },
    ]);
    await unload(lab, programs);
    const figure = (name: string) => figures.get(name) ?? Number.NaN;
    return {
        load: figure("load"),
        attach: figure("attach"),
        kernelAttach: figure("kernel"),
        attachSecond: figure("second"),
        tenInOne: figure("ten in one"),
        tenOneByOne: figure("ten one by one"),
    };
}

/** What this kernel can do, in milliseconds: some hundred probes, beside bpftool's. */
export async function measureFeatures(lab: Lab, rounds: number): Promise<{ ours: number; bpftool: number }> {
    const figures = await inTurn(rounds, [
        { name: "ours", run: () => timed(() => lab.client.features()) },
        { name: "bpftool", run: () => timedCommand(["bpftool", "-j", "feature", "probe", "kernel"]) },
    ]);
    return { ours: figures.get("ours") ?? Number.NaN, bpftool: figures.get("bpftool") ?? Number.NaN };
}

const CLONE_NEWNET = 0x40000000;

/** Attaches in the wire's namespace. Nothing is awaited in between, so no other code of this process runs there. */
function attachInside(wire: Wire, program: Fd): { link: Fd; elapsedMs: number } {
    const [device] = JSON.parse(wire.inside("ip", "-j", "link", "show", wire.interface)) as { ifindex: number }[];
    const own = fs.openSync("/proc/self/ns/net", "r");
    const other = fs.openSync(wire.netns, "r");
    check(libc.setns(other, CLONE_NEWNET), "enter a namespace");
    try {
        const start = performance.now();
        const fd = createXdpLink(program.number, device?.ifindex ?? 0, xdpFlag.driver);
        const elapsedMs = performance.now() - start;
        return { link: new Fd(check(fd, "attach")), elapsedMs };
    } finally {
        check(libc.setns(own, CLONE_NEWNET), "leave a namespace");
        fs.closeSync(own);
        fs.closeSync(other);
    }
}

export interface ListFigures {
    readonly ours: number;
    readonly all: number;
    readonly bpftool: number;
}

const atOnce = 25;

/** A list of as many programs as said, in milliseconds. */
export async function measureList(lab: Lab, count: number, rounds: number): Promise<ListFigures> {
    const names = Array.from({ length: atOnce }, (_, i) => `xdp:many_${String(i).padStart(2, "0")}`);
    const ids: number[] = [];
    while (ids.length < count) ids.push(...(await lab.load("xdp_many", names)).map(idOf));
    const listed = async (all: boolean) => {
        const { programs = [] } = await lab.client.listPrograms({ all });
        if (programs.length < count) throw new Error(`only ${programs.length} of ${count} programs are listed`);
    };
    const figures = await inTurn(rounds, [
        { name: "ours", run: () => timed(() => listed(false)) },
        { name: "all", run: () => timed(() => listed(true)) },
        { name: "bpftool", run: () => timedCommand(["bpftool", "prog", "show", "-j"]) },
    ]);
    await unload(lab, ids);
    const figure = (name: string) => figures.get(name) ?? Number.NaN;
    return { ours: figure("ours"), all: figure("all"), bpftool: figure("bpftool") };
}

export interface Memory {
    /** of the process: resident pages, and those of them that are its own and no file's */
    readonly resident: number;
    readonly anonymous: number;
    /** with its children, shared pages divided among those who share them */
    readonly proportionalOfAll: number;
}

/** In megabytes. */
export function memory(pid: number): Memory {
    const megabytes = (one: number | string, name: string) => {
        const text = fs.readFileSync(`/proc/${one}/smaps_rollup`, "latin1");
        return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
    };
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean);
    return {
        resident: megabytes(pid, "Rss"),
        anonymous: megabytes(pid, "Anonymous"),
        proportionalOfAll: [`${pid}`, ...children].reduce((sum, one) => sum + megabytes(one, "Pss"), 0),
    };
}

export interface MemoryFigures {
    readonly started: Memory;
    readonly loaded: Memory;
    /** a Node.js that waits for a connection and has nothing else in it */
    readonly idleNode: Memory;
}

/** Right after the start, and after a hundred loads, attaches and unloads. */
export async function measureMemory(lab: Lab): Promise<MemoryFigures> {
    await lab.stopDaemon();
    await lab.startDaemon();
    await sleep(1000);
    const started = memory(lab.pid);
    const wire = lab.wire();
    for (let i = 0; i < 100; i++) {
        const ids = (await lab.load("xdp_pass", ["xdp:xdp_pass"])).map(idOf);
        if (i % 10 === 0) await lab.attach(...ids.map(id => xdpItem(wire, id, 50)));
        await unload(lab, ids);
    }
    await sleep(1000);
    const loaded = memory(lab.pid);
    const script = 'require("node:net").createServer().listen("\\0bpfman-bench-" + process.pid)';
    const idle = spawn(process.execPath, ["--max-semi-space-size=1", "-e", script], { stdio: "ignore" });
    await sleep(1000);
    const idleNode = memory(idle.pid ?? 0);
    idle.kill("SIGKILL");
    return { started, loaded, idleNode };
}
