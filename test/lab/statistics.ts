// SPDX-License-Identifier: Apache-2.0
// A watch of run statistics as tests read it: records as they come, and what they add up to.
import assert from "node:assert/strict";
import type { HostClient } from "../../client/host-client.ts";
import type {
    ChainStatisticsJson,
    ProgramStatisticsJson,
    StatisticsJson,
    WatchStatisticsRequestJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";

export class StatisticsWatch implements AsyncDisposable {
    readonly #abort = new AbortController();
    readonly #records: AsyncIterator<StatisticsJson>;
    readonly records: StatisticsJson[] = [];

    constructor(client: HostClient, request: WatchStatisticsRequestJson = {}) {
        const asked = { intervalMs: 250, ...request };
        this.#records = client.watchStatistics(asked, this.#abort.signal)[Symbol.asyncIterator]();
    }

    async next(): Promise<StatisticsJson> {
        const { value, done } = await this.#records.next();
        assert.equal(done ?? false, false, "the stream goes on");
        this.records.push(value);
        return value;
    }

    /** Reads on until a record has what is waited for; the answer is that. */
    async until<T>(find: (record: StatisticsJson) => T | undefined, what: string): Promise<T> {
        for (let read = 0; read < 60; read++) {
            const found = find(await this.next());
            if (found !== undefined) return found;
        }
        return assert.fail(`in 60 records there was no ${what}: ${JSON.stringify(this.records.at(-1)).slice(0, 2000)}`);
    }

    /** Of all records so far. */
    sum(value: (record: StatisticsJson) => string | undefined): number {
        return this.records.reduce((sum, record) => sum + Number(value(record) ?? 0), 0);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.#abort.abort(new Error("enough"));
        // records that came and were not asked for go too
        await this.#records.return?.(undefined).catch(() => undefined);
    }
}

export function programIn(record: StatisticsJson, id: number | undefined): ProgramStatisticsJson | undefined {
    return record.programs?.find(program => program.id === id);
}

export function chainIn(record: StatisticsJson, type: string): ChainStatisticsJson | undefined {
    return record.chains?.find(chain => chain.type === type);
}
