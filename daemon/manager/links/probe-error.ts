// SPDX-License-Identifier: Apache-2.0
// What a refusal to attach means at each hook, in a sentence; near names where the target does not exist.
import { kernelError } from "../../kernel/errors.ts";
import { errnoName } from "../../kernel/ffi.ts";
import { kernelSymbol, rawTracepoint } from "../../kernel/hooks/kernel-functions.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProbeHook } from "../../model/hooks.ts";
import type { ProgramRecord } from "../../model/records.ts";
import { hookText } from "../pins.ts";

export const didYouMean = (near: readonly string[]): string =>
    near.length === 0 ? "" : `; did you mean: ${near.join(", ")}?`;

async function functionError(
    hook: Extract<ProbeHook, { kind: "kprobe" | "kretprobe" }>,
    result: number,
): Promise<BpfmanError> {
    const errno = errnoName(result);
    const name = JSON.stringify(hook.function);
    if (errno === "ENOENT") {
        const { found, near } = await kernelSymbol(hook.function);
        if (!found)
            return new BpfmanError("NOT_FOUND", `kernel function ${name} not found${didYouMean(near)}`, { errno });
        return kernelError(`attach to ${hookText({ hook })}: the kernel does not allow probes there`, result);
    }
    if (errno === "EADDRNOTAVAIL")
        return kernelError(`the kernel has several functions called ${name}`, result, { code: "INVALID_ARGUMENT" });
    if (errno === "EINVAL" || errno === "EILSEQ")
        return kernelError(`attach to ${hookText({ hook })}`, result, {
            code: "INVALID_ARGUMENT",
            hint:
                hook.offset === 0
                    ? "The kernel keeps probes out of some of its functions: /sys/kernel/debug/kprobes/blacklist lists them."
                    : "The offset must be that of an instruction within the function.",
        });
    return kernelError(`attach to ${hookText({ hook })}`, result);
}

function sampleError(hook: Extract<ProbeHook, { kind: "perf_event" }>, cpu: number, result: number): BpfmanError {
    const what = `attach to ${hookText({ hook })}`;
    switch (errnoName(result)) {
        case "ENOENT":
        case "EOPNOTSUPP":
        case "ENXIO":
            return kernelError(`${what}: this machine cannot count ${hook.event}`, result, {
                code: "UNIMPLEMENTED",
                hint: "Virtual machines often have no hardware events; cpu-clock works everywhere.",
            });
        case "ENODEV":
            return kernelError(`${what}: CPU ${cpu} is not online`, result, { code: "INVALID_ARGUMENT" });
        case "EINVAL":
            return kernelError(what, result, {
                code: "INVALID_ARGUMENT",
                hint: "The kernel takes at most kernel.perf_event_max_sample_rate samples a second.",
            });
        default:
            return kernelError(what, result);
    }
}

function rawTracepointError(name: string, result: number): BpfmanError {
    const lookup = errnoName(result) === "ENOENT" ? rawTracepoint(name) : undefined;
    if (lookup?.found !== false && errnoName(result) !== "ENOENT")
        return kernelError(`attach to raw_tracepoint ${name}`, result);
    return new BpfmanError(
        "NOT_FOUND",
        `raw tracepoint ${JSON.stringify(name)} not found${didYouMean(lookup?.near ?? [])}`,
        { errno: "ENOENT" },
    );
}

/** perf_event_open() or the creation of the link failed. */
export async function probeError(
    hook: ProbeHook,
    program: ProgramRecord,
    result: number,
    cpu = 0,
): Promise<BpfmanError> {
    const errno = errnoName(result);
    switch (hook.kind) {
        case "kprobe":
        case "kretprobe":
            return functionError(hook, result);
        case "uprobe":
        case "uretprobe":
            if (errno === "ESRCH" && hook.pid !== undefined)
                return new BpfmanError("NOT_FOUND", `process ${hook.pid} does not exist`, { errno });
            return kernelError(`attach to ${hookText({ hook })}`, result, {
                code: "FAILED_PRECONDITION",
                ...(errno === "EINVAL" && { hint: "The place must be the first byte of an instruction." }),
            });
        case "perf_event":
            return sampleError(hook, cpu, result);
        case "raw_tracepoint":
            return rawTracepointError(hook.name, result);
        case "fentry":
        case "fexit":
        case "lsm":
            if (errno === "EBUSY" || errno === "EEXIST")
                return new BpfmanError(
                    "ALREADY_EXISTS",
                    `program ${program.id} is already attached to ${hookText({ hook })}; it can be there once`,
                    { errno },
                );
            return kernelError(`attach to ${hookText({ hook })}`, result, { code: "FAILED_PRECONDITION" });
        case "tracepoint":
        case "cgroup":
            return kernelError(`attach to ${hookText({ hook })}`, result, { code: "FAILED_PRECONDITION" });
    }
}
