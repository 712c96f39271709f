// SPDX-License-Identifier: Apache-2.0
// A file descriptor with an owner: `using fd = …` closes it when the block ends, whatever happens.
import { libc } from "./ffi.ts";

export class Fd implements Disposable {
    #number: number;
    constructor(number: number) {
        this.#number = number;
    }
    get number(): number {
        if (this.#number < 0) throw new Error("use of a closed file descriptor");
        return this.#number;
    }
    [Symbol.dispose](): void {
        if (this.#number < 0) return;
        libc.close(this.#number);
        this.#number = -1;
    }
}
