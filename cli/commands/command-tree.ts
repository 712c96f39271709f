// SPDX-License-Identifier: Apache-2.0
// The table of commands as a list of paths: what help, completion and manual pages are made from. Pure.
import type { Command, Option } from "../args.ts";

export interface Place<Run> {
    /** from the root */
    readonly path: readonly Command<Run>[];
    readonly command: Command<Run>;
    /** bpfman program load */
    readonly name: string;
    readonly commands: readonly Command<Run>[];
    /** the innermost command's first; those of every command last */
    readonly options: readonly Option[];
}

/** Every command that is not hidden, outer ones before inner ones. */
export function places<Run>(root: Command<Run>): Place<Run>[] {
    const walk = (path: readonly Command<Run>[]): Place<Run>[] => {
        const command = path.at(-1);
        if (command === undefined) return [];
        const commands = (command.commands ?? []).filter(({ hidden }) => !hidden);
        const fallback = commands.find(({ name }) => name === command.fallback);
        const own = [...(fallback?.options ?? []), ...path.toReversed().flatMap(({ options = [] }) => options)];
        const options = own.filter(
            (option, at) => !option.hidden && own.findIndex(({ name }) => name === option.name) === at,
        );
        const place = { path, command, name: path.map(({ name }) => name).join(" "), commands, options };
        return [place, ...commands.flatMap(inner => walk([...path, inner]))];
    };
    return walk([root]);
}
