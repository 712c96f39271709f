// SPDX-License-Identifier: Apache-2.0
// A terminal taken over by a program that draws on all of it, and given back however the program ends.
import type { ReadStream, WriteStream } from "node:tty";
import { enterScreen, leaveScreen } from "./print.ts";

/** 128 and the signal's number, as shells count */
const endingSignals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export class Terminal implements Disposable {
    readonly #input: ReadStream | undefined;
    readonly #output: WriteStream;
    readonly #onResize: () => void;
    readonly #onExit = (): void => this.#leave();
    readonly #onContinue = (): void => this.#enter();
    readonly #onSignal = (signal: NodeJS.Signals): never =>
        // the exit gives the terminal back
        process.exit(endingSignals[signal as keyof typeof endingSignals]);
    #taken = false;

    private constructor(input: ReadStream | undefined, output: WriteStream, onResize: () => void) {
        this.#input = input;
        this.#output = output;
        this.#onResize = onResize;
    }

    /** undefined where the output is no terminal. onKeys: what was typed; onResize: also after a time in the background */
    static take(onKeys: (text: string) => void, onResize: () => void): Terminal | undefined {
        if (!process.stdout.isTTY) return undefined;
        const terminal = new Terminal(process.stdin.isTTY ? process.stdin : undefined, process.stdout, onResize);
        terminal.#input?.setEncoding("utf8");
        terminal.#input?.on("data", onKeys);
        terminal.#output.on("resize", onResize);
        process.on("exit", terminal.#onExit);
        process.on("SIGCONT", terminal.#onContinue);
        for (const signal of Object.keys(endingSignals)) process.on(signal, terminal.#onSignal);
        terminal.#enter();
        return terminal;
    }

    get size(): { columns: number; rows: number } {
        return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
    }

    /** As Ctrl-Z does elsewhere: the shell comes back, and `fg` too. */
    suspend(): void {
        this.#leave();
        process.kill(process.pid, "SIGSTOP");
    }

    #enter(): void {
        if (!this.#taken) {
            this.#taken = true;
            this.#input?.setRawMode(true);
            enterScreen();
        }
        this.#onResize();
    }

    #leave(): void {
        if (!this.#taken) return;
        this.#taken = false;
        leaveScreen();
        this.#input?.setRawMode(false);
    }

    [Symbol.dispose](): void {
        this.#leave();
        process.off("exit", this.#onExit);
        process.off("SIGCONT", this.#onContinue);
        for (const signal of Object.keys(endingSignals)) process.off(signal, this.#onSignal);
        this.#output.off("resize", this.#onResize);
        this.#input?.removeAllListeners("data");
        this.#input?.pause();
    }
}
