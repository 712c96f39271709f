// SPDX-License-Identifier: Apache-2.0
// The screen of `top`: what a key does, and a frame of lines for a terminal's size. Pure.
import type { StatisticsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { safe } from "./print.ts";
import { headings, rightAligned, type SortColumn, sortColumns, type TopRow, topRows, type Where } from "./top-rows.ts";

export interface TopState {
    readonly sort: SortColumn;
    readonly reversed: boolean;
    readonly paused: boolean;
    /** lines scrolled past */
    readonly scrolled: number;
    readonly help: boolean;
}

export const initialState = (sort: SortColumn): TopState => ({
    sort,
    reversed: false,
    paused: false,
    scrolled: 0,
    help: false,
});

/** Keys as terminals send them. */
const keys: Readonly<Record<string, string>> = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    k: "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    j: "down",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1b[1~": "home",
    s: "right",
    S: "left",
    r: "reverse",
    p: "pause",
    " ": "pause",
    h: "help",
    "?": "help",
    q: "quit",
    Q: "quit",
    "\x03": "quit",
    "\x1a": "suspend",
};

/** What a terminal sent, as keys: a paste, or a fast hand, sends several at once. */
export function keysOf(text: string): string[] {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what keys are made of
    const parts = text.match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/g) ?? [];
    return parts.flatMap(part => keys[part] ?? []);
}

/** pageLines: how many rows are seen at once */
export function pressed(state: TopState, key: string, pageLines: number): TopState {
    const scroll = (lines: number): TopState => ({ ...state, scrolled: Math.max(0, state.scrolled + lines) });
    const column = (step: number): TopState => {
        const at = (sortColumns.indexOf(state.sort) + step + sortColumns.length) % sortColumns.length;
        return { ...state, sort: sortColumns[at] ?? "cpu", scrolled: 0 };
    };
    switch (key) {
        case "up":
            return scroll(-1);
        case "down":
            return scroll(1);
        case "page up":
            return scroll(-pageLines);
        case "page down":
            return scroll(pageLines);
        case "home":
            return { ...state, scrolled: 0 };
        case "right":
            return column(1);
        case "left":
            return column(-1);
        case "reverse":
            return { ...state, reversed: !state.reversed };
        case "pause":
            return { ...state, paused: !state.paused };
        case "help":
            return { ...state, help: !state.help };
        default:
            return state;
    }
}

export interface FrameLine {
    readonly text: string;
    readonly style: "head" | "plain" | "dim";
}

/** Lines above and below the rows. */
const frameLines = 3;
export const pageLinesOf = (rows: number): number => Math.max(1, rows - frameLines);

const helpLines = [
    "q      quit",
    "s, →   sort by the next column (S, ←: the one before)",
    "r      turn the order around",
    "↑ ↓    scroll; also Page Up, Page Down, Home",
    "p      pause, and go on",
    "h      this help, and back",
    "",
    "CPU% is of one CPU. A dispatcher's row has the time of its chain's members in it.",
    "Chains count while this runs; their links stand below them with what they decided.",
];

/** As many lines as the terminal has, none longer than it is wide. */
export function frame(
    record: StatisticsJson,
    state: TopState,
    where: Where,
    size: { readonly columns: number; readonly rows: number },
): { lines: FrameLine[]; scrolled: number } {
    const rows = topRows(record, { column: state.sort, reversed: state.reversed }, where);
    const [head = "", ...body] = topLines(rows, state.sort);
    const page = pageLinesOf(size.rows);
    const scrolled = Math.min(state.scrolled, Math.max(0, body.length - page));
    const seen = state.help ? helpLines.slice(0, page) : body.slice(scrolled, scrolled + page);
    const more =
        body.length > page && !state.help ? `   ${scrolled + 1}-${scrolled + seen.length} of ${body.length}` : "";
    const lines: FrameLine[] = [
        { text: title(record, state), style: "plain" },
        { text: head, style: "head" },
        ...seen.map((text): FrameLine => ({ text, style: "plain" })),
        ...Array.from({ length: page - seen.length }, (): FrameLine => ({ text: "", style: "plain" })),
        { text: `q quit  s sort  r reverse  ↑↓ scroll  p pause  h help${more}`, style: "dim" },
    ];
    return { lines: lines.map(({ text, style }) => ({ text: cut(text, size.columns), style })), scrolled };
}

export function title(record: StatisticsJson, state: Pick<TopState, "paused">): string {
    const { time = "", programs = [], chains = [], cpus = 0, unavailable = "" } = record;
    const counted = chains.filter(chain => (chain.unmeasured ?? "") === "").length;
    if (time === "") return "bpfman top  waiting for the first look";
    const words = [
        `bpfman top  ${time.slice(11, 19)} UTC`,
        `${(Number(record.intervalMs ?? 0) / 1000).toFixed(1)} s`,
        `${cpus} ${cpus === 1 ? "CPU" : "CPUs"}`,
        `${programs.length} ${programs.length === 1 ? "program" : "programs"}`,
        ...(counted > 0 ? [`${counted} ${counted === 1 ? "chain" : "chains"} counted`] : []),
        ...(state.paused ? ["PAUSED"] : []),
        ...(unavailable === "" ? [] : [unavailable]),
    ];
    return words.join("  ");
}

/** A heading, which marks the column that decides, and a line for each row and slot. */
export function topLines(rows: readonly TopRow[], sort: SortColumn): string[] {
    const head = Object.entries(headings).map(([heading, column]) => (column === sort ? `${heading}*` : heading));
    const cells = [head, ...rows.flatMap(({ cells: own, slots }) => [own, ...slots])].map(line => line.map(safe));
    const widths = head.map((_, column) => Math.max(...cells.map(line => length(line[column] ?? ""))));
    return cells.map(line =>
        line
            .map((cell, column) => {
                const space = " ".repeat((widths[column] ?? 0) - length(cell));
                return rightAligned.has(column) ? space + cell : cell + space;
            })
            .join("  ")
            .trimEnd(),
    );
}

const length = (text: string): number => Array.from(text).length;
const cut = (text: string, columns: number): string => Array.from(text).slice(0, columns).join("");
