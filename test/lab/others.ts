// SPDX-License-Identifier: Apache-2.0
// Processes of somebody else.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

interface Other extends AsyncDisposable {
    readonly pid: number;
}

const stdio = ["ignore", "pipe", "inherit"] as const;

/** Once it has said something. It ends when it is disposed of. */
async function settled(child: ChildProcess): Promise<Other> {
    if (child.stdout) await once(child.stdout, "data");
    return {
        pid: child.pid ?? 0,
        async [Symbol.asyncDispose]() {
            child.kill("SIGKILL");
            await once(child, "exit");
        },
    };
}

const bpf = path.resolve(import.meta.dirname, "../../daemon/kernel/bpf.ts");

/** Holds a program, as a tool of somebody else does. */
export function holder(pin: string): Promise<Other> {
    const code = `
        const { openPin } = await import(${JSON.stringify(bpf)});
        const fd = openPin(process.argv[1]);
        console.log("holds");
        setInterval(() => fd.number, 1000);`;
    return settled(spawn(process.execPath, ["--input-type=module", "-e", code, pin], { stdio: [...stdio] }));
}

/** Listens for TCP connections in a network namespace. */
export function listener(netns: string, port: number, address: string): Promise<Other> {
    const code = `require("node:net").createServer(() => {}).listen(${port}, "${address}", () => console.log("listens"))`;
    return inside(netns, code);
}

/** Is connected to such a listener. */
export function connection(netns: string, port: number, address: string): Promise<Other> {
    return inside(netns, `require("node:net").connect(${port}, "${address}", () => console.log("connected"))`);
}

function inside(netns: string, code: string): Promise<Other> {
    return settled(spawn("nsenter", [`--net=${netns}`, process.execPath, "-e", code], { stdio: [...stdio] }));
}
