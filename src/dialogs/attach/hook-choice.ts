// SPDX-License-Identifier: Apache-2.0
// Where and how a program attaches: what the fields hold, and the hook that it makes.
import type { AttachItemJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Interface } from "../../model/model.ts";
import { type HookKind, presetOf } from "../../text/words.ts";

export const highestPriority = 2 ** 31 - 1;

export const xdpModes = ["auto", "native", "generic"] as const;

/** What the fields hold, valid or not. */
export interface HookChoice {
    /** an Interface's key, or elsewhere; empty while nothing is chosen */
    readonly interfaceKey: string;
    /** where interfaceKey is elsewhere */
    readonly elsewhere: { readonly name: string; readonly netns: string };
    readonly direction: "ingress" | "egress";
    readonly priority: string;
    /** of XDP programs; auto: native where the driver can */
    readonly mode: (typeof xdpModes)[number];
    /** by hook kind: a load can hold both XDP and TC programs */
    readonly proceedOn: Readonly<Record<HookKind, readonly number[]>>;
}

/** An interface of a namespace that the daemon does not list: none of our chains is in it yet. */
export const elsewhere = "elsewhere";

export function initialHook(interfaceKey = ""): HookChoice {
    return {
        interfaceKey,
        elsewhere: { name: "", netns: "" },
        direction: "ingress",
        priority: "50",
        mode: "auto",
        proceedOn: { xdp: presetOf("xdp"), tc: presetOf("tc"), tcx: [] },
    };
}

export function parsePriority(text: string): number | undefined {
    const value = /^[0-9]{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
    return value <= highestPriority ? value : undefined;
}

/** Undefined while none is named. */
export function interfaceOfChoice(
    choice: HookChoice,
    interfaces: readonly Interface[],
): { name: string; netns: string } | undefined {
    if (choice.interfaceKey !== elsewhere) return interfaces.find(one => one.key === choice.interfaceKey);
    const name = choice.elsewhere.name.trim();
    const netns = choice.elsewhere.netns.trim();
    return name !== "" && netns.startsWith("/") ? { name, netns } : undefined;
}

/** The hook for one program; undefined while the choice is not complete. */
export function hookOf(
    choice: HookChoice,
    kind: HookKind,
    interfaces: readonly Interface[],
): AttachItemJson | undefined {
    const iface = interfaceOfChoice(choice, interfaces);
    const priority = parsePriority(choice.priority);
    const proceedOn = [...choice.proceedOn[kind]];
    if (!iface || priority === undefined || (kind !== "tcx" && proceedOn.length === 0)) return undefined;
    const place = { interface: iface.name, netns: iface.netns, priority };
    switch (kind) {
        case "xdp":
            return { xdp: { ...place, proceedOn, ...(choice.mode === "auto" ? {} : { mode: choice.mode }) } };
        case "tc":
            return { tc: { ...place, direction: choice.direction, proceedOn } };
        case "tcx":
            return { tcx: { ...place, direction: choice.direction } };
    }
}
