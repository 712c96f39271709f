// SPDX-License-Identifier: Apache-2.0
// An object from a path that a caller named: opened once, never followed through a link, never waited for.
import fs from "node:fs";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";

export const maxObjectBytes = 16 << 20;

const errors: Readonly<Record<string, string>> = {
    ENOENT: "does not exist",
    ENOTDIR: "does not exist",
    EACCES: "cannot be read",
    ELOOP: "is a symbolic link",
    ENXIO: "is a socket",
};

/** Root only: the daemon's rights are not lent. INVALID_ARGUMENT with the reason for what is no regular file. */
export function readObject(path: string, caller: Caller): Uint8Array {
    if (caller.uid !== 0)
        throw new BpfmanError("PERMISSION_DENIED", "only root may name a file for the daemon to open", {
            hint: "Send the object's bytes instead, as the bpfman command does.",
        });
    const refuse = (why: string, errno?: string) =>
        new BpfmanError("INVALID_ARGUMENT", `${JSON.stringify(path)} ${why}`, { errno });
    if (!path.startsWith("/")) throw refuse("is no absolute path");
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    let fd: number;
    try {
        fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        throw refuse(errors[code] ?? `cannot be opened: ${code}`, code);
    }
    try {
        const stat = fs.fstatSync(fd);
        if (stat.isDirectory()) throw refuse("is a directory");
        if (!stat.isFile()) throw refuse("is no regular file");
        if (stat.size > maxObjectBytes)
            throw new BpfmanError(
                "RESOURCE_EXHAUSTED",
                `${JSON.stringify(path)} has ${stat.size} bytes; an object has ${maxObjectBytes} at most`,
            );
        const bytes = Buffer.alloc(stat.size);
        let length = 0;
        for (let got = 1; got > 0 && length < bytes.length; length += got)
            got = fs.readSync(fd, bytes, length, bytes.length - length, length);
        return bytes.subarray(0, length);
    } finally {
        fs.closeSync(fd);
    }
}
