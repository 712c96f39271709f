// SPDX-License-Identifier: Apache-2.0
// Run statistics.
import type { LinkId, ProgramId } from "./ids.ts";

export interface StatisticsRequest {
    readonly intervalMs: number;
    /** empty: all */
    readonly programIds: readonly ProgramId[];
    /** count in chains too */
    readonly chains: boolean;
}

/** What was counted between two looks, and until the later one. */
export interface StatisticsView {
    /** RFC 3339 */
    readonly time: string;
    /** between the two looks; 0 in the first record */
    readonly intervalMs: number;
    readonly programs: readonly ProgramStatistics[];
    readonly chains: readonly ChainStatistics[];
    /** why the kernel does not count; empty where it does */
    readonly unavailable: string;
    readonly cpus: number;
}

export interface RunCounts {
    readonly runs: bigint;
    readonly timeNs: bigint;
}

export interface ProgramStatistics extends RunCounts {
    readonly id: ProgramId;
    readonly name: string;
    /** lower-case name of enum bpf_prog_type */
    readonly type: string;
    /** since it was loaded, as far as the kernel counted */
    readonly total: RunCounts;
    readonly unmeasured: string;
    readonly byChain: boolean;
}

export interface ChainStatistics {
    /** as of ChainView */
    readonly type: string;
    readonly nsid: bigint;
    readonly ifindex: number;
    readonly interface: string;
    readonly slots: readonly SlotStatistics[];
    readonly packets: bigint;
    readonly verdicts: readonly VerdictStatistics[];
    readonly unmeasured: string;
}

export interface SlotStatistics extends RunCounts {
    readonly position: number;
    readonly linkId: LinkId;
    readonly programId: ProgramId;
    readonly verdicts: readonly VerdictStatistics[];
}

export interface VerdictStatistics {
    readonly action: number;
    readonly name: string;
    readonly count: bigint;
    /** since the stream began */
    readonly total: bigint;
}
