// SPDX-License-Identifier: Apache-2.0
// A file descriptor with an owner: `using fd = …` closes it when the block ends, whatever happens.
import { check } from "./errors.ts";
import { libc } from "./ffi.ts";

const F_DUPFD_CLOEXEC = 1030;

export class Fd implements Disposable {
    #number: number;
    constructor(number: number) {
        this.#number = number;
    }
    get number(): number {
        if (this.#number < 0) throw new Error("use of a closed file descriptor");
        return this.#number;
    }
    /** Gives the descriptor to somebody who closes it. */
    release(): number {
        const { number } = this;
        this.#number = -1;
        return number;
    }
    [Symbol.dispose](): void {
        if (this.#number < 0) return;
        libc.close(this.#number);
        this.#number = -1;
    }
}

/** A descriptor of our own for what libbpf will close with its object; no child inherits it. */
export function duplicate(fd: number, what: string): Fd {
    return new Fd(check(libc.fcntl(fd, F_DUPFD_CLOEXEC, 0), `keep ${what} open`));
}
