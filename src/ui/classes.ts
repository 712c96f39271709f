// SPDX-License-Identifier: Apache-2.0
// The kit: what PatternFly's components look like and how they act, by PatternFly's own style sheets and with its
// markup, without the code that its React components bring along (Popper, focus traps, a table for every need).

/** The class names that apply. */
export function classes(...names: readonly (string | false | undefined)[]): string {
    return names.filter(name => name !== false && name !== undefined && name !== "").join(" ");
}
