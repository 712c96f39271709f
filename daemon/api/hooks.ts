// SPDX-License-Identifier: Apache-2.0
// Hooks of both services: from what callers send to the model, checked, and back.
import type { AttachItem as AttachItemMessage, LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { HookRequest, ProbeHook, ProbeHookRequest, SampleRate } from "../model/hooks.ts";
import { invalid } from "./errors.ts";
import * as validate from "./validate.ts";

type Sent = AttachItemMessage["hook"];

/** Of bpfman.host.v1. */
export function hookRequest(hook: Sent): HookRequest {
    switch (hook.case) {
        case undefined:
            throw invalid("the place to attach to is missing");
        case "xdp":
            return {
                kind: "xdp",
                ...place(hook.value),
                proceedOn: validate.checkProceedOn("xdp", hook.value.proceedOn),
                mode: validate.checkMode(hook.value.mode),
            };
        case "tc":
            return {
                kind: "tc",
                ...place(hook.value),
                direction: validate.checkDirection(hook.value.direction),
                proceedOn: validate.checkProceedOn("tc", hook.value.proceedOn),
            };
        case "tcx":
            return { kind: "tcx", ...place(hook.value), direction: validate.checkDirection(hook.value.direction) };
        default:
            return probeRequest(hook);
    }
}

function place(value: { interface: string; netns: string; priority: number }) {
    return {
        interface: validate.checkInterface(value.interface),
        netns: validate.checkNetns(value.netns),
        priority: validate.checkPriority(value.priority),
    };
}

function probeRequest(hook: Exclude<Sent, { case: undefined | "xdp" | "tc" | "tcx" }>): ProbeHookRequest {
    switch (hook.case) {
        case "tracepoint":
            return tracepoint(hook.value.group, hook.value.name);
        case "kprobe":
            return kprobe(hook.value.function, hook.value.offset);
        case "uprobe":
            return uprobe(hook.value);
        case "fentry":
        case "fexit":
        case "lsm":
            return { kind: hook.case };
        case "perfEvent": {
            const { event, cpu, frequencyHz, period } = hook.value;
            return {
                kind: "perf_event",
                event: event === "" ? "cpu-clock" : validate.checkName(event, "the event's name"),
                cpu: cpu === undefined ? undefined : validate.checkCpu(cpu),
                rate: rate(frequencyHz, period),
            };
        }
        case "rawTracepoint":
            return { kind: "raw_tracepoint", name: validate.checkEventName(hook.value.name, "the tracepoint's name") };
        case "cgroup":
            return { kind: "cgroup", path: validate.checkCgroup(hook.value.path) };
    }
}

/** A prime number near 100: samples do not fall into step with what happens 100 times a second. */
const usualFrequencyHz = 99;

function rate(frequencyHz: number, period: bigint): SampleRate {
    if (frequencyHz !== 0 && period !== 0n) throw invalid("a frequency and a period exclude each other");
    if (period !== 0n) return { period: validate.checkOffset(period, "the period") };
    return { frequencyHz: frequencyHz === 0 ? usualFrequencyHz : frequencyHz };
}

export function tracepoint(group: string, name: string): ProbeHookRequest {
    return {
        kind: "tracepoint",
        group: validate.checkEventName(group, "the tracepoint's group"),
        name: validate.checkEventName(name, "the tracepoint's name"),
    };
}

export function kprobe(name: string, offset: bigint): ProbeHookRequest {
    return {
        kind: "kprobe",
        function: validate.checkFunction(name, "the kernel function's name"),
        offset: validate.checkOffset(offset, "the offset"),
    };
}

export function uprobe(sent: {
    target: string;
    function: string;
    offset: bigint;
    pid: number;
    containerPid: number;
}): ProbeHookRequest {
    return {
        kind: "uprobe",
        target: validate.checkTarget(sent.target),
        function: sent.function === "" ? "" : validate.checkFunction(sent.function, "the function's name"),
        offset: validate.checkOffset(sent.offset, "the offset"),
        pid: validate.checkPid(sent.pid, "the process id"),
        containerPid: validate.checkPid(sent.containerPid, "the container's process id"),
    };
}

type ProbeJson = Pick<
    LinkJson,
    "tracepoint" | "kprobe" | "uprobe" | "fentry" | "fexit" | "lsm" | "perfEvent" | "rawTracepoint" | "cgroup"
>;

/** What a link that is in no chain is attached to. */
export function probeJson(hook: ProbeHook): ProbeJson {
    switch (hook.kind) {
        case "tracepoint":
            return { tracepoint: { group: hook.group, name: hook.name } };
        case "kprobe":
        case "kretprobe": {
            const { function: name, offset } = hook;
            return { kprobe: { function: name, offset: String(offset), retprobe: hook.kind === "kretprobe" } };
        }
        case "uprobe":
        case "uretprobe":
            return {
                uprobe: {
                    target: hook.target,
                    function: hook.function,
                    offset: String(hook.offset),
                    pid: hook.pid ?? 0,
                    containerPid: hook.containerPid ?? 0,
                    retprobe: hook.kind === "uretprobe",
                    path: hook.path,
                    fileOffset: String(hook.fileOffset),
                },
            };
        case "fentry":
            return { fentry: { function: hook.function } };
        case "fexit":
            return { fexit: { function: hook.function } };
        case "lsm":
            return { lsm: { hook: hook.function } };
        case "perf_event":
            return {
                perfEvent: {
                    event: hook.event,
                    ...(hook.cpu !== undefined && { cpu: hook.cpu }),
                    ...("period" in hook.rate
                        ? { period: String(hook.rate.period) }
                        : { frequencyHz: hook.rate.frequencyHz }),
                },
            };
        case "raw_tracepoint":
            return { rawTracepoint: { name: hook.name } };
        case "cgroup":
            return { cgroup: { path: hook.path, attachType: hook.attachType } };
    }
}
