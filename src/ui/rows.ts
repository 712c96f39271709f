// SPDX-License-Identifier: Apache-2.0
// Rows in order, in groups and in pieces. Pure: a table of thousands is one pass of each.

export type SortValue = string | number;

export interface Sort {
    /** a column's id */
    readonly by: string;
    readonly descending: boolean;
}

/** How texts compare: Intl's, or what stands for it. */
export type Collator = Pick<Intl.Collator, "compare">;

/** Equal rows keep their order, in both directions. */
export function sorted<Row>(
    rows: readonly Row[],
    sortValue: (row: Row) => SortValue,
    descending: boolean,
    collator: Collator,
): Row[] {
    // each value is asked for once, not once a comparison
    const keyed = rows.map(row => ({ row, value: sortValue(row) }));
    const sign = descending ? -1 : 1;
    keyed.sort((a, b) => sign * compare(a.value, b.value, collator));
    return keyed.map(({ row }) => row);
}

function compare(a: SortValue, b: SortValue, collator: Collator): number {
    if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
    return collator.compare(String(a), String(b));
}

export interface Group<Row> {
    readonly key: string;
    readonly rows: readonly Row[];
}

/** Groups in the order of their names, what has none last; rows keep theirs. */
export function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string, collator: Collator): Group<Row>[] {
    const groups = Map.groupBy(rows, keyOf);
    return [...groups]
        .map(([key, members]) => ({ key, rows: members }))
        .sort((a, b) => Number(a.key === "") - Number(b.key === "") || collator.compare(a.key, b.key));
}

export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
    const count = Math.ceil(items.length / size);
    return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/** Whether each word of the filter is in one of the texts. */
export function matches(texts: readonly string[], filter: string): boolean {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return true;
    const lower = texts.map(text => text.toLowerCase());
    return words.every(word => lower.some(text => text.includes(word)));
}
