// SPDX-License-Identifier: Apache-2.0
// One revision of a chain, by the backend that the plan chose.
import type { Backend } from "../../model/records.ts";
import { programIdentity } from "../bpf.ts";
import { type BuildContext, type BuildRequest, type Built, openRecorded, programPin } from "./backend.ts";
import { buildFreplace } from "./backend-freplace.ts";
import { buildTailCall } from "./backend-tail-call.ts";

/** A lone XDP program is attached itself: nothing to make. */
function buildDirect(request: BuildRequest, { bpffs }: BuildContext): Built {
    const member = request.members[0];
    if (member === undefined) throw new Error("a revision has at least one member");
    using fd = openRecorded(bpffs, member.program);
    const { id, tag } = programIdentity(fd);
    return { entry: programPin(id), programId: id, programTag: tag, memberLinks: [undefined] };
}

/** Builds and pins a revision. After a throw the folder may hold pins that the caller removes. */
export async function build(backend: Backend, request: BuildRequest, context: BuildContext): Promise<Built> {
    switch (backend) {
        case "direct":
            return buildDirect(request, context);
        case "freplace":
            return buildFreplace(request, context);
        case "tail-call":
            return buildTailCall(request, context);
        case "libxdp":
            throw new Error("a shared chain is changed by its protocol");
    }
}
