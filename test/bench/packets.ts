// SPDX-License-Identifier: Apache-2.0
// What a chain costs for each packet: BPF_PROG_TEST_RUN of the program at the hook, with members that only pass.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { openProgram, testRun, updateElement } from "../../daemon/kernel/bpf.ts";
import { Dispatcher } from "../../daemon/kernel/dispatch/dispatcher.ts";
import { check } from "../../daemon/kernel/errors.ts";
import { duplicate, type Fd } from "../../daemon/kernel/fd.ts";
import { libbpf, mapInitialValue, type Pointer } from "../../daemon/kernel/ffi.ts";
import { BpfmanError } from "../../daemon/model/error.ts";
import type { ProgramId } from "../../daemon/model/ids.ts";
import { xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import type { Wire } from "../lab/namespaces.ts";
import type { Candidate } from "./rounds.ts";

export const lengths = [1, 2, 5, 10] as const;
const object = path.resolve(import.meta.dirname, "../../dist/test/xdp_pass.o");
const [pass, dropped, dispatcherReturn] = [2, 1, 31];
const packet = Buffer.alloc(64);

function run(program: Fd, repeat: number): number {
    for (;;) {
        try {
            const { returnCode, ns } = testRun(program, packet, repeat);
            if (returnCode !== pass) throw new Error(`the chain answered ${returnCode} instead of XDP_PASS`);
            return ns;
        } catch (error) {
            // a signal came, as of a child that ended
            if (!(error instanceof BpfmanError) || error.errno !== "EINTR") throw error;
        }
    }
}

export function candidate(name: string, program: Fd, repeat: number): Candidate {
    return { name, run: () => run(program, repeat) };
}

/** Ten programs that pass, each an object of its own as in real life. */
export async function passingPrograms(lab: Lab): Promise<ProgramId[]> {
    const ids: ProgramId[] = [];
    for (let i = 0; i < 10; i++) {
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        ids.push((program?.id ?? 0) as ProgramId);
    }
    return ids;
}

export function opened(id: number | undefined): Fd {
    const fd = openProgram((id ?? 0) as ProgramId);
    if (fd === undefined) throw new Error(`program ${id} is gone`);
    return fd;
}

/** The program at the hook of a chain that the daemon made: of its members alone, or behind a dispatcher even if it is one. */
export async function attachedChain(
    lab: Lab,
    wire: Wire,
    ids: readonly ProgramId[],
    dispatcher: "as needed" | "always",
): Promise<{ backend: string; program: Fd }> {
    // what proceeds on more than PASS is no lone program's verdict
    const proceedOn = dispatcher === "always" ? [pass, dropped, dispatcherReturn] : [];
    await lab.attach(...ids.map(id => xdpItem(wire, id, 50, { proceedOn })));
    const { chains = [] } = await lab.client.listChains({});
    const chain = chains.find(one => one.netns === wire.netns);
    return { backend: chain?.backend ?? "", program: opened(chain?.programId) };
}

const mask = (1 << pass) | (1 << dispatcherReturn) | 0;

/** A tail-call dispatcher beside any chain: the daemon makes none where freplace works. */
export function tailCallChain(
    ids: readonly ProgramId[],
    counts: "counting" | "not counting" = "not counting",
): { program: Fd; keep: Disposable } {
    const slots = ids.map(() => ({ mask, priority: 50, frags: false }));
    const dispatcher = Dispatcher.load("xdp_tail_call", slots, false, counts === "counting");
    for (const [position, id] of ids.entries()) {
        using member = opened(id);
        if (dispatcher.slots) updateElement(dispatcher.slots, position, member.number, "fill a slot");
    }
    return { program: dispatcher.program, keep: dispatcher };
}

/** libxdp's dispatcher with programs in it, as xdp-loader makes it. */
export function libxdpChain(wire: Wire, length: number): Fd {
    wire.inside("xdp-loader", "load", wire.interface, ...Array.from({ length }, () => object));
    const [link] = JSON.parse(wire.inside("ip", "-d", "-j", "link", "show", wire.interface)) as {
        xdp?: { prog?: { id: number } };
    }[];
    return opened(link?.xdp?.prog?.id);
}

/** libxdp's dispatcher with nothing in its slots: what it costs before its members, on kernels that let none in. */
export function libxdpStubs(length: number): Fd | undefined {
    const file = [execFileSync("uname", ["-m"], { encoding: "utf8" }).trim()]
        .flatMap(machine => [`/usr/lib/${machine}-linux-gnu/bpf`, "/usr/lib64/bpf", "/usr/lib/bpf"])
        .map(folder => path.join(folder, "xdp-dispatcher.o"))
        .find(candidate => fs.existsSync(candidate));
    if (file === undefined) return undefined;
    const bytes = fs.readFileSync(file);
    libbpf.setPrint(null);
    // bpf_object_open_opts with nothing but its own size
    const opened = libbpf.openMem(bytes, bytes.length, new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0]));
    if (opened === null) throw new Error(`${file} can't be opened`);
    try {
        for (let map: Pointer = libbpf.nextMap(opened, null); map !== null; map = libbpf.nextMap(opened, map)) {
            const config = mapInitialValue(map);
            if (config === undefined) continue;
            // struct xdp_dispatcher_config, version 2 (libxdp 1.3 to 1.5), whose first byte is its magic number
            const view = new DataView(config.buffer, config.byteOffset, config.byteLength);
            view.setUint8(0, 236);
            view.setUint8(1, 2);
            view.setUint8(2, length);
            for (let slot = 0; slot < length; slot++) view.setUint32(4 + 4 * slot, mask, true);
        }
        let dispatcher: Pointer = null;
        for (let one = libbpf.nextProgram(opened, null); one !== null; one = libbpf.nextProgram(opened, one)) {
            if (libbpf.programName(one) === "xdp_dispatcher") dispatcher = one;
            else check(libbpf.setAutoload(one, false), "leave a program out");
        }
        check(libbpf.loadObject(opened), `load ${file}`);
        return duplicate(libbpf.programFd(dispatcher), file);
    } finally {
        libbpf.closeObject(opened);
    }
}
