// SPDX-License-Identifier: Apache-2.0
// Reads an object with the rights of the caller; the daemon gets its bytes and never opens the path.
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { resolve } from "node:path";

const maxBytes = 16 * 1024 * 1024;

/** Opened once: what is checked is what is read. Errors are sentences for people. */
export function readObjectFile(path: string): { bytes: Uint8Array; absolutePath: string } {
    const fd = open(path);
    try {
        const stat = fstatSync(fd);
        if (stat.isDirectory()) throw new Error(`${path} is a directory, not a BPF object file`);
        if (stat.isFIFO()) throw new Error(`${path} is a FIFO, not a regular file`);
        if (!stat.isFile()) throw new Error(`${path} is a device, not a regular file`);
        if (stat.size > maxBytes) {
            throw new Error(`${path} is too large: ${stat.size} bytes, a BPF object may have ${maxBytes} (16 MiB)`);
        }
        if (stat.size === 0) throw new Error(`${path} is empty`);
        return { bytes: readWhole(fd, stat.size, path), absolutePath: resolve(path) };
    } finally {
        closeSync(fd);
    }
}

function open(path: string): number {
    try {
        // O_NONBLOCK: opening a FIFO would wait for its writer
        return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
        throw new Error(openError(path, error as NodeJS.ErrnoException), { cause: error });
    }
}

function openError(path: string, error: NodeJS.ErrnoException): string {
    switch (error.code) {
        case "ENOENT":
            return `${path}: no such file`;
        case "ENOTDIR":
            return `${path}: a part of this path is not a directory`;
        case "EACCES":
        case "EPERM":
            return `${path}: permission denied`;
        case "ELOOP":
            return linkError(path);
        case "ENXIO":
            return `${path} is a socket or a device without a driver, not a regular file`;
        case "ERR_INVALID_ARG_VALUE":
            return "a path can't hold a NUL character";
        default:
            return `${path}: can't be opened: ${error.code ?? error.message}`;
    }
}

function linkError(path: string): string {
    try {
        return `${path} is a symbolic link, which is not followed; name the file itself: ${readlinkSync(path)}`;
    } catch {
        return `${path}: too many symbolic links`;
    }
}

function readWhole(fd: number, size: number, path: string): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; ) {
        const count = readSync(fd, bytes, at, size - at, null);
        if (count === 0) throw new Error(`${path} became shorter while it was read`);
        at += count;
    }
    return bytes;
}
