// SPDX-License-Identifier: Apache-2.0
// Unload: the links of all programs asked for go first, one rebuild a chain, then rows, pins, copies and map pins.
import { setTimeout as sleep } from "node:timers/promises";
import { lastUserLeaves } from "../../kernel/bpf.ts";
import type { Caller } from "../../model/caller.ts";
import type { BpfmanError } from "../../model/error.ts";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { BatchResult } from "../../model/requests.ts";
import type { Context } from "../context.ts";
import { missingProgram } from "../links/attach.ts";
import { dropDeadLinks } from "../links/dead-links.ts";
import { detachGroup } from "../links/detach.ts";
import { dropUnshared } from "../maps/shared-maps.ts";
import { groupByHook, mapFolder, programPin } from "../pins.ts";
import { asBpfmanError } from "../unexpected.ts";
import type { WriterScope } from "../writer-lock.ts";

export async function unload(
    context: Context,
    ids: readonly ProgramId[],
    options: { ignoreMissing: boolean },
    caller: Caller,
): Promise<BatchResult<ProgramId>> {
    const { result, programs, links } = await context.lock.run(async scope => {
        await dropDeadLinks(scope, context);
        const done: ProgramId[] = [];
        const failures: { id: ProgramId; error: BpfmanError }[] = [];
        const found: ProgramRecord[] = [];
        const fail = (id: ProgramId, error: unknown) => failures.push({ id, error: asBpfmanError(error, context.log) });
        for (const id of new Set(ids)) {
            const record = context.store.program(id);
            if (record !== undefined) found.push(record);
            else if (options.ignoreMissing) done.push(id);
            else
                try {
                    missingProgram(context, id);
                } catch (error) {
                    fail(id, error);
                }
        }
        const wanted = new Set(found.map(({ id }) => id));
        const records = context.store.links().filter(({ programId }) => wanted.has(programId));
        const stuck = new Map<ProgramId, unknown>();
        for (const group of groupByHook(records, ({ hook }) => hook))
            try {
                await detachGroup(scope, context, group);
            } catch (error) {
                for (const { programId } of group) stuck.set(programId, error);
            }
        const gone = found.filter(({ id }) => !stuck.has(id));
        for (const [id, error] of stuck) fail(id, error);
        forgetPrograms(scope, context, gone);
        done.push(...gone.map(({ id }) => id));
        const detached = records.filter(({ programId }) => !stuck.has(programId)).map(({ id }) => id);
        return { result: { done, failures }, programs: gone.map(({ id }) => id), links: detached as LinkId[] };
    }, caller.patience);
    const by = context.describe(caller);
    if (links.length > 0) context.events.emit("LINK_DETACHED", by, { links, programs });
    if (programs.length > 0) context.events.emit("PROGRAM_UNLOADED", by, { programs });
    await untilFreed(context, programs);
    return result;
}

const freedWithinMs = 250;

/**
 * Dropping a pin frees a program one RCU grace period later (bpf_free_inode() in kernel/bpf/inode.c); who asks for it
 * after the answer is not to find it. One that somebody else holds stays, as theirs.
 */
async function untilFreed({ kernel }: Context, ids: readonly ProgramId[]): Promise<void> {
    const deadline = performance.now() + freedWithinMs;
    while (performance.now() < deadline && ids.some(id => kernel.isAlive(id))) await sleep(5);
}

/** Rows first: what is left of the pins after a kill, a start removes. */
export function forgetPrograms(_scope: WriterScope, context: Context, programs: readonly ProgramRecord[]): void {
    if (programs.length === 0) return;
    context.store.transaction(() => {
        for (const { id } of programs) context.store.deleteProgram(id);
    });
    for (const program of programs) removePins(context, program);
    dropUnshared(context);
    context.store.collectObjects();
}

/** What is left of a program whose row is gone already. */
export function removeProgramPins(_scope: WriterScope, context: Context, program: ProgramRecord): void {
    removePins(context, program);
    dropUnshared(context);
    context.store.collectObjects();
}

function removePins(context: Context, program: ProgramRecord): void {
    context.bpffs.remove(programPin(program.id));
    context.copies.remove(program);
    removeMapPins(context, program);
}

/** A folder of map pins goes with the last program that uses it: the one it is called after, or one that named it. */
function removeMapPins(context: Context, program: ProgramRecord): void {
    const owner = program.mapOwnerId ?? program.id;
    const users = context.store.programs().filter(({ id, mapOwnerId }) => id === owner || mapOwnerId === owner);
    if (users.length > 0) return;
    for (const id of program.mapIds.values()) if (context.kernel.map(id)?.typeName === "prog_array") lastUserLeaves(id);
    context.bpffs.remove(mapFolder(owner));
}
