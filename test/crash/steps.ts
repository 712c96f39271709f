// SPDX-License-Identifier: Apache-2.0
// Changes during which the daemon is killed: what each asks for, and the states that may be found afterwards.
import type { HostClient } from "../../client/host-client.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import type { Random } from "../lab/random.ts";
import { type Hook, proceedOn } from "./hook.ts";
import type { LinkState, State } from "./state.ts";

export interface Step {
    readonly name: string;
    run(client: HostClient): Promise<unknown>;
    /** the state before, the one after, and, where a request is made of several changes, those between */
    readonly states: readonly State[];
}

/** Link ids of the running daemon by namespace and program. */
export type Ids = ReadonlyMap<string, number>;

export interface Situation {
    readonly random: Random;
    readonly hooks: readonly Hook[];
    readonly state: State;
    readonly ids: Ids;
    /** ids of programs by name, for those that steps load and unload */
    readonly extras: ReadonlyMap<string, number>;
}

const idOf = (ids: Ids, { netns, program }: LinkState): number => ids.get(`${netns} ${program}`) ?? 0;
const codesOf = (random: Random, hook: Hook): readonly number[] => random.pick(proceedOn[hook.kind]);
const at = (state: State, hook: Hook): LinkState[] => state.links.filter(({ netns }) => netns === hook.wire.netns);

function freePriority(random: Random, taken: readonly LinkState[]): number {
    for (;;) {
        const priority = 1 + random.below(2000);
        if (!taken.some(link => link.priority === priority)) return priority;
    }
}

/** One to three members that are not attached yet, in one request. */
export function attach({ random, hooks, state }: Situation, hook = random.pick(hooks)): Step | undefined {
    const attached = at(state, hook);
    const idle = hook.members.filter(({ id }) => !attached.some(({ programId }) => programId === id));
    if (idle.length === 0) return undefined;
    const links: LinkState[] = [];
    const items = random.some(idle, random.pick([1, 1, 3])).map(program => {
        const priority = freePriority(random, [...attached, ...links]);
        const codes = codesOf(random, hook);
        links.push(hook.link(program, priority, codes));
        return hook.item(program, priority, codes);
    });
    return {
        name: `attach ${links.length} ${hook.kind} to ${attached.length}`,
        run: client => client.attach({ items }),
        states: [state, { ...state, links: [...state.links, ...links] }],
    };
}

/** One link or more of one hook; the first one stays. */
export function detach({ random, hooks, state, ids }: Situation, hook = random.pick(hooks)): Step | undefined {
    const attached = at(state, hook);
    const first = hook.first().program.id;
    const leaving = random.some(
        attached.filter(({ programId }) => programId !== first),
        random.pick([1, 1, 3]),
    );
    if (leaving.length === 0) return undefined;
    const links = state.links.filter(link => !leaving.includes(link));
    // TCX links leave the kernel one by one, but the rows at once: there is nothing in between
    return {
        name: `detach ${leaving.length} ${hook.kind} of ${attached.length}`,
        run: client => client.detach({ linkIds: leaving.map(link => idOf(ids, link)) }),
        states: [state, { ...state, links }],
    };
}

/** Another priority, other codes, or both; for any link, the one that drops too. */
export function update({ random, hooks, state, ids }: Situation, hook = random.pick(hooks)): Step | undefined {
    const attached = at(state, hook);
    const link = random.pick(attached);
    const isDropper = link.programId === hook.dropper?.id;
    const priority = freePriority(random, attached);
    const actions = hook.kind === "tcx" || isDropper ? undefined : [...codesOf(random, hook)];
    const changed = { ...link, priority, proceedOn: actions ?? link.proceedOn };
    return {
        name: `update ${hook.kind} among ${attached.length}`,
        run: client =>
            client.updateLink({
                linkId: idOf(ids, link),
                priority,
                ...(actions === undefined ? {} : { proceedOn: { actions } }),
            }),
        states: [state, { ...state, links: state.links.map(one => (one === link ? changed : one)) }],
    };
}

const extraNames = ["many_00", "many_01", "many_02"];
const spec = (name: string) => ({ type: "xdp", name });

/** Three programs at once, where they are not loaded; sometimes with a link of one of them. */
export function load({ random, hooks, state, extras }: Situation): Step | undefined {
    if (extras.size > 0) return undefined;
    const object = fixtureObject("xdp_many").toString("base64");
    const hook = random.pick(hooks.filter(({ kind }) => kind === "xdp"));
    const withLink = random.below(2) === 0;
    const priority = freePriority(random, at(state, hook));
    const [codes = []] = proceedOn.xdp;
    const [name = ""] = extraNames;
    const { xdp } = hook.item({}, priority, codes);
    const link = hook.link({ record: { name } }, priority, codes);
    return {
        name: withLink ? "load and attach" : "load",
        run: client =>
            client.load({
                object,
                programs: extraNames.map(spec),
                attach: withLink && xdp !== undefined ? [{ programName: name, xdp }] : [],
            }),
        states: [
            state,
            { programs: [...state.programs, ...extraNames], links: [...state.links, ...(withLink ? [link] : [])] },
        ],
    };
}

/** All programs of one load, and the link of one of them where it has one. */
export function unload({ state, extras }: Situation): Step | undefined {
    if (extras.size === 0) return undefined;
    const links = state.links.filter(({ program }) => !extras.has(program));
    return {
        name: links.length < state.links.length ? "unload with a link" : "unload",
        run: client => client.unload({ programIds: [...extras.values()] }),
        // unload is tried for each program: links go first, hook by hook, then all programs
        states: [state, { ...state, links }, { programs: state.programs.filter(name => !extras.has(name)), links }],
    };
}

/** Statistics are watched, and once more: chains run dispatchers that count, then as before, then the same again. */
export function watch({ state }: Situation): Step {
    const look = async (client: HostClient): Promise<void> => {
        for await (const { unavailable = "" } of client.watchStatistics({ chains: true }))
            if (unavailable === "") return;
    };
    return {
        name: "watch statistics",
        run: async client => {
            await look(client);
            await look(client);
        },
        states: [state],
    };
}

type Make = (situation: Situation) => Step | undefined;

const kinds: readonly Make[] = [
    attach,
    attach,
    attach,
    detach,
    detach,
    update,
    update,
    update,
    load,
    unload,
    unload,
    watch,
];

export function anyStep(situation: Situation): Step {
    for (;;) {
        const step = situation.random.pick(kinds)(situation);
        if (step !== undefined) return step;
    }
}
