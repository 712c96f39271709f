// SPDX-License-Identifier: Apache-2.0
// Where programs run: as it is asked for, and as it was resolved.

export const programTypes = [
    ...(["xdp", "tc", "tcx", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe"] as const),
    ...(["fentry", "fexit", "lsm", "perf_event", "raw_tracepoint", "cgroup"] as const),
] as const;

/** bpfman's word for a program's type. A link is of the kind of its program. */
export type ProgramType = (typeof programTypes)[number];

/** The types whose programs see packets at a network interface, in a chain. */
export type NetworkKind = "xdp" | "tc" | "tcx";

export type Direction = "ingress" | "egress";

export type XdpMode = "native" | "generic";

export type XdpModeWanted = "auto" | XdpMode;

/** What the configuration says of an interface, for links that leave the mode open. */
export interface ConfiguredXdpMode {
    readonly mode: XdpMode;
    /** where that is said, as part of a sentence */
    readonly source: string;
}

export type NetworkHookRequest =
    | {
          readonly kind: "xdp";
          readonly interface: string;
          /** path of a network namespace; empty: the daemon's own */
          readonly netns: string;
          readonly priority: number;
          /** action codes; empty: the default */
          readonly proceedOn: readonly number[];
          readonly mode: XdpModeWanted;
      }
    | {
          readonly kind: "tc";
          readonly interface: string;
          readonly netns: string;
          readonly direction: Direction;
          readonly priority: number;
          readonly proceedOn: readonly number[];
      }
    | {
          readonly kind: "tcx";
          readonly interface: string;
          readonly netns: string;
          readonly direction: Direction;
          readonly priority: number;
      };

/** Hooks where programs do not form chains. kprobe and uprobe: whether at the return follows from the program. */
export type ProbeHookRequest =
    | { readonly kind: "tracepoint"; readonly group: string; readonly name: string }
    | { readonly kind: "kprobe"; readonly function: string; readonly offset: number }
    | {
          readonly kind: "uprobe";
          /** an absolute path, or the name of a library */
          readonly target: string;
          /** empty: offset counts from the file's beginning, else from the function's */
          readonly function: string;
          readonly offset: number;
          /** fires in this process only; undefined: in all */
          readonly pid: number | undefined;
          /** the target is looked up as this process sees it */
          readonly containerPid: number | undefined;
      }
    | { readonly kind: "fentry" | "fexit" | "lsm" }
    | {
          readonly kind: "perf_event";
          /** a word of the perf tool: cpu-clock, page-faults, cycles … */
          readonly event: string;
          /** undefined: every one that is online */
          readonly cpu: number | undefined;
          /** samples a second, or events between two samples */
          readonly rate: SampleRate;
      }
    | { readonly kind: "raw_tracepoint"; readonly name: string }
    /** an absolute path, or one below the root of the control groups */
    | { readonly kind: "cgroup"; readonly path: string };

export type SampleRate = { readonly frequencyHz: number } | { readonly period: number };

export type HookRequest = NetworkHookRequest | ProbeHookRequest;

/** Hook of a chain: the network namespace's inode and cookie, and the ifindex in it. */
export interface HookKey {
    readonly kind: NetworkKind;
    /** ingress for xdp */
    readonly direction: Direction;
    readonly nsid: bigint;
    readonly netnsCookie: bigint;
    readonly ifindex: number;
}

/** A hook that is no chain, resolved: what the kernel was told. */
export type ProbeHook =
    | { readonly kind: "tracepoint"; readonly group: string; readonly name: string }
    | { readonly kind: "kprobe" | "kretprobe"; readonly function: string; readonly offset: number }
    | {
          readonly kind: "uprobe" | "uretprobe";
          readonly target: string;
          /** the file that the target is, as the process that it was looked up for sees it */
          readonly path: string;
          readonly function: string;
          readonly offset: number;
          /** from the file's beginning */
          readonly fileOffset: number;
          readonly pid: number | undefined;
          readonly containerPid: number | undefined;
      }
    | { readonly kind: "fentry" | "fexit" | "lsm"; readonly function: string }
    | {
          readonly kind: "perf_event";
          readonly event: string;
          readonly cpu: number | undefined;
          readonly rate: SampleRate;
      }
    | { readonly kind: "raw_tracepoint"; readonly name: string }
    /** attachType: lower-case name of enum bpf_attach_type, from the program's section */
    | { readonly kind: "cgroup"; readonly path: string; readonly attachType: string };

export type Hook = HookKey | ProbeHook;

/** A name that a hook's target may have. */
export interface Target {
    readonly name: string;
    readonly detail?: string;
    /** of a file: it is a folder */
    readonly folder?: boolean;
    readonly sizeBytes?: number;
}
