// SPDX-License-Identifier: Apache-2.0
// clsact and its bpf filters in the calling thread's network namespace, by rtnetlink. Synchronous, as netlink.ts. What is not
// where and what it is expected to be is left as it is.
import type { Direction } from "../../model/hooks.ts";
import { errno } from "../ffi.ts";
import { dumpAll, requestChange } from "./netlink.ts";
import {
    clsactRequest,
    deleteFilterRequest,
    type Filter,
    type FilterPlace,
    filterDump,
    parseFilter,
    parseQdisc,
    putFilterRequest,
    type Qdisc,
    qdiscDump,
    RTM_NEWQDISC,
    RTM_NEWTFILTER,
} from "./tc-messages.ts";

export type { Filter, FilterPlace, Qdisc } from "./tc-messages.ts";

/** What is at the clsact place of an interface. */
export interface TcHook {
    readonly qdisc: Qdisc | undefined;
    /** in the order in which packets meet them */
    readonly filters: readonly Filter[];
}

const missing = -(errno["ENOENT"] ?? 2);
const otherProgram = -(errno["EPERM"] ?? 1);

function filtersAt(ifindex: number, direction: Direction): Filter[] {
    return dumpAll({
        what: "the filters",
        request: sequence => filterDump(sequence, ifindex, direction),
        parse: ({ type, payload }) => (type === RTM_NEWTFILTER ? parseFilter(payload) : undefined),
    });
}

const qdiscs = (): Qdisc[] =>
    dumpAll({
        what: "the qdiscs",
        request: qdiscDump,
        parse: ({ type, payload }) => (type === RTM_NEWQDISC ? parseQdisc(payload) : undefined),
    });

const qdiscAt = (ifindex: number): Qdisc | undefined => qdiscs().find(qdisc => qdisc.ifindex === ifindex);

/** A bpf filter of whoever put it there. */
export interface AttachedFilter {
    readonly ifindex: number;
    readonly direction: Direction;
    readonly programId: number;
}

/** Those at every interface of the namespace. */
export function attachedFilters(): AttachedFilter[] {
    return qdiscs().flatMap(({ ifindex, kind }) =>
        (kind === "clsact" ? (["ingress", "egress"] as const) : (["ingress"] as const)).flatMap(direction =>
            filtersAt(ifindex, direction).flatMap(({ programId }) =>
                programId === 0 ? [] : [{ ifindex, direction, programId }],
            ),
        ),
    );
}

export function tcHook(ifindex: number, direction: Direction): TcHook {
    const qdisc = qdiscAt(ifindex);
    // of an ingress qdisc any class is the ingress side
    const none = qdisc === undefined || (qdisc.kind !== "clsact" && direction === "egress");
    return { qdisc, filters: none ? [] : filtersAt(ifindex, direction) };
}

function ourFilter({ ifindex, direction, priority, handle }: FilterPlace): Filter | undefined {
    return filtersAt(ifindex, direction).find(
        one => one.priority === priority && one.handle === handle && one.chain === 0 && one.kind === "bpf",
    );
}

/** The program of the bpf filter at a place; 0: there is none. */
export const filterProgram = (place: FilterPlace): number => ourFilter(place)?.programId ?? 0;

/** 0, or -errno with nothing changed; EEXIST: something came there since it was looked at. */
export function addFilter(place: FilterPlace, program: number, name: string, makeQdisc: boolean): number {
    const { ifindex } = place;
    if (makeQdisc) {
        const made = requestChange("clsact", sequence => clsactRequest(sequence, ifindex, "add"));
        if (made < 0) return made;
    }
    const result = requestChange("a filter", sequence =>
        putFilterRequest(sequence, place, { fd: program, name }, "add"),
    );
    if (result < 0 && makeQdisc) removeEmptyQdisc(ifindex);
    return result;
}

/** Exchanges the program; 0 or -errno: ENOENT where no filter is there, EPERM where it has another program. */
export function replaceFilter(place: FilterPlace, program: number, name: string, expected: number): number {
    const found = filterProgram(place);
    if (found !== expected) return found === 0 ? missing : otherProgram;
    return requestChange("a filter", sequence => putFilterRequest(sequence, place, { fd: program, name }, "replace"));
}

/** Takes a filter away if it has one of the programs; 0 or -errno as replaceFilter. */
export function removeFilter(place: FilterPlace, programs: readonly number[]): number {
    const found = filterProgram(place);
    if (found === 0) return missing;
    if (!programs.includes(found)) return otherProgram;
    return requestChange("a filter", sequence => deleteFilterRequest(sequence, place));
}

/** Takes clsact away where no filter is at it. 0, also where one is, or -errno. */
export function removeEmptyQdisc(ifindex: number): number {
    if (qdiscAt(ifindex)?.kind !== "clsact") return 0;
    if (filtersAt(ifindex, "ingress").length > 0 || filtersAt(ifindex, "egress").length > 0) return 0;
    return requestChange("clsact", sequence => clsactRequest(sequence, ifindex, "delete"));
}
