// SPDX-License-Identifier: Apache-2.0
// `--help` of every level, from the same table that parses. Pure: lines out.
import type { Command, Option, Word } from "../args.ts";
import { table } from "../output/print.ts";

export function helpLines<Run>(path: readonly Command<Run>[], kind: "short" | "full"): string[] {
    const command = path.at(-1);
    if (!command) return [];
    const own = path.slice(1).flatMap(({ options = [] }) => options);
    const global = path[0]?.options ?? [];
    const words = path.flatMap(({ words = [] }) => words);
    const group = groupOf(path);
    const commands = (group.command.commands ?? []).filter(({ hidden }) => !hidden);
    return [
        `Usage: ${usage(path)}`,
        "",
        `${command.summary}.`,
        ...section(
            "Arguments",
            words.map(word => [wordText(word), word.help]),
        ),
        ...section(
            "Commands",
            commands.map(({ name, summary }) => [
                name,
                name === group.command.fallback ? `${summary} (default)` : summary,
            ]),
        ),
        ...section("Flags", own.filter(({ hidden }) => !hidden).map(optionRow)),
        ...(kind === "full" || path.length === 1 ? section("Flags of every command", global.map(optionRow)) : []),
        ...(command.examples?.length ? ["", "Examples:", ...command.examples.map(example => `  ${example}`)] : []),
        ...(commands.length > 0 ? ["", `More: ${group.name} COMMAND --help`] : []),
    ];
}

/** The command whose subcommands are listed: `program load --help`, which tells of `file`, does not hide `image`. */
function groupOf<Run>(path: readonly Command<Run>[]): { command: Command<Run>; name: string } {
    const [parent, command] = path.slice(-2);
    const nameOf = (commands: readonly Command<Run>[]) => commands.map(({ name }) => name).join(" ");
    if (parent && command && parent.fallbackTakesWords && parent.fallback === command.name)
        return { command: parent, name: nameOf(path.slice(0, -1)) };
    return { command: command ?? (parent as Command<Run>), name: nameOf(path) };
}

export function usage<Run>(path: readonly Command<Run>[]): string {
    const command = path.at(-1);
    const needed = path.flatMap(({ options = [] }) => options.filter(({ required }) => required));
    return [
        ...path.flatMap(({ name, words = [] }) => [name, ...words.map(wordText)]),
        ...(command?.commands?.length ? [command.run || command.fallback ? "[COMMAND]" : "COMMAND"] : []),
        ...needed.map(option => `--${option.name} ${option.value ?? ""}`),
        "[FLAGS]",
    ].join(" ");
}

function wordText({ name, list, optional }: Word): string {
    const text = list ? `${name}…` : name;
    return optional ? `[${text}]` : text;
}

/** What follows a flag: nothing, a value, or one that may be left out. */
export function valueText({ value, alone }: Option): string {
    if (value === undefined) return "";
    return alone === undefined ? ` ${value}` : `[=${value}]`;
}

function optionRow(option: Option): string[] {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = valueText(option);
    const env = option.env === undefined ? "" : ` ($${option.env})`;
    const more = option.list && !value.endsWith("…") ? "…" : "";
    return [`${short}--${option.name}${value}${more}`, option.help + env];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
    return rows.length === 0 ? [] : ["", `${title}:`, ...table(rows, "  ")];
}
