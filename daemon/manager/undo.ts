// SPDX-License-Identifier: Apache-2.0
// Steps with undo: each step that changed something says how to take it back; a failure takes all back in reverse.

export class Undo {
    readonly #steps: { what: string; undo: () => void | Promise<void> }[] = [];
    readonly #log: (line: string) => void;
    constructor(log: (line: string) => void) {
        this.#log = log;
    }

    add(what: string, undo: () => void | Promise<void>): void {
        this.#steps.push({ what, undo });
    }

    /** What was done is committed: nothing is taken back any more. */
    done(): void {
        this.#steps.length = 0;
    }

    /** Takes everything back. A step that cannot be taken back is logged, the others go on. */
    async rollBack(): Promise<void> {
        for (const { what, undo } of this.#steps.splice(0).reverse()) {
            try {
                await undo();
            } catch (error) {
                this.#log(`undo of "${what}" failed: ${error instanceof Error ? error.message : String(error)}`);
            }
        }
    }
}

/** Runs work; where it throws, what it did until then is taken back. */
export async function withUndo<T>(log: (line: string) => void, work: (undo: Undo) => Promise<T>): Promise<T> {
    const undo = new Undo(log);
    try {
        return await work(undo);
    } catch (error) {
        await undo.rollBack();
        throw error;
    }
}
