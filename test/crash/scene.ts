// SPDX-License-Identifier: Apache-2.0
// Four hooks of one daemon, what they are to hold, and the check after a kill that they hold it.
import assert from "node:assert/strict";
import type { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import type { Lab } from "../lab/lab.ts";
import type { Random } from "../lab/random.ts";
import { assertConsistent } from "./assert-consistent.ts";
import { Hook, proceedOn } from "./hook.ts";
import { killDuring, killWhileStarting, type Moment } from "./kill.ts";
import { type State, text, told } from "./state.ts";
import type { Situation, Step } from "./steps.ts";

export interface Outcome {
    readonly found: "old" | "new" | "between";
    /** whether the change was answered before the kill */
    readonly answered: boolean;
    readonly tookMs: number;
    readonly events: number;
}

export class Scene {
    readonly #lab: Lab;
    readonly #net: NetThread;
    readonly #random: Random;
    readonly hooks: readonly Hook[];
    #state: State;

    private constructor(lab: Lab, net: NetThread, random: Random, hooks: readonly Hook[], state: State) {
        this.#lab = lab;
        this.#net = net;
        this.#random = random;
        this.hooks = hooks;
        this.#state = state;
    }

    static async begin(lab: Lab, net: NetThread, random: Random): Promise<Scene> {
        const hooks = [
            await Hook.make(lab, "xdp", true),
            await Hook.make(lab, "xdp", false),
            await Hook.make(lab, "tc", true),
            await Hook.make(lab, "tcx", true),
        ];
        const links = hooks.map(hook => {
            const { program, priority } = hook.first();
            const codes = proceedOn[hook.kind][0] ?? [];
            return { item: hook.item(program, priority, codes), link: hook.link(program, priority, codes) };
        });
        await lab.attach(...links.map(({ item }) => item));
        for (const hook of hooks) hook.startFlood();
        const { programs = [] } = await lab.client.listPrograms({});
        const names = programs.map(({ record }) => record?.name ?? "");
        const scene = new Scene(lab, net, random, hooks, { programs: names, links: links.map(({ link }) => link) });
        await scene.#check([scene.#state], "at the beginning");
        return scene;
    }

    async situation(): Promise<Situation> {
        const { ids } = await told(this.#lab);
        const { programs = [] } = await this.#lab.client.listPrograms({});
        // programs that a step loads get their ids from the kernel
        const extras = new Map(
            programs.flatMap(({ id = 0, record }) => (record?.name?.startsWith("many_") ? [[record.name, id]] : [])),
        );
        const links = this.#state.links.map(link => ({
            ...link,
            programId: extras.get(link.program) ?? link.programId,
        }));
        return { random: this.#random, hooks: this.hooks, state: { ...this.#state, links }, ids, extras };
    }

    /** Kills the daemon in the middle of a change, starts it again, and finds the old state or the new one. */
    async survives(step: Step, moment: Moment, what: string): Promise<Outcome> {
        const killed = await killDuring(this.#lab, step, moment);
        // the start that is to tidy up is killed too, sometimes
        const again = this.#random.below(4) === 0;
        if (again) await killWhileStarting(this.#lab, this.#random.below(400));
        const why = `${what}: ${step.name}, killed ${JSON.stringify(moment)}${again ? " and while starting" : ""}`;
        const log = this.#lab.log.length;
        await this.#lab.startDaemon();
        try {
            // what was answered is kept
            this.#state = await this.#check(killed.answered ? step.states.slice(-1) : step.states, why);
        } catch (error) {
            console.log(`${why}\n${this.#lab.log.slice(log)}`);
            throw error;
        }
        const index = step.states.indexOf(this.#state);
        return { ...killed, found: index === 0 ? "old" : index === step.states.length - 1 ? "new" : "between" };
    }

    async #check(accepted: readonly State[], why: string): Promise<State> {
        const found = (await told(this.#lab)).text;
        const state = accepted.find(one => text(one) === found);
        if (state === undefined) assert.equal(found, accepted.map(text).join("\n\nor\n\n"), why);
        assert.ok(state !== undefined);
        await assertConsistent(this.#lab, this.#net, this.hooks);
        // programs that keep no log are not seen in it
        const logging = state.links.filter(({ program }) => !program.startsWith("many_"));
        for (const hook of this.hooks) {
            hook.assertDropped(why);
            await hook.assertRuns(logging, why);
        }
        return state;
    }
}
