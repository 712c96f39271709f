// SPDX-License-Identifier: Apache-2.0
// One daemon per runtime directory: an flock(2) that goes with the process, however it ends.
import fs from "node:fs";
import { check } from "./errors.ts";
import { errno, libc } from "./ffi.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** The lock, or undefined where another process holds it. */
export function takeLock(path: string): { release(): void } | undefined {
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0o600);
    const result = libc.flock(fd, LOCK_EX | LOCK_NB);
    if (result === -(errno["EWOULDBLOCK"] ?? errno["EAGAIN"] ?? 11)) {
        fs.closeSync(fd);
        return undefined;
    }
    check(result, `lock ${path}`);
    return { release: () => fs.closeSync(fd) };
}
