// SPDX-License-Identifier: Apache-2.0
const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes for people: 1.5 KiB. */
export function sizeText(bytes: string | number | undefined): string {
    let value = Number(bytes ?? 0);
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
    return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
