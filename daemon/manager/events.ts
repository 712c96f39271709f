// SPDX-License-Identifier: Apache-2.0
// The stream of changes: numbered, kept in the store, told to whoever listens at that moment.
import type { ChangeEvent, EventKind } from "../model/events.ts";
import type { LinkId, MapId, ProgramId } from "../model/ids.ts";

export interface EventFacts {
    readonly programs?: readonly ProgramId[];
    readonly links?: readonly LinkId[];
    readonly maps?: readonly MapId[];
    /** names; absent: those of the programs and links */
    readonly subjects?: readonly string[];
    /** names beside those */
    readonly names?: readonly string[];
    readonly message?: string;
}

/** Where events are kept, and the names of what is there now. */
export interface EventLog {
    /** keeps one and gives it its number; throws where it can't */
    keep(event: Omit<ChangeEvent, "sequence">): number;
    /** by id, of all programs and links; throws where they can't be read */
    names(): { readonly programs: ReadonlyMap<ProgramId, string>; readonly links: ReadonlyMap<LinkId, string> };
    readonly log: (line: string) => void;
}

/** What happens too often, or says too little, to be kept. */
const passing: ReadonlySet<EventKind> = new Set(["INTERFACES_CHANGED", "KERNEL_CHANGED"]);
const maxMessageLength = 1000;
const maxSubjects = 64;
/** of which the names are known some events longer than they are there */
const maxGone = 1000;

export class Events {
    readonly #kept: EventLog;
    readonly #listeners = new Set<(event: ChangeEvent) => void>();
    readonly #whenKept = new Set<() => void>();
    readonly #whenWatched = new Set<(watched: boolean) => void>();
    /** of what is there and was: who goes is told by name too, also by the second event about it */
    readonly #programs = new Map<ProgramId, string>();
    readonly #links = new Map<LinkId, string>();

    constructor(kept: EventLog) {
        this.#kept = kept;
        this.#learn();
    }

    subscribe(listener: (event: ChangeEvent) => void): () => void {
        this.#listeners.add(listener);
        if (this.#listeners.size === 1) this.#tellWatched(true);
        return () => {
            const was = this.#listeners.delete(listener);
            if (was && this.#listeners.size === 0) this.#tellWatched(false);
        };
    }

    /** Calls back when the first listener comes and when the last one has gone. */
    onWatched(callback: (watched: boolean) => void): void {
        this.#whenWatched.add(callback);
    }

    /** Calls back for each event that is kept: a change of ours, mostly. */
    onKept(callback: () => void): void {
        this.#whenKept.add(callback);
    }

    #tellWatched(watched: boolean): void {
        for (const callback of this.#whenWatched) callback(watched);
    }

    emit(kind: EventKind, by: string, facts: EventFacts): void {
        const { programs = [], links = [], maps = [], message = "" } = facts;
        const isPassing = passing.has(kind);
        if (!isPassing) this.#learn();
        const subjects = facts.subjects ?? [
            ...programs.flatMap(id => this.#programs.get(id) ?? []),
            ...links.flatMap(id => this.#links.get(id) ?? []),
            ...(facts.names ?? []),
        ];
        const event = {
            kind,
            programIds: programs,
            linkIds: links,
            mapIds: maps,
            time: new Date().toISOString(),
            by,
            subjects: [...new Set(subjects)].slice(0, maxSubjects),
            message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message,
        };
        const whole: ChangeEvent = { sequence: isPassing ? 0 : this.#keep(event), ...event };
        if (!isPassing) for (const callback of this.#whenKept) callback();
        for (const listener of this.#listeners) listener(whole);
    }

    /** A change that was made is not undone because nobody could write that it was. */
    #keep(event: Omit<ChangeEvent, "sequence">): number {
        try {
            return this.#kept.keep(event);
        } catch (error) {
            this.#kept.log(`keep an event: ${error instanceof Error ? error.message : String(error)}`);
            return 0;
        }
    }

    #learn(): void {
        try {
            const { programs, links } = this.#kept.names();
            remember(this.#programs, programs);
            remember(this.#links, links);
        } catch (error) {
            this.#kept.log(`names for events: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
}

/** Those that are there stand last; of the others the oldest are forgotten first. */
function remember<Id>(known: Map<Id, string>, present: ReadonlyMap<Id, string>): void {
    for (const [id, name] of present) {
        known.delete(id);
        known.set(id, name);
    }
    for (const id of known.keys()) {
        if (known.size <= present.size + maxGone) break;
        known.delete(id);
    }
}
