// SPDX-License-Identifier: Apache-2.0
// A test run of a program.

/** What a test run of a program answered. */
export interface TestRun {
    readonly returnCode: number;
    /** empty for a code without a name */
    readonly returnName: string;
    readonly packet: Uint8Array;
    readonly nsPerRun: number;
    readonly runs: number;
}
