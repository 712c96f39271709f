// SPDX-License-Identifier: Apache-2.0
// Which programs and links a list request asks for. Pure.
import type { LinkView, ProgramView } from "../model/views.ts";
import { isOfType } from "./type-words.ts";

/** Written today, and what the released bpfman wrote. */
export const applicationKeys = ["bpfman.io/application", "bpfman_application"] as const;

type Metadata = ReadonlyMap<string, string>;

export function applicationOf(metadata: Metadata): string {
    for (const key of applicationKeys) {
        const value = metadata.get(key);
        if (value !== undefined) return value;
    }
    return "";
}

/** Every pair must be there; the two keys of the application stand for each other. */
export function hasMetadata(metadata: Metadata, wanted: Metadata): boolean {
    if (wanted.size === 0) return true;
    const isApplication = (key: string) => applicationKeys.some(known => known === key);
    return Array.from(wanted).every(
        ([key, value]) => (isApplication(key) ? applicationOf(metadata) : metadata.get(key)) === value,
    );
}

export interface ProgramSelection {
    /** words of type-words.ts; empty: any */
    readonly types: readonly string[];
    /** empty: any */
    readonly application: string;
    readonly metadata: Metadata;
    readonly attached: boolean | undefined;
}

const none: Metadata = new Map();

export function selectsProgram(selection: ProgramSelection, view: ProgramView): boolean {
    const { types, application, metadata, attached } = selection;
    const own = view.record?.metadata ?? none;
    if (types.length > 0 && !types.some(type => isOfType(type, view.record?.type, view.kernel?.typeName))) return false;
    if (application !== "" && applicationOf(own) !== application) return false;
    if (attached !== undefined && view.links.length > 0 !== attached) return false;
    return hasMetadata(own, metadata);
}

export interface LinkSelection {
    /** 0: any */
    readonly programId: number;
    readonly kinds: readonly string[];
    readonly application: string;
    readonly metadata: Metadata;
}

export function selectsLink(selection: LinkSelection, view: LinkView): boolean {
    const { programId, kinds, application, metadata } = selection;
    const { record } = view;
    if (programId !== 0 && record.programId !== programId) return false;
    if (kinds.length > 0 && !kinds.includes(record.hook.kind)) return false;
    if (application !== "" && view.application !== application && applicationOf(record.metadata) !== application)
        return false;
    return hasMetadata(record.metadata, metadata);
}
