// SPDX-License-Identifier: Apache-2.0
// Kills the daemon somewhere in a change, or while it starts.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import type { Random } from "../lab/random.ts";
import type { Step } from "./steps.ts";

/** When the daemon is killed: after a time, or as soon as so many pins came or went. */
export type Moment = { readonly afterMs: number } | { readonly pinEvents: number };

/** How long changes of one kind take and how many pins they move: kills are spread over that, and a little more. */
export class Extents {
    readonly #known = new Map<string, { ms: number; events: number }>();

    #of(kind: string): { ms: number; events: number } {
        const known = this.#known.get(kind) ?? { ms: 100, events: 4 };
        this.#known.set(kind, known);
        return known;
    }

    moment(kind: string, random: Random): Moment {
        const { ms, events } = this.#of(kind);
        if (random.below(2) === 0) return { pinEvents: 1 + random.below(events + 1) };
        return { afterMs: ms * 1.2 * random.fraction() };
    }

    learn(kind: string, { answered, tookMs, events }: Killed): void {
        const known = this.#of(kind);
        known.ms = answered ? tookMs : Math.max(known.ms, tookMs * 1.3);
        known.events = answered ? events : Math.max(known.events, events);
    }
}

export interface Killed {
    /** whether the change was answered before */
    readonly answered: boolean;
    /** until the answer, or until the kill */
    readonly tookMs: number;
    readonly events: number;
}

/** Starts a change and kills the daemon somewhere in it. */
export async function killDuring(lab: Lab, step: Step, moment: Moment): Promise<Killed> {
    const started = performance.now();
    let events = 0;
    let tookMs = 0;
    const { promise: isTime, resolve: kill } = Promise.withResolvers<void>();
    const folders = ["", "xdp", "tc-ingress", "links", "copies", "staging", "maps"];
    const watchers = folders.map(folder =>
        fs.watch(path.join(lab.runtimeDir, "fs", folder), () => {
            events++;
            if ("pinEvents" in moment && events === moment.pinEvents) kill();
        }),
    );
    const outcome = step
        .run(lab.client)
        .then(
            () => true,
            (error: Error) => {
                // cut off; what the daemon itself refused would be no change
                assert.equal(error.name, "TransportError", `${step.name}: ${error.message}`);
                return false;
            },
        )
        .finally(() => {
            tookMs = performance.now() - started;
            kill();
        });
    if ("afterMs" in moment) setTimeout(kill, moment.afterMs);
    await isTime;
    await lab.stopDaemon("SIGKILL");
    const answered = await outcome;
    for (const watcher of watchers) watcher.close();
    return { answered, tookMs, events };
}

/** A start that does not come far. */
export async function killWhileStarting(lab: Lab, afterMs: number): Promise<void> {
    const dirs = ["--runtime-dir", lab.runtimeDir, "--state-dir", lab.stateDir];
    const daemon = spawn(process.execPath, [main, "serve", ...dirs], { stdio: "ignore" });
    await sleep(afterMs);
    const closed = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await closed;
}
