// SPDX-License-Identifier: Apache-2.0
// `--help` of every level, from the same table that parses. Pure: lines out.
import type { Command, Option, Word } from "./args.ts";
import { table } from "./print.ts";

export function helpLines<Run>(path: readonly Command<Run>[], kind: "short" | "full"): string[] {
    const command = path.at(-1);
    if (!command) return [];
    const own = path.slice(1).flatMap(({ options = [] }) => options);
    const global = path[0]?.options ?? [];
    const words = path.flatMap(({ words = [] }) => words);
    const commands = (command.commands ?? []).filter(({ hidden }) => !hidden);
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
            commands.map(({ name, summary }) => [name, name === command.fallback ? `${summary} (default)` : summary]),
        ),
        ...section("Flags", own.filter(({ hidden }) => !hidden).map(optionRow)),
        ...(kind === "full" || path.length === 1 ? section("Flags of every command", global.map(optionRow)) : []),
        ...(command.examples?.length ? ["", "Examples:", ...command.examples.map(example => `  ${example}`)] : []),
        ...(commands.length > 0 ? ["", `More: ${path.map(({ name }) => name).join(" ")} COMMAND --help`] : []),
    ];
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

function optionRow(option: Option): string[] {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = option.value === undefined ? "" : ` ${option.value}`;
    const env = option.env === undefined ? "" : ` ($${option.env})`;
    const more = option.list && !value.endsWith("…") ? "…" : "";
    return [`${short}--${option.name}${value}${more}`, option.help + env];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
    return rows.length === 0 ? [] : ["", `${title}:`, ...table(rows, "  ")];
}
