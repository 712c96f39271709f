// SPDX-License-Identifier: Apache-2.0
// The order of programs in a chain that is shared with libxdp: what every tool that rebuilds it must come to.

export interface LibxdpOrdered {
    readonly priority: number;
    /** as the kernel keeps it */
    readonly name: string;
    /** hex */
    readonly tag: string;
    /** RFC 3339 */
    readonly loadedAt: string;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Compares two loaded programs as libxdp does (cmp_xdp_programs in lib/libxdp/libxdp.c): lower priority value first,
 * then by name, by tag, and the older first.
 */
export function compareLibxdp(a: LibxdpOrdered, b: LibxdpOrdered): number {
    return (
        a.priority - b.priority ||
        compareText(a.name, b.name) ||
        compareText(a.tag, b.tag) ||
        compareText(a.loadedAt, b.loadedAt)
    );
}
