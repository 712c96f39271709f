// SPDX-License-Identifier: Apache-2.0
// Which of many names a person means who has typed a part of one. No I/O.
import type { Target } from "../../model/hooks.ts";

/** Names that begin with the query first, then those where a word does, then those that hold it; each in the order given. */
export function findTarget(
    names: readonly Target[],
    query: string,
    limit: number,
): { targets: Target[]; total: number } {
    const wanted = query.toLowerCase();
    const ranks: Target[][] = [[], [], []];
    let total = 0;
    for (const target of names) {
        const name = target.name.toLowerCase();
        const at = name.indexOf(wanted);
        if (at < 0) continue;
        total++;
        const rank = ranks[at === 0 ? 0 : /[^a-z0-9]/.test(name[at - 1] ?? "") ? 1 : 2];
        // what comes later in the list never gets in
        if (rank !== undefined && rank.length < limit) rank.push(target);
    }
    return { targets: ranks.flat().slice(0, limit), total };
}
