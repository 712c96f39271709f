// SPDX-License-Identifier: Apache-2.0
// The daemon's log of changes, in words.
import type { Event_KindJson, EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { _, N_ } from "../text/i18n.ts";

export type Group = "programs" | "links" | "maps" | "images" | "others";

export function groups(): { id: Group; title: string }[] {
    return [
        { id: "programs", title: _("Programs") },
        { id: "links", title: _("Links") },
        { id: "maps", title: _("Maps") },
        { id: "images", title: _("Images") },
        { id: "others", title: _("Others") },
    ];
}

const kinds: { readonly [K in Event_KindJson]?: readonly [Group, string] } = {
    PROGRAM_LOADED: ["programs", N_("Program loaded")],
    PROGRAM_UNLOADED: ["programs", N_("Program unloaded")],
    PROGRAM_REPLACED: ["programs", N_("Program replaced")],
    LINK_ATTACHED: ["links", N_("Attached")],
    LINK_DETACHED: ["links", N_("Detached")],
    LINK_UPDATED: ["links", N_("Link changed")],
    LINK_LOST: ["links", N_("Gone with its interface")],
    MAP_CHANGED: ["maps", N_("Map changed")],
    IMAGE_PULLED: ["images", N_("Image pulled")],
    IMAGE_REMOVED: ["images", N_("Image removed")],
    SET_APPLIED: ["others", N_("Set applied")],
    KERNEL_CHANGED: ["others", N_("Changed by others")],
    INTERFACES_CHANGED: ["others", N_("Interfaces changed")],
    DAEMON_STARTED: ["others", N_("eBPF manager started")],
    REFUSED: ["others", N_("Change refused")],
};

export function eventTitle({ kind = "KIND_UNSPECIFIED" }: EventJson): string {
    const title = kinds[kind]?.[1];
    // of a newer daemon: its own word says more than nothing
    return title === undefined ? kind : _(title);
}

export function eventGroup({ kind = "KIND_UNSPECIFIED" }: EventJson): Group {
    return kinds[kind]?.[0] ?? "others";
}

/** Newest first, each once. */
export function merged(newer: readonly EventJson[], older: readonly EventJson[]): EventJson[] {
    const known = new Set(newer.map(event => event.sequence));
    const all = [...newer, ...older.filter(event => !known.has(event.sequence))];
    return all.sort((a, b) => Number(b.sequence ?? 0) - Number(a.sequence ?? 0));
}
