// SPDX-License-Identifier: Apache-2.0
// The verb-noun commands of the released bpfman, with their own options and tables. A wrong command line exits with 2.
import type { Command, Option, Word } from "../args.ts";
import type { Verb } from "../host.ts";
import { pullPolicy, registryAuth } from "../input/image-source.ts";
import { looksLikeProgram } from "../values.ts";
import { fullLog, output } from "./options.ts";
import { releasedProbeCommands } from "./probe-commands.ts";

type BpfmanCommand = Command<Verb>;

const usageExit = 2;

const iface: Option = { name: "iface", short: "i", value: "IFACE", required: true, help: "an interface, as eth0" };
const priority: Option = { name: "priority", short: "p", value: "N", required: true, help: "lower runs first" };
const direction: Option = {
    name: "direction",
    short: "d",
    value: "ingress|egress",
    required: true,
    help: "of the packets",
};
const netns: Option = { name: "netns", short: "n", value: "PATH", help: "network namespace" };
const metadata: Option = {
    name: "link-metadata",
    short: "m",
    aliases: ["metadata"],
    value: "KEY=VALUE",
    list: "repeated",
    help: "kept with the link",
};
const isWord = (word: string) => /^[a-z_,]+$/i.test(word);
const proceedOn = (actions: string): Option => ({
    name: "proceed-on",
    value: "ACTION…",
    list: "words",
    accepts: isWord,
    help: `return codes after which the chain goes on (default ${actions})`,
});
const ignoreMissing: Option = { name: "ignore-missing", help: "an id that does not exist is no error" };

/** What follows the word of a hook in an example. */
const hookExamples: Readonly<Record<string, string>> = {
    xdp: "--iface eth0 --priority 100 --proceed-on pass dispatcher_return",
    tc: "--direction ingress --iface eth0 --priority 100",
    tcx: "--direction egress --iface eth0 --priority 100",
    tracepoint: "--tracepoint sched/sched_switch",
    kprobe: "--fn-name do_unlinkat",
    uprobe: "--target libc --fn-name malloc",
    "raw-tracepoint": "--tracepoint sched_switch",
    cgroup: "--path system.slice",
};

/** run: of `attach`; the hooks behind `load file` run that. */
function hooks(run?: () => Promise<Verb>): BpfmanCommand[] {
    return hookCommands(run).map(command => {
        const { name } = command;
        const bound = ["fentry", "fexit"].includes(name) ? ":vfs_read" : name === "lsm" ? ":file_open" : "";
        const programs = `--programs ${name.replace("-", "_")}:my_function${bound}`;
        const before = run ? "bpfman attach 123" : `bpfman load file --path x.o ${programs}`;
        return { ...command, examples: [`${before} ${name} ${hookExamples[name] ?? ""}`.trimEnd()] };
    });
}

const hookCommands = (run?: () => Promise<Verb>): BpfmanCommand[] => [
    {
        name: "xdp",
        summary: "Attaches XDP programs to an interface",
        options: [iface, priority, proceedOn("pass, dispatcher_return"), netns, metadata],
        ...(run ? { run } : {}),
    },
    {
        name: "tc",
        summary: "Attaches TC programs to an interface",
        options: [direction, iface, priority, proceedOn("pipe, dispatcher_return"), netns, metadata],
        ...(run ? { run } : {}),
    },
    {
        name: "tcx",
        summary: "Attaches TCX programs to an interface",
        options: [direction, iface, priority, netns, metadata],
        ...(run ? { run } : {}),
    },
    ...releasedProbeCommands(metadata, run),
];

const loadOptions: readonly Option[] = [
    {
        name: "programs",
        value: "TYPE:NAME…",
        list: "words",
        accepts: looksLikeProgram,
        required: true,
        help: "functions to load, with their types; fentry, fexit and lsm with their target",
    },
    {
        name: "global",
        short: "g",
        value: "NAME=HEX…",
        list: "words",
        accepts: word => word.includes("="),
        help: "global variables: their bytes, or values of their types",
    },
    { name: "application", short: "a", value: "NAME", help: "kept as metadata bpfman.io/application" },
    { name: "metadata", short: "m", value: "K=V[,K=V…]", list: "repeated", help: "kept with each program" },
    { name: "map-owner-id", value: "ID", help: "use the maps of this program" },
    { name: "private-maps", help: "each program gets maps of its own" },
    fullLog,
];

const load: BpfmanCommand = {
    name: "load",
    usageExit,
    summary: "Loads programs (released form)",
    examples: ["bpfman load file --path pass.o --programs xdp:pass"],
    commands: [
        {
            name: "file",
            summary: "Loads programs of an object file; with a hook behind it, attaches them: all of it or nothing",
            options: [
                { name: "path", short: "p", value: "PATH", required: true, help: "a BPF object file" },
                ...loadOptions,
            ],
            commands: hooks(),
            examples: [
                "bpfman load file --path pass.o --programs xdp:pass",
                "bpfman load file --path pass.o --programs xdp:pass xdp --iface eth0 --priority 100",
            ],
            run: () => import("../verbs/load.ts").then(verbs => verbs.loadFile),
        },
        {
            name: "image",
            summary: "Loads programs of an OCI image; with a hook behind it, attaches them: all of it or nothing",
            options: [
                { name: "image-url", short: "i", value: "IMAGE", required: true, help: "REGISTRY/REPOSITORY[:TAG]" },
                pullPolicy,
                registryAuth,
                ...loadOptions,
            ],
            commands: hooks(),
            examples: [
                "bpfman load image --image-url quay.io/bpfman-bytecode/xdp_pass:latest --programs xdp:pass",
                "bpfman load image -i quay.io/bpfman-bytecode/xdp_pass:latest --programs xdp:pass xdp --iface eth0 --priority 50",
            ],
            run: () => import("../verbs/load.ts").then(verbs => verbs.loadImage),
        },
    ],
};

const programWord: Word = { name: "PROGRAM_ID", help: "a program's id" };

const attach: BpfmanCommand = {
    name: "attach",
    usageExit,
    summary: "Attaches a loaded program (released form)",
    words: [programWord],
    options: [fullLog],
    commands: hooks(() => import("../verbs/link-attach.ts").then(verbs => verbs.attachProgram)),
    examples: [
        "bpfman attach 123 xdp --iface eth0 --priority 100 --proceed-on pass dispatcher_return",
        "bpfman attach 123 tracepoint --tracepoint sched/sched_switch",
    ],
};

const selection: readonly Option[] = [
    { name: "application", value: "NAME", help: "of this application" },
    {
        name: "metadata",
        short: "m",
        aliases: ["metadata-selector"],
        value: "K=V[,K=V…]",
        list: "repeated",
        help: "with all of these",
    },
];

const list: BpfmanCommand = {
    name: "list",
    usageExit,
    summary: "Lists programs or links (released form)",
    examples: ["bpfman list programs", "bpfman list links"],
    fallback: "programs",
    commands: [
        {
            name: "programs",
            aliases: ["program"],
            summary: "Lists programs",
            options: [
                {
                    name: "type",
                    short: "p",
                    aliases: ["program-type"],
                    value: "TYPE",
                    help: "of this kernel type, as tc or xdp",
                },
                ...selection,
                { name: "all", short: "a", help: "also those that others loaded" },
            ],
            examples: ["bpfman list programs --all", "bpfman list programs -p xdp"],
            run: () => import("../verbs/program-list.ts").then(verbs => verbs.listPrograms),
        },
        {
            name: "links",
            aliases: ["link"],
            summary: "Lists links",
            options: [
                { name: "program-type", short: "p", value: "TYPE", help: "of programs of this type" },
                ...selection,
            ],
            examples: ["bpfman list links -p tc"],
            run: () => import("../verbs/link-list.ts").then(verbs => verbs.listLinks),
        },
    ],
};

const get: BpfmanCommand = {
    name: "get",
    usageExit,
    summary: "Shows a program or a link (released form)",
    examples: ["bpfman get program 123", "bpfman get link 7"],
    commands: [
        {
            name: "program",
            summary: "Shows one program",
            words: [programWord],
            options: [output],
            examples: ["bpfman get program 123"],
            run: () => import("../verbs/program-get.ts").then(verbs => verbs.getProgram),
        },
        {
            name: "link",
            summary: "Shows one link",
            words: [{ name: "LINK_ID", help: "a link's id" }],
            options: [output],
            examples: ["bpfman get link 7"],
            run: () => import("../verbs/link-get.ts").then(verbs => verbs.getLink),
        },
    ],
};

const detach: BpfmanCommand = {
    name: "detach",
    usageExit,
    summary: "Removes a link (released form)",
    examples: ["bpfman detach 7"],
    words: [{ name: "ID", list: true, help: "links' ids" }],
    options: [ignoreMissing],
    run: () => import("../verbs/batch.ts").then(verbs => verbs.detach),
};

const unload: BpfmanCommand = {
    name: "unload",
    usageExit,
    summary: "Unloads a program, its links first (released form)",
    examples: ["bpfman unload 123"],
    words: [{ name: "ID", list: true, help: "programs' ids" }],
    options: [ignoreMissing],
    run: () => import("../verbs/batch.ts").then(verbs => verbs.unload),
};

export const releasedCommands: readonly BpfmanCommand[] = [load, attach, detach, unload, list, get];
