// SPDX-License-Identifier: Apache-2.0
// Who holds BPF objects, by an iterator program over all open files (bpf/owners.bpf.c). Loaded for one reading and gone
// with it: it costs some 30 ms, most of them libbpf's reading of the kernel's BTF, and nothing stays open.
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { BpfmanError } from "../../model/error.ts";
import { openBtf } from "../btf/btf-objects.ts";
import { check, kernelError } from "../errors.ts";
import { Fd } from "../fd.ts";
import { lastErrno, libbpf, libc, type Pointer } from "../ffi.ts";
import { internalMapSection } from "../load/loader-protocol.ts";
import { lookup, update } from "../objects/map-calls.ts";
import { functionInfos } from "../objects/program-details.ts";

export const heldKinds = ["program", "map", "link", "btf"] as const;
export type HeldKind = (typeof heldKinds)[number];

/** One process has a descriptor of one object. */
export interface Holding {
    readonly kind: HeldKind;
    readonly id: number;
    readonly pid: number;
}

const recordBytes = 12;
const BPF_LINK_CREATE = 28;
const BPF_ITER_CREATE = 33;
const BPF_TRACE_ITER = 28;
/** .data holds the teachers alone; what they taught is in .bss */
const dataBytes = 4 * heldKinds.length;
const folder = new URL(import.meta.url.endsWith(".ts") ? "../../../dist/bpf/" : "../bpf/", import.meta.url);
const noOptions = new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0]);
const failed = { code: "UNIMPLEMENTED" as const };

/** Every holding of every process in the daemon's namespace of processes; throws where the kernel refuses the iterator. */
export function iterateOwners(): Holding[] {
    const bytes = fs.readFileSync(fileURLToPath(new URL("owners.o", folder)));
    libbpf.setPrint(null);
    const object = libbpf.openMem(bytes, bytes.length, noOptions);
    if (object === null) throw kernelError("open the iterator over owners", lastErrno(), failed);
    try {
        check(libbpf.loadObject(object), "load the iterator over owners", failed);
        return read(object);
    } finally {
        libbpf.closeObject(object);
    }
}

function read(object: Pointer): Holding[] {
    const program = libbpf.programFd(libbpf.nextProgram(object, null));
    const maps = new Map<string, number>();
    for (let map = libbpf.nextMap(object, null); map !== null; map = libbpf.nextMap(object, map))
        maps.set(internalMapSection(libbpf.mapName(map)) ?? "", libbpf.mapFd(map));
    const data = maps.get(".data");
    if (data === undefined) throw new BpfmanError("INTERNAL", "the iterator over owners has no .data");
    using link = new Fd(check(libc.bpf(BPF_LINK_CREATE, linkAttr(program)), "start the iterator over owners", failed));
    using btf = openBtf(programBtfId(program));
    teach(data, [program, data, link.number, btf.number]);
    run(link);
    teach(data, [-1, -1, -1, -1]);
    const output = run(link);
    const seen = new Set<string>();
    const found: Holding[] = [];
    for (let at = 0; at + recordBytes <= output.length; at += recordBytes) {
        const kind = heldKinds[output.readUInt32LE(at)];
        const id = output.readUInt32LE(at + 4);
        const pid = output.readUInt32LE(at + 8);
        const key = `${kind} ${id} ${pid}`;
        // 0: of a process that the daemon's namespace does not show
        if (kind === undefined || pid === 0 || pid === process.pid || seen.has(key)) continue;
        seen.add(key);
        found.push({ kind, id, pid });
    }
    return found;
}

function linkAttr(program: number): Buffer {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program, 0);
    attr.writeUInt32LE(BPF_TRACE_ITER, 8);
    return attr;
}

function programBtfId(program: number): number {
    using owned = borrowed(program);
    return functionInfos(owned.fd).btfId;
}

/** The descriptors from which the iterator learns; all -1: it has learnt. */
function teach(map: number, descriptors: readonly number[]): void {
    using fd = borrowed(map);
    const key = Buffer.alloc(4);
    const value = lookup(fd.fd, key, dataBytes);
    if (value === undefined) throw new BpfmanError("INTERNAL", "the iterator over owners has no data");
    for (const [at, descriptor] of descriptors.entries()) value.writeInt32LE(descriptor, 4 * at);
    check(update(fd.fd, key, value, 0), "prepare the iterator over owners");
}

/** A descriptor that stays libbpf's. */
function borrowed(number: number): Disposable & { readonly fd: Fd } {
    const fd = new Fd(number);
    return { fd, [Symbol.dispose]: () => void fd.release() };
}

function run(link: Fd): Buffer {
    const attr = Buffer.alloc(16);
    attr.writeInt32LE(link.number, 0);
    using iterator = new Fd(check(libc.bpf(BPF_ITER_CREATE, attr), "read the iterator over owners", failed));
    const chunks: Buffer[] = [];
    const chunk = Buffer.alloc(64 << 10);
    for (;;) {
        const length = fs.readSync(iterator.number, chunk);
        if (length === 0) return Buffer.concat(chunks);
        chunks.push(Buffer.from(chunk.subarray(0, length)));
    }
}
