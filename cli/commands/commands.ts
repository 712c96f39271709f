// SPDX-License-Identifier: Apache-2.0
// The table of commands. A verb's code is read only when it is the one that runs.
import type { Command, Option, Word } from "../args.ts";
import type { Verb } from "../host.ts";
import { globalOptions } from "../settings.ts";
import { looksLikeProgram } from "../values.ts";
import { imageCommand, loadImageCommand } from "./image-commands.ts";
import { mapCommand } from "./map-commands.ts";
import { fullLog, output, quiet } from "./options.ts";
import { probeCommands } from "./probe-commands.ts";
import { codeCommand, logCommand, replaceCommand, runCommand } from "./program-commands.ts";
import { releasedCommands } from "./released-commands.ts";
import { systemCommands } from "./system-commands.ts";

export type BpfmanCommand = Command<Verb>;

const ignoreMissing: Option = { name: "ignore-missing", help: "an id that does not exist is no error" };
const selector: Option = {
    name: "selector",
    short: "l",
    value: "SELECTOR",
    help: "by metadata: k=v, k!=v, k in (a,b), k notin (a,b), k, !k",
};
const linkMetadata: Option = {
    name: "metadata",
    short: "m",
    value: "KEY=VALUE",
    list: "repeated",
    help: "kept with the link",
};
const priority: Option = { name: "priority", short: "p", value: "N", required: true, help: "lower runs first" };
const netns: Option = { name: "netns", short: "n", value: "PATH", help: "network namespace, as /var/run/netns/blue" };
const proceedOn = (actions: string): Option => ({
    name: "proceed-on",
    value: "ACTION,…",
    list: "repeated",
    help: `return codes after which the chain goes on (default ${actions})`,
});
const mode: Option = {
    name: "mode",
    value: "auto|native|generic",
    help: "where XDP runs (default auto: native, else generic)",
};

const loadOptions: readonly Option[] = [
    {
        name: "programs",
        value: "TYPE:NAME,…",
        list: "words",
        accepts: looksLikeProgram,
        required: true,
        help: "functions to load, with their types; fentry, fexit and lsm with their target, as fentry:NAME:vfs_read",
    },
    {
        name: "attach",
        value: "[NAME=]HOOK",
        list: "repeated",
        help: "also attach: xdp:IFACE:prio=N or tc|tcx:IFACE:ingress|egress:prio=N, then :proceed-on=a,b :netns=PATH :mode=M; tracepoint:GROUP/NAME, kprobe:FN:offset=N, uprobe:TARGET:fn=FN:pid=N, fentry, fexit, lsm, perf-event:freq=N, raw-tracepoint:NAME, cgroup:PATH",
    },
    { name: "application", short: "a", value: "NAME", help: "kept as metadata bpfman.io/application" },
    { name: "metadata", short: "m", value: "KEY=VALUE", list: "repeated", help: "kept with each program" },
    {
        name: "global",
        short: "g",
        value: "NAME=VALUE",
        list: "repeated",
        help: "a global variable: its bytes in hexadecimal, or a value of its type; NAME:=VALUE is never bytes",
    },
    { name: "map-owner-id", value: "ID", help: "use the maps of this program" },
    { name: "private-maps", help: "each program gets maps of its own" },
    fullLog,
    output,
];

const program: BpfmanCommand = {
    name: "program",
    summary: "Loads, lists, shows and unloads programs",
    fallback: "list",
    examples: ["bpfman program", "bpfman program load pass.o --programs xdp:pass", "bpfman program unload 123"],
    commands: [
        {
            name: "load",
            summary: "Loads programs, and attaches them where asked: all of it or nothing",
            fallback: "file",
            fallbackTakesWords: true,
            examples: ["bpfman program load pass.o --programs xdp:pass --attach xdp:eth0:prio=100"],
            commands: [
                {
                    name: "file",
                    summary: "Loads programs of an object file, and attaches them where asked: all of it or nothing",
                    words: [{ name: "PATH", help: "a BPF object file" }],
                    options: loadOptions,
                    examples: [
                        "bpfman program load file pass.o --programs xdp:pass",
                        "bpfman program load pass.o --programs xdp:pass --attach xdp:eth0:prio=100:proceed-on=pass,drop",
                        "bpfman program load mark.o --programs tc:mark,tc:count --attach mark=tc:eth0:ingress:prio=5",
                        "bpfman program load pass.o --programs xdp:pass -g sampling=0100 -m owner=me -o json",
                        "bpfman program load limit.o --programs xdp:limit -g device=eth0 -g rate:=1000 -g 'ports=[80, 443]'",
                    ],
                    run: () => import("../verbs/load.ts").then(verbs => verbs.programLoadFile),
                },
                loadImageCommand(loadOptions),
            ],
        },
        {
            name: "list",
            summary: "Lists programs",
            options: [
                quiet,
                { name: "attached", help: "with a link" },
                { name: "unattached", help: "without one" },
                {
                    name: "type",
                    short: "p",
                    aliases: ["program-type"],
                    value: "TYPE,…",
                    list: "repeated",
                    help: "of these types",
                },
                { name: "application", value: "NAME", help: "of this application" },
                {
                    name: "metadata",
                    short: "m",
                    aliases: ["metadata-selector"],
                    value: "KEY=VALUE",
                    list: "repeated",
                    help: "with all of these",
                },
                { name: "all", short: "a", help: "also those that others loaded" },
                selector,
                output,
            ],
            examples: [
                "bpfman program list",
                "bpfman program list --all --type xdp,tc",
                "bpfman program list -q --unattached",
            ],
            run: () => import("../verbs/program-list.ts").then(verbs => verbs.programList),
        },
        {
            name: "get",
            summary: "Shows one program, with its links and maps",
            words: [{ name: "ID", help: "a program's id" }],
            options: [output],
            examples: ["bpfman program get 123", "bpfman program get 123 -o json"],
            run: () => import("../verbs/program-get.ts").then(verbs => verbs.programGet),
        },
        {
            name: "unload",
            summary: "Unloads programs, their links first",
            words: [{ name: "ID", list: true, help: "programs' ids" }],
            options: [ignoreMissing],
            examples: ["bpfman program unload 123 124", "bpfman program unload 123 --ignore-missing"],
            run: () => import("../verbs/batch.ts").then(verbs => verbs.unload),
        },
        replaceCommand,
        codeCommand,
        logCommand,
        runCommand,
        {
            name: "delete",
            summary: "Unloads programs with their links",
            hidden: true,
            words: [{ name: "ID", list: true, optional: true, help: "programs' ids" }],
            options: [
                { name: "recursive", short: "r", help: "also programs that use their maps" },
                { name: "all", help: "every program" },
            ],
            examples: ["bpfman program delete 123 -r", "bpfman program delete --all"],
            run: () => import("../verbs/delete.ts").then(verbs => verbs.programDelete),
        },
    ],
};

const attachVerb = () => import("../verbs/link-attach.ts").then(verbs => verbs.linkAttach);
const programWord = {
    name: "PROG",
    list: true,
    help: "programs' ids; several are attached in one step, in this order",
};
const interfaceWord = { name: "IFACE", help: "an interface, as eth0" };
const directionWord = { name: "DIRECTION", help: "ingress or egress" };

const link: BpfmanCommand = {
    name: "link",
    summary: "Attaches programs; lists, shows, changes and detaches links",
    fallback: "list",
    examples: ["bpfman link", "bpfman link attach xdp 123 eth0 --priority 100", "bpfman link detach 7"],
    commands: [
        {
            name: "attach",
            summary: "Attaches loaded programs",
            examples: ["bpfman link attach xdp 123 eth0 --priority 100"],
            commands: [
                {
                    name: "xdp",
                    summary: "Attaches XDP programs to an interface",
                    words: [programWord, interfaceWord],
                    options: [
                        priority,
                        proceedOn("pass, dispatcher_return"),
                        netns,
                        mode,
                        linkMetadata,
                        fullLog,
                        output,
                    ],
                    examples: [
                        "bpfman link attach xdp 123 eth0 --priority 100",
                        "bpfman link attach xdp 123 124 eth0 -p 50 --proceed-on pass,drop",
                    ],
                    run: attachVerb,
                },
                {
                    name: "tc",
                    summary: "Attaches TC programs to an interface",
                    words: [programWord, interfaceWord, directionWord],
                    options: [priority, proceedOn("pipe, dispatcher_return"), netns, linkMetadata, fullLog, output],
                    examples: ["bpfman link attach tc 123 eth0 ingress --priority 100 --proceed-on ok,pipe"],
                    run: attachVerb,
                },
                {
                    name: "tcx",
                    summary: "Attaches TCX programs to an interface",
                    words: [programWord, interfaceWord, directionWord],
                    options: [priority, netns, linkMetadata, fullLog, output],
                    examples: ["bpfman link attach tcx 123 eth0 egress --priority 100"],
                    run: attachVerb,
                },
                ...probeCommands(programWord, [linkMetadata, output], attachVerb),
            ],
        },
        {
            name: "list",
            summary: "Lists links",
            options: [
                quiet,
                { name: "program-id", value: "ID", help: "of this program" },
                { name: "kind", value: "KIND,…", list: "repeated", help: "xdp, tc, kprobe, …" },
                {
                    name: "program-type",
                    short: "p",
                    value: "TYPE,…",
                    list: "repeated",
                    help: "of programs of these types",
                },
                { name: "application", value: "NAME", help: "of this application" },
                {
                    name: "metadata",
                    short: "m",
                    aliases: ["metadata-selector"],
                    value: "KEY=VALUE",
                    list: "repeated",
                    help: "with all of these",
                },
                selector,
                output,
            ],
            examples: [
                "bpfman link list",
                "bpfman link list --kind xdp -o json",
                "bpfman link list -q --program-id 123",
            ],
            run: () => import("../verbs/link-list.ts").then(verbs => verbs.linkList),
        },
        {
            name: "get",
            summary: "Shows one link",
            words: [{ name: "ID", help: "a link's id" }],
            options: [output],
            examples: ["bpfman link get 7 -o json"],
            run: () => import("../verbs/link-get.ts").then(verbs => verbs.linkGet),
        },
        {
            name: "update",
            summary: "Changes priority or proceed-on of links without a gap",
            words: [{ name: "ID", list: true, help: "links' ids; at equal priority they run in this order" }],
            options: [{ ...priority, required: false }, proceedOn("unchanged"), output],
            examples: [
                "bpfman link update 7 --priority 10",
                "bpfman link update 7 --proceed-on pass,tx",
                "bpfman link update 9 7 8 --priority 50",
            ],
            run: () => import("../verbs/link-update.ts").then(verbs => verbs.linkUpdate),
        },
        {
            name: "detach",
            summary: "Removes links",
            words: [{ name: "ID", list: true, help: "links' ids" }],
            options: [ignoreMissing],
            examples: ["bpfman link detach 7 8"],
            run: () => import("../verbs/batch.ts").then(verbs => verbs.detach),
        },
        {
            name: "delete",
            summary: "Removes links, and programs that have no other",
            hidden: true,
            words: [{ name: "ID", list: true, help: "links' ids" }],
            options: [{ name: "recursive", short: "r", help: "accepted for older command lines" }],
            examples: ["bpfman link delete 7"],
            run: () => import("../verbs/delete.ts").then(verbs => verbs.linkDelete),
        },
    ],
};

const chainWords: readonly Word[] = [
    { name: "TYPE", help: "xdp, tc-ingress or tc-egress" },
    { name: "NSID", help: "inode of the network namespace" },
    { name: "IFINDEX", help: "index of the interface" },
];

const dispatcher: BpfmanCommand = {
    name: "dispatcher",
    summary: "Shows the chains of XDP and TC",
    examples: ["bpfman dispatcher list", "bpfman dispatcher get xdp 4026531840 2"],
    commands: [
        {
            name: "list",
            summary: "Lists chains",
            options: [
                { name: "type", value: "TYPE", help: "xdp, tc-ingress or tc-egress" },
                { name: "nsid", value: "N", help: "inode of the network namespace" },
                { name: "ifindex", value: "N", help: "index of the interface" },
                output,
            ],
            examples: ["bpfman dispatcher list --type xdp"],
            run: () => import("../verbs/dispatcher.ts").then(verbs => verbs.dispatcherList),
        },
        {
            name: "get",
            summary: "Shows one chain with its members in order",
            words: chainWords,
            options: [output],
            examples: ["bpfman dispatcher get xdp 4026531840 2"],
            run: () => import("../verbs/dispatcher.ts").then(verbs => verbs.dispatcherGet),
        },
        {
            name: "delete",
            summary: "Removes every link of one chain",
            hidden: true,
            words: chainWords,
            examples: ["bpfman dispatcher delete xdp 4026531840 2"],
            run: () => import("../verbs/delete.ts").then(verbs => verbs.dispatcherDelete),
        },
    ],
};

export const root: BpfmanCommand = {
    name: "bpfman",
    summary: "Loads eBPF programs and attaches them by priority",
    options: globalOptions,
    examples: [
        "bpfman program load file pass.o --programs xdp:pass --attach xdp:eth0:prio=100",
        "bpfman program list",
        "bpfman dispatcher list",
    ],
    commands: [
        program,
        link,
        dispatcher,
        mapCommand,
        {
            name: "apply",
            summary: "Makes a set of programs and links match a file, whole or not at all",
            options: [
                { name: "file", short: "f", value: "FILE", required: true, help: "YAML or JSON; -: standard input" },
                { name: "dry-run", help: "tells the steps and takes none" },
                fullLog,
                output,
            ],
            examples: ["bpfman apply -f firewall.yaml --dry-run", "bpfman apply -f firewall.yaml"],
            run: () => import("../verbs/apply.ts").then(verbs => verbs.apply),
        },
        imageCommand,
        ...systemCommands(output),
        {
            name: "top",
            summary: "Shows live what programs and chains run, how long, and what they decide",
            words: [{ name: "ID", list: true, optional: true, help: "programs' ids; none: all programs" }],
            options: [
                {
                    name: "interval",
                    short: "d",
                    value: "DURATION",
                    help: "between two looks, at least 250ms (default 1s)",
                },
                { name: "count", short: "c", value: "N", help: "end after so many looks" },
                {
                    name: "sort",
                    short: "s",
                    value: "COLUMN",
                    choices: ["cpu", "runs", "ns", "id", "type", "name"],
                    help: "what decides the order (default cpu)",
                },
                { name: "no-chains", help: "leave chains as they run: their members are not counted" },
                { name: "json", help: "a line of JSON for each look" },
                output,
            ],
            examples: ["bpfman top", "bpfman top --sort runs --interval 500ms", "bpfman top 123 124 --json --count 10"],
            run: () => import("../verbs/top.ts").then(verbs => verbs.top),
        },
        {
            name: "features",
            summary: "Tells what this kernel and its libbpf can do",
            options: [output],
            examples: ["bpfman features", "bpfman features -o json"],
            run: () => import("../verbs/features.ts").then(verbs => verbs.features),
        },
        {
            name: "version",
            summary: "Tells the versions of this command and of the daemon",
            options: [output],
            examples: ["bpfman version"],
            run: () => import("../verbs/version.ts").then(verbs => verbs.version),
        },
        {
            name: "completions",
            summary: "Prints a shell's completion script",
            words: [{ name: "SHELL", help: "bash, zsh or fish; or a folder to write all of them to" }],
            options: [
                { name: "shell", short: "s", value: "bash|zsh|fish", help: "with a folder: for this shell only" },
            ],
            examples: ["bpfman completions bash >/etc/bash_completion.d/bpfman", "source <(bpfman completions zsh)"],
            run: () => import("../verbs/generate.ts").then(verbs => verbs.completions(root)),
        },
        {
            name: "man",
            summary: "Writes manual pages of every command",
            hidden: true,
            words: [{ name: "DIR", help: "where to" }],
            examples: ["bpfman man /usr/share/man/man1"],
            run: () => import("../verbs/generate.ts").then(verbs => verbs.man(root)),
        },
        {
            name: "serve",
            summary: "Runs the daemon",
            hidden: true,
            options: [
                { name: "idle-timeout", value: "SECONDS", help: "end after so long without work (0: never)" },
                { name: "csi-support", value: "true|false", alone: "true", help: "accepted for older command lines" },
            ],
            examples: ["bpfman serve --runtime-dir /tmp/try"],
            run: () => import("../verbs/serve.ts").then(verbs => verbs.serve),
        },
        ...releasedCommands,
    ],
};
