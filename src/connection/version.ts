// SPDX-License-Identifier: Apache-2.0
// The page's own version, and whether a daemon is older: after an upgrade the one that runs may still be the old one.

declare const __BPFMAN_VERSION__: string | undefined;

/** Empty where no build wrote it in. */
export const pageVersion = typeof __BPFMAN_VERSION__ === "string" ? __BPFMAN_VERSION__ : "";

/** Thrown where the daemon can't be spoken to as it is. */
export class OutdatedError extends Error {
    /** as the daemon tells it; empty where it does not */
    readonly version: string;

    constructor(version: string) {
        super(`the daemon is of version ${version === "" ? "unknown" : version}`);
        this.name = "OutdatedError";
        this.version = version;
    }
}

/** Compares MAJOR.MINOR.PATCH; what follows them (-rc1) does not count, and what is no version is not older. */
export function isOlder(version: string, than: string): boolean {
    const [a, b] = [numbers(version), numbers(than)];
    if (!a || !b) return false;
    const at = a.findIndex((number, index) => number !== b[index]);
    return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

function numbers(version: string): number[] | undefined {
    const found = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})/.exec(version);
    return found ? found.slice(1).map(Number) : undefined;
}
