// SPDX-License-Identifier: Apache-2.0
// "Move up" and "Move down" as priorities. A chain runs by ascending priority, so a member takes a value strictly
// between its new neighbours; where there is none, those behind it give way.

export interface Ranked {
    readonly linkId: number;
    readonly priority: number;
}

const highestPriority = 2 ** 31 - 1;

/**
 * The changes that move the member at `from` by one place, in the order to make them: what gives way goes first, so
 * no other two members ever change places. Undefined where there is no such place.
 */
export function moveByOne(chain: readonly Ranked[], from: number, step: -1 | 1): Ranked[] | undefined {
    const to = from + step;
    const moved = chain[from];
    if (!moved || to < 0 || to >= chain.length) return undefined;
    const order = [...chain.slice(0, from), ...chain.slice(from + 1)];
    const before = order[to - 1]?.priority ?? -1;
    const after = order[to]?.priority ?? highestPriority + 1;
    // close to the member it passes: a later move the same way then finds room
    const wanted = step < 0 ? after - 1 : before + 1;
    const priority = Math.max(wanted, before + 1);
    const changes: Ranked[] = [{ linkId: moved.linkId, priority }];
    let last = priority;
    for (const next of order.slice(to)) {
        if (next.priority > last) break;
        last++;
        changes.unshift({ linkId: next.linkId, priority: last });
    }
    if (last > highestPriority) return undefined;
    return changes.filter(change =>
        chain.some(old => old.linkId === change.linkId && old.priority !== change.priority),
    );
}
