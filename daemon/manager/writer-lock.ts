// SPDX-License-Identifier: Apache-2.0
// Every mutation runs under one lock. What changes state takes a WriterScope, which only the lock makes.

declare const scope: unique symbol;
/** Proof that the lock is held. */
export interface WriterScope {
    readonly [scope]: true;
}

const held = {} as WriterScope;

export class WriterLock {
    #last: Promise<unknown> = Promise.resolve();

    /** Runs work after all that came before it, one at a time. */
    run<T>(work: (scope: WriterScope) => Promise<T>): Promise<T> {
        const result = this.#last.then(() => work(held));
        // the next one waits for the end of this, not for its success
        this.#last = result.catch(() => {});
        return result;
    }

    /** Resolves when nothing is running or waiting. */
    async idle(): Promise<void> {
        await this.#last;
    }
}
