// SPDX-License-Identifier: Apache-2.0
// The same random numbers for the same seed (mulberry32), so that a run that failed can be repeated.
export class Random {
    #state: number;
    constructor(seed: number) {
        this.#state = seed | 0;
    }

    /** from 0 up to 1, which it never is */
    fraction(): number {
        this.#state = (this.#state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    }

    below(bound: number): number {
        return Math.floor(this.fraction() * bound);
    }

    pick<T>(from: readonly T[]): T {
        const one = from[this.below(from.length)];
        if (one === undefined) throw new Error("nothing to pick from");
        return one;
    }

    /** Some of them, at most so many, in their order. */
    some<T>(from: readonly T[], atMost: number): T[] {
        const left = [...from];
        while (left.length > Math.max(1, atMost)) left.splice(this.below(left.length), 1);
        return left;
    }
}
