// SPDX-License-Identifier: Apache-2.0
// A record of run statistics as `top --json` prints it. Pure.
import type { StatisticsJson, VerdictCountJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";

const real = (value: number | string | undefined): number => Number(value ?? 0);
// counts of a daemon's life stay below 2^53
const integer = real;

const verdictsJson = (verdicts: readonly VerdictCountJson[] | undefined) =>
    (verdicts ?? []).map(({ action = 0, name = "", count, perSecond, total }) => ({
        action,
        name,
        count: integer(count),
        per_second: real(perSecond),
        total: integer(total),
    }));

export function statisticsJson(record: StatisticsJson, where: (programId: number) => string): unknown {
    const { time = "", intervalMs = 0, cpus = 0, unavailable = "", programs = [], chains = [] } = record;
    return {
        time,
        interval_ms: intervalMs,
        cpus,
        unavailable,
        programs: programs.map(program => ({
            id: program.id ?? 0,
            type: program.type ?? "",
            name: program.name ?? "",
            where: where(program.id ?? 0),
            runs: integer(program.runs),
            run_time_ns: integer(program.runTimeNs),
            runs_per_second: real(program.runsPerSecond),
            ns_per_run: real(program.nsPerRun),
            cpu_share: real(program.cpuShare),
            total_runs: integer(program.totalRuns),
            total_run_time_ns: integer(program.totalRunTimeNs),
            by_chain: program.byChain ?? false,
            unmeasured: program.unmeasured ?? "",
        })),
        chains: chains.map(chain => ({
            type: chain.type ?? "",
            nsid: integer(chain.nsid),
            ifindex: chain.ifindex ?? 0,
            interface: chain.interface ?? "",
            packets: integer(chain.packets),
            packets_per_second: real(chain.packetsPerSecond),
            verdicts: verdictsJson(chain.verdicts),
            unmeasured: chain.unmeasured ?? "",
            slots: (chain.slots ?? []).map(slot => ({
                position: slot.position ?? 0,
                link_id: slot.linkId ?? 0,
                program_id: slot.programId ?? 0,
                runs: integer(slot.runs),
                run_time_ns: integer(slot.runTimeNs),
                runs_per_second: real(slot.runsPerSecond),
                ns_per_run: real(slot.nsPerRun),
                verdicts: verdictsJson(slot.verdicts),
            })),
        })),
    };
}
