// SPDX-License-Identifier: Apache-2.0
// The order of the links at one hook.

export interface Ordered {
    readonly priority: number;
    /** grows with each request */
    readonly request: number;
    /** place among the links of one request */
    readonly requestIndex: number;
}

/**
 * Compares two links of one hook: lower priority value first. At equal priority the later request comes first in XDP
 * and TC chains, last among TCX links; links of one request keep the order they were given in.
 */
export function compareLinks(kind: "xdp" | "tc" | "tcx", a: Ordered, b: Ordered): number {
    if (a.priority !== b.priority) return a.priority - b.priority;
    if (a.request !== b.request) return kind === "tcx" ? a.request - b.request : b.request - a.request;
    return a.requestIndex - b.requestIndex;
}

/** The links in the order they run; the index is the position. */
export function inOrder<L extends Ordered>(kind: "xdp" | "tc" | "tcx", links: readonly L[]): L[] {
    return [...links].sort((a, b) => compareLinks(kind, a, b));
}
