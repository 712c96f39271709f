// SPDX-License-Identifier: Apache-2.0
// Calls to the network thread. Descriptors are numbers of this process; the caller keeps them open until the answer.
import type { TcxEntry } from "../bpf.ts";
import type { PerfEvent } from "../hooks/perf-event.ts";
import type { LinkInterface } from "./netlink.ts";
import type { AttachedFilter, FilterPlace, TcHook } from "./tc.ts";

export interface Namespace {
    readonly nsid: bigint;
    readonly cookie: bigint;
}

export type NetCall =
    | { readonly op: "interfaces" }
    /** interfaces with their TCX programs */
    | { readonly op: "survey" }
    | { readonly op: "create-xdp-link"; readonly program: number; readonly ifindex: number; readonly flags: number }
    | {
          readonly op: "create-tcx-link";
          readonly program: number;
          readonly ifindex: number;
          readonly attachType: number;
          readonly place: { readonly flags: number; readonly relativeFd: number; readonly revision: bigint };
      }
    | { readonly op: "query-tcx"; readonly ifindex: number; readonly attachType: number }
    /** without a link, by netlink: program -1 takes it away, expected -1 wants none there; flags: the mode's */
    | {
          readonly op: "set-xdp";
          readonly program: number;
          readonly ifindex: number;
          readonly expected: number;
          readonly flags: number;
      }
    | { readonly op: "tc-hook"; readonly ifindex: number; readonly direction: "ingress" | "egress" }
    /** the id of the program there; 0: none */
    | { readonly op: "filter-program"; readonly place: FilterPlace }
    | {
          readonly op: "add-filter";
          readonly place: FilterPlace;
          readonly program: number;
          readonly name: string;
          readonly makeQdisc: boolean;
      }
    | {
          readonly op: "replace-filter";
          readonly place: FilterPlace;
          readonly program: number;
          readonly name: string;
          /** the id of the program that must be there */
          readonly expected: number;
      }
    | { readonly op: "remove-filter"; readonly place: FilterPlace; readonly programs: readonly number[] }
    | { readonly op: "remove-empty-qdisc"; readonly ifindex: number }
    | { readonly op: "update-link"; readonly link: number; readonly program: number; readonly expected: number }
    | { readonly op: "detach-link"; readonly link: number }
    | { readonly op: "open-perf-event"; readonly event: PerfEvent; readonly pid: number; readonly cpu: number }
    | {
          readonly op: "create-target-link";
          readonly program: number;
          readonly target: number;
          readonly attachType: number;
      }
    | { readonly op: "open-raw-tracepoint"; readonly program: number; readonly name: string }
    /** what tc put to the interfaces of the namespace */
    | { readonly op: "tc-filters" }
    /** the last one of a link waits until its program runs no more */
    | { readonly op: "close"; readonly fd: number }
    | { readonly op: "quiesce" };

export interface NetResults {
    interfaces: { namespace: Namespace; interfaces: LinkInterface[] };
    survey: {
        namespace: Namespace;
        interfaces: { device: LinkInterface; ingress: TcxEntry[]; egress: TcxEntry[] }[];
    };
    "create-xdp-link": number;
    "create-tcx-link": number;
    "set-xdp": number;
    "tc-hook": TcHook;
    "filter-program": number;
    "add-filter": number;
    "replace-filter": number;
    "remove-filter": number;
    "remove-empty-qdisc": number;
    "query-tcx": { revision: bigint; entries: TcxEntry[] };
    "update-link": number;
    "detach-link": number;
    "open-perf-event": number;
    "create-target-link": number;
    "open-raw-tracepoint": number;
    "tc-filters": AttachedFilter[];
    close: number;
    quiesce: number;
}

export interface NetRequest {
    readonly id: number;
    /** path of a namespace; empty: the daemon's own */
    readonly netns: string;
    /** what the path must still name */
    readonly expected: Namespace | undefined;
    readonly call: NetCall;
}

export interface NetAnswer {
    readonly id: number;
    readonly result:
        | { readonly value: unknown }
        | { readonly gone: true }
        | { readonly error: string; readonly errno: string };
}
