// SPDX-License-Identifier: Apache-2.0
// A shell command on a terminal of its own, by script(1): what it draws is read, and keys are typed.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is steered by
const escapes = /\x1b(?:\[[0-9;?]*[A-Za-z]|[78=>])/g;

export class Pty implements AsyncDisposable {
    readonly #child: ChildProcess;
    readonly #closed: Promise<unknown>;
    output = "";

    /** The first line of the output is the terminal's device. */
    constructor(command: string, { columns, rows }: { columns: number; rows: number }) {
        const shell = `tty; stty columns ${columns} rows ${rows}; ${command}`;
        this.#child = spawn("script", ["-qfec", shell, "/dev/null"], {
            stdio: ["pipe", "pipe", "inherit"],
            env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh" },
        });
        this.#child.stdout?.on("data", (text: Buffer) => {
            this.output += text.toString();
        });
        this.#closed = once(this.#child, "close");
    }

    get device(): string {
        return /^(\/dev\/\S+)/.exec(this.output)?.[1] ?? assert.fail(`no terminal: ${this.output}`);
    }

    /** The lines of the latest whole frame. */
    screen(): string[] {
        const frames = this.output.split("\x1b[?2026h").filter(text => text.includes("\x1b[?2026l"));
        const [last = ""] = (frames.at(-1) ?? "").split("\x1b[?2026l");
        return last.replace(escapes, "").split(/[\r\n]+/);
    }

    type(keys: string): void {
        this.#child.stdin?.write(keys);
    }

    resize(columns: number, rows: number): void {
        execFileSync("stty", ["-F", this.device, "columns", `${columns}`, "rows", `${rows}`]);
    }

    async until(condition: () => boolean, what: string): Promise<void> {
        for (let waited = 0; !condition(); waited++) {
            assert.ok(waited < 1500, `no ${what} on the terminal: ${JSON.stringify(this.output.slice(-3000))}`);
            await sleep(20);
        }
    }

    /** Everything after the command gave the terminal back. */
    async rest(): Promise<string> {
        await this.#closed;
        return this.output.slice(this.output.lastIndexOf("\x1b[?1049l")).replace(escapes, "");
    }

    async [Symbol.asyncDispose](): Promise<void> {
        if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
        await this.#closed;
    }
}
