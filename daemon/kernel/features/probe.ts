// SPDX-License-Identifier: Apache-2.0
// The smallest things that bpf(2) can make: asked for to learn whether this kernel makes them, and closed at once.
import type { Fd } from "../fd.ts";
import { address, errno, libc } from "../ffi.ts";

const command = {
    mapCreate: 0,
    programLoad: 5,
    programQuery: 16,
    btfLoad: 18,
    linkCreate: 28,
    tokenCreate: 36,
} as const;

/** Instructions as little-endian words: opcode, registers, offset, immediate. */
export const instruction = {
    returnZero: [0x000000b7, 0],
    exit: [0x00000095, 0],
    call: (helper: number) => [0x00000085, helper],
    callSubprogram: (distance: number) => [0x00001085, distance],
} as const;

const twoInstructions = [...instruction.returnZero, ...instruction.exit];

export interface ProgramProbe {
    readonly type: number;
    readonly attachType?: number;
    readonly flags?: number;
    readonly instructions?: readonly number[];
    readonly attachBtfId?: number;
    readonly attachProgram?: Fd;
    readonly btf?: Fd;
    /** pairs of instruction offset and BTF id, one for each function */
    readonly functions?: readonly number[];
}

export interface ProbeResult {
    /** a descriptor, or -errno */
    readonly result: number;
    readonly log: string;
}

function words(numbers: readonly number[]): Buffer {
    return Buffer.from(Uint32Array.from(numbers).buffer);
}

const license = Buffer.from("GPL\0");
const logBuffer = Buffer.alloc(64 << 10);

/** BPF_PROG_LOAD. */
export function loadProgram(probe: ProgramProbe): ProbeResult {
    const code = words(probe.instructions ?? twoInstructions);
    const functions = words(probe.functions ?? []);
    const attr = Buffer.alloc(152);
    attr.writeUInt32LE(probe.type, 0);
    attr.writeUInt32LE(code.length / 8, 4);
    attr.writeBigUInt64LE(address(code), 8);
    attr.writeBigUInt64LE(address(license), 16);
    logBuffer[0] = 0;
    attr.writeUInt32LE(1, 24);
    attr.writeUInt32LE(logBuffer.length, 28);
    attr.writeBigUInt64LE(address(logBuffer), 32);
    attr.writeUInt32LE(probe.flags ?? 0, 44);
    attr.write("bpfman_probe", 48, "latin1");
    attr.writeUInt32LE(probe.attachType ?? 0, 68);
    if (probe.btf !== undefined) {
        attr.writeUInt32LE(probe.btf.number, 72);
        attr.writeUInt32LE(8, 76);
        attr.writeBigUInt64LE(address(functions), 80);
        attr.writeUInt32LE(functions.length / 8, 88);
    }
    attr.writeUInt32LE(probe.attachBtfId ?? 0, 108);
    if (probe.attachProgram !== undefined) attr.writeInt32LE(probe.attachProgram.number, 112);
    let result = -(errno["EAGAIN"] ?? 11);
    // a signal interrupts the verifier with EAGAIN
    for (let attempt = 0; attempt < 5 && result === -(errno["EAGAIN"] ?? 11); attempt += 1) {
        result = libc.bpf(command.programLoad, attr);
    }
    return { result, log: logBuffer.toString("utf8", 0, logBuffer.indexOf(0)) };
}

export interface MapProbe {
    readonly type: number;
    readonly keySize?: number;
    readonly valueSize?: number;
    readonly maxEntries?: number;
    readonly flags?: number;
    readonly inner?: Fd;
    /** of the BTF of dispatcherBtf(): type 1 is int, for key and value */
    readonly btf?: Fd;
}

/** BPF_MAP_CREATE: a descriptor, or -errno. */
export function createMap(probe: MapProbe): number {
    const attr = Buffer.alloc(72);
    attr.writeUInt32LE(probe.type, 0);
    attr.writeUInt32LE(probe.keySize ?? 4, 4);
    attr.writeUInt32LE(probe.valueSize ?? 4, 8);
    attr.writeUInt32LE(probe.maxEntries ?? 1, 12);
    attr.writeUInt32LE(probe.flags ?? 0, 16);
    if (probe.inner !== undefined) attr.writeUInt32LE(probe.inner.number, 20);
    attr.write("bpfman_probe", 28, "latin1");
    if (probe.btf !== undefined) {
        attr.writeUInt32LE(probe.btf.number, 48);
        attr.writeUInt32LE(1, 52);
        attr.writeUInt32LE(1, 56);
    }
    return libc.bpf(command.mapCreate, attr);
}

/** BPF_LINK_CREATE that is meant to fail on its target: the errno tells how far the kernel came. */
export function createLink(program: Fd, target: number, type: number, rest?: (attr: Buffer) => void): number {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(program.number, 0);
    attr.writeInt32LE(target, 4);
    attr.writeUInt32LE(type, 8);
    rest?.(attr);
    return libc.bpf(command.linkCreate, attr);
}

/** BPF_PROG_QUERY at an interface: 0 or -errno. */
export function queryPrograms(ifindex: number, type: number): number {
    const attr = Buffer.alloc(64);
    attr.writeInt32LE(ifindex, 0);
    attr.writeUInt32LE(type, 4);
    return libc.bpf(command.programQuery, attr);
}

/** BPF_TOKEN_CREATE on no file system at all. */
export function createToken(): number {
    const attr = Buffer.alloc(8);
    attr.writeInt32LE(-1, 4);
    return libc.bpf(command.tokenCreate, attr);
}

export const probeBtfId = { int: 1, main: 5, stub: 6 } as const;

/** BTF of `int main(struct xdp_md *ctx)` and `int stub(struct xdp_md *ctx)`: what freplace compares. -errno or fd. */
export function loadProbeBtf(): number {
    const strings = Buffer.from("\0int\0xdp_md\0ctx\0main\0stub\0");
    const nameAt = (name: string): number => strings.indexOf(`\0${name}\0`) + 1;
    const kind = { int: 1, pointer: 2, struct: 4, function: 12, prototype: 13 } as const;
    const global = 1;
    const types = words([
        ...[nameAt("int"), kind.int << 24, 4, (1 << 24) | 32],
        ...[nameAt("xdp_md"), kind.struct << 24, 0],
        ...[0, kind.pointer << 24, 2],
        ...[0, (kind.prototype << 24) | 1, 1, nameAt("ctx"), 3],
        ...[nameAt("main"), (kind.function << 24) | global, 4],
        ...[nameAt("stub"), (kind.function << 24) | global, 4],
    ]);
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(header.length, 4);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length, 16);
    header.writeUInt32LE(strings.length, 20);
    const bytes = Buffer.concat([header, types, strings]);
    const attr = Buffer.alloc(32);
    attr.writeBigUInt64LE(address(bytes), 0);
    attr.writeUInt32LE(bytes.length, 16);
    return libc.bpf(command.btfLoad, attr);
}
