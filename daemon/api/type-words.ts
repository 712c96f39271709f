// SPDX-License-Identifier: Apache-2.0
// The words by which lists select types: bpfman's and the kernel's, with or without dashes and underscores, as tables and
// JSON show them (schedcls, perf-event, percpuarray). Pure.
import { mapTypeNames, programTypeNames } from "../kernel/enums.ts";
import { suggest } from "../kernel/near-names.ts";
import { programTypes } from "../model/hooks.ts";
import { invalid } from "./errors.ts";
import { checkText, limits } from "./validate.ts";

const folded = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, "");

function known(names: readonly string[]): ReadonlyMap<string, string> {
    return new Map(names.map(name => [folded(name), name]));
}

/** kprobe is bpfman's word; the kernel's type of that name, which uprobes have too, is probe as in earlier releases. */
const kernelWords: Readonly<Record<string, string>> = { probe: "kprobe", extension: "ext", tc: "sched_cls" };

const programWords = known([...programTypeNames, ...Object.keys(kernelWords), ...programTypes]);
const mapWords = known(mapTypeNames);
const linkWords = known(programTypes);

function canonical(word: string, words: ReadonlyMap<string, string>, what: string, all: readonly string[]): string {
    const found = words.get(folded(checkText(word, `a ${what}`, limits.nameBytes)));
    if (found !== undefined) return found;
    const near = suggest(word, [...words.values()]);
    const help = near.length > 0 ? `did you mean: ${near.join(", ")}?` : `one of ${all.join(", ")}`;
    throw invalid(`unknown ${what} "${word}"; ${help}`);
}

/** Each word once: there is no end to the times that a caller may name one. */
const each = (words: readonly string[], canonicalOf: (word: string) => string): string[] => [
    ...new Set(words.map(canonicalOf)),
];

/** As rows have them; INVALID_ARGUMENT with near names for what is no type. */
export const programTypeWords = (words: readonly string[]): string[] =>
    each(words, word =>
        canonical(word, programWords, "program type", [...programTypes, "or a type of the kernel's, as socket_filter"]),
    );
export const mapTypeWords = (words: readonly string[]): string[] =>
    each(words, word => canonical(word, mapWords, "map type", mapTypeNames));
export const linkKindWords = (words: readonly string[]): string[] =>
    each(words, word => canonical(word, linkWords, "kind of link", programTypes));

/** type: of a program of ours, else undefined; kernelType: lower-case name of enum bpf_prog_type. */
export function isOfType(word: string, type: string | undefined, kernelType: string | undefined): boolean {
    if (type !== undefined && (programTypes as readonly string[]).includes(word)) return word === type;
    return (kernelWords[word] ?? word) === kernelType;
}
