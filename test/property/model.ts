// SPDX-License-Identifier: Apache-2.0
// What a daemon is to hold, kept by rules that are written down here a second time: lists and nothing else.

export type Kind = "xdp" | "tc" | "tcx";

export interface Hook {
    readonly kind: Kind;
    readonly direction: "ingress" | "egress";
    /** path of its network namespace, which has one interface */
    readonly netns: string;
    readonly interface: string;
}

export interface ModelProgram {
    readonly id: number;
    readonly name: string;
    readonly kind: Kind;
}

export interface ModelLink {
    /** 0 until it is attached */
    readonly id: number;
    readonly programId: number;
    readonly priority: number;
    readonly proceedOn: readonly number[];
}

export const hookName = ({ kind, direction, netns }: Hook): string => `${netns} ${kind} ${direction}`;

const slots = 10;

export class Model {
    readonly hooks: readonly Hook[];
    readonly programs: readonly ModelProgram[];
    /** the links of each hook in the order in which they run */
    readonly chains: ReadonlyMap<string, readonly ModelLink[]>;

    constructor(
        hooks: readonly Hook[],
        programs: readonly ModelProgram[] = [],
        chains: ReadonlyMap<string, readonly ModelLink[]> = new Map(),
    ) {
        this.hooks = hooks;
        this.programs = programs;
        this.chains = chains;
    }

    chain(hook: Hook): readonly ModelLink[] {
        return this.chains.get(hookName(hook)) ?? [];
    }

    #with(
        programs: readonly ModelProgram[],
        change: (links: readonly ModelLink[], hook: Hook) => readonly ModelLink[],
    ): Model {
        const chains = this.hooks.map(hook => [hookName(hook), change(this.chain(hook), hook)] as const);
        return new Model(this.hooks, programs, new Map(chains));
    }

    loaded(programs: readonly ModelProgram[]): Model {
        return new Model(this.hooks, [...this.programs, ...programs], this.chains);
    }

    /** Programs and all their links. */
    unloaded(ids: readonly number[]): Model {
        return this.#with(
            this.programs.filter(({ id }) => !ids.includes(id)),
            links => links.filter(({ programId }) => !ids.includes(programId)),
        );
    }

    /** What this must be refused for, as status codes, one of which is told; none: it must not be. */
    refusals(asked: readonly { hook: Hook; link: ModelLink }[]): string[] {
        return this.hooks.flatMap(hook => {
            const fresh = asked.filter(one => one.hook === hook).map(({ link }) => link);
            const all = [...this.chain(hook), ...fresh];
            if (fresh.length === 0) return [];
            if (hook.kind !== "tcx") return all.length > slots ? ["RESOURCE_EXHAUSTED"] : [];
            // the kernel takes a program once at a TCX hook
            return new Set(all.map(({ programId }) => programId)).size < all.length ? ["ALREADY_EXISTS"] : [];
        });
    }

    /** Lower priorities run first; of equals the newest does at XDP and TC, the oldest at TCX; one request keeps its order. */
    attached(asked: readonly { hook: Hook; link: ModelLink }[]): Model {
        return this.#with(this.programs, (links, hook) => {
            const fresh = asked.filter(one => one.hook === hook).map(({ link }) => link);
            const priorities = [...new Set([...links, ...fresh].map(({ priority }) => priority))].sort((a, b) => a - b);
            return priorities.flatMap(priority => {
                const [old, young] = [links, fresh].map(from => from.filter(link => link.priority === priority));
                return hook.kind === "tcx" ? [...(old ?? []), ...(young ?? [])] : [...(young ?? []), ...(old ?? [])];
            });
        });
    }

    detached(ids: readonly number[]): Model {
        return this.#with(this.programs, links => links.filter(({ id }) => !ids.includes(id)));
    }

    /** A new priority makes it the newest of its equals; other codes leave it where it is. */
    updated(hook: Hook, id: number, change: { priority?: number; proceedOn?: readonly number[] }): Model {
        const link = this.chain(hook).find(one => one.id === id);
        if (link === undefined) throw new Error(`no link ${id}`);
        const changed = { ...link, ...change };
        if (changed.priority !== link.priority) return this.detached([id]).attached([{ hook, link: changed }]);
        return this.#with(this.programs, links => links.map(one => (one.id === id ? changed : one)));
    }

    /** The new program stands wherever the old one stood. */
    replaced(old: number, program: ModelProgram): Model {
        return this.#with([...this.programs.filter(({ id }) => id !== old), program], links =>
            links.map(link => (link.programId === old ? { ...link, programId: program.id } : link)),
        );
    }
}
