// SPDX-License-Identifier: Apache-2.0
// Figures beside those of the peers, as tables of Markdown, and the targets that they are held against.

export interface Row {
    readonly what: string;
    readonly ours: number;
    /** by column; a figure that a table's other rows have may be "-" here when the peer has no such thing */
    readonly peers: Readonly<Record<string, number | undefined | "-">>;
}

export interface Table {
    readonly title: string;
    readonly unit: string;
    readonly decimals: number;
    readonly note: string;
    readonly rows: readonly Row[];
}

export interface Target {
    readonly text: string;
    readonly value: string;
    readonly met: boolean;
}

export function median(values: readonly number[]): number {
    const sorted = values.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    const [low = Number.NaN, high = Number.NaN] = [
        sorted[sorted.length % 2 === 1 ? middle : middle - 1],
        sorted[middle],
    ];
    return (low + high) / 2;
}

export const atMost = (text: string, value: number, limit: number, unit = "", decimals = 1): Target => ({
    text: `${text} ≤ ${limit}${unit}`,
    value: `${value.toFixed(decimals)}${unit}`,
    met: value <= limit,
});

/** Rows that cannot be compared: a peer's figure is missing, or there is no peer at all. */
export function incomplete(tables: readonly Table[]): string[] {
    return tables.flatMap(({ title, rows }) =>
        rows.flatMap(({ what, ours, peers }) => {
            const figures = Object.entries(peers).filter(([, value]) => value !== "-");
            const missing = figures.filter(([, value]) => value === undefined || !(Number(value) > 0));
            if (!(ours > 0)) return [`${title}: ${what}: no figure`];
            if (figures.length === 0) return [`${title}: ${what}: no peer`];
            return missing.map(([peer]) => `${title}: ${what}: no figure of ${peer}`);
        }),
    );
}

export function markdown(table: Table): string {
    const peers = [...new Set(table.rows.flatMap(row => Object.keys(row.peers)))];
    const number = (value: number) => value.toFixed(table.decimals);
    const cell = (row: Row, peer: string) => {
        const value = row.peers[peer];
        if (value === "-" || (value === undefined && !(peer in row.peers))) return "";
        if (value === undefined || Number.isNaN(value)) return "missing";
        return `${number(value)} (${(row.ours / value).toFixed(2)} ×)`;
    };
    const lines = [
        ["", `bpfman, ${table.unit}`, ...peers],
        ["---", ...Array.from({ length: peers.length + 1 }, () => "---:")],
        ...table.rows.map(row => [row.what, number(row.ours), ...peers.map(peer => cell(row, peer))]),
    ];
    return [`## ${table.title}`, "", table.note, "", ...lines.map(cells => `| ${cells.join(" | ")} |`)].join("\n");
}

export function targetList(targets: readonly Target[]): string {
    const lines = targets.map(({ text, value, met }) => `- ${met ? "met" : "**not met**"}: ${text}: ${value}`);
    return ["## Targets", "", ...lines].join("\n");
}
