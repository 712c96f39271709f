// SPDX-License-Identifier: Apache-2.0
// Attach requests as tests write them.
import assert from "node:assert/strict";
import type { CallError } from "../../client/errors.ts";
import type { AttachItemJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Wire } from "./namespaces.ts";

/** Where the receiving end of a wire is, or another interface. */
type Place = Pick<Wire, "netns"> & { readonly interface: string };

export const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value | 0);
    return bytes;
};

export const xdpItem = (
    wire: Place,
    programId: number | undefined,
    priority: number,
    more: { proceedOn?: number[]; mode?: string } = {},
): AttachItemJson => ({
    programId: programId ?? 0,
    xdp: { interface: wire.interface, netns: wire.netns, priority, proceedOn: [], mode: "auto", ...more },
});

export const tcItem = (
    wire: Place,
    programId: number | undefined,
    priority: number,
    more: { proceedOn?: number[]; direction?: string } = {},
): AttachItemJson => ({
    programId: programId ?? 0,
    tc: { interface: wire.interface, netns: wire.netns, direction: "ingress", priority, proceedOn: [], ...more },
});

export const tcxItem = (
    wire: Place,
    programId: number | undefined,
    priority: number,
    direction = "ingress",
): AttachItemJson => ({
    programId: programId ?? 0,
    tcx: { interface: wire.interface, netns: wire.netns, direction, priority },
});

/** The error that a call must end with. */
export async function refusal(promise: Promise<unknown>): Promise<CallError> {
    try {
        await promise;
    } catch (error) {
        return error as CallError;
    }
    return assert.fail("nothing was refused");
}
