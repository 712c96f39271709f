// SPDX-License-Identifier: Apache-2.0
// The bpfman command, against a lab's daemon.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Lab } from "./lab.ts";
import { main } from "./main.ts";

export interface CommandResult {
    readonly status: number | null;
    readonly out: string;
    readonly err: string;
}

export async function bpfman(lab: Lab, ...words: (string | number)[]): Promise<CommandResult> {
    const args = [main, "--runtime-dir", lab.runtimeDir, ...words.map(String)];
    const child = spawn(process.execPath, args, {
        env: { BPFMAN_SOCKET_PATH: lab.socketPath },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (err += text.toString()));
    const [status] = (await once(child, "close")) as [number | null];
    return { status, out, err };
}
