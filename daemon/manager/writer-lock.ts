// SPDX-License-Identifier: Apache-2.0
// Every mutation runs under one lock. What changes state takes a WriterScope, which only the lock makes.
import type { Patience } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";

declare const scope: unique symbol;
/** Proof that the lock is held. */
export interface WriterScope {
    readonly [scope]: true;
}

const held = {} as WriterScope;

export class WriterLock {
    readonly #path: string;
    #last: Promise<unknown> = Promise.resolve();
    #pending = 0;

    /** path: what the lock is called where somebody waits in vain */
    constructor(path = "of the daemon") {
        this.#path = path;
    }

    /** Whether nothing is running or waiting. */
    get isFree(): boolean {
        return this.#pending === 0;
    }

    /**
     * Runs work after all that came before it, one at a time. Where that takes longer than the caller waits, work never
     * runs: DEADLINE_EXCEEDED.
     */
    run<T>(work: (scope: WriterScope) => Promise<T>, patience?: Patience): Promise<T> {
        const previous = this.#last;
        const turn = Promise.withResolvers<void>();
        const timer = patience && setTimeout(() => turn.reject(this.#timedOut(patience)), patience.ms);
        void previous.then(() => {
            clearTimeout(timer);
            turn.resolve();
        });
        const result = turn.promise.then(() => work(held));
        // the next one waits for the end of this, not for its success
        this.#pending++;
        this.#last = Promise.allSettled([previous, result]).then(() => {
            this.#pending--;
        });
        return result;
    }

    /** Resolves when nothing is running or waiting. */
    async idle(): Promise<void> {
        await this.#last;
    }

    #timedOut({ said }: Patience): BpfmanError {
        return new BpfmanError("DEADLINE_EXCEEDED", `timed out waiting for lock ${this.#path} (${said})`, {
            hint: "Another change is still being made; nothing was changed.",
        });
    }
}
