// SPDX-License-Identifier: Apache-2.0
// Chains by freplace: each member is a BPF_PROG_TYPE_EXT copy of its program that replaces a stub of the dispatcher,
// held by a pinned link of its own. A copy serves every dispatcher and slot without being loaded again.
import type { KernelLinkId } from "../../model/ids.ts";
import { createFreplaceLink, linkInfo, openPin, pin } from "../bpf.ts";
import { type BuildContext, type BuildRequest, type Built, countsPin } from "./backend.ts";
import { Dispatcher } from "./dispatcher.ts";

export async function buildFreplace(request: BuildRequest, { bpffs, copies }: BuildContext): Promise<Built> {
    const slots = request.members.map(({ mask, priority, program }) => ({ mask, priority, frags: program.frags }));
    using dispatcher = Dispatcher.load(`${request.kind}_freplace`, slots, request.frags, request.counting);
    bpffs.makeFolder(request.folder);
    const entry = `${request.folder}/dispatcher`;
    pin(dispatcher.program, bpffs.path(entry));
    if (dispatcher.counts !== undefined) pin(dispatcher.counts, bpffs.path(`${request.folder}/${countsPin}`));
    const programs = request.members.map(({ program }) => program);
    await copies.makeAll(programs, "ext", entry);
    const memberLinks: KernelLinkId[] = [];
    for (const [position, { program }] of request.members.entries()) {
        using copy = openPin(bpffs.path(copies.name(program, "ext")));
        const what = `put program ${program.id} (${program.name}) at position ${position}`;
        using link = createFreplaceLink(copy, dispatcher.program, dispatcher.stubId(position), what);
        pin(link, bpffs.path(`${request.folder}/link_${position}`));
        memberLinks.push(linkInfo(link).id);
    }
    const { id, tag } = dispatcher.identity();
    return { entry, programId: id, programTag: tag, memberLinks };
}
