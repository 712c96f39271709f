// SPDX-License-Identifier: Apache-2.0
// What was counted between two looks. No I/O: two samples and what is known of programs and chains make one record.
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type {
    ChainStatistics,
    ProgramStatistics,
    RunCounts,
    SlotStatistics,
    StatisticsRequest,
    StatisticsView,
    VerdictStatistics,
} from "../../model/statistics.ts";

/** Runs with what they answered: how often each action, by its code. */
export interface VerdictCounts extends RunCounts {
    readonly verdicts: ReadonlyMap<number, bigint>;
}

/** What was counted in one chain since counting began, over all its revisions. */
export interface ChainCounts {
    readonly whole: VerdictCounts;
    readonly slots: ReadonlyMap<LinkId, VerdictCounts>;
}

export interface Sample {
    /** a clock that only rises */
    readonly atNs: bigint;
    /** RFC 3339 */
    readonly time: string;
    readonly programs: ReadonlyMap<ProgramId, RunCounts>;
    /** what chains counted, by their key; also of those that are gone or count no more */
    readonly chains: ReadonlyMap<string, ChainCounts>;
}

export interface KnownProgram {
    readonly name: string;
    readonly type: string;
}

export interface KnownChain {
    readonly key: string;
    readonly type: string;
    readonly nsid: bigint;
    readonly ifindex: number;
    readonly interface: string;
    /** a code's name, as pass */
    readonly actionName: (action: number) => string;
    /** in their order */
    readonly members: readonly { readonly linkId: LinkId; readonly programId: ProgramId }[];
    /** why its slots are not counted, one sentence; empty where they are */
    readonly unmeasured: string;
    /** the kernel counts the runs of its members itself */
    readonly byKernel: boolean;
}

export interface Known {
    readonly program: (id: ProgramId) => KnownProgram | undefined;
    readonly chains: readonly KnownChain[];
    readonly cpus: number;
    /** why the kernel does not count; empty where it does */
    readonly unavailable: string;
}

const nothing: VerdictCounts = { runs: 0n, timeNs: 0n, verdicts: new Map() };
export const noCounts: ChainCounts = { whole: nothing, slots: new Map() };

/** What only the kernel's own counters could tell of a program of this type. */
const uncountedTypes: Readonly<Record<string, string>> = {
    ext: "the kernel does not count a program that replaces a function of another: its runs are in the other's",
};

/** first: the sample that totals of a stream count from. */
export function statisticsRecord(
    request: StatisticsRequest,
    first: Sample,
    before: Sample,
    now: Sample,
    known: Known,
): StatisticsView {
    const wanted = new Set(request.programIds);
    const isWanted = (id: ProgramId) => wanted.size === 0 || wanted.has(id);
    const chains = known.chains.filter(({ members }) => members.some(({ programId }) => isWanted(programId)));
    const isFirst = before === now;
    return {
        time: now.time,
        intervalMs: isFirst ? 0 : Math.max(1, Math.round(Number(now.atNs - before.atNs) / 1e6)),
        cpus: known.cpus,
        unavailable: known.unavailable,
        programs: Array.from(now.programs)
            .filter(([id]) => isWanted(id))
            .map(([id, total]) => programRow(id, total, before, now, known)),
        chains: request.chains ? chains.map(chain => chainRow(chain, first, before, now)) : [],
    };
}

function programRow(id: ProgramId, kernel: RunCounts, before: Sample, now: Sample, known: Known): ProgramStatistics {
    // one that came since the look before had run never
    const own = minus(kernel, before === now ? kernel : before.programs.get(id));
    const { name = "", type = "" } = known.program(id) ?? {};
    let { runs, timeNs } = own;
    let total = kernel;
    let byChain = false;
    const reasons = [uncountedTypes[type] ?? ""];
    for (const chain of known.chains) {
        const links = chain.members.filter(({ programId }) => programId === id);
        if (links.length === 0 || chain.byKernel) continue;
        reasons.push(chain.unmeasured);
        const counts = now.chains.get(chain.key);
        if (counts === undefined || chain.unmeasured !== "") continue;
        byChain = true;
        for (const { linkId } of links) {
            const all = counts.slots.get(linkId) ?? nothing;
            const slot = minus(all, before.chains.get(chain.key)?.slots.get(linkId));
            total = { runs: total.runs + all.runs, timeNs: total.timeNs + all.timeNs };
            runs += slot.runs;
            timeNs += slot.timeNs;
        }
    }
    if (!byChain) reasons.push(known.unavailable);
    const unmeasured = reasons.find(reason => reason !== "") ?? "";
    return { id, name, type, runs, timeNs, total, unmeasured, byChain };
}

const minus = (now: RunCounts, before: RunCounts | undefined): RunCounts => ({
    runs: now.runs - (before?.runs ?? 0n),
    timeNs: now.timeNs - (before?.timeNs ?? 0n),
});

function chainRow(chain: KnownChain, first: Sample, before: Sample, now: Sample): ChainStatistics {
    const { key, type, nsid, ifindex, actionName, members, unmeasured } = chain;
    const at = (sample: Sample) => sample.chains.get(key) ?? noCounts;
    const slots = members.map(({ linkId, programId }, position): SlotStatistics => {
        const [one, two, three] = [now, before, first].map(sample => at(sample).slots.get(linkId) ?? nothing);
        return {
            position,
            linkId,
            programId,
            ...minus(one ?? nothing, two),
            verdicts: verdicts(actionName, one ?? nothing, two ?? nothing, three ?? nothing),
        };
    });
    const whole = at(now).whole;
    return {
        ...{ type, nsid, ifindex, interface: chain.interface, slots, unmeasured },
        packets: minus(whole, at(before).whole).runs,
        verdicts: verdicts(actionName, whole, at(before).whole, at(first).whole),
    };
}

function verdicts(
    actionName: (action: number) => string,
    now: VerdictCounts,
    before: VerdictCounts,
    first: VerdictCounts,
): VerdictStatistics[] {
    return Array.from(now.verdicts)
        .map(([action, count]) => ({
            action,
            name: actionName(action),
            count: count - (before.verdicts.get(action) ?? 0n),
            total: count - (first.verdicts.get(action) ?? 0n),
        }))
        .filter(({ total }) => total > 0n)
        .sort((a, b) => a.action - b.action);
}
