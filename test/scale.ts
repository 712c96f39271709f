// SPDX-License-Identifier: Apache-2.0
// How long tests of random inputs go on, and from which seed. BPFMAN_NIGHTLY=1 is set by the stage of that name.
export const nightly = process.env["BPFMAN_NIGHTLY"] === "1";

/** So many within `make check`, so many in a night. */
export const howMany = (inCheck: number, inNight: number): number => (nightly ? inNight : inCheck);

/** The variable's number, which repeats a run; else 1 in `make check`, and each night another. */
export function seedOf(variable: string): number {
    const given = process.env[variable];
    if (given !== undefined) return Number(given);
    return nightly ? Math.floor(Date.now() / 1000) : 1;
}
