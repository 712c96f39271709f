// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a Unix socket, as the kernel recorded it at connect(2): unix(7), SO_PEERCRED.
import { check } from "./errors.ts";
import { libc } from "./ffi.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** Throws where the fd is no connected Unix socket. */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
    const credentials = Buffer.alloc(12);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(credentials.length);
    check(libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length), "read the peer's credentials");
    return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
}
