// SPDX-License-Identifier: Apache-2.0
// Manual pages in man(7), one for each command, from the table of commands. Pure: lines out.
import type { Command, Option } from "../args.ts";
import { type Place, places } from "./command-tree.ts";
import { usage, valueText } from "./help.ts";

export interface ManPage {
    /** bpfman-program-load.1 */
    readonly file: string;
    readonly lines: readonly string[];
}

export function manPages<Run>(root: Command<Run>, version: string): ManPage[] {
    return places(root).map(place => ({ file: `${pageName(place.path)}.1`, lines: page(place, version) }));
}

const pageName = <Run>(path: readonly Command<Run>[]): string => path.map(({ name }) => name).join("-");

/** What roff would read as a request or an escape is text; a hyphen stays one that can be copied. */
function text(words: string): string {
    const escaped = words
        .replaceAll("\\", "\\e")
        .replaceAll("-", "\\-")
        // groff_char(7)
        .replace(
            /[^\x20-\x7e]/gu,
            character => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
        );
    return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function page<Run>({ path, command, commands }: Place<Run>, version: string): string[] {
    const own = path.slice(1).flatMap(({ options = [] }) => options.filter(({ hidden }) => !hidden));
    const words = path.flatMap(({ words = [] }) => words);
    const name = pageName(path);
    return [
        `.TH ${name.toUpperCase()} 1 "" "bpfman ${version}" "bpfman"`,
        ".SH NAME",
        `${text(name)} \\- ${text(firstLower(command.summary))}`,
        ".SH SYNOPSIS",
        `.B ${text(usage(path))}`,
        ".SH DESCRIPTION",
        `${text(command.summary)}.`,
        ...section(
            "ARGUMENTS",
            words.flatMap(word => tagged(`.I ${text(word.name + (word.list ? "…" : ""))}`, word.help)),
        ),
        ...section(
            "COMMANDS",
            commands.flatMap(({ name: word, summary }) =>
                tagged(`.B ${text(word)}`, `${summary}. See ${pageName([...path, { name: word, summary }])}(1).`),
            ),
        ),
        ...section("OPTIONS", own.flatMap(optionLines)),
        ...section(path.length === 1 ? "OPTIONS OF EVERY COMMAND" : "", path.length === 1 ? globals(path) : []),
        ...section(
            "EXAMPLES",
            (command.examples ?? []).flatMap(example => [".PP", ".nf", text(example), ".fi"]),
        ),
        ".SH EXIT STATUS",
        "0 on success; 1 on an error, which is told on standard error;",
        `${path.findLast(({ usageExit }) => usageExit !== undefined)?.usageExit ?? 1} on a wrong command line.`,
        ...section(
            "SEE ALSO",
            path.length === 1 ? [] : path.slice(0, -1).map((_, at) => `${text(pageName(path.slice(0, at + 1)))}(1)`),
        ),
    ];
}

const globals = <Run>([root]: readonly Command<Run>[]): string[] =>
    (root?.options ?? []).filter(({ hidden }) => !hidden).flatMap(optionLines);

const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`.SH ${title}`, ...lines];

const tagged = (tag: string, help: string): string[] => [".TP", tag, text(`${help}${/[.?!]$/.test(help) ? "" : "."}`)];

function optionLines(option: Option): string[] {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const env = option.env === undefined ? "" : ` (environment: ${option.env})`;
    const needed = option.required ? " (required)" : "";
    return tagged(`.B ${text(`${short}--${option.name}${valueText(option)}`)}`, `${option.help}${env}${needed}`);
}

const firstLower = (words: string): string => words.charAt(0).toLowerCase() + words.slice(1);
