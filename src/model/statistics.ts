// SPDX-License-Identifier: Apache-2.0
// Run statistics as they come, one record a second, kept for as long as charts show them.
import type { ProgramStatisticsJson, StatisticsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";

/** Records that are kept: two minutes of them. */
export const keptRecords = 120;

export interface Sample {
    readonly runsPerSecond: number;
    /** undefined where it did not run: no run has no time */
    readonly nsPerRun: number | undefined;
    /** of one CPU, from 0 */
    readonly cpuShare: number;
}

export interface ProgramHistory {
    readonly id: number;
    readonly name: string;
    readonly type: string;
    readonly byChain: boolean;
    /** why there is no figure; empty where there is one */
    readonly unmeasured: string;
    readonly totalRuns: number;
    readonly totalTimeNs: number;
    /** the newest last; undefined before it was there */
    readonly samples: readonly (Sample | undefined)[];
    readonly latest: Sample | undefined;
}

export interface LiveStatistics {
    /** records that hold rates, at most keptRecords */
    readonly count: number;
    readonly programs: ReadonlyMap<number, ProgramHistory>;
    readonly record: StatisticsJson;
}

export function addRecord(before: LiveStatistics | undefined, record: StatisticsJson): LiveStatistics {
    // the first of a stream has nothing to be compared with, and nobody knows what was between it and the one before
    const hasRates = (record.intervalMs ?? 0) > 0;
    const count = hasRates ? Math.min(keptRecords, (before?.count ?? 0) + 1) : 0;
    const programs = new Map<number, ProgramHistory>();
    for (const program of record.programs ?? []) {
        const id = program.id ?? 0;
        const latest = hasRates ? sampleOf(program) : undefined;
        const older = (hasRates ? before?.programs.get(id)?.samples : undefined) ?? [];
        programs.set(id, {
            id,
            name: program.name ?? "",
            type: program.type ?? "",
            byChain: program.byChain ?? false,
            unmeasured: program.unmeasured ?? "",
            totalRuns: Number(program.totalRuns ?? 0),
            totalTimeNs: Number(program.totalRunTimeNs ?? 0),
            samples: hasRates ? [...older, latest].slice(-keptRecords) : [],
            latest,
        });
    }
    return { count, programs, record };
}

function sampleOf(program: ProgramStatisticsJson): Sample | undefined {
    if (program.unmeasured) return undefined;
    const ran = Number(program.runs ?? 0) > 0;
    return {
        runsPerSecond: Number(program.runsPerSecond ?? 0),
        nsPerRun: ran ? Number(program.nsPerRun ?? 0) : undefined,
        cpuShare: Number(program.cpuShare ?? 0),
    };
}

export type Metric = keyof Sample;

/** The programs that take most of the CPU over what is kept, the busiest first; idle ones are none. */
export function busiest(statistics: LiveStatistics, count: number): ProgramHistory[] {
    const used = (program: ProgramHistory) => program.samples.reduce((sum, sample) => sum + (sample?.cpuShare ?? 0), 0);
    return [...statistics.programs.values()]
        .map(program => ({ program, used: used(program) }))
        .filter(({ used }) => used > 0)
        .sort((a, b) => b.used - a.used || a.program.id - b.program.id)
        .slice(0, count)
        .map(({ program }) => program);
}

export function valuesOf(program: ProgramHistory, metric: Metric): (number | undefined)[] {
    return program.samples.map(sample => sample?.[metric]);
}
