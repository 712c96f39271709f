// SPDX-License-Identifier: Apache-2.0
// The targets by name. What each reads, and which share of all inputs it gets, stands with it.
import type { Target } from "./targets.ts";

const readers = [
    "elf",
    "btf",
    "executable",
    "linkerCache",
    "libxdp",
    "config",
    "apply",
    "manifest",
    "tar",
    "layer",
    "signature",
] as const;
const messages = ["protobuf", "jsonMessage", "http", "grpc"] as const;

/** Of a hundred inputs and some. */
export const shares: Readonly<Record<(typeof readers)[number] | (typeof messages)[number], number>> = {
    ...{
        elf: 30,
        btf: 12,
        executable: 3,
        linkerCache: 2,
        libxdp: 2,
        config: 12,
        apply: 6,
        manifest: 8,
        tar: 10,
        layer: 3,
        signature: 4,
    },
    ...{ protobuf: 14, jsonMessage: 10, http: 2, grpc: 2 },
};

export async function targetOf(name: string): Promise<Target> {
    // what a target needs is read for it alone
    const reader = readers.find(known => known === name);
    if (reader !== undefined) return (await import("./targets.ts")).readerTargets[reader]();
    const message = messages.find(known => known === name);
    if (message !== undefined) return await (await import("./message-targets.ts")).messageTargets[message]();
    throw new Error(`no target ${name}; there are ${Object.keys(shares).join(", ")}`);
}
