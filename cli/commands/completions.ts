// SPDX-License-Identifier: Apache-2.0
// Completion scripts for shells, from the table of commands. They find out which command the words before the cursor
// name, and offer its commands and flags. Pure: lines out.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shells have such braces of their own
import type { Command, Option } from "../args.ts";
import { type Place, places } from "./command-tree.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function completionLines<Run>(root: Command<Run>, shell: Shell): string[] {
    const all = places(root);
    if (shell === "bash") return bash(all);
    return shell === "zsh" ? zsh(all) : fish(all);
}

/** In single quotes, for all three shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** `bpfman program` and a word behind it, and the path that both make; other names of a command lead to its own. */
function steps<Run>(all: readonly Place<Run>[]): { words: readonly string[]; to: string }[] {
    return all.flatMap(({ name, commands }) =>
        commands.map(command => ({
            words: [command.name, ...(command.aliases ?? [])].map(word => `${name} ${word}`),
            to: `${name} ${command.name}`,
        })),
    );
}

const flagWords = ({ name, short, aliases = [] }: Option): string[] => [
    `--${name}`,
    ...aliases.map(alias => `--${alias}`),
    ...(short === undefined ? [] : [`-${short}`]),
];

/** Whether the word behind the flag is its value. */
const takesWord = ({ value, alone }: Option): boolean => value !== undefined && alone === undefined;

/** The words that a flag's value may be; undefined: anything. */
function choicesOf({ choices, value }: Option): readonly string[] | undefined {
    if (choices !== undefined) return choices;
    return value !== undefined && /^[a-z]+(\|[a-z]+)+$/.test(value) ? value.split("|") : undefined;
}

const takesInterface = <Run>({ path }: Place<Run>): boolean =>
    path.some(({ words = [] }) => words.some(({ name }) => name === "IFACE"));

function bash<Run>(all: readonly Place<Run>[]): string[] {
    const values = all.flatMap(({ name, options }) =>
        options.flatMap(option => {
            if (!takesWord(option)) return [];
            const patterns = flagWords(option).map(word => quoted(`${name} ${word}`));
            const choices = choicesOf(option);
            const found =
                choices === undefined ? "" : `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$cur")); `;
            return [`        ${patterns.join("|")}) ${found}return ;;`];
        }),
    );
    const words = all.map(place => {
        const { name, commands, options } = place;
        const offered = [
            ...commands.map(command => command.name),
            ...options.map(option => `--${option.name}`),
            "--help",
        ];
        const interfaces = takesInterface(place) ? " $(ls /sys/class/net 2>/dev/null)" : "";
        return `        ${quoted(name)}) words="${offered.join(" ")}${interfaces}" ;;`;
    });
    return [
        "# bash completion for bpfman",
        "_bpfman() {",
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=bpfman words= i",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "$at ${COMP_WORDS[i]}" in',
        ...steps(all).map(({ words, to }) => `            ${words.map(quoted).join("|")}) at=${quoted(to)} ;;`),
        "        esac",
        "    done",
        "    COMPREPLY=()",
        '    case "$at $prev" in',
        ...values,
        "    esac",
        '    case "$at" in',
        ...words,
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "}",
        "complete -o default -F _bpfman bpfman",
    ];
}

function zsh<Run>(all: readonly Place<Run>[]): string[] {
    // a colon ends the word in what _describe reads
    const entry = (word: string, help: string) => quoted(`${word.replaceAll(":", "\\:")}:${help}`);
    const cases = all.flatMap(({ name, commands, options }) => [
        `        (${quoted(name)})`,
        `            verbs=(${commands.map(command => entry(command.name, command.summary)).join(" ")})`,
        `            flags=(${options.map(option => entry(`--${option.name}`, option.help)).join(" ")} ${entry("--help", "tells more")})`,
        "            ;;",
    ]);
    return [
        "#compdef bpfman",
        "# zsh completion for bpfman",
        "_bpfman() {",
        "    local at=bpfman i",
        "    local -a verbs flags",
        "    for ((i = 2; i < CURRENT; i++)); do",
        '        case "$at ${words[i]}" in',
        ...steps(all).map(({ words, to }) => `            (${words.map(quoted).join("|")}) at=${quoted(to)} ;;`),
        "        esac",
        "    done",
        '    case "$at" in',
        ...cases,
        "    esac",
        '    if [[ "$PREFIX" == -* ]]; then',
        "        _describe -t flags flag flags",
        "    elif (( ${#verbs} )); then",
        "        _describe -t commands command verbs || _files",
        "    else",
        "        _files",
        "    fi",
        "}",
        'if [[ "$funcstack[1]" == _bpfman ]]; then _bpfman "$@"; else compdef _bpfman bpfman; fi',
    ];
}

function fish<Run>(all: readonly Place<Run>[]): string[] {
    const offer = (name: string) => `complete -c bpfman -n ${quoted(`__bpfman_at ${quotedTwice(name)}`)}`;
    return [
        "# fish completion for bpfman",
        "function __bpfman_at",
        "    set -l at bpfman",
        "    for word in (commandline -opc)[2..]",
        '        switch "$at $word"',
        ...steps(all).flatMap(({ words, to }) => [
            `            case ${words.map(quoted).join(" ")}`,
            `                set at ${quoted(to)}`,
        ]),
        "        end",
        "    end",
        '    test "$at" = "$argv[1]"',
        "end",
        ...all.flatMap(({ name, commands, options }) => [
            ...commands.map(command => `${offer(name)} -f -a ${command.name} -d ${quoted(command.summary)}`),
            ...options.map(option => {
                const short = option.short === undefined ? "" : ` -s ${option.short}`;
                const choices = choicesOf(option);
                const value = !takesWord(option)
                    ? ""
                    : choices === undefined
                      ? " -r"
                      : ` -x -a ${quoted(choices.join(" "))}`;
                return `${offer(name)} -l ${option.name}${short}${value} -d ${quoted(option.help)}`;
            }),
        ]),
    ];
}

const quotedTwice = (text: string): string => `"${text}"`;
