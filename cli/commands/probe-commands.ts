// SPDX-License-Identifier: Apache-2.0
// The attach commands of hooks that are no chains, in both grammars.
import type { Command, Option, Word } from "../args.ts";
import type { Verb } from "../host.ts";

type BpfmanCommand = Command<Verb>;

const offset: Option = { name: "offset", value: "N", help: "bytes from the function's beginning (default 0)" };
const functionName: Option = {
    name: "fn-name",
    short: "f",
    value: "FN",
    help: "a function; without one, the offset counts from the beginning of the file",
};
const pid: Option = { name: "pid", value: "PID", help: "in this process alone" };
const containerPid: Option = {
    name: "container-pid",
    value: "PID",
    help: "the target as this process sees it, which may be in a container",
};
const sampling: readonly Option[] = [
    { name: "cpu", value: "N|all", help: "on this CPU (default all)" },
    { name: "freq", value: "HZ", help: "samples a second (default 99)" },
    { name: "period", value: "N", help: "events between two samples" },
    { name: "event", value: "EVENT", help: "cpu-clock (default), page-faults, context-switches, cycles, …" },
];

/** `link attach KIND PROG… [TARGET]` */
export function probeCommands(
    programWord: Word,
    common: readonly Option[],
    run: () => Promise<Verb>,
): readonly BpfmanCommand[] {
    return [
        {
            name: "tracepoint",
            summary: "Attaches tracepoint programs",
            words: [programWord, { name: "TARGET", help: "GROUP/NAME, as sched/sched_switch" }],
            options: common,
            examples: ["bpfman link attach tracepoint 123 syscalls/sys_enter_openat"],
            run,
        },
        {
            name: "kprobe",
            aliases: ["kretprobe"],
            summary: "Attaches kprobe and kretprobe programs to a function of the kernel",
            words: [programWord, { name: "TARGET", help: "a function of the kernel" }],
            options: [offset, ...common],
            examples: ["bpfman link attach kprobe 123 vfs_read"],
            run,
        },
        {
            name: "uprobe",
            aliases: ["uretprobe"],
            summary: "Attaches uprobe and uretprobe programs to an executable or a library",
            words: [programWord, { name: "TARGET", help: "a file, or the name of a library, as libc" }],
            options: [functionName, offset, pid, containerPid, ...common],
            examples: [
                "bpfman link attach uprobe 123 libc -f malloc",
                "bpfman link attach uprobe 123 /usr/bin/app -f main.handle --container-pid 4711",
            ],
            run,
        },
        ...(["fentry", "fexit"] as const).map(name => ({
            name,
            summary: `Attaches ${name} programs to the kernel function that they were loaded for`,
            words: [programWord],
            options: common,
            examples: [`bpfman link attach ${name} 123`],
            run,
        })),
        {
            name: "lsm",
            summary: "Attaches LSM programs to the hook that they were loaded for",
            words: [programWord],
            options: common,
            examples: ["bpfman link attach lsm 123"],
            run,
        },
        {
            name: "perf-event",
            aliases: ["perf_event"],
            summary: "Runs perf_event programs at samples: one kernel link for each CPU",
            words: [programWord],
            options: [...sampling, ...common],
            examples: ["bpfman link attach perf-event 123 --freq 99"],
            run,
        },
        {
            name: "raw-tracepoint",
            aliases: ["raw_tracepoint"],
            summary: "Attaches raw tracepoint programs",
            words: [programWord, { name: "TARGET", help: "a tracepoint's name, as sched_switch" }],
            options: common,
            examples: ["bpfman link attach raw-tracepoint 123 sched_switch"],
            run,
        },
        {
            name: "cgroup",
            summary: "Attaches programs for control groups; what they see, their section says",
            words: [programWord, { name: "TARGET", help: "a group of version 2: a path, or one below their root" }],
            options: common,
            examples: ["bpfman link attach cgroup 123 system.slice/nginx.service"],
            run,
        },
    ];
}

const short = (option: Option, letter: string): Option => ({ ...option, short: letter });
const target = (name: string, letter: string, value: string, help: string): Option => ({
    name,
    short: letter,
    value,
    required: true,
    help,
});

/** Which option of a released command is the target of the hook. */
export const releasedTargets: Readonly<Record<string, string>> = {
    tracepoint: "tracepoint",
    kprobe: "fn-name",
    uprobe: "target",
    "raw-tracepoint": "tracepoint",
    cgroup: "path",
};

/** `attach ID KIND …`, and after `load file …` */
export function releasedProbeCommands(metadata: Option, run?: () => Promise<Verb>): readonly BpfmanCommand[] {
    const container = short(containerPid, "c");
    const commands: BpfmanCommand[] = [
        {
            name: "tracepoint",
            summary: "Attaches tracepoint programs",
            options: [target("tracepoint", "t", "GROUP/NAME", "a tracepoint"), metadata],
        },
        {
            name: "kprobe",
            summary: "Attaches kprobe and kretprobe programs",
            options: [
                target("fn-name", "f", "FN", "a function of the kernel"),
                short(offset, "o"),
                { ...container, hidden: true },
                metadata,
            ],
        },
        {
            name: "uprobe",
            summary: "Attaches uprobe and uretprobe programs",
            options: [
                target("target", "t", "TARGET", "a file, or the name of a library"),
                functionName,
                short(offset, "o"),
                short(pid, "p"),
                container,
                metadata,
            ],
        },
        { name: "fentry", summary: "Attaches fentry programs", options: [metadata] },
        { name: "fexit", summary: "Attaches fexit programs", options: [metadata] },
        { name: "lsm", summary: "Attaches LSM programs", options: [metadata] },
        { name: "perf-event", summary: "Runs perf_event programs at samples", options: [...sampling, metadata] },
        {
            name: "raw-tracepoint",
            summary: "Attaches raw tracepoint programs",
            options: [target("tracepoint", "t", "NAME", "a tracepoint"), metadata],
        },
        {
            name: "cgroup",
            summary: "Attaches programs for control groups",
            options: [target("path", "t", "PATH", "a group of version 2"), metadata],
        },
    ];
    return commands.map(command => (run ? { ...command, run } : command));
}
