// SPDX-License-Identifier: Apache-2.0
// Our own dispatchers, loaded in the daemon: their bytes are part of this program, no stranger's.
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { BpfmanError } from "../../model/error.ts";
import { attachType, programIdentity, programType } from "../bpf.ts";
import { check, kernelError } from "../errors.ts";
import { duplicate, type Fd } from "../fd.ts";
import { errnoName, lastErrno, libbpf, mapInitialValue, type Pointer } from "../ffi.ts";
import { internalMapSection } from "../load/loader-protocol.ts";

/** xdp_libxdp_N: in version N of libxdp's layout, for a chain that libxdp's tools change too; tc_clsact: without TCX */
export type DispatcherKind =
    | "xdp_freplace"
    | "xdp_libxdp_2"
    | "xdp_libxdp_3"
    | "xdp_tail_call"
    | "tc_freplace"
    | "tc_tail_call"
    | "tc_clsact_freplace"
    | "tc_clsact_tail_call";

export interface Slot {
    /** what the dispatcher tests the member's return code against */
    readonly mask: number;
    readonly priority: number;
    readonly frags: boolean;
}

const BPF_F_XDP_HAS_FRAGS = 32;
const BTF_KIND_FUNC = 12;
const DISPATCHER_MAGIC = 236;

/** dist/bpf, from the source tree as from a bundle beside it. */
const folder = new URL(import.meta.url.endsWith(".ts") ? "../../../dist/bpf/" : "../bpf/", import.meta.url);
/** bpf_object_open_opts with nothing but its own size */
const noOptions = new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0]);
const bytesOf = new Map<string, Buffer>();

function objectBytes(kind: string): Buffer {
    let bytes = bytesOf.get(kind);
    if (bytes === undefined) {
        const path = fileURLToPath(new URL(`${kind}.o`, folder));
        try {
            bytes = fs.readFileSync(path);
        } catch (cause) {
            throw new BpfmanError("INTERNAL", `the dispatcher ${path} is missing`, {
                hint: "Install the package again, or in a source tree run: node build.ts bpf",
                cause,
            });
        }
        bytesOf.set(kind, bytes);
    }
    return bytes;
}

/** Fills struct dispatcher_config of bpf/dispatcher.h. */
function writeConfig(config: Uint8Array, version: number, slots: readonly Slot[], frags: boolean): void {
    const view = new DataView(config.buffer, config.byteOffset, config.byteLength);
    view.setUint8(0, DISPATCHER_MAGIC);
    view.setUint8(1, version);
    view.setUint8(2, slots.length);
    view.setUint8(3, frags ? 1 : 0);
    slots.forEach((slot, i) => {
        view.setUint32(4 + 4 * i, slot.mask, true);
        view.setUint32(44 + 4 * i, slot.priority, true);
        view.setUint32(84 + 4 * i, slot.frags ? BPF_F_XDP_HAS_FRAGS : 0, true);
    });
}

export class Dispatcher implements Disposable {
    readonly program: Fd;
    /** the PROG_ARRAY of a tail-call dispatcher */
    readonly slots: Fd | undefined;
    /** what a counting dispatcher counts: bpf/counting.h */
    readonly counts: Fd | undefined;
    /** BTF ids of prog0 … prog9 */
    readonly #stubIds: readonly number[];
    private constructor(
        program: Fd,
        maps: { slots: Fd | undefined; counts: Fd | undefined },
        stubIds: readonly number[],
    ) {
        this.program = program;
        this.slots = maps.slots;
        this.counts = maps.counts;
        this.#stubIds = stubIds;
    }

    /** Loads a dispatcher for these slots; counting: one that counts what they do. */
    static load(kind: DispatcherKind, slots: readonly Slot[], frags: boolean, counting = false): Dispatcher {
        const bytes = objectBytes(counting ? `${kind}_counting` : kind);
        libbpf.setPrint(null);
        const object = libbpf.openMem(bytes, bytes.length, noOptions);
        if (object === null) throw kernelError(`open the dispatcher ${kind}`, lastErrno(), { code: "INTERNAL" });
        try {
            return Dispatcher.#loadOpened(kind, object, slots, frags);
        } finally {
            libbpf.closeObject(object);
        }
    }

    static #loadOpened(kind: DispatcherKind, object: Pointer, slots: readonly Slot[], frags: boolean): Dispatcher {
        const failed = { code: "INTERNAL" as const };
        const maps = new Map<string, Pointer>();
        for (let map = libbpf.nextMap(object, null); map !== null; map = libbpf.nextMap(object, map)) {
            const name = libbpf.mapName(map);
            if (internalMapSection(name) === undefined) maps.set(name, map);
            const config = mapInitialValue(map);
            if (config !== undefined) writeConfig(config, kind === "xdp_libxdp_3" ? 3 : 2, slots, frags);
        }
        const program = libbpf.nextProgram(object, null);
        const xdp = kind.startsWith("xdp");
        check(libbpf.setType(program, xdp ? programType.xdp : programType.schedCls), `load ${kind}`, failed);
        // what replaces a function of one dispatcher fits another only where both have the same (saved_dst_attach_type in
        // kernel/bpf/verifier.c), and libxdp's have BPF_XDP
        const expected = kind.startsWith("xdp_libxdp") ? attachType.xdp : 0;
        check(libbpf.setExpectedAttachType(program, expected), `load ${kind}`, failed);
        if (frags) check(libbpf.setFlags(program, BPF_F_XDP_HAS_FRAGS), `load ${kind}`, failed);
        check(libbpf.loadObject(object), `load the dispatcher ${kind}`, failed);
        const btf = libbpf.objectBtf(object);
        const stubIds = !kind.endsWith("tail_call")
            ? slots.map((_, i) =>
                  check(libbpf.btfFindByNameKind(btf, `prog${i}`, BTF_KIND_FUNC), `find prog${i}`, failed),
              )
            : [];
        // libbpf closes its own descriptors with the object
        const keep = (name: string) => {
            const map = maps.get(name);
            return map === undefined ? undefined : duplicate(libbpf.mapFd(map), kind);
        };
        return new Dispatcher(
            duplicate(libbpf.programFd(program), kind),
            { slots: keep("slots"), counts: keep("counts") },
            stubIds,
        );
    }

    stubId(position: number): number {
        const id = this.#stubIds[position];
        if (id === undefined) throw new BpfmanError("INTERNAL", `the dispatcher has no stub ${position}`);
        return id;
    }

    identity(): { id: ReturnType<typeof programIdentity>["id"]; tag: string } {
        const { id, tag } = programIdentity(this.program);
        return { id, tag };
    }

    [Symbol.dispose](): void {
        this.program[Symbol.dispose]();
        this.slots?.[Symbol.dispose]();
        this.counts?.[Symbol.dispose]();
    }
}

/**
 * Whether this kernel lets a program replace a function of another (BPF_PROG_TYPE_EXT): undefined, or why not, one
 * sentence. Some kernels refuse it with EPERM and no word of the verifier, to root too.
 */
export function probeFreplace(): string | undefined {
    using dispatcher = Dispatcher.load("xdp_freplace", [{ mask: 0, priority: 0, frags: false }], false);
    const bytes = objectBytes("freplace_probe");
    const object = libbpf.openMem(bytes, bytes.length, noOptions);
    if (object === null) throw kernelError("open the freplace probe", lastErrno(), { code: "INTERNAL" });
    try {
        const program = libbpf.nextProgram(object, null);
        const failed = { code: "INTERNAL" as const };
        check(libbpf.setType(program, programType.ext), "prepare the freplace probe", failed);
        check(libbpf.setExpectedAttachType(program, 0), "prepare the freplace probe", failed);
        check(
            libbpf.setAttachTarget(program, dispatcher.program.number, "prog0"),
            "prepare the freplace probe",
            failed,
        );
        const result = libbpf.loadObject(object);
        if (result === 0) return undefined;
        return `this kernel refuses freplace programs (${errnoName(result)})`;
    } finally {
        libbpf.closeObject(object);
    }
}
