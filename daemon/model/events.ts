// SPDX-License-Identifier: Apache-2.0
// Changes that watchers hear of and the history keeps.
import type { LinkId, MapId, ProgramId } from "./ids.ts";

export type EventKind =
    | "PROGRAM_LOADED"
    | "PROGRAM_UNLOADED"
    | "PROGRAM_REPLACED"
    | "LINK_ATTACHED"
    | "LINK_DETACHED"
    | "LINK_UPDATED"
    | "LINK_LOST"
    | "IMAGE_PULLED"
    | "IMAGE_REMOVED"
    | "SET_APPLIED"
    | "MAP_CHANGED"
    | "DAEMON_STARTED"
    | "REFUSED"
    | "INTERFACES_CHANGED"
    | "KERNEL_CHANGED";

export interface ChangeEvent {
    /** 0: it is not kept */
    readonly sequence: number;
    readonly kind: EventKind;
    readonly programIds: readonly ProgramId[];
    readonly linkIds: readonly LinkId[];
    readonly mapIds: readonly MapId[];
    /** RFC 3339 */
    readonly time: string;
    readonly by: string;
    /** names of what it was about */
    readonly subjects: readonly string[];
    readonly message: string;
}

export interface EventQuery {
    readonly limit: number;
    /** undefined: from the newest on */
    readonly before: number | undefined;
    /** empty: all */
    readonly kinds: readonly EventKind[];
}

export interface EventPage {
    /** newest first */
    readonly events: readonly ChangeEvent[];
    readonly more: boolean;
}
