// SPDX-License-Identifier: Apache-2.0
// Ids, each a type of its own, so that one can't be passed for another. As all of this room: the words of
// docs/architecture.md as types, without behaviour.

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** The kernel's program id: unique within one boot. */
export type ProgramId = Branded<number, "ProgramId">;
/** Our link id: small, never reused, also not after a reboot. */
export type LinkId = Branded<number, "LinkId">;
/** The kernel's link id: unique within one boot. */
export type KernelLinkId = Branded<number, "KernelLinkId">;
/** The kernel's map id: unique within one boot. */
export type MapId = Branded<number, "MapId">;
