// SPDX-License-Identifier: Apache-2.0
// A test run: what a program says of a packet and does to it, and how long it takes. It runs for real: what it counts or
// stores in maps, it counts and stores.
import { setTimeout as sleep } from "node:timers/promises";
import { tcActions, xdpActions } from "../../chain/proceed-on.ts";
import * as bpf from "../../kernel/bpf.ts";
import { kernelError } from "../../kernel/errors.ts";
import type { Fd } from "../../kernel/fd.ts";
import { errnoName } from "../../kernel/ffi.ts";
import { type RawRun, runOnPacket } from "../../kernel/objects/test-run.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { KernelProgram } from "../../model/kernel.ts";
import type { TestRun } from "../../model/test-run.ts";
import type { Context } from "../context.ts";
import { missingProgram } from "../links/attach.ts";

/** What the kernel runs on a packet (the test_run of their bpf_prog_ops in net/core/filter.c and net/bpf/test_run.c). */
const onPackets = new Set([
    ...["xdp", "sched_cls", "sched_act", "socket_filter", "cgroup_skb", "flow_dissector"],
    ...["lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"],
]);

function returnName(typeName: string, code: number): string {
    const actions = typeName === "xdp" ? xdpActions : /^sched_(cls|act)$/.test(typeName) ? tcActions : {};
    // TC_ACT_UNSPEC is -1
    return Object.entries(actions).find(([, value]) => value === (code | 0))?.[0] ?? "";
}

/** The daemon answers others meanwhile: a batch of runs holds it up no longer than this. */
const batchMs = 20;
const longestMs = 30_000;

export async function testRun(
    context: Context,
    id: ProgramId,
    request: { packet: Uint8Array; repeat: number; force: boolean },
): Promise<TestRun> {
    const managed = context.store.program(id) !== undefined;
    if (!managed && !request.force) {
        if (!context.kernel.isAlive(id)) missingProgram(context, id);
        throw new BpfmanError("FAILED_PRECONDITION", `program ${id} is not managed by bpfman`, {
            hint: "A test run runs it for real, and it may change its maps. To run it all the same, ask with force (--force).",
        });
    }
    using fd = bpf.openProgram(id);
    const program = context.kernel.program(id);
    if (fd === undefined || program === undefined) return missingProgram(context, id);
    if (!onPackets.has(program.typeName))
        throw new BpfmanError(
            "UNIMPLEMENTED",
            `program ${id} is a ${program.typeName} program: the kernel runs only programs that take packets on one`,
        );
    const first = once(fd, program, request.packet, 1);
    const runs = Math.max(1, request.repeat);
    const ns = first.nsPerRun + (await more(fd, program, request.packet, runs - 1));
    const { returnCode, packet } = first;
    return {
        returnCode,
        returnName: returnName(program.typeName, returnCode),
        packet,
        nsPerRun: Math.round(ns / runs),
        runs,
    };
}

/** Nanoseconds of so many more runs, a batch at a time, each batch with a fresh packet. */
async function more(fd: Fd, program: KernelProgram, packet: Uint8Array, runs: number): Promise<number> {
    const started = performance.now();
    let ns = 0;
    let batch = 1000;
    for (let left = runs; left > 0; ) {
        await sleep(1);
        if (performance.now() - started > longestMs)
            throw new BpfmanError("DEADLINE_EXCEEDED", `${runs - left} of ${runs} runs took ${longestMs / 1000} s`);
        const count = Math.min(batch, left);
        const { nsPerRun } = once(fd, program, packet, count);
        ns += nsPerRun * count;
        left -= count;
        // by the time of the runs alone: what the kernel does around them for XDP waits for RCU, once a batch
        batch = Math.max(1, Math.min(10_000_000, Math.floor((batchMs * 1e6) / Math.max(1, nsPerRun))));
    }
    return ns;
}

function once(fd: Fd, program: KernelProgram, packet: Uint8Array, repeat: number): RawRun {
    const result = runOnPacket(fd, packet, repeat);
    if (typeof result !== "number") return result;
    const what = `run program ${program.id} (${program.name}) on a packet of ${packet.length} bytes`;
    const name = errnoName(result);
    if (name === "EINVAL" || name === "EMSGSIZE" || name === "E2BIG" || name === "ENOMEM")
        throw kernelError(`${what}: the kernel takes no such packet`, result, {
            code: "INVALID_ARGUMENT",
            hint: "It begins with an Ethernet header of 14 bytes; without multi-buffer support it fits into one page of memory.",
        });
    if (name === "EOPNOTSUPP" || name === "ENOTSUPP")
        throw kernelError(`${what}: the kernel cannot run this program so`, result, { code: "UNIMPLEMENTED" });
    throw kernelError(what, result);
}
