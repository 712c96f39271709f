// SPDX-License-Identifier: Apache-2.0
// A program's instructions, and what the verifier said of them.

export interface CodeInstruction {
    readonly index: number;
    readonly text: string;
    readonly hex: string;
    readonly jumpTo: number | undefined;
    /** of the line that begins here */
    readonly source:
        | { readonly text: string; readonly file: string; readonly line: number; readonly column: number }
        | undefined;
}

export interface ProgramCode {
    readonly functions: readonly {
        readonly name: string;
        readonly prototype: string;
        readonly instructions: readonly CodeInstruction[];
    }[];
    /** why not all is told, as jitedUnavailable; else empty */
    readonly unavailable: string;
    readonly jitedBytes: number;
    readonly jited: Uint8Array | undefined;
    readonly jitedUnavailable: string;
}

/** What the verifier said of a load that succeeded. */
export interface VerifierLog {
    readonly log: string;
    readonly unavailable: string;
    readonly truncated: boolean;
}
