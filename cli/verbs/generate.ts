// SPDX-License-Identifier: Apache-2.0
// completions, man: files for shells and for man(1), made from the table of commands
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Command, UsageError } from "../args.ts";
import { buildVersion } from "../build-info.ts";
import { completionLines, type Shell, shells } from "../commands/completions.ts";
import { manPages } from "../commands/man-page.ts";
import type { Verb } from "../host.ts";
import { printErrorLine, printLines } from "../output/print.ts";

const files: Readonly<Record<Shell, string>> = { bash: "bpfman.bash", zsh: "_bpfman", fish: "bpfman.fish" };

function shellOf(word: string): Shell {
    const shell = shells.find(known => known === word);
    if (shell === undefined) throw new UsageError(`no completion for "${word}"; one of: ${shells.join(", ")}`);
    return shell;
}

/** A shell's script to standard output, or, as earlier releases did, into a folder: all of them, or one. */
export const completions =
    (root: Command<Verb>): Verb =>
    async args => {
        const word = args.required("SHELL");
        const named = args.value("shell");
        if (named === undefined && (shells as readonly string[]).includes(word)) {
            printLines(completionLines(root, shellOf(word)));
            return 0;
        }
        if (named === undefined && !word.includes("/")) shellOf(word);
        mkdirSync(word, { recursive: true });
        for (const shell of named === undefined ? shells : [shellOf(named)])
            writeFileSync(join(word, files[shell]), `${completionLines(root, shell).join("\n")}\n`);
        printErrorLine(`completion script(s) generated in ${word}`);
        return 0;
    };

export const man =
    (root: Command<Verb>): Verb =>
    async args => {
        const dir = args.required("DIR");
        mkdirSync(dir, { recursive: true });
        // the same bytes from whoever makes them: zlib writes no time
        for (const { file, lines } of manPages(root, buildVersion()))
            writeFileSync(join(dir, `${file}.gz`), gzipSync(`${lines.join("\n")}\n`));
        return 0;
    };
