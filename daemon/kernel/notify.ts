// SPDX-License-Identifier: Apache-2.0
// sd_notify(3): Node has no datagram Unix sockets.
import { check } from "./errors.ts";
import { libc } from "./ffi.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;

/** Tells the service manager a state as "READY=1"; does nothing where none asked to be told. */
export function notify(state: string): void {
    const path = process.env["NOTIFY_SOCKET"];
    if (path === undefined || path === "") return;
    const name = Buffer.from(path);
    // a leading @ stands for the abstract name space: a NUL
    if (path.startsWith("@")) name[0] = 0;
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
    const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), "open a socket for NOTIFY_SOCKET");
    try {
        const bytes = Buffer.from(state);
        check(libc.sendto(fd, bytes, bytes.length, 0, address, address.length), `notify ${path}`);
    } finally {
        libc.close(fd);
    }
}
