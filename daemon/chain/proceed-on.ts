// SPDX-License-Identifier: Apache-2.0
// Proceed-on: the return codes of a program after which its chain goes on; as codes in the API, as a bit mask in a
// dispatcher. XDP: bit r for code r. TC: bit r + 1, because TC_ACT_UNSPEC is -1.

export const xdpActions = {
    aborted: 0,
    drop: 1,
    pass: 2,
    tx: 3,
    redirect: 4,
    dispatcher_return: 31,
} as const;

export const tcActions = {
    unspec: -1,
    ok: 0,
    reclassify: 1,
    shot: 2,
    pipe: 3,
    stolen: 4,
    queued: 5,
    repeat: 6,
    redirect: 7,
    trap: 8,
    dispatcher_return: 30,
} as const;

const defaults = {
    xdp: [xdpActions.pass, xdpActions.dispatcher_return],
    tc: [tcActions.pipe, tcActions.dispatcher_return],
} as const;

/** The codes asked for, each once and sorted; none asked for: the default. */
export function proceedOnOrDefault(kind: "xdp" | "tc", codes: readonly number[]): number[] {
    return [...new Set(codes.length === 0 ? defaults[kind] : codes)].sort((a, b) => a - b);
}

/** undefined, or the first code that means nothing to this kind of program. */
export function unknownAction(kind: "xdp" | "tc", codes: readonly number[]): number | undefined {
    const known: readonly number[] = Object.values(kind === "xdp" ? xdpActions : tcActions);
    return codes.find(code => !known.includes(code));
}

/** A code's name, as pass; "other" for one that has none. */
export function actionName(kind: "xdp" | "tc", code: number): string {
    const known = Object.entries(kind === "xdp" ? xdpActions : tcActions);
    return known.find(([, action]) => action === code)?.[0] ?? "other";
}

/** The mask that a dispatcher tests a return code against, as an unsigned 32-bit number. */
export function proceedOnMask(kind: "xdp" | "tc", codes: readonly number[]): number {
    const shift = kind === "xdp" ? 0 : 1;
    return codes.reduce((mask, code) => (mask | (1 << (code + shift))) >>> 0, 0);
}
