// SPDX-License-Identifier: Apache-2.0
// Near names for "no function xdp_pas in the object; did you mean xdp_pass?".

/** Names longer than this are compared by their beginning: a caller's word must not cost quadratic time. */
const comparedLength = 128;
const shown = 3;

/** Edits (insert, delete, replace, swap of neighbours) that turn a into b. */
function distance(a: string, b: string): number {
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, column) => column);
    for (let row = 1; row <= a.length; row += 1) {
        const current = [row];
        for (let column = 1; column <= b.length; column += 1) {
            const same = a[row - 1] === b[column - 1];
            let best = Math.min(
                (last[column] ?? 0) + 1,
                (current[column - 1] ?? 0) + 1,
                (last[column - 1] ?? 0) + (same ? 0 : 1),
            );
            const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
            if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
            current.push(best);
        }
        beforeLast = last;
        last = current;
    }
    return last[b.length] ?? 0;
}

function folded(name: string): string {
    return name.slice(0, comparedLength).toLowerCase().replaceAll("-", "_");
}

/** How far two names are for a person's eye; undefined: nobody meant that. */
function farness(wanted: string, candidate: string): number | undefined {
    const a = folded(wanted);
    const b = folded(candidate);
    if (a === b) return 0;
    const edits = distance(a, b);
    if (edits <= Math.max(1, Math.floor(Math.min(a.length, b.length) / 3))) return edits;
    // xdp_pass for pass, and the other way round
    const [short, long] = a.length < b.length ? [a, b] : [b, a];
    if (short.length >= 3 && long.includes(short)) return long.length;
    const letters = (name: string): string => Array.from(name).sort().join("");
    return letters(a) === letters(b) ? a.length : undefined;
}

/** At most three of the candidates, the nearest first. */
export function suggest(name: string, candidates: readonly string[]): string[] {
    return candidates
        .map(candidate => ({ candidate, far: farness(name, candidate) }))
        .filter((entry): entry is { candidate: string; far: number } => entry.far !== undefined)
        .sort((a, b) => a.far - b.far || a.candidate.localeCompare(b.candidate, "en"))
        .slice(0, shown)
        .map(({ candidate }) => candidate);
}

/** As suggest(), for the hundred thousand names of a kernel: only those that begin or end alike are compared. */
export function suggestAmong(name: string, candidates: Iterable<string>): string[] {
    const wanted = folded(name);
    const edges = Math.min(3, wanted.length);
    const slack = Math.max(1, Math.floor(wanted.length / 3));
    const likely: string[] = [];
    for (const candidate of candidates) {
        const other = folded(candidate);
        const alike =
            other.startsWith(wanted.slice(0, edges)) || other.endsWith(wanted.slice(-edges)) || other.includes(wanted);
        if (alike && Math.abs(other.length - wanted.length) <= Math.max(slack, other.includes(wanted) ? 32 : 0))
            likely.push(candidate);
    }
    return suggest(name, likely);
}
