// SPDX-License-Identifier: Apache-2.0
// The geometry of charts, in a box of 100 by 100 that is stretched to its place.

/** The smallest of 1, 2, 5, 10, 20, … that is not below; 1 where there is nothing. */
export function niceTop(largest: number): number {
    if (!(largest > 0) || !Number.isFinite(largest)) return 1;
    const power = 10 ** Math.floor(Math.log10(largest));
    // 0.1 + 0.2: a step that is met by a rounding error is met
    const step = [1, 2, 5, 10].find(one => largest <= one * power * (1 + 1e-9)) ?? 10;
    return step * power;
}

/**
 * An SVG path through the values, the newest at the right edge, so that a short history grows from there. Undefined
 * values are gaps; a lone value between gaps is a dot's width.
 */
export function linePath(values: readonly (number | undefined)[], slots: number, top: number): string {
    const step = 100 / Math.max(1, slots - 1);
    const start = 100 - (values.length - 1) * step;
    let path = "";
    let isPenDown = false;
    for (const [at, value] of values.entries()) {
        if (value === undefined) {
            isPenDown = false;
            continue;
        }
        const x = round(start + at * step);
        const y = round(100 - (100 * Math.min(value, top)) / top);
        path += `${isPenDown ? "L" : "M"}${x} ${y}`;
        if (!isPenDown && values[at + 1] === undefined) path += `h${round(step / 2)}`;
        isPenDown = true;
    }
    return path;
}

function round(value: number): number {
    return Math.round(value * 100) / 100;
}
