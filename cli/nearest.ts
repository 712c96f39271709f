// SPDX-License-Identifier: Apache-2.0
// What a mistyped word was probably meant to be. Pure.

/** The name with the fewest differing letters, if that is few enough to be a slip; else one that begins with the word. */
export function nearest(word: string, names: readonly string[]): string | undefined {
    const allowed = Math.max(1, Math.floor(word.length / 3));
    let best: { name: string; distance: number } | undefined;
    for (const name of names) {
        const distance = editDistance(word, name);
        if (distance <= allowed && (!best || distance < best.distance)) best = { name, distance };
    }
    return best?.name ?? names.find(name => word.length > 2 && name.startsWith(word));
}

/** Levenshtein's, with a swap of neighbours as one step. */
function editDistance(a: string, b: string): number {
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, at) => at);
    for (let row = 1; row <= a.length; row++) {
        const current = [row];
        for (let column = 1; column <= b.length; column++) {
            const same = a[row - 1] === b[column - 1];
            const cell = Math.min(
                (last[column] ?? 0) + 1,
                (current[column - 1] ?? 0) + 1,
                (last[column - 1] ?? 0) + (same ? 0 : 1),
            );
            const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
            current.push(swapped ? Math.min(cell, (beforeLast[column - 2] ?? 0) + 1) : cell);
        }
        beforeLast = last;
        last = current;
    }
    return last[b.length] ?? 0;
}
