// SPDX-License-Identifier: Apache-2.0
// What the daemon is to hold, written down by the test itself, and the same read from the daemon.
import type { Lab } from "../lab/lab.ts";

export interface LinkState {
    /** path of its network namespace */
    readonly netns: string;
    readonly kind: string;
    readonly program: string;
    readonly programId: number;
    readonly priority: number;
    readonly proceedOn: readonly number[];
}

export interface State {
    readonly programs: readonly string[];
    /** priorities are unique at one hook: they alone tell the order */
    readonly links: readonly LinkState[];
}

const inOrder = (links: readonly LinkState[]): LinkState[] =>
    links.toSorted((a, b) => a.netns.localeCompare(b.netns) || a.priority - b.priority);

/** One line a link, with its place in its chain. */
export function text({ programs, links }: State): string {
    const ordered = inOrder(links);
    const lines = ordered.map(({ netns, kind, program, priority, proceedOn }, index) => {
        const position = index - ordered.findIndex(other => other.netns === netns);
        return `${netns} ${kind} ${position}: ${program} ${priority} [${proceedOn}]`;
    });
    return [programs.toSorted().join(" "), ...lines].join("\n");
}

/** What the daemon says that it has; positions are its own words. */
export async function told(lab: Lab): Promise<{ text: string; ids: Map<string, number> }> {
    const { programs = [] } = await lab.client.listPrograms({});
    const { links = [] } = await lab.client.listLinks({});
    const sorted = links.toSorted(
        (a, b) => (a.netns ?? "").localeCompare(b.netns ?? "") || (a.position ?? 0) - (b.position ?? 0),
    );
    const lines = sorted.map(
        ({ netns, kind, position, programName, priority, proceedOn }) =>
            `${netns} ${kind} ${position ?? 0}: ${programName} ${priority ?? 0} [${proceedOn ?? []}]`,
    );
    const names = programs.map(({ record }) => record?.name ?? "").toSorted();
    return {
        text: [names.join(" "), ...lines].join("\n"),
        ids: new Map(links.map(({ netns, programName, id }) => [`${netns} ${programName}`, id ?? 0])),
    };
}
