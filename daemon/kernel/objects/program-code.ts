// SPDX-License-Identifier: Apache-2.0
// A program's instructions as the kernel has them, its machine code, and where its functions and source lines begin.
import type { Fd } from "../fd.ts";
import { type FunctionInfo, functionInfos, type InfoArray, programInfoBytes } from "./program-details.ts";

const at = {
    jitedLength: 16,
    xlatedLength: 20,
    jited: 24,
    xlated: 32,
    lineInfoCount: 148,
    lineInfo: 152,
    lineInfoSize: 172,
} as const;

/** struct bpf_line_info: the offsets are of strings in the program's BTF. */
export interface LineInfo {
    readonly instruction: number;
    readonly fileAt: number;
    readonly textAt: number;
    readonly line: number;
    readonly column: number;
}

export interface RawCode {
    /** empty where the kernel does not show it */
    readonly xlated: Buffer;
    readonly jited: Buffer;
    readonly xlatedBytes: number;
    readonly jitedBytes: number;
    readonly btfId: number;
    readonly functions: readonly FunctionInfo[];
    readonly lines: readonly LineInfo[];
}

/** At most so many bytes of translated code; of what is longer the beginning. */
export function readCode(fd: Fd, withJited: boolean, maxXlatedBytes: number): RawCode {
    const sizes = programInfoBytes(fd);
    const xlatedBytes = sizes.readUInt32LE(at.xlatedLength);
    const jitedBytes = sizes.readUInt32LE(at.jitedLength);
    const lineBytes = sizes.readUInt32LE(at.lineInfoSize);
    const lineCount = sizes.readUInt32LE(at.lineInfoCount);
    const xlated = Buffer.alloc(Math.min(xlatedBytes, maxXlatedBytes));
    const jited = Buffer.alloc(withJited ? jitedBytes : 0);
    const lines = Buffer.alloc(lineBytes >= 16 ? lineBytes * lineCount : 0);
    const arrays: InfoArray[] = [
        { pointerAt: at.xlated, countAt: at.xlatedLength, buffer: xlated, elementBytes: 1 },
        { pointerAt: at.jited, countAt: at.jitedLength, buffer: jited, elementBytes: 1 },
        {
            pointerAt: at.lineInfo,
            countAt: at.lineInfoCount,
            sizeAt: at.lineInfoSize,
            buffer: lines,
            elementBytes: Math.max(lineBytes, 1),
        },
    ];
    const info = programInfoBytes(fd, arrays);
    // the kernel clears the pointer of what it does not show (kernel/bpf/syscall.c, bpf_prog_get_info_by_fd)
    const shown = (buffer: Buffer, pointerAt: number) =>
        info.readBigUInt64LE(pointerAt) === 0n ? Buffer.alloc(0) : buffer;
    return {
        xlated: shown(xlated, at.xlated),
        jited: shown(jited, at.jited),
        xlatedBytes,
        jitedBytes,
        ...functionInfos(fd),
        lines: Array.from({ length: lines.length === 0 ? 0 : lineCount }, (_, index) => {
            const start = index * lineBytes;
            const place = lines.readUInt32LE(start + 12);
            return {
                instruction: lines.readUInt32LE(start),
                fileAt: lines.readUInt32LE(start + 4),
                textAt: lines.readUInt32LE(start + 8),
                line: place >>> 10,
                column: place & 0x3ff,
            };
        }),
    };
}
