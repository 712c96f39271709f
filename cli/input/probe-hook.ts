// SPDX-License-Identifier: Apache-2.0
// Hooks that are no chains, as users write them: words and options of `link attach`, and the one word of `--attach`. Pure.
import { resolve } from "node:path";
import type { AttachItemJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { UsageError } from "../args.ts";
import { nearest } from "../nearest.ts";
import { parseCount } from "../values.ts";

const probeKinds = [
    ...(["tracepoint", "kprobe", "uprobe", "fentry", "fexit", "lsm"] as const),
    ...(["perf-event", "raw-tracepoint", "cgroup"] as const),
] as const;
/** As commands are called; programs and links of a kind are called so with _ for -. */
export type ProbeKind = (typeof probeKinds)[number];

export const isProbeKind = (word: string): word is ProbeKind => (probeKinds as readonly string[]).includes(word);

/** The types of the programs that a command attaches. */
export function attachableTypes(kind: string): string[] {
    if (kind === "kprobe") return ["kprobe", "kretprobe"];
    if (kind === "uprobe") return ["uprobe", "uretprobe"];
    return [kind.replaceAll("-", "_")];
}

export type ProbeJson = Pick<
    AttachItemJson,
    "tracepoint" | "kprobe" | "uprobe" | "fentry" | "fexit" | "lsm" | "perfEvent" | "rawTracepoint" | "cgroup"
>;

/** The value of an option by its name. */
export type Values = (name: string) => string | undefined;

/** target: what the hook's name is, where it has one. */
export function makeProbe(kind: ProbeKind, target: string, value: Values): ProbeJson {
    switch (kind) {
        case "tracepoint": {
            const [group = "", name = "", ...more] = target.split("/");
            if (group === "" || name === "" || more.length > 0)
                throw new UsageError(`invalid tracepoint "${target}": must be GROUP/NAME, as sched/sched_switch`);
            return { tracepoint: { group, name } };
        }
        case "kprobe":
            if (value("container-pid") !== undefined) throw new UsageError("kprobe container option not supported yet");
            return { kprobe: { function: target, offset: offset(value("offset")) } };
        case "uprobe": {
            const pid = value("pid");
            const containerPid = value("container-pid");
            return {
                uprobe: {
                    target: isLibrary(target) || containerPid !== undefined ? target : resolve(target),
                    function: value("fn-name") ?? "",
                    offset: offset(value("offset")),
                    pid: pid === undefined ? 0 : parsePid("pid", pid),
                    containerPid: containerPid === undefined ? 0 : parsePid("container-pid", containerPid),
                },
            };
        }
        case "fentry":
            return { fentry: {} };
        case "fexit":
            return { fexit: {} };
        case "lsm":
            return { lsm: {} };
        case "perf-event":
            return { perfEvent: perfEvent(value) };
        case "raw-tracepoint":
            return { rawTracepoint: { name: target } };
        case "cgroup":
            return { cgroup: { path: target } };
    }
}

const isLibrary = (target: string): boolean => !target.includes("/");

/** Decimal, or hexadecimal with 0x, as nm and objdump print addresses. */
function offset(text: string | undefined): string {
    if (text === undefined) return "0";
    if (!/^(?:0[xX][0-9a-fA-F]{1,13}|[0-9]{1,15})$/.test(text))
        throw new UsageError(`invalid offset "${text}": must be a number, decimal or with 0x`);
    return String(Number(text));
}

function parsePid(name: string, text: string): number {
    const pid = parseCount(name, text);
    // PID_MAX_LIMIT of include/linux/threads.h
    if (pid < 1 || pid > 1 << 22) throw new UsageError(`invalid ${name} "${text}": there is no such process id`);
    return pid;
}

function perfEvent(value: Values): NonNullable<AttachItemJson["perfEvent"]> {
    const event = value("event") ?? "cpu-clock";
    const cpu = value("cpu") ?? "all";
    const frequency = value("freq");
    const period = value("period");
    if (frequency !== undefined && period !== undefined) throw new UsageError("--freq and --period exclude each other");
    return {
        event,
        ...(cpu === "all" ? {} : { cpu: parseCount("cpu", cpu) }),
        ...(frequency === undefined ? {} : { frequencyHz: positive("freq", frequency) }),
        ...(period === undefined ? {} : { period: String(positive("period", period)) }),
    };
}

function positive(name: string, text: string): number {
    const number = parseCount(name, text);
    if (number === 0) throw new UsageError(`invalid ${name} "${text}": must be at least 1`);
    return number;
}

const settings: Readonly<Record<ProbeKind, readonly string[]>> = {
    tracepoint: [],
    kprobe: ["offset"],
    uprobe: ["fn", "fn-name", "offset", "pid", "container-pid"],
    fentry: [],
    fexit: [],
    lsm: [],
    "perf-event": ["event", "cpu", "freq", "period"],
    "raw-tracepoint": [],
    cgroup: [],
};
const nameless: readonly ProbeKind[] = ["fentry", "fexit", "lsm", "perf-event"];

/** What follows KIND in `--attach`: tracepoint:sched/sched_switch, uprobe:/bin/x:fn=main:pid=7, perf-event:freq=99, fentry. */
export function parseProbe(word: string, kind: ProbeKind, rest: string | undefined): ProbeJson {
    const known = settings[kind];
    const values = new Map<string, string>();
    let target: string | undefined;
    let last: string | undefined;
    for (const piece of rest?.split(":") ?? []) {
        const equals = piece.indexOf("=");
        const key = piece.slice(0, Math.max(equals, 0));
        if (known.includes(key)) {
            last = key === "fn" ? "fn-name" : key;
            values.set(last, piece.slice(equals + 1));
        } else if (target === undefined && last === undefined && !nameless.includes(kind)) target = piece;
        // names and paths may hold what separates the settings
        else if (last !== undefined) values.set(last, `${values.get(last)}:${piece}`);
        else if (target !== undefined && equals < 0) target += `:${piece}`;
        else {
            const near = nearest(key || piece, known);
            throw new UsageError(
                `unknown setting "${piece}" in --attach "${word}"${near ? `; did you mean ${near}=?` : ""}`,
            );
        }
    }
    if (!nameless.includes(kind) && (target === undefined || target === ""))
        throw new UsageError(`--attach "${word}" does not say where: write ${kind}:${usage[kind]}`);
    return makeProbe(kind, target ?? "", name => values.get(name));
}

const usage: Readonly<Record<ProbeKind, string>> = {
    tracepoint: "GROUP/NAME",
    kprobe: "FUNCTION",
    uprobe: "TARGET",
    fentry: "",
    fexit: "",
    lsm: "",
    "perf-event": "",
    "raw-tracepoint": "NAME",
    cgroup: "PATH",
};
