// SPDX-License-Identifier: Apache-2.0
// So many at once and no more; who comes later waits for a turn, in the order of coming.

export class Turns {
    #free: number;
    readonly #waiting: (() => void)[] = [];

    constructor(atOnce: number) {
        this.#free = atOnce;
    }

    /** Resolves when there is room; what it resolves to gives the room back. */
    async take(): Promise<Disposable> {
        if (this.#free > 0) this.#free--;
        else await new Promise<void>(resolve => this.#waiting.push(resolve));
        return { [Symbol.dispose]: () => this.#giveBack() };
    }

    #giveBack(): void {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free++;
        else next();
    }
}
