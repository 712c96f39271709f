// SPDX-License-Identifier: Apache-2.0
// Chains by tail call: the members stay as they were loaded, each slot of the dispatcher calls one of them through a
// PROG_ARRAY. A PROG_ARRAY lives by its pin: without one the kernel empties it though a program still uses it.
import { openPin, pin, updateElement } from "../bpf.ts";
import type { Fd } from "../fd.ts";
import {
    type BuildContext,
    type BuildMember,
    type BuildRequest,
    type Built,
    countsPin,
    openRecorded,
    slotsPin,
} from "./backend.ts";
import { Dispatcher } from "./dispatcher.ts";

/** All programs of a PROG_ARRAY take multi-buffer packets or none does (kernel/bpf/core.c, prog_map_compatible). */
async function openMember(member: BuildMember, frags: boolean, { bpffs, copies }: BuildContext): Promise<Fd> {
    if (member.program.frags === frags) return openRecorded(bpffs, member.program);
    return openPin(bpffs.path(await copies.make(member.program, "plain")));
}

export async function buildTailCall(request: BuildRequest, context: BuildContext): Promise<Built> {
    const { bpffs } = context;
    const slots = request.members.map(({ mask, priority, program }) => ({ mask, priority, frags: program.frags }));
    using dispatcher = Dispatcher.load(`${request.kind}_tail_call`, slots, request.frags, request.counting);
    if (dispatcher.slots === undefined) throw new Error("a tail-call dispatcher has slots");
    bpffs.makeFolder(request.folder);
    pin(dispatcher.slots, bpffs.path(`${request.folder}/${slotsPin}`));
    if (dispatcher.counts !== undefined) pin(dispatcher.counts, bpffs.path(`${request.folder}/${countsPin}`));
    for (const [position, member] of request.members.entries()) {
        using fd = await openMember(member, request.frags, context);
        const { id, name } = member.program;
        updateElement(dispatcher.slots, position, fd.number, `put program ${id} (${name}) at position ${position}`);
    }
    const entry = `${request.folder}/dispatcher`;
    pin(dispatcher.program, bpffs.path(entry));
    const { id, tag } = dispatcher.identity();
    return { entry, programId: id, programTag: tag, memberLinks: request.members.map(() => undefined) };
}
