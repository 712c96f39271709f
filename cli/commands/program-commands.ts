// SPDX-License-Identifier: Apache-2.0
// `bpfman program run` and `program replace` in the table of commands.
import type { Command } from "../args.ts";
import type { Verb } from "../host.ts";
import { pullPolicy, registryAuth } from "../input/image-source.ts";
import { fullLog, output } from "./options.ts";

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
        output,
    ],
    examples: [
        "bpfman program run 123 --packet echo.bin",
        `bpfman program run 123 --packet-hex ${"00".repeat(12)}0800 --repeat 1000000`,
    ],
    run: () => import("../verbs/program-run.ts").then(verbs => verbs.programRun),
};

export const replaceCommand: Command<Verb> = {
    name: "replace",
    summary: "Puts new bytecode in the place of a running program; its links stay, and maps that are defined alike",
    words: [
        { name: "ID", help: "a program's id" },
        { name: "PATH", optional: true, help: "a BPF object file" },
    ],
    options: [
        { name: "image", short: "i", value: "IMAGE", help: "instead of a file: REGISTRY/REPOSITORY[:TAG]" },
        pullPolicy,
        registryAuth,
        { name: "program", value: "NAME", help: "the function (default: the one of the same name)" },
        {
            name: "global",
            short: "g",
            value: "NAME=VALUE",
            list: "repeated",
            help: "a global variable, as for load; those not given keep their values",
        },
        fullLog,
        output,
    ],
    examples: [
        "bpfman program replace 123 pass-2.o",
        "bpfman program replace 123 new.o --program pass_v2 -g limit=100",
        "bpfman program replace 123 --image quay.io/bpfman-bytecode/xdp_pass:v2 --pull-policy Always",
    ],
    run: () => import("../verbs/program-replace.ts").then(verbs => verbs.programReplace),
};

export const codeCommand: Command<Verb> = {
    name: "code",
    summary: "Shows a program's instructions as the kernel runs them, with the source lines of its BTF",
    words: [{ name: "ID", help: "a program's id, also of one that others loaded" }],
    options: [{ name: "jited", value: "FILE", help: "writes the machine code to a file instead" }, output],
    examples: ["bpfman program code 123", "bpfman program code 123 --jited 123.bin"],
    run: () => import("../verbs/program-code.ts").then(verbs => verbs.programCode),
};

export const logCommand: Command<Verb> = {
    name: "log",
    summary: "Shows what the verifier says of a loaded program, by verifying its bytes once more",
    words: [{ name: "ID", help: "a program's id" }],
    options: [output],
    examples: ["bpfman program log 123"],
    run: () => import("../verbs/program-code.ts").then(verbs => verbs.programLog),
};
