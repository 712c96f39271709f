// SPDX-License-Identifier: Apache-2.0
// The daemon is killed at any moment of any change. The next start finds the old state or the new one; until then, and
// during the start, what drops goes on to drop and what passes goes on to pass. BPFMAN_CRASH_SEED repeats a run,
// BPFMAN_CRASH_KILLS makes a longer one.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import { Lab } from "../lab/lab.ts";
import { Random } from "../lab/random.ts";
import { howMany, seedOf } from "../scale.ts";
import type { Hook } from "./hook.ts";
import { Extents } from "./kill.ts";
import { Scene } from "./scene.ts";
import { anyStep, attach, detach, load, type Situation, type Step, unload, update, watch } from "./steps.ts";

const seed = seedOf("BPFMAN_CRASH_SEED");
const kills = Number(process.env["BPFMAN_CRASH_KILLS"] ?? howMany(16, 1500));
/** by day every second moment of the longer changes */
const longer = howMany(2, 1);

suite("kills", () => {
    const net = new NetThread();
    const random = new Random(seed);
    let lab: Lab;
    let scene: Scene;
    before(async () => {
        lab = await Lab.start();
        scene = await Scene.begin(lab, net, random);
    });
    after(async () => {
        for (const hook of scene.hooks) hook.stopFlood();
        await net.stop();
        await lab[Symbol.asyncDispose]();
    });

    // what a hook holds changes with every round, so that the same change is met from both sides
    const toggle = (hook: (hooks: readonly Hook[]) => Hook | undefined) => (situation: Situation) => {
        const one = hook(situation.hooks);
        const count = situation.state.links.filter(({ netns }) => netns === one?.wire.netns).length;
        return count === 1 ? attach(situation, one) : detach(situation, one);
    };
    const cases: [string, (situation: Situation) => Step | undefined, stride: number][] = [
        ["an XDP chain of one gets a second, a chain of two loses one", toggle(hooks => hooks[0]), 1],
        ["a TCX link that drops moves", situation => update(situation, situation.hooks[3]), longer],
        ["programs are loaded, attached and unloaded", situation => load(situation) ?? unload(situation), longer],
        // every chain is exchanged, four times
        ["statistics of chains are watched", watch, 4],
    ];
    for (const [what, make, stride] of cases)
        test(`at pins that come and go: ${what}`, async t => {
            let answered = 0;
            // a change that is done before that many pins moved has no later moments
            for (let pinEvents = 1; answered < 2 && pinEvents < 40 * stride; pinEvents += stride) {
                const step = make(await scene.situation());
                assert.ok(step !== undefined);
                const outcome = await scene.survives(step, { pinEvents }, what);
                if (outcome.answered) answered++;
                t.diagnostic(`${step.name}, pin event ${pinEvents}: ${outcome.found}`);
            }
        });

    test(`${kills} times at any moment of any change, seed ${seed}`, async t => {
        const extents = new Extents();
        const counts = { old: 0, new: 0, between: 0 };
        for (let round = 1; round <= kills; round++) {
            const step = anyStep(await scene.situation());
            const what = `seed ${seed}, round ${round}`;
            const outcome = await scene.survives(step, extents.moment(step.name, random), what);
            extents.learn(step.name, outcome);
            counts[outcome.found]++;
        }
        t.diagnostic(JSON.stringify(counts));
        // both are met, or the kills come too early or too late
        assert.ok(counts.old >= kills / 8, `${counts.old} times the old state`);
        assert.ok(counts.new >= kills / 8, `${counts.new} times the new state`);
    });

    test("all that time no packet came by a dropping member, and none was lost where all pass", async () => {
        for (const hook of scene.hooks) await hook.assertFlood();
    });
});
