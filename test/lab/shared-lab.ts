// SPDX-License-Identifier: Apache-2.0
// One daemon for all tests of a suite: starting one costs more than most tests, most of all where the CPU is emulated.
import { after, before, test } from "node:test";
import { Lab } from "./lab.ts";
import { assertNothingLeft, type Snapshot, snapshot } from "./leaks.ts";

/** To be called inside a suite. Each test ends with nothing of it left, in the daemon and in the kernel. */
export function sharedLab(
    environment: NodeJS.ProcessEnv = {},
): (name: string, work: (lab: Lab) => Promise<void>) => void {
    let lab: Lab | undefined;
    let started: Snapshot | undefined;
    before(async () => {
        lab = await Lab.start([], environment);
        started = snapshot();
    });
    after(async () => {
        await lab?.[Symbol.asyncDispose]();
    });
    return (name, work) =>
        test(name, async () => {
            if (lab === undefined || started === undefined) throw new Error("the daemon did not start");
            try {
                await work(lab);
            } catch (error) {
                // what a test left that stopped half-way is not what is wrong
                await lab.clean().catch(() => undefined);
                throw error;
            }
            await lab.clean();
            await assertNothingLeft(started);
        });
}
