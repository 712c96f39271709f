// SPDX-License-Identifier: Apache-2.0
// bpf(2), one function per command that this daemon uses. Offsets are those of union bpf_attr and the bpf_*_info
// structures in include/uapi/linux/bpf.h; the kernel accepts a shorter or a longer structure than its own.
import fs from "node:fs";
import type { KernelLinkId, MapId, ProgramId } from "../model/ids.ts";
import type { KernelLink, KernelMap, KernelProgram, KernelRunStats } from "../model/kernel.ts";
import { attachTypeName, linkTypeName, mapTypeName, programTypeName } from "./enums.ts";
import { check, kernelError } from "./errors.ts";
import { Fd } from "./fd.ts";
import { address, errno, libc } from "./ffi.ts";

const command = {
    mapUpdate: 2,
    objPin: 6,
    objGet: 7,
    testRun: 10,
    programNextId: 11,
    mapNextId: 12,
    programFdById: 13,
    mapFdById: 14,
    infoByFd: 15,
    programQuery: 16,
    rawTracepointOpen: 17,
    linkCreate: 28,
    linkUpdate: 29,
    linkFdById: 30,
    linkNextId: 31,
    linkDetach: 34,
} as const;

export const programType = { schedCls: 3, xdp: 6, ext: 28 } as const;
export const attachType = { xdp: 37, tcxIngress: 46, tcxEgress: 47 } as const;
export const xdpFlag = { skb: 2, driver: 4 } as const;
const BPF_F_REPLACE = 4;
const BPF_F_RDONLY = 8;
export const tcxFlag = { before: 8, after: 16, link: 1 << 13 } as const;

// --- pins ----------------------------------------------------------------------------------------------------

function pathAttr(path: string, fd: number, flags: number): { attr: Buffer; keep: Buffer } {
    const keep = Buffer.from(`${path}\0`);
    const attr = Buffer.alloc(16);
    attr.writeBigUInt64LE(address(keep), 0);
    attr.writeInt32LE(fd, 8);
    attr.writeUInt32LE(flags, 12);
    return { attr, keep };
}

/** Pins the object to a path in a bpffs. */
export function pin(fd: Fd, path: string): void {
    const { attr } = pathAttr(path, fd.number, 0);
    check(libc.bpf(command.objPin, attr), `pin ${path}`);
}

/** Opens a pinned program or link. */
export function openPin(path: string): Fd {
    const { attr } = pathAttr(path, 0, 0);
    return new Fd(check(libc.bpf(command.objGet, attr), `open the pin ${path}`));
}

/** Opens a pinned map for reading only. */
export function openMapPinReadOnly(path: string): Fd {
    const { attr } = pathAttr(path, 0, BPF_F_RDONLY);
    return new Fd(check(libc.bpf(command.objGet, attr), `open the pin ${path}`));
}

// --- ids -----------------------------------------------------------------------------------------------------

const idAttr = Buffer.alloc(12);

function* ids(nextId: number): Generator<number> {
    let id = 0;
    for (;;) {
        idAttr.fill(0);
        idAttr.writeUInt32LE(id, 0);
        const result = libc.bpf(nextId, idAttr);
        if (result === -(errno["ENOENT"] ?? 2)) return;
        check(result, "list the kernel's ids");
        id = idAttr.readUInt32LE(4);
        yield id;
    }
}

export const programIds = (): ProgramId[] => [...ids(command.programNextId)] as ProgramId[];
export const linkIds = (): KernelLinkId[] => [...ids(command.linkNextId)] as KernelLinkId[];
export const mapIds = (): MapId[] => [...ids(command.mapNextId)] as MapId[];

/** undefined where the kernel has no such id. */
function fdById(commandNumber: number, id: number, what: string): Fd | undefined {
    const attr = Buffer.alloc(12);
    attr.writeUInt32LE(id, 0);
    const result = libc.bpf(commandNumber, attr);
    // EAGAIN: a link that is being made has its id already (kernel/bpf/syscall.c, bpf_link_by_id)
    if (result === -(errno["ENOENT"] ?? 2) || result === -(errno["EAGAIN"] ?? 11)) return undefined;
    return new Fd(check(result, `open ${what} ${id}`));
}

export const openProgram = (id: ProgramId): Fd | undefined => fdById(command.programFdById, id, "program");

// The last user of a PROG_ARRAY leaves: the kernel takes a reference and queues the work that empties it and gives the
// reference back (kernel/bpf/arraymap.c, prog_array_map_clear). Whoever opens the map by its id and closes it before that
// has run makes the kernel take a second one for the same work: then the map stays until the next boot.
const leavingMs = 1000;
const leaving = new Set<MapId>();

/** To be called before the last pin and descriptor of a PROG_ARRAY go: for a while nobody here opens it by its id. */
export function lastUserLeaves(id: MapId): void {
    leaving.add(id);
    setTimeout(() => leaving.delete(id), leavingMs).unref();
}

/** undefined also for a map whose last user has just left. */
export const openMap = (id: MapId): Fd | undefined =>
    leaving.has(id) ? undefined : fdById(command.mapFdById, id, "map");

export const openLink = (id: KernelLinkId): Fd | undefined => fdById(command.linkFdById, id, "link");

// --- info ----------------------------------------------------------------------------------------------------

const infoAttr = Buffer.alloc(16);
const infoBuffer = Buffer.alloc(256);
const infoAddress = address(infoBuffer);

/** Fills and returns a buffer that the next call uses again. */
function info(fd: Fd, prepare?: (buffer: Buffer) => void): Buffer {
    infoBuffer.fill(0);
    prepare?.(infoBuffer);
    infoAttr.writeUInt32LE(fd.number, 0);
    infoAttr.writeUInt32LE(infoBuffer.length, 4);
    infoAttr.writeBigUInt64LE(infoAddress, 8);
    check(libc.bpf(command.infoByFd, infoAttr), "read an object's information");
    return infoBuffer;
}

function text(buffer: Buffer, start: number, length: number): string {
    const end = buffer.indexOf(0, start);
    return buffer.toString("utf8", start, end < 0 || end > start + length ? start + length : end);
}

/**
 * When the machine booted, to the second: a program's load time counts from there. The kernel's own figure, so that the
 * same program was loaded at the same time whoever asks and whenever.
 */
const bootMs = Number(/^btime (\d+)$/m.exec(fs.readFileSync("/proc/stat", "latin1"))?.[1] ?? 0) * 1000;
const maxMapIds = 64;
const mapIdBuffer = Buffer.alloc(4 * maxMapIds);
const mapIdAddress = address(mapIdBuffer);

/** fdinfo is the only place where the kernel tells an object's memory and whether a map is frozen. */
function fdinfo(fd: Fd): { memlockBytes: number; frozen: boolean } {
    const lines = fs.readFileSync(`/proc/self/fdinfo/${fd.number}`, "latin1");
    return { memlockBytes: Number(/^memlock:\s*(\d+)/m.exec(lines)?.[1] ?? 0), frozen: /^frozen:\s*1/m.test(lines) };
}

export function programInfo(fd: Fd): KernelProgram {
    const b = info(fd, buffer => {
        buffer.writeUInt32LE(maxMapIds, 52);
        buffer.writeBigUInt64LE(mapIdAddress, 56);
    });
    const type = b.readUInt32LE(0);
    const mapCount = Math.min(b.readUInt32LE(52), maxMapIds);
    const loadedMs = Number(b.readBigUInt64LE(40) / 1_000_000n) + bootMs;
    return {
        id: b.readUInt32LE(4) as ProgramId,
        name: text(b, 64, 16),
        type,
        typeName: programTypeName(type),
        tag: b.toString("hex", 8, 16),
        gplCompatible: (b.readUInt32LE(84) & 1) === 1,
        loadedAt: new Date(loadedMs).toISOString(),
        uid: b.readUInt32LE(48),
        btfId: b.readUInt32LE(128),
        mapIds: Array.from({ length: mapCount }, (_, i) => mapIdBuffer.readUInt32LE(4 * i) as MapId),
        sizeXlated: b.readUInt32LE(20),
        sizeJited: b.readUInt32LE(16),
        verifiedInsns: b.readUInt32LE(216),
        memlockBytes: fdinfo(fd).memlockBytes,
        attachBtfObjId: b.readUInt32LE(220),
        attachBtfId: b.readUInt32LE(224),
    };
}

/** The id and the tag only: what tells whose a program is. */
export function programIdentity(fd: Fd): { id: ProgramId; tag: string; type: number } {
    const b = info(fd);
    return { id: b.readUInt32LE(4) as ProgramId, tag: b.toString("hex", 8, 16), type: b.readUInt32LE(0) };
}

export function programRunStats(fd: Fd): KernelRunStats {
    const b = info(fd);
    return {
        runTimeNs: b.readBigUInt64LE(192),
        runCount: b.readBigUInt64LE(200),
        recursionMisses: b.readBigUInt64LE(208),
    };
}

export function mapInfo(fd: Fd): KernelMap {
    const b = info(fd);
    const type = b.readUInt32LE(0);
    return {
        id: b.readUInt32LE(4) as MapId,
        name: text(b, 24, 16),
        type,
        typeName: mapTypeName(type),
        keySize: b.readUInt32LE(8),
        valueSize: b.readUInt32LE(12),
        maxEntries: b.readUInt32LE(16),
        flags: b.readUInt32LE(20),
        btfId: b.readUInt32LE(64),
        mapExtra: b.readBigUInt64LE(80),
        ...fdinfo(fd),
    };
}

export const mapIdOf = (fd: Fd): MapId => info(fd).readUInt32LE(4) as MapId;

const linkType = { tracing: 2, cgroup: 3, xdp: 6, tcx: 11 } as const;

export function linkInfo(fd: Fd): KernelLink {
    const b = info(fd);
    const type = b.readUInt32LE(0);
    let attach = "";
    let ifindex = 0;
    let targetObjId = 0;
    let targetBtfId = 0;
    let cgroupId = 0n;
    if (type === linkType.cgroup) {
        cgroupId = b.readBigUInt64LE(16);
        attach = attachTypeName(b.readUInt32LE(24));
    }
    if (type === linkType.xdp) ifindex = b.readUInt32LE(16);
    if (type === linkType.tcx) {
        ifindex = b.readUInt32LE(16);
        attach = attachTypeName(b.readUInt32LE(20));
    }
    if (type === linkType.tracing) {
        attach = attachTypeName(b.readUInt32LE(16));
        targetObjId = b.readUInt32LE(20);
        targetBtfId = b.readUInt32LE(24);
    }
    return {
        id: b.readUInt32LE(4) as KernelLinkId,
        programId: b.readUInt32LE(8) as ProgramId,
        type,
        typeName: linkTypeName(type),
        attachType: attach,
        ifindex,
        targetObjId,
        targetBtfId,
        cgroupId,
    };
}

// --- links ---------------------------------------------------------------------------------------------------

function linkCreate(attr: Buffer): number {
    return libc.bpf(command.linkCreate, attr);
}

/** BPF_LINK_CREATE of an XDP link in the calling thread's network namespace: a descriptor or -errno. */
export function createXdpLink(program: number, ifindex: number, flags: number): number {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program, 0);
    attr.writeInt32LE(ifindex, 4);
    attr.writeUInt32LE(attachType.xdp, 8);
    attr.writeUInt32LE(flags, 12);
    return linkCreate(attr);
}

/** BPF_LINK_CREATE of a TCX link; relative: the link before or after which it goes. */
export function createTcxLink(
    program: number,
    ifindex: number,
    type: number,
    place: { flags: number; relativeFd: number; revision: bigint },
): number {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program, 0);
    attr.writeInt32LE(ifindex, 4);
    attr.writeUInt32LE(type, 8);
    attr.writeUInt32LE(place.flags, 12);
    attr.writeInt32LE(place.relativeFd, 16);
    attr.writeBigUInt64LE(place.revision, 24);
    return linkCreate(attr);
}

/** BPF_LINK_CREATE on a perf event or a control group: a descriptor or -errno. */
export function createTargetLink(program: number, target: number, type: number): number {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program, 0);
    attr.writeInt32LE(target, 4);
    attr.writeUInt32LE(type, 8);
    return linkCreate(attr);
}

/**
 * BPF_RAW_TRACEPOINT_OPEN: a descriptor of a link, or -errno. Empty: for programs that were loaded for one place of the
 * kernel (fentry, fexit, LSM), which the kernel takes here since 5.5, and by BPF_LINK_CREATE only later.
 */
export function openRawTracepoint(program: number, name: string): number {
    const cName = name === "" ? null : Buffer.from(`${name}\0`);
    const attr = Buffer.alloc(16);
    attr.writeBigUInt64LE(address(cName), 0);
    attr.writeInt32LE(program, 8);
    return libc.bpf(command.rawTracepointOpen, attr);
}

/** Links a freplace program to a function of a target program: no need for the namespace of anything. */
export function createFreplaceLink(program: Fd, target: Fd, targetBtfId: number, what: string): Fd {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program.number, 0);
    attr.writeInt32LE(target.number, 4);
    attr.writeUInt32LE(targetBtfId, 16);
    return new Fd(check(linkCreate(attr), what));
}

/** BPF_LINK_UPDATE: the program of a link, only if it is still the expected one. 0 or -errno. */
export function updateLink(link: number, program: number, expected: number): number {
    const attr = Buffer.alloc(16);
    attr.writeInt32LE(link, 0);
    attr.writeInt32LE(program, 4);
    attr.writeUInt32LE(BPF_F_REPLACE, 8);
    attr.writeInt32LE(expected, 12);
    return libc.bpf(command.linkUpdate, attr);
}

/** BPF_LINK_DETACH: 0 or -errno. */
export function detachLink(link: number): number {
    const attr = Buffer.alloc(16);
    attr.writeInt32LE(link, 0);
    return libc.bpf(command.linkDetach, attr);
}

export interface TcxEntry {
    readonly programId: ProgramId;
    /** 0 where it was attached without a link */
    readonly linkId: KernelLinkId;
}

/** BPF_PROG_QUERY of a TCX hook in the calling thread's network namespace. */
export function queryTcx(ifindex: number, type: number): { revision: bigint; entries: TcxEntry[] } {
    const capacity = 64;
    const programs = Buffer.alloc(4 * capacity);
    const links = Buffer.alloc(4 * capacity);
    const attr = Buffer.alloc(64);
    attr.writeUInt32LE(ifindex, 0);
    attr.writeUInt32LE(type, 4);
    attr.writeBigUInt64LE(address(programs), 16);
    attr.writeUInt32LE(capacity, 24);
    attr.writeBigUInt64LE(address(links), 40);
    const result = libc.bpf(command.programQuery, attr);
    // kernels without TCX (< 6.6)
    if (result === -(errno["EINVAL"] ?? 22)) return { revision: 0n, entries: [] };
    check(result, `query the TCX programs of interface ${ifindex}`);
    const entries = Array.from({ length: attr.readUInt32LE(24) }, (_, i) => ({
        programId: programs.readUInt32LE(4 * i) as ProgramId,
        linkId: links.readUInt32LE(4 * i) as KernelLinkId,
    }));
    return { revision: attr.readBigUInt64LE(56), entries };
}

// --- maps ----------------------------------------------------------------------------------------------------

/** Sets element `key` of a map with 4-byte keys and values. */
export function updateElement(map: Fd, key: number, value: number, what: string): void {
    const buffer = Buffer.alloc(8);
    buffer.writeUInt32LE(key, 0);
    buffer.writeInt32LE(value, 4);
    const attr = Buffer.alloc(32);
    attr.writeInt32LE(map.number, 0);
    attr.writeBigUInt64LE(address(buffer), 8);
    attr.writeBigUInt64LE(address(buffer) + 4n, 16);
    check(libc.bpf(command.mapUpdate, attr), what);
}

/** BPF_PROG_TEST_RUN: the return code, and nanoseconds per run as the kernel measured them. */
export function testRun(program: Fd, packet: Uint8Array, repeat: number): { returnCode: number; ns: number } {
    const attr = Buffer.alloc(80);
    attr.writeInt32LE(program.number, 0);
    attr.writeUInt32LE(packet.length, 8);
    attr.writeBigUInt64LE(address(packet), 16);
    attr.writeUInt32LE(repeat, 32);
    let result = libc.bpf(command.testRun, attr);
    // a signal to this process ends a long run early (net/bpf/test_run.c, bpf_test_timer_continue)
    for (let again = 0; result === -(errno["EINTR"] ?? 4) && again < 3; again++)
        result = libc.bpf(command.testRun, attr);
    if (result < 0) throw kernelError("run the program on a test packet", result);
    return { returnCode: attr.readUInt32LE(4), ns: attr.readUInt32LE(36) };
}
