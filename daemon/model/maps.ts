// SPDX-License-Identifier: Apache-2.0
// What maps hold.
import type { MapId, ProgramId } from "./ids.ts";
import type { KernelMap } from "./kernel.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A map by its id, or by a name that one map alone has: those of our programs come first. */
export interface MapSelector {
    readonly id: MapId | undefined;
    readonly name: string;
    /** with a name: of this program */
    readonly programId: ProgramId | undefined;
}

/** A key or a value as bytes, or as text that BTF gives a meaning. */
export type MapInput = Uint8Array | string;

export interface MapDetail {
    readonly kernel: KernelMap;
    /** as the object calls it; empty for maps of others */
    readonly name: string;
    /** programs of ours that have it */
    readonly programIds: readonly ProgramId[];
    readonly usedBy: readonly ProgramId[];
    readonly pinPaths: readonly string[];
    /** one of our programs has it */
    readonly managed: boolean;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
    /** C types; empty without BTF */
    readonly keyType: string;
    readonly valueType: string;
    readonly perCpu: boolean;
    /** why not, one sentence; empty: entries can be read, changed */
    readonly unreadable: string;
    readonly unwritable: string;
    /** LIBBPF_PIN_BY_NAME */
    readonly shared: boolean;
}

export interface MapEntryView {
    readonly key: Uint8Array;
    /** undefined without BTF */
    readonly keyJson: Json | undefined;
    /** empty for a per-CPU map */
    readonly value: Uint8Array;
    readonly valueJson: Json | undefined;
    readonly cpus: readonly { cpu: number; value: Uint8Array; valueJson: Json | undefined }[];
    /** of the values of all CPUs, where they are made of numbers */
    readonly sum: Json | undefined;
}

export interface MapPage {
    readonly entries: readonly MapEntryView[];
    /** empty after the last page */
    readonly nextPageToken: string;
}

export interface MapChangeView {
    readonly kind: "READY" | "ADDED" | "CHANGED" | "DELETED" | "GONE";
    readonly entry: MapEntryView | undefined;
    readonly entryCount: number;
    /** RFC 3339 */
    readonly time: string;
}

export type MapUpdateMode = "any" | "noexist" | "exist";
