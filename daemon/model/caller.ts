// SPDX-License-Identifier: Apache-2.0
// Who calls.

/** How long a caller waits for changes of others to end. */
export interface Patience {
    readonly ms: number;
    /** where that was said, for the error */
    readonly said: string;
}

/** Who is at the other end of a connection, as the kernel says. */
export interface Caller {
    /** undefined: for ever */
    readonly patience?: Patience | undefined;
    readonly uid: number;
    readonly gid: number;
    readonly pid: number;
    /** the human behind a privileged bridge: /proc/PID/loginuid; undefined where none is set */
    readonly loginUid: number | undefined;
}
