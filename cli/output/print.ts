// SPDX-License-Identifier: Apache-2.0
// Every byte that reaches a terminal goes through here. Names come from objects, images and the kernel: characters
// that steer a terminal or turn the reading direction are shown as escapes.
import { writeSync } from "node:fs";

// control characters, what UAX #9 calls bidirectional controls, line and paragraph separators, byte order mark; by their
// numbers, because every start pays for looking up classes of characters by name
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const steering = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g;

/** One line's worth of text that does nothing but be read. */
export function safe(text: string): string {
    return text.replace(steering, character => {
        const code = character.charCodeAt(0);
        if (code === 0x0a) return "\\n";
        if (code === 0x09) return "\\t";
        return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    });
}

export function printLine(text = ""): void {
    write(1, `${safe(text)}\n`);
}

export function printLines(lines: readonly string[]): void {
    if (lines.length > 0) write(1, `${lines.map(safe).join("\n")}\n`);
}

export function printErrorLine(text: string): void {
    write(2, `${safe(text)}\n`);
}

/** One line of a terminal that the next one takes the place of; empty: clears it. Nothing where nobody looks. */
export function printStatus(text: string): void {
    if (process.stderr.isTTY) write(2, `\r\x1b[K${safe(text)}`);
}

const styles = { head: "\x1b[1m", dim: "\x1b[2m", plain: "" } as const;

/** A screen of its own, without a cursor; leaveScreen() brings back what was there. */
export function enterScreen(): void {
    write(1, "\x1b[?1049h\x1b[?25l");
}

export function leaveScreen(): void {
    write(1, "\x1b[?25h\x1b[?1049l");
}

/**
 * Every line of a screen at once, each over what was there: nothing is blank for a moment. Terminals that know how show
 * it as one (mode 2026); others ignore that.
 */
export function printFrame(lines: readonly { readonly text: string; readonly style: keyof typeof styles }[]): void {
    const coloured = !process.env["NO_COLOR"];
    const shown = lines.map(({ text, style }) => {
        const start = coloured ? styles[style] : "";
        return `${start}${safe(text)}${start === "" ? "" : "\x1b[0m"}\x1b[K`;
    });
    write(1, `\x1b[?2026h\x1b[H${shown.join("\r\n")}\x1b[J\x1b[?2026l`);
}

/** Two-space indent; nothing but ASCII-safe line structure: what `safe` escapes is escaped as JSON does. */
export function printJson(value: unknown): void {
    write(1, `${escapedJson(value, 2)}\n`);
}

/** A document of one line, for streams of them. */
export function printJsonLine(value: unknown): void {
    write(1, `${escapedJson(value, 0)}\n`);
}

/** A JSON list written as its items come: it may be longer than memory. */
export async function printJsonList<T>(items: AsyncIterable<T>, toJson: (item: T) => unknown): Promise<void> {
    let separator = "[\n";
    for await (const item of items) {
        write(1, `${separator}${escapedJson(toJson(item), 2)}`);
        separator = ",\n";
    }
    write(1, separator === ",\n" ? "\n]\n" : "[]\n");
}

function escapedJson(value: unknown, indent: number): string {
    return JSON.stringify(value, undefined, indent).replace(steering, character =>
        // stringify has escaped C0 inside strings; the line feeds left are its own
        character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Left-aligned columns with two spaces between them. */
export function table(rows: readonly (readonly string[])[], indent = ""): string[] {
    const cells = rows.map(row => row.map(safe));
    const widths: number[] = [];
    for (const row of cells) {
        row.forEach((cell, column) => {
            widths[column] = Math.max(widths[column] ?? 0, width(cell));
        });
    }
    return cells.map(row =>
        (
            indent + row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell))).join("  ")
        ).trimEnd(),
    );
}

/** Lines that `table` made, under a heading where the terminal can show one. */
export function printHeadedTable(rows: readonly (readonly string[])[]): void {
    const [head, ...rest] = table(rows, " ");
    if (head === undefined) return;
    // loaded here: no other output asks, and each of Node's modules costs time to start
    const isTerminal = process.getBuiltinModule("node:tty").isatty(1) && !process.env["NO_COLOR"];
    // bold, underlined, green
    write(1, isTerminal ? `\u001b[1;4;32m${head}\u001b[0m\n` : `${head}\n`);
    printLines(rest);
}

function width(text: string): number {
    let count = 0;
    for (const _ of text) count++;
    return count;
}

/** Synchronous: Node's own stdout costs a millisecond to set up, and nothing is lost at exit. */
function write(fd: 1 | 2, text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; ) {
        try {
            at += writeSync(fd, bytes, at);
        } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            if (code === "EAGAIN") waitForReader();
            else if (code === "EPIPE") process.exit(fd === 1 ? 141 : 1);
            else if (fd === 2) return;
            else throw error;
        }
    }
}

/** The other end of a non-blocking pipe is full. */
function waitForReader(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
