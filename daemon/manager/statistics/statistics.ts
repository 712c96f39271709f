// SPDX-License-Identifier: Apache-2.0
// Run statistics while somebody looks: the kernel counts from the first watch to the end of the last one. Each watch has
// an interval of its own; looks that fall together are one look.
import type { Fd } from "../../kernel/fd.ts";
import { onlineCpus } from "../../kernel/hooks/perf-event.ts";
import { countsAlways, enableRunStatistics, runCounts } from "../../kernel/objects/run-statistics.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { NetworkLinkRecord } from "../../model/records.ts";
import type { StatisticsRequest } from "../../model/statistics.ts";
import type { Context } from "../context.ts";
import type { StatisticsWatcher } from "../manager.ts";
import { ProgramNames } from "../programs/function-names.ts";
import { asBpfmanError } from "../unexpected.ts";
import { chainProgramLinks, knownChains } from "./statistics-chains.ts";
import { type KnownChain, type KnownProgram, type Sample, statisticsRecord } from "./statistics-record.ts";

/** Two watches that look within so long of each other see the same. */
const sharedWithinNs = 100_000_000n;
/** Rows that no event told of are read again after so long. */
const knownForMs = 5000;

interface Watch {
    readonly request: StatisticsRequest;
    readonly watcher: StatisticsWatcher;
    first: Sample | undefined;
    before: Sample | undefined;
    timer: NodeJS.Timeout | undefined;
}

/** What of the kernel a test puts its own in place of. */
const kernel = { enableRunStatistics, countsAlways, runCounts, onlineCpus };
export type StatisticsKernel = typeof kernel;

export class Statistics {
    readonly #context: Context;
    readonly #kernel: StatisticsKernel;
    readonly #watches = new Set<Watch>();
    #counting: Fd | undefined;
    #unavailable = "";
    #latest: Sample | undefined;
    readonly #programs = new Map<ProgramId, KnownProgram>();
    readonly #names = new ProgramNames();
    #links: readonly NetworkLinkRecord[] | undefined;
    #linksReadMs = 0;
    #unsubscribe: (() => void) | undefined;

    constructor(context: Context, statisticsKernel: StatisticsKernel = kernel) {
        this.#context = context;
        this.#kernel = statisticsKernel;
    }

    /** Returns what ends the watch. */
    watch(request: StatisticsRequest, watcher: StatisticsWatcher): () => void {
        const watch: Watch = { request, watcher, first: undefined, before: undefined, timer: undefined };
        if (this.#watches.size === 0) this.#begin();
        this.#watches.add(watch);
        const start = () => {
            if (this.#watches.has(watch)) this.#look(watch);
            // it may have ended or failed at once
            if (this.#watches.has(watch)) watch.timer = setInterval(() => this.#look(watch), request.intervalMs);
        };
        if (request.chains) void this.#context.counting.begin(this.#context).catch(this.#logFailure).then(start);
        else start();
        return () => this.#end(watch);
    }

    /** Ends every watch: the kernel counts no more, and chains are swapped back once the lock is theirs. */
    stop(): void {
        for (const watch of this.#watches) this.#end(watch);
    }

    readonly #logFailure = (error: unknown): void => void asBpfmanError(error, this.#context.log);

    #begin(): void {
        const result = this.#kernel.enableRunStatistics();
        if (typeof result !== "string") this.#counting = result;
        else this.#unavailable = this.#kernel.countsAlways() ? "" : result;
        // rows change with an event; a name is known before its row is written
        this.#unsubscribe = this.#context.events.subscribe(() => this.#forget());
    }

    #forget(): void {
        this.#programs.clear();
        this.#links = undefined;
    }

    #end(watch: Watch): void {
        clearInterval(watch.timer);
        if (!this.#watches.delete(watch)) return;
        if (watch.request.chains) void this.#context.counting.end(this.#context).catch(this.#logFailure);
        if (this.#watches.size > 0) return;
        this.#counting?.[Symbol.dispose]();
        this.#counting = undefined;
        this.#unavailable = "";
        this.#latest = undefined;
        this.#unsubscribe?.();
        this.#forget();
        this.#names.forget(new Set());
    }

    #look(watch: Watch): void {
        try {
            const now = this.#sample(watch.before === undefined);
            const { first = now, before = now } = watch;
            const known = {
                program: (id: ProgramId) => this.#program(id),
                chains: this.#knownChains(),
                cpus: this.#kernel.onlineCpus().length,
                unavailable: this.#unavailable,
            };
            // what a watcher does not take is in its next record
            if (!watch.watcher.record(statisticsRecord(watch.request, first, before, now, known))) return;
            watch.first = first;
            watch.before = now;
        } catch (error) {
            this.#end(watch);
            watch.watcher.fail(
                error instanceof BpfmanError ? error : asBpfmanError(error, line => this.#context.log(line)),
            );
        }
    }

    #sample(fresh: boolean): Sample {
        const atNs = process.hrtime.bigint();
        if (!fresh && this.#latest !== undefined && atNs - this.#latest.atNs < sharedWithinNs) return this.#latest;
        const programs = new Map(
            this.#context.kernel.programIds().flatMap(id => {
                const counts = this.#kernel.runCounts(id);
                return counts === undefined ? [] : [[id, counts] as const];
            }),
        );
        this.#latest = { atNs, time: new Date().toISOString(), programs, chains: this.#chainCounts() };
        return this.#latest;
    }

    #program(id: ProgramId): KnownProgram | undefined {
        let known = this.#programs.get(id);
        if (known === undefined) {
            const found = this.#context.kernel.program(id);
            if (found === undefined) return undefined;
            const name = this.#context.store.program(id)?.name ?? this.#names.of(found);
            known = { name, type: found.typeName };
            this.#programs.set(id, known);
        }
        return known;
    }

    #chainCounts(): Sample["chains"] {
        const { counting, store } = this.#context;
        return counting.isWatched ? counting.read(this.#context, store.chains()) : new Map();
    }

    #knownChains(): KnownChain[] {
        const nowMs = Date.now();
        if (this.#links === undefined || Math.abs(nowMs - this.#linksReadMs) > knownForMs) {
            this.#links = chainProgramLinks(this.#context);
            this.#linksReadMs = nowMs;
        }
        return knownChains(this.#context, this.#links);
    }
}
