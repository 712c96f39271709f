// SPDX-License-Identifier: Apache-2.0
// Random sequences of changes over several interfaces, against a model. After each one the lists, `dispatcher get`, the pins
// and the kernel agree with it; what the rules forbid is refused and changes nothing. BPFMAN_PROPERTY_SEED repeats a run,
// BPFMAN_PROPERTY_STEPS makes a longer one.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import type { AttachItemJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject } from "../fixtures/objects.ts";
import { refusal } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { Random } from "../lab/random.ts";
import { howMany, seedOf } from "../scale.ts";
import { assertAgree } from "./agree.ts";
import { type Hook, hookName, type Kind, Model, type ModelLink, type ModelProgram } from "./model.ts";

const seed = seedOf("BPFMAN_PROPERTY_SEED");
const steps = Number(process.env["BPFMAN_PROPERTY_STEPS"] ?? howMany(60, 15_000));

const kinds: readonly Kind[] = ["xdp", "tc", "tcx"];
const maxPrograms = 14;
/** few, so that many links have the same */
const priorities = [0, 1, 1, 10, 10, 50, 1000];
/** with the default first; the daemon keeps them sorted and adds nothing */
const codes: Readonly<Record<Kind, readonly number[][]>> = {
    xdp: [[2, 31], [2], [0, 1, 2, 3, 4, 31], [1, 31]],
    tc: [[3, 30], [0, 3], [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 30], [30]],
    tcx: [[]],
};

const fixtureOf = (kind: Kind) => (kind === "xdp" ? "xdp_sequence" : "tc_sequence");

class Run {
    readonly #lab: Lab;
    readonly #random: Random;
    model: Model;

    constructor(lab: Lab, random: Random, hooks: readonly Hook[]) {
        this.#lab = lab;
        this.#random = random;
        this.model = new Model(hooks);
    }

    get #links(): { hook: Hook; link: ModelLink }[] {
        return this.model.hooks.flatMap(hook => this.model.chain(hook).map(link => ({ hook, link })));
    }

    /** One change; what it was. undefined: there was nothing to change. */
    step(): Promise<string> | undefined {
        const { programs } = this.model;
        switch (this.#random.below(12)) {
            case 0:
            case 1:
                return programs.length < maxPrograms ? this.#load() : undefined;
            case 2:
            case 3:
            case 4:
            case 5:
                return programs.length > 0 ? this.#attach() : undefined;
            case 6:
            case 7:
                return this.#links.length > 0 ? this.#update() : undefined;
            case 8:
            case 9:
                return this.#links.length > 0 ? this.#detach() : undefined;
            case 10:
                return programs.length > 3 ? this.#unload() : undefined;
            default:
                return programs.length > 0 ? this.#replace() : undefined;
        }
    }

    async #load(): Promise<string> {
        const kind = this.#random.pick(kinds);
        const numbers = this.#random.some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], this.#random.pick([1, 2, 3]));
        const names = numbers.map(number => `${fixtureOf(kind)}_${number}`);
        const loaded = await this.#lab.load(
            fixtureOf(kind),
            names.map(name => `${kind}:${name}`),
            { privateMaps: this.#random.below(3) === 0 },
        );
        const made = loaded.map(({ id = 0, record }): ModelProgram => ({ id, name: record?.name ?? "", kind }));
        assert.deepEqual(
            made.map(({ name }) => name),
            names,
        );
        this.model = this.model.loaded(made);
        return `load ${names}`;
    }

    async #attach(): Promise<string> {
        const asked = Array.from({ length: this.#random.pick([1, 1, 1, 2, 3, 5]) }, () => {
            const program = this.#random.pick(this.model.programs);
            const hooks = this.model.hooks.filter(({ kind }) => kind === program.kind);
            // often the first one, so that it fills up
            const hook = this.#random.pick(this.#random.below(2) === 0 ? hooks : hooks.slice(0, 1));
            const proceedOn = this.#random.pick(codes[program.kind]);
            return { hook, link: { id: 0, programId: program.id, priority: this.#random.pick(priorities), proceedOn } };
        });
        const what = `attach ${asked.map(({ hook, link }) => `${link.programId} to ${hookName(hook)} at ${link.priority} [${link.proceedOn}]`)}`;
        const items = asked.map(({ hook, link }) => itemOf(hook, link));
        const refusals = this.model.refusals(asked);
        if (refusals.length > 0) {
            const { code } = await refusal(this.#lab.client.attach({ items }));
            assert.ok(refusals.includes(code), `${what}: ${code} instead of ${refusals}`);
            return `${what}: ${code}`;
        }
        const links = await this.#lab.attach(...items);
        this.model = this.model.attached(
            asked.map(({ hook, link }, at) => ({ hook, link: { ...link, id: links[at]?.id ?? 0 } })),
        );
        return what;
    }

    async #update(): Promise<string> {
        const { hook, link } = this.#random.pick(this.#links);
        // at least one of both
        const which = hook.kind === "tcx" ? 0 : this.#random.below(3);
        const priority = which < 2 ? this.#random.pick(priorities) : undefined;
        const actions = which > 0 ? this.#random.pick(codes[hook.kind]) : undefined;
        await this.#lab.client.updateLink({
            linkId: link.id,
            ...(priority !== undefined && { priority }),
            ...(actions !== undefined && { proceedOn: { actions } }),
        });
        this.model = this.model.updated(hook, link.id, {
            ...(priority !== undefined && { priority }),
            ...(actions !== undefined && { proceedOn: actions }),
        });
        return `update link ${link.id} of ${hookName(hook)}: ${priority} [${actions}]`;
    }

    async #detach(): Promise<string> {
        const leaving = this.#random.some(this.#links, this.#random.pick([1, 1, 2, 6])).map(({ link }) => link.id);
        await this.#lab.detach(...leaving);
        this.model = this.model.detached(leaving);
        return `detach ${leaving}`;
    }

    async #unload(): Promise<string> {
        const leaving = this.#random.some(this.model.programs, this.#random.pick([1, 1, 3])).map(({ id }) => id);
        const { failures = [] } = await this.#lab.client.unload({ programIds: leaving });
        assert.deepEqual(failures, []);
        this.model = this.model.unloaded(leaving);
        return `unload ${leaving}`;
    }

    async #replace(): Promise<string> {
        const old = this.#random.pick(this.model.programs);
        const name = `${fixtureOf(old.kind)}_${this.#random.below(10)}`;
        const { id = 0 } = await this.#lab.client.replaceProgram({
            programId: old.id,
            object: fixtureObject(fixtureOf(old.kind)).toString("base64"),
            programName: name,
        });
        this.model = this.model.replaced(old.id, { ...old, id, name });
        return `replace ${old.id} (${old.name}) by ${name}, which is ${id}`;
    }
}

function itemOf({ kind, direction, netns, interface: name }: Hook, link: ModelLink): AttachItemJson {
    const { programId, priority, proceedOn } = link;
    const place = { interface: name, netns, priority };
    if (kind === "xdp") return { programId, xdp: { ...place, proceedOn: [...proceedOn], mode: "auto" } };
    if (kind === "tcx") return { programId, tcx: { ...place, direction } };
    return { programId, tc: { ...place, direction, proceedOn: [...proceedOn] } };
}

suite("sequences of changes", () => {
    const net = new NetThread();
    let lab: Lab;
    before(async () => {
        lab = await Lab.start();
    });
    after(async () => {
        await net.stop();
        await lab[Symbol.asyncDispose]();
    });

    test(`${steps} random changes over three interfaces, seed ${seed}`, async t => {
        const hooks = [lab.wire(), lab.wire(), lab.wire()].flatMap(({ netns, interface: name }): Hook[] => [
            { kind: "xdp", direction: "ingress", netns, interface: name },
            ...(["tc", "tcx"] as const).flatMap(kind =>
                (["ingress", "egress"] as const).map(direction => ({ kind, direction, netns, interface: name })),
            ),
        ]);
        const run = new Run(lab, new Random(seed), hooks);
        const done: string[] = [];
        while (done.length < steps) {
            const step = run.step();
            if (step === undefined) continue;
            try {
                done.push(await step);
                await assertAgree(lab, net, run.model);
            } catch (error) {
                console.log(`seed ${seed}, step ${done.length}; the last ones:\n${done.slice(-8).join("\n")}`);
                throw error;
            }
        }
        const counts = Object.groupBy(done, text => /: ([A-Z_]+)$/.exec(text)?.[1] ?? text.split(" ")[0] ?? "");
        t.diagnostic(
            JSON.stringify(Object.fromEntries(Object.entries(counts).map(([what, all]) => [what, all?.length]))),
        );
    });
});
