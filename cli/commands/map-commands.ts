// SPDX-License-Identifier: Apache-2.0
// `bpfman map …` in the table of commands.
import type { Command, Option, Word } from "../args.ts";
import type { Verb } from "../host.ts";
import { output, quiet } from "./options.ts";

const ofProgram: Option = { name: "program", value: "ID", help: "where MAP is a name: of this program" };
const force: Option = { name: "force", help: "also a map that no program of this daemon has" };
const map: Word = { name: "MAP", help: "a map's id, or its name" };
const key: Word = { name: "KEY", help: "a number, an address, JSON as the key's type says, or hex:0a000001" };
const value: Word = { name: "VALUE", help: "a number, an address, JSON as the value's type says, or hex:0a000001" };

const verbs = () => import("../verbs/map.ts");

export const mapCommand: Command<Verb> = {
    name: "map",
    summary: "Lists maps, and reads, changes and watches what they hold",
    fallback: "list",
    examples: ["bpfman map", "bpfman map dump 12"],
    commands: [
        {
            name: "list",
            summary: "Lists every map in the kernel, and which programs of this daemon have it",
            options: [
                quiet,
                { name: "program-id", value: "ID", help: "of this program" },
                { name: "type", value: "TYPE,…", list: "repeated", help: "of these types, as hash, array" },
                { name: "managed", help: "only maps of programs of this daemon" },
                output,
            ],
            examples: ["bpfman map list", "bpfman map list --managed", "bpfman map list --type hash,lru_hash -o json"],
            run: () => verbs().then(({ mapList }) => mapList),
        },
        {
            name: "get",
            summary: "Shows one map: its sizes, types, pins and users",
            words: [map],
            options: [ofProgram, output],
            examples: ["bpfman map get 12", "bpfman map get packets --program 123 -o json"],
            run: () => verbs().then(({ mapGet }) => mapGet),
        },
        {
            name: "dump",
            summary: "Shows a map's entries",
            words: [map],
            options: [ofProgram, { name: "limit", value: "N", help: "at most so many entries" }, output],
            examples: ["bpfman map dump packets", "bpfman map dump 12 --limit 10 -o json"],
            run: () => verbs().then(({ mapDump }) => mapDump),
        },
        {
            name: "lookup",
            summary: "Shows one entry",
            words: [map, { ...key, optional: true }],
            options: [ofProgram, output],
            examples: [
                "bpfman map lookup packets 0",
                'bpfman map lookup flows \'{"source": 1, "target": 2}\'',
                "bpfman map lookup routes 10.0.0.0/8",
                "bpfman map lookup 12 hex:01000000",
            ],
            run: () => verbs().then(({ mapLookup }) => mapLookup),
        },
        {
            name: "update",
            summary: "Sets one entry",
            words: [map, key, value],
            options: [
                ofProgram,
                {
                    name: "mode",
                    value: "any|noexist|exist",
                    choices: ["any", "noexist", "exist"],
                    help: "noexist: only a new entry; exist: only one that is there",
                },
                force,
                output,
            ],
            examples: ["bpfman map update limits 0 1000", "bpfman map update allowed 192.0.2.7 1 --mode noexist"],
            run: () => verbs().then(({ mapUpdate }) => mapUpdate),
        },
        {
            name: "delete",
            summary: "Removes one entry",
            words: [map, key],
            options: [ofProgram, force],
            examples: ["bpfman map delete allowed 192.0.2.7"],
            run: () => verbs().then(({ mapDelete }) => mapDelete),
        },
        {
            name: "watch",
            summary: "Shows a map's changes as they come",
            words: [map],
            options: [
                ofProgram,
                { name: "interval", value: "DURATION", help: "how often to look, as 500ms (default 1s)" },
                output,
            ],
            examples: ["bpfman map watch packets", "bpfman map watch 12 --interval 200ms -o json"],
            run: () => verbs().then(({ mapWatch }) => mapWatch),
        },
    ],
};
