// SPDX-License-Identifier: Apache-2.0
// Attaches a program to a hook that is no chain. Each link is pinned by the kernel's id of it, so that its row tells
// where its pins are; no descriptor stays.
import * as bpf from "../../kernel/bpf.ts";
import { openRecorded } from "../../kernel/dispatch/backend.ts";
import { sectionFacts } from "../../kernel/elf/sections.ts";
import { attachTypeName, attachTypes } from "../../kernel/enums.ts";
import { Fd } from "../../kernel/fd.ts";
import { openCgroup } from "../../kernel/hooks/cgroup.ts";
import { onlineCpus, type PerfEvent, pmuType, sampleEvents } from "../../kernel/hooks/perf-event.ts";
import { activeLsms, tracepointId } from "../../kernel/hooks/tracing-files.ts";
import { suggest } from "../../kernel/near-names.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProbeHook, ProbeHookRequest } from "../../model/hooks.ts";
import type { KernelLinkId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import { detachPinned } from "../chains/chain-change.ts";
import type { Context } from "../context.ts";
import { hookText, probePin } from "../pins.ts";
import type { Undo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";
import { didYouMean, probeError } from "./probe-error.ts";
import { findUprobeTarget } from "./uprobe-target.ts";

export interface AttachedProbe {
    readonly hook: ProbeHook;
    /** at least one */
    readonly kernelLinkIds: readonly KernelLinkId[];
}

/** namesAreTold: whether an error may name what is in files that root alone may read. Undone by detaching. */
export async function attachProbe(
    _scope: WriterScope,
    context: Context,
    program: ProgramRecord,
    request: ProbeHookRequest,
    undo: Undo,
    namesAreTold = false,
): Promise<AttachedProbe> {
    using attacher = new Attacher(context, program, undo, namesAreTold);
    const hook = await attacher.attach(request);
    return { hook, kernelLinkIds: attacher.made };
}

class Attacher implements Disposable {
    readonly #context: Context;
    readonly #program: ProgramRecord;
    readonly #undo: Undo;
    readonly #fd: Fd;
    readonly #namesAreTold: boolean;
    readonly made: KernelLinkId[] = [];

    constructor(context: Context, program: ProgramRecord, undo: Undo, namesAreTold: boolean) {
        this.#context = context;
        this.#namesAreTold = namesAreTold;
        this.#program = program;
        this.#undo = undo;
        this.#fd = openRecorded(context.bpffs, program);
    }

    async attach(request: ProbeHookRequest): Promise<ProbeHook> {
        switch (request.kind) {
            case "tracepoint":
                return this.#tracepoint(request);
            case "kprobe":
                return this.#kprobe(request);
            case "uprobe":
                return this.#uprobe(request);
            case "perf_event":
                return this.#perfEvent(request);
            case "cgroup":
                return this.#cgroup(request);
            case "raw_tracepoint":
                return this.#raw(request, request.name);
            case "lsm":
                checkLsm();
                return this.#raw({ kind: request.kind, function: this.#program.attachFunction }, "");
            case "fentry":
            case "fexit":
                return this.#raw({ kind: request.kind, function: this.#program.attachFunction }, "");
        }
    }

    async #tracepoint(hook: Extract<ProbeHook, { kind: "tracepoint" }>): Promise<ProbeHook> {
        const found = tracepointId(hook.group, hook.name);
        if ("near" in found)
            throw new BpfmanError(
                "NOT_FOUND",
                `tracepoint ${JSON.stringify(`${hook.group}/${hook.name}`)} not found${didYouMean(found.near)}`,
                { errno: "ENOENT" },
            );
        await this.#event(hook, { kind: "tracepoint", id: found.id });
        return hook;
    }

    async #kprobe(request: Extract<ProbeHookRequest, { kind: "kprobe" }>): Promise<ProbeHook> {
        const atReturn = this.#program.type === "kretprobe";
        const kind = atReturn ? "kretprobe" : "kprobe";
        const hook = { kind, function: request.function, offset: request.offset } as const;
        if (atReturn && request.offset !== 0)
            throw new BpfmanError("INVALID_ARGUMENT", "a kretprobe has no offset: a function returns where it returns");
        await this.#event(hook, { ...hook, kind: "kprobe", pmu: pmu("kprobe"), atReturn });
        return hook;
    }

    async #uprobe(request: Extract<ProbeHookRequest, { kind: "uprobe" }>): Promise<ProbeHook> {
        const atReturn = this.#program.type === "uretprobe";
        const type = pmu("uprobe");
        const { hook, file, kernelPath } = findUprobeTarget(
            atReturn ? "uretprobe" : "uprobe",
            request,
            this.#namesAreTold,
        );
        using _file = file;
        const event = { kind: "uprobe", pmu: type, path: kernelPath, offset: hook.fileOffset, atReturn } as const;
        await this.#event(hook, event, request.pid);
        return hook;
    }

    async #perfEvent(hook: Extract<ProbeHook, { kind: "perf_event" }>): Promise<ProbeHook> {
        const known = sampleEvents[hook.event];
        if (known === undefined) {
            const names = Object.keys(sampleEvents);
            const near = suggest(hook.event, names);
            const help = near.length > 0 ? didYouMean(near) : `; one of: ${names.join(", ")}`;
            throw new BpfmanError("INVALID_ARGUMENT", `unknown event ${JSON.stringify(hook.event)}${help}`);
        }
        const rate = { frequencyHz: 0, period: 0, ...hook.rate };
        const online = onlineCpus();
        if (hook.cpu !== undefined && !online.includes(hook.cpu))
            throw new BpfmanError("INVALID_ARGUMENT", `CPU ${hook.cpu} is not online; ${online.join(", ")} are`);
        for (const cpu of hook.cpu === undefined ? online : [hook.cpu])
            await this.#event(hook, { kind: "sample", ...known, ...rate }, undefined, cpu);
        return hook;
    }

    async #cgroup(request: Extract<ProbeHookRequest, { kind: "cgroup" }>): Promise<ProbeHook> {
        const attachType = sectionFacts(this.#program.section)?.attachType ?? 0;
        const { fd, path } = openCgroup(request.path);
        using group = fd;
        const hook = { kind: "cgroup", path, attachType: attachTypeName(attachType) } as const;
        await this.#target(hook, group, attachType, 0);
        return hook;
    }

    async #raw<H extends ProbeHook>(hook: H, name: string): Promise<H> {
        const call = { op: "open-raw-tracepoint", program: this.#fd.number, name } as const;
        await this.#keep(hook, await this.#context.net.call("", call), 0);
        return hook;
    }

    /** A perf event with the program on it; the link keeps the event. */
    async #event(hook: ProbeHook, event: PerfEvent, pid?: number, cpu?: number): Promise<void> {
        // the program runs wherever the probe is hit: one CPU stands for all (tools/lib/bpf/libbpf.c does the same)
        const where = cpu ?? (pid === undefined ? (onlineCpus()[0] ?? 0) : -1);
        const call = { op: "open-perf-event", event, pid: pid ?? -1, cpu: where } as const;
        const opened = await this.#context.net.call("", call);
        if (opened < 0) throw await probeError(hook, this.#program, opened, where);
        using perf = new Fd(opened);
        await this.#target(hook, perf, attachTypes.perf_event, where);
    }

    async #target(hook: ProbeHook, target: Fd, attachType: number, cpu: number): Promise<void> {
        const call = { op: "create-target-link", program: this.#fd.number, target: target.number, attachType } as const;
        await this.#keep(hook, await this.#context.net.call("", call), cpu);
    }

    async #keep(hook: ProbeHook, result: number, cpu: number): Promise<void> {
        if (result < 0) throw await probeError(hook, this.#program, result, cpu);
        using link = new Fd(result);
        const { id } = bpf.linkInfo(link);
        const pin = probePin(hook.kind, id);
        bpf.pin(link, this.#context.bpffs.path(pin));
        this.#undo.add(`attach to ${hookText({ hook })}`, () => detachPinned(this.#context, pin));
        this.made.push(id);
    }

    [Symbol.dispose](): void {
        this.#fd[Symbol.dispose]();
    }
}

function pmu(name: "kprobe" | "uprobe"): number {
    const type = pmuType(name);
    if (type !== undefined) return type;
    throw new BpfmanError("UNIMPLEMENTED", `this kernel has no ${name}s: it has no perf event source of that name`, {
        errno: "ENOENT",
        hint: `It was built without CONFIG_${name.toUpperCase()}_EVENTS.`,
    });
}

function checkLsm(): void {
    const active = activeLsms();
    if (active === undefined || active.includes("bpf")) return;
    throw new BpfmanError(
        "FAILED_PRECONDITION",
        `the security module bpf does not run: an lsm program would never be asked (running: ${active.join(", ")})`,
        { hint: `Boot with lsm=${[...active, "bpf"].join(",")} on the kernel's command line.` },
    );
}
