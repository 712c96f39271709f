// SPDX-License-Identifier: Apache-2.0
// The stream of changes: numbered, told to whoever listens at that moment, kept nowhere.
import type { ChangeEvent, EventKind, LinkId, ProgramId } from "../model.ts";

export class Events {
    #sequence = 0;
    readonly #listeners = new Set<(event: ChangeEvent) => void>();

    subscribe(listener: (event: ChangeEvent) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    emit(kind: EventKind, by: string, ids: { programs?: readonly ProgramId[]; links?: readonly LinkId[] }): void {
        const event: ChangeEvent = {
            sequence: ++this.#sequence,
            kind,
            programIds: ids.programs ?? [],
            linkIds: ids.links ?? [],
            time: new Date().toISOString(),
            by,
        };
        for (const listener of this.#listeners) listener(event);
    }
}
