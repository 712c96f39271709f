// SPDX-License-Identifier: Apache-2.0
// What the page shows, kept true: one Watch stream says that something changed, then every list on screen is fetched
// again. Changes that come together cost one round. Nothing is polled.
import { CallError, TransportError } from "../../client/errors.ts";
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { isAway } from "./follow.ts";
import { OutdatedError } from "./version.ts";

export type Connection =
    | { readonly state: "connecting" }
    | { readonly state: "ready" }
    /** was ready; what is shown may be old */
    | { readonly state: "reconnecting" }
    /** nobody listens at the socket */
    | { readonly state: "absent" }
    /** this session may not connect */
    | { readonly state: "denied" }
    /** the daemon is older than the page; version is empty where it does not tell */
    | { readonly state: "outdated"; readonly version: string }
    | { readonly state: "failed"; readonly message: string };

export interface Resource<T = unknown> {
    readonly value: T | undefined;
    readonly error: Error | undefined;
}

export interface LiveOptions {
    readonly watch: (signal: AbortSignal) => AsyncIterable<EventJson>;
    /** changes within this time are one */
    readonly settleMs?: number;
    /** from one round to the next, while changes keep coming: a host that changes all the time is not asked all the time */
    readonly paceMs?: number;
    /** how long a daemon that takes the connection may say nothing */
    readonly patienceMs?: number;
    /** the first wait before a reconnection; doubled up to ten times this */
    readonly backOffMs?: number;
}

interface Entry {
    users: number;
    fetch: () => Promise<unknown>;
    resource: Resource;
    /** its answer came before the stream was ready: what changed in between is not in it */
    isEarly: boolean;
    /** requests are counted: an answer does not replace that of a later one */
    asked: number;
    shown: number;
}

// A restarting daemon is absent for a moment, and its socket unit starts it on the next try.
const patientTries = 3;
const keptUnused = 20;
const nothing: Resource = { value: undefined, error: undefined };

export class Live {
    readonly #options: Required<LiveOptions>;
    readonly #entries = new Map<string, Entry>();
    readonly #listeners = new Set<() => void>();
    #connection: Connection = { state: "connecting" };
    #failures = 0;
    #times = 0;
    #stopped = new AbortController();
    #wake: (() => void) | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #roundBegan = Number.NEGATIVE_INFINITY;
    #fetching = false;
    #again = false;

    constructor(options: LiveOptions) {
        this.#options = { settleMs: 30, paceMs: 200, patienceMs: 15_000, backOffMs: 500, ...options };
    }

    start(): void {
        this.#stopped = new AbortController();
        void this.#run(this.#stopped.signal);
    }

    stop(): void {
        this.#stopped.abort(new Error("stopped"));
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#wake?.();
    }

    /** Reconnects at once instead of when the back-off is over. */
    retry(): void {
        this.#failures = 0;
        this.#wake?.();
    }

    readonly subscribe = (listener: () => void): (() => void) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    };

    readonly connection = (): Connection => this.#connection;

    /** How often the connection became ready: what was fetched once may be another daemon's since. */
    readonly timesReady = (): number => this.#times;

    resource(key: string): Resource {
        return this.#entries.get(key)?.resource ?? nothing;
    }

    /** Keeps what fetch gives under the key up to date until the returned function is called. */
    keep(key: string, fetch: () => Promise<unknown>): () => void {
        const known = this.#entries.get(key);
        const entry = known ?? { users: 0, fetch, resource: nothing, asked: 0, shown: 0, isEarly: false };
        entry.users++;
        if (!known) this.#entries.set(key, entry);
        // what a view showed before is there at once when it comes back, and fetched again
        const { state } = this.#connection;
        if (entry.users === 1 && (state === "ready" || state === "connecting")) void this.#fetch(entry);
        return () => {
            entry.users--;
            if (entry.users === 0) this.#dropUnused(key, entry);
        };
    }

    /** The latest are kept for a view that comes back; a page that is open for weeks does not keep all it ever showed. */
    #dropUnused(key: string, entry: Entry): void {
        // the latest goes to the end
        this.#entries.delete(key);
        this.#entries.set(key, entry);
        const unused = [...this.#entries].filter(([, { users }]) => users === 0);
        for (const [old] of unused.slice(0, -keptUnused)) this.#entries.delete(old);
    }

    /** Fetches everything on screen again, soon. */
    refresh(): void {
        if (this.#fetching) {
            this.#again = true;
            return;
        }
        const { settleMs, paceMs } = this.#options;
        const waitMs = Math.max(settleMs, this.#roundBegan + paceMs - performance.now());
        this.#timer ??= setTimeout(() => {
            this.#timer = undefined;
            void this.#fetchAll();
        }, waitMs);
    }

    async #run(signal: AbortSignal): Promise<void> {
        while (!signal.aborted) {
            const silence = new AbortController();
            const timer = setTimeout(() => silence.abort(new TransportError("lost", "")), this.#options.patienceMs);
            try {
                for await (const event of this.#options.watch(AbortSignal.any([signal, silence.signal]))) {
                    if (event.kind !== "READY") {
                        this.refresh();
                        continue;
                    }
                    clearTimeout(timer);
                    this.#failures = 0;
                    this.#times++;
                    const wasConnecting = this.#connection.state === "connecting";
                    const isStale = [...this.#entries.values()].some(
                        ({ users, isEarly }) => users > 0 && (isEarly || !wasConnecting),
                    );
                    this.#set({ state: "ready" });
                    // what is on its way was asked for after the stream was, and views that come with the state ask now
                    if (isStale) this.refresh();
                }
                this.#failed(new TransportError("lost", "the stream ended"));
            } catch (error) {
                if (signal.aborted) return;
                this.#failed(error);
            } finally {
                clearTimeout(timer);
            }
            await this.#pause();
        }
    }

    #failed(error: unknown): void {
        this.#failures++;
        const wasReady = this.#connection.state === "ready" || this.#connection.state === "reconnecting";
        const reason = error instanceof TransportError ? error.reason : undefined;
        if (error instanceof OutdatedError) this.#set({ state: "outdated", version: error.version });
        else if (error instanceof CallError && error.code === "UNIMPLEMENTED")
            this.#set({ state: "outdated", version: "" });
        else if (reason === "denied") this.#set({ state: "denied" });
        else if (wasReady && this.#failures <= patientTries) this.#set({ state: "reconnecting" });
        else if (reason === "absent" || reason === "refused") this.#set({ state: "absent" });
        else if (wasReady && reason !== undefined) this.#set({ state: "reconnecting" });
        else this.#set({ state: "failed", message: error instanceof Error ? error.message : String(error) });
    }

    #pause(): Promise<void> {
        const { backOffMs } = this.#options;
        const waitMs = Math.min(backOffMs * 2 ** Math.max(0, this.#failures - 1), backOffMs * 10);
        return new Promise(resolve => {
            const timer = setTimeout(resolve, waitMs);
            this.#wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }

    async #fetchAll(): Promise<void> {
        this.#fetching = true;
        this.#again = false;
        this.#roundBegan = performance.now();
        await Promise.all(
            [...this.#entries.values()].filter(entry => entry.users > 0).map(entry => this.#fetch(entry)),
        );
        this.#fetching = false;
        if (this.#again && !this.#stopped.signal.aborted) this.refresh();
    }

    async #fetch(entry: Entry): Promise<void> {
        const request = ++entry.asked;
        let resource: Resource;
        try {
            resource = { value: await entry.fetch(), error: undefined };
        } catch (error) {
            // An old daemon may not know the call: that it is old is told by the stream. It is asked again then.
            entry.isEarly = this.#connection.state === "connecting";
            // a lost connection shows in the connection's state; what was known stays on screen
            if (entry.isEarly || !(error instanceof CallError) || isAway(error)) return;
            resource = { value: undefined, error };
        }
        if (request < entry.shown) return;
        entry.shown = request;
        entry.isEarly = this.#connection.state === "connecting";
        entry.resource = resource;
        this.#notify();
    }

    #set(connection: Connection): void {
        this.#connection = connection;
        this.#notify();
    }

    #notify(): void {
        for (const listener of this.#listeners) listener();
    }
}
