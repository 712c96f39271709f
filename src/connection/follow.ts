// SPDX-License-Identifier: Apache-2.0
// A stream that a view shows: one that was lost, or that a stopping daemon ended, is opened again after a while.
import { CallError, TransportError } from "../../client/errors.ts";

interface Following<Record> {
    readonly open: (signal: AbortSignal) => AsyncIterable<Record>;
    readonly onRecord: (record: Record) => void;
    /** the daemon will not have it: it is not opened again */
    readonly onRefused: (error: Error) => void;
    readonly retryMs?: number;
}

/** Until the returned function is called; nothing is told after that. */
export function follow<Record>({ open, onRecord, onRefused, retryMs = 2000 }: Following<Record>): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
        try {
            for await (const record of open(signal)) {
                if (signal.aborted) return;
                onRecord(record);
            }
        } catch (error) {
            if (signal.aborted) return;
            if (!isAway(error)) {
                onRefused(error instanceof Error ? error : new Error(String(error)));
                return;
            }
        }
        // that the daemon is away shows over the views
        if (!signal.aborted) timer = setTimeout(() => void run(), retryMs);
    };
    void run();
    return () => {
        stop.abort(new Error("the view was left"));
        clearTimeout(timer);
    };
}

/** No answer, or that of a daemon that is about to end: asked again later it may well have one. */
export function isAway(error: unknown): boolean {
    return error instanceof TransportError || (error instanceof CallError && error.code === "UNAVAILABLE");
}
