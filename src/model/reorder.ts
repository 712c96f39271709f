// SPDX-License-Identifier: Apache-2.0
// A new order as priorities. A chain runs by ascending priority, so a member takes a value strictly between its new
// neighbours; where there is none, those behind it give way, else those before it.

export interface Ranked {
    readonly linkId: number;
    readonly priority: number;
    /** of others: it keeps its priority */
    readonly fixed?: boolean;
}

export interface Change {
    readonly linkId: number;
    readonly priority: number;
}

const highestPriority = 2 ** 31 - 1;

/**
 * The changes that move the member at `from` to the place `to`, as few as can be. Undefined where there is no such
 * place. No two others ever change places, and nobody who moved rests on a tie, which the daemon decides by age.
 */
export function moveTo(chain: readonly Ranked[], from: number, to: number): Change[] | undefined {
    const moved = chain[from];
    if (!moved || moved.fixed || from === to || to < 0 || to >= chain.length) return undefined;
    const order = [...chain.slice(0, from), ...chain.slice(from + 1)];
    const before = order.slice(0, to);
    const behind = order.slice(to);
    const low = before.at(-1)?.priority ?? -1;
    const high = behind[0]?.priority ?? highestPriority + 1;
    const changes =
        high - low > 1
            ? // close to the member it passes: a later move the same way then finds room
              [{ linkId: moved.linkId, priority: to < from ? high - 1 : low + 1 }]
            : (pushed(moved, low + 1, behind, 1) ?? pushed(moved, high - 1, before.reverse(), -1));
    return changes?.filter(change =>
        chain.some(old => old.linkId === change.linkId && old.priority !== change.priority),
    );
}

/** The moved member at that priority; those in its way, nearest first, give way by as little as they must. */
function pushed(moved: Ranked, priority: number, neighbours: readonly Ranked[], step: -1 | 1): Change[] | undefined {
    const changes: Change[] = [{ linkId: moved.linkId, priority }];
    let last = priority;
    for (const next of neighbours) {
        if ((next.priority - last) * step > 0) break;
        if (next.fixed) return undefined;
        last += step;
        changes.push({ linkId: next.linkId, priority: last });
    }
    return last < 0 || last > highestPriority || priority < 0 || priority > highestPriority ? undefined : changes;
}

interface Placed extends Ranked {
    readonly foreign: boolean;
}

/**
 * The changes that bring a chain's member to another place. In a shared chain the programs of others have priorities as
 * ours have; elsewhere the kernel or their owner decides where they stand, and ours change places among themselves.
 */
export function planMove(members: readonly Placed[], shared: boolean, from: number, to: number): Change[] | undefined {
    if (shared)
        return moveTo(
            members.map(member => ({ ...member, fixed: member.foreign })),
            from,
            to,
        );
    const ours = members.filter(member => !member.foreign);
    const [moved, target] = [members[from], members[to]];
    if (!moved || !target || moved.foreign || target.foreign) return undefined;
    return moveTo(ours, ours.indexOf(moved), ours.indexOf(target));
}

/** How the chain then is. */
export function orderAfter<Member extends Placed>(
    members: readonly Member[],
    shared: boolean,
    from: number,
    to: number,
): Member[] {
    const loose = shared ? [...members] : members.filter(member => !member.foreign);
    const [moved, target] = [members[from], members[to]];
    if (!moved || !target) return [...members];
    const at = loose.indexOf(target);
    loose.splice(loose.indexOf(moved), 1);
    loose.splice(at, 0, moved);
    if (shared) return loose;
    return members.map(member => (member.foreign ? member : (loose.shift() ?? member)));
}
