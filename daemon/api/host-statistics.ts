// SPDX-License-Identifier: Apache-2.0
// Run statistics of bpfman.host.v1: rates from what was counted between two looks.
import type {
    ChainStatisticsJson,
    Host,
    ProgramStatisticsJson,
    SlotStatisticsJson,
    StatisticsJson,
    VerdictCountJson,
    WatchStatisticsRequest,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { BpfmanError } from "../model/error.ts";
import type {
    ChainStatistics,
    ProgramStatistics,
    RunCounts,
    SlotStatistics,
    StatisticsRequest,
    StatisticsView,
    VerdictStatistics,
} from "../model/statistics.ts";
import { invalid } from "./errors.ts";
import type { Handlers, Sink } from "./service.ts";
import * as validate from "./validate.ts";

const defaultIntervalMs = 1000;
const shortestIntervalMs = 250;
const longestIntervalMs = 3_600_000;
/** What may be on its way to a reader when the next record comes. */
const mostPendingBytes = 64 * 1024;
/** The kernel does not count for long for one who does not read. */
const mostSkippedMs = 60_000;

export function statisticsHandlers(
    manager: Pick<Manager, "watchStatistics">,
): Pick<Handlers<typeof Host>, "watchStatistics"> {
    return {
        watchStatistics: (request, _caller, sink) => watchStatistics(manager, statisticsRequest(request), sink),
    };
}

function statisticsRequest({ intervalMs, programIds, chains }: WatchStatisticsRequest): StatisticsRequest {
    if (intervalMs !== 0 && (intervalMs < shortestIntervalMs || intervalMs > longestIntervalMs))
        throw invalid(
            `statistics are told every ${shortestIntervalMs} to ${longestIntervalMs} ms, not every ${intervalMs}`,
        );
    return {
        intervalMs: intervalMs === 0 ? defaultIntervalMs : intervalMs,
        programIds: programIds.length === 0 ? [] : validate.checkIds(programIds, validate.checkProgramId),
        chains,
    };
}

function watchStatistics(
    manager: Pick<Manager, "watchStatistics">,
    request: StatisticsRequest,
    sink: Sink<StatisticsJson>,
): () => void {
    let takenMs = Date.now();
    const stop = manager.watchStatistics(request, {
        record: view => {
            if (sink.pendingBytes <= mostPendingBytes) {
                takenMs = Date.now();
                sink.send(statistics(view));
                return true;
            }
            if (Date.now() - takenMs > mostSkippedMs + request.intervalMs) {
                // not from within the watch's own call
                queueMicrotask(stop);
                sink.cut(new BpfmanError("RESOURCE_EXHAUSTED", "the watcher does not read the statistics"));
            }
            return false;
        },
        fail: error => sink.fail(error),
    });
    return stop;
}

/** per second, mean ns of a run, share of one CPU */
function rates({ runs, timeNs }: RunCounts, intervalMs: number) {
    return {
        runsPerSecond: intervalMs === 0 ? 0 : (Number(runs) * 1000) / intervalMs,
        nsPerRun: runs === 0n ? 0 : Number(timeNs) / Number(runs),
        cpuShare: intervalMs === 0 ? 0 : Number(timeNs) / (intervalMs * 1e6),
    };
}

function statistics({ time, intervalMs, programs, chains, unavailable, cpus }: StatisticsView): StatisticsJson {
    return {
        time,
        intervalMs,
        cpus,
        ...(unavailable !== "" && { unavailable }),
        programs: programs.map(program => programStatistics(program, intervalMs)),
        chains: chains.map(chain => chainStatistics(chain, intervalMs)),
    };
}

/** A host may have thousands of programs that did not run: what is 0 or empty is left out, as proto3 JSON does. */
function programStatistics(program: ProgramStatistics, intervalMs: number): ProgramStatisticsJson {
    const { id, name, type, runs, timeNs, total, unmeasured, byChain } = program;
    return {
        id,
        name,
        type,
        ...(runs > 0n && { runs: String(runs), runTimeNs: String(timeNs), ...rates(program, intervalMs) }),
        ...(total.runs > 0n && { totalRuns: String(total.runs), totalRunTimeNs: String(total.timeNs) }),
        ...(unmeasured !== "" && { unmeasured }),
        ...(byChain && { byChain }),
    };
}

function chainStatistics(chain: ChainStatistics, intervalMs: number): ChainStatisticsJson {
    const { type, nsid, ifindex, slots, verdicts, packets, unmeasured } = chain;
    return {
        type,
        nsid: String(nsid),
        ifindex,
        interface: chain.interface,
        slots: slots.map(slot => slotStatistics(slot, intervalMs)),
        verdicts: verdicts.map(verdict => verdictCount(verdict, intervalMs)),
        packets: String(packets),
        packetsPerSecond: rates({ runs: packets, timeNs: 0n }, intervalMs).runsPerSecond,
        ...(unmeasured !== "" && { unmeasured }),
    };
}

function slotStatistics(slot: SlotStatistics, intervalMs: number): SlotStatisticsJson {
    const { position, linkId, programId, runs, timeNs, verdicts } = slot;
    const { runsPerSecond, nsPerRun } = rates(slot, intervalMs);
    return {
        ...{ position, linkId, programId, runs: String(runs), runTimeNs: String(timeNs), runsPerSecond, nsPerRun },
        verdicts: verdicts.map(verdict => verdictCount(verdict, intervalMs)),
    };
}

function verdictCount({ action, name, count, total }: VerdictStatistics, intervalMs: number): VerdictCountJson {
    const { runsPerSecond } = rates({ runs: count, timeNs: 0n }, intervalMs);
    return { action, name, count: String(count), perSecond: runsPerSecond, total: String(total) };
}
