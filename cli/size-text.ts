// SPDX-License-Identifier: Apache-2.0
/** Bytes for people. */
export function sizeText(bytes: string | number | undefined): string {
    const count = Number(bytes ?? 0);
    if (count < 10_000) return `${count} bytes`;
    return count < 10_000_000 ? `${Math.round(count / 1000)} kB` : `${Math.round(count / 1e6)} MB`;
}
