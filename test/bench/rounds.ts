// SPDX-License-Identifier: Apache-2.0
// Measures several things in turn, round by round, so that what else the machine does falls on all of them alike.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./figures.ts";

export interface Candidate {
    readonly name: string;
    /** one figure: milliseconds, nanoseconds, … */
    run(): number | Promise<number>;
    /** makes good what the run changed; not measured */
    after?(): void | Promise<void>;
}

/**
 * The median of each, by name. The first round warms up and does not count. The pause lets the daemon end what it does
 * after an answer, as starting the next loader: it belongs to no figure of a peer.
 */
export async function inTurn(
    rounds: number,
    candidates: readonly Candidate[],
    pauseMs = 0,
): Promise<Map<string, number>> {
    const values = new Map(candidates.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
        for (const candidate of candidates) {
            const value = await candidate.run();
            if (round > 0) values.get(candidate.name)?.push(value);
            await candidate.after?.();
            if (pauseMs > 0) await sleep(pauseMs);
        }
    }
    return new Map([...values].map(([name, all]) => [name, median(all)]));
}

/** Milliseconds of a call. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
    const start = performance.now();
    await call();
    return performance.now() - start;
}

/** Milliseconds of a whole command, from its start to its end. Throws what it said when it failed. */
export function timedCommand(command: readonly string[], variables: Readonly<Record<string, string>> = {}): number {
    const [file = "", ...args] = command;
    const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...variables };
    const start = performance.now();
    const result = spawnSync(file, args, { env, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", cwd: "/" });
    const elapsed = performance.now() - start;
    if (result.status !== 0)
        throw new Error(`${command.join(" ")}: ${result.error?.message ?? `status ${result.status}`} ${result.stderr}`);
    return elapsed;
}
