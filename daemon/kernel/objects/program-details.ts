// SPDX-License-Identifier: Apache-2.0
// What a program's information tells beyond the usual: its function's whole name, by BTF. Offsets are those of struct
// bpf_prog_info in include/uapi/linux/bpf.h.
import { check } from "../errors.ts";
import type { Fd } from "../fd.ts";
import { address, libc } from "../ffi.ts";

const BPF_OBJ_GET_INFO_BY_FD = 15;
const infoBytes = 256;

/** A pointer and a count of struct bpf_prog_info, and the buffer that the kernel is to fill. */
export interface InfoArray {
    readonly pointerAt: number;
    readonly countAt: number;
    readonly buffer: Buffer;
    /** of one element; 1 where the count is of bytes */
    readonly elementBytes: number;
    /** where the element's size stands too */
    readonly sizeAt?: number;
}

/** A program's information; arrays that are named are filled, at most as far as their buffers go. */
export function programInfoBytes(fd: Fd, arrays: readonly InfoArray[] = []): Buffer {
    const info = Buffer.alloc(infoBytes);
    for (const { pointerAt, countAt, buffer, elementBytes, sizeAt } of arrays) {
        if (buffer.length === 0) continue;
        info.writeBigUInt64LE(address(buffer), pointerAt);
        info.writeUInt32LE(buffer.length / elementBytes, countAt);
        if (sizeAt !== undefined) info.writeUInt32LE(elementBytes, sizeAt);
    }
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(fd.number, 0);
    attr.writeUInt32LE(info.length, 4);
    attr.writeBigUInt64LE(address(info), 8);
    check(libc.bpf(BPF_OBJ_GET_INFO_BY_FD, attr), "read a program's information");
    return info;
}

/** struct bpf_func_info: where a function begins, in instructions, and its type in the program's BTF. */
export interface FunctionInfo {
    readonly instruction: number;
    readonly typeId: number;
}

const field = { btfId: 128, funcInfoSize: 132, funcInfo: 136, funcInfoCount: 144 } as const;

/** The functions of a program, its own first; none where it was loaded without BTF. */
export function functionInfos(fd: Fd): { readonly btfId: number; readonly functions: FunctionInfo[] } {
    const sizes = programInfoBytes(fd);
    const btfId = sizes.readUInt32LE(field.btfId);
    const elementBytes = sizes.readUInt32LE(field.funcInfoSize);
    const count = sizes.readUInt32LE(field.funcInfoCount);
    if (btfId === 0 || elementBytes < 8 || count === 0) return { btfId, functions: [] };
    const buffer = Buffer.alloc(elementBytes * count);
    const array = { pointerAt: field.funcInfo, countAt: field.funcInfoCount, sizeAt: field.funcInfoSize };
    programInfoBytes(fd, [{ ...array, buffer, elementBytes }]);
    const functions = Array.from({ length: count }, (_, at) => ({
        instruction: buffer.readUInt32LE(at * elementBytes),
        typeId: buffer.readUInt32LE(at * elementBytes + 4),
    }));
    return { btfId, functions };
}
