// SPDX-License-Identifier: Apache-2.0
// `bpfman program run` in the table of commands.
import type { Command } from "./args.ts";
import type { Verb } from "./host.ts";

export const runCommand: Command<Verb> = {
    name: "run",
    summary: "Runs a program on a packet, without attaching it",
    words: [{ name: "ID", help: "a program's id" }],
    options: [
        {
            name: "packet",
            value: "FILE",
            help: "the packet's bytes, from its Ethernet header on; - for standard input",
        },
        { name: "packet-hex", value: "HEX", help: "the same in hexadecimal" },
        { name: "repeat", value: "N", help: "so often, to measure its time (default 1)" },
        { name: "force", help: "also a program that others loaded: it may change its maps" },
        {
            name: "output",
            short: "o",
            value: "text|json",
            choices: ["text", "json"],
            help: "text or json",
        },
    ],
    examples: [
        "bpfman program run 123 --packet echo.bin",
        `bpfman program run 123 --packet-hex ${"00".repeat(12)}0800 --repeat 1000000`,
    ],
    run: () => import("./verbs/program-run.ts").then(verbs => verbs.programRun),
};
