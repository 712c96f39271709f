// SPDX-License-Identifier: Apache-2.0
// Packets that chains count while somebody looks: per verdict of the chain, and per verdict of each member.
import { useEffect, useState } from "react";
import type {
    ChainStatisticsJson,
    SlotStatisticsJson,
    StatisticsJson,
    VerdictCountJson,
} from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { follow } from "../../connection/follow.ts";
import { useVisible } from "../../connection/use-statistics.ts";
import type { Chain, Interface, Member } from "../../model/model.ts";
import { usePage } from "../../page.ts";

export interface Counts {
    readonly packets: number;
    readonly perSecond: number;
}

export interface VerdictCounts extends Counts {
    readonly code: number;
}

export interface ChainCounts extends Counts {
    /** why it is not counted, in the daemon's words; empty where it is */
    readonly unmeasured: string;
    readonly verdicts: readonly VerdictCounts[];
    readonly members: ReadonlyMap<string, MemberCounts>;
}

export interface MemberCounts extends Counts {
    readonly verdicts: readonly VerdictCounts[];
    readonly nsPerRun: number;
}

export interface LiveCounts {
    readonly chains: ReadonlyMap<string, ChainCounts>;
    readonly error: Error | undefined;
    /** false until the first record with figures */
    readonly counting: boolean;
}

const none: LiveCounts = { chains: new Map(), error: undefined, counting: false };

/** While it is on and the page is to be seen; the kernel counts no longer than that. */
export function useLiveCounts(on: boolean): LiveCounts {
    const { client } = usePage();
    const visible = useVisible();
    const [counts, setCounts] = useState(none);
    useEffect(() => {
        if (!on || !visible) return undefined;
        const leave = follow({
            open: signal => client.watchStatistics({ chains: true }, signal),
            onRecord: record => setCounts(countsOf(record)),
            onRefused: error => setCounts({ ...none, error }),
        });
        return () => {
            leave();
            setCounts(none);
        };
    }, [client, on, visible]);
    return counts;
}

function countsOf(record: StatisticsJson): LiveCounts {
    const chains = new Map((record.chains ?? []).map(chain => [keyOf(chain), chainCounts(chain)]));
    const unavailable = record.unavailable ?? "";
    return {
        chains,
        error: unavailable === "" ? undefined : new Error(unavailable),
        counting: (record.intervalMs ?? 0) > 0,
    };
}

export function chainKey(iface: Interface, chain: Chain): string {
    return `${iface.nsid}:${iface.ifindex}:${chain.type}`;
}

export function memberKey(member: Pick<Member, "linkId" | "programId" | "position">): string {
    return member.linkId > 0 ? `link ${member.linkId}` : `program ${member.programId} at ${member.position}`;
}

function keyOf(chain: ChainStatisticsJson): string {
    return `${chain.nsid ?? "0"}:${chain.ifindex ?? 0}:${chain.type ?? ""}`;
}

function chainCounts(chain: ChainStatisticsJson): ChainCounts {
    const verdicts = (chain.verdicts ?? []).map(verdictOf);
    return {
        unmeasured: chain.unmeasured ?? "",
        verdicts,
        packets: sum(verdicts.map(verdict => verdict.packets)),
        perSecond: number(chain.packetsPerSecond),
        members: new Map((chain.slots ?? []).map(slot => [slotKey(slot), memberCounts(slot)])),
    };
}

function slotKey({ linkId = 0, programId = 0, position = 0 }: SlotStatisticsJson): string {
    return memberKey({ linkId, programId, position });
}

function memberCounts(slot: SlotStatisticsJson): MemberCounts {
    const verdicts = (slot.verdicts ?? []).map(verdictOf);
    return {
        verdicts,
        packets: sum(verdicts.map(verdict => verdict.packets)),
        perSecond: number(slot.runsPerSecond),
        nsPerRun: number(slot.nsPerRun),
    };
}

function verdictOf(verdict: VerdictCountJson): VerdictCounts {
    return { code: verdict.action ?? 0, packets: Number(verdict.total ?? 0), perSecond: number(verdict.perSecond) };
}

/** proto3 JSON writes NaN and infinities as text. */
function number(value: number | string | undefined): number {
    const found = Number(value ?? 0);
    return Number.isFinite(found) ? found : 0;
}

function sum(values: readonly number[]): number {
    return values.reduce((total, value) => total + value, 0);
}
