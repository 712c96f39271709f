// SPDX-License-Identifier: Apache-2.0
// What the verifier says of a program that it accepts. A load asks for no log: writing one makes it many times slower. So
// the kept bytes are verified once more, with the same maps, when somebody wants to read it.
import { withoutMapValues } from "../../kernel/elf/elf-edit.ts";
import { mapKey } from "../../kernel/load/loader-protocol.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { VerifierLog } from "../../model/program-code.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { refuseReplaced } from "../views/replaced.ts";
import { loaderProgramOf } from "./load.ts";

let stages = 0;

/** NOT_FOUND where the kernel has no such program. */
export async function verifierLog(context: Context, id: ProgramId): Promise<VerifierLog> {
    const record = context.store.program(id);
    if (record !== undefined) return verifyAgain(context, record);
    refuseReplaced(context, id);
    if (!context.kernel.isAlive(id)) throw new BpfmanError("NOT_FOUND", `program ${id} does not exist`);
    const unavailable = "The program was loaded by others, and the kernel tells its log only to who loads.";
    return { log: "", unavailable, truncated: false };
}

/** A whole log of more is some tens of megabytes long, and takes the verifier a minute. */
const maxWholeInstructions = 100_000;

/** The sums first: they tell whether the whole is fit to be read. */
async function verifyAgain(context: Context, record: ProgramRecord): Promise<VerifierLog> {
    const summary = await verify(context, record, "summary");
    const processed = Number(/^processed (\d+) insns/m.exec(summary.log)?.[1] ?? 0);
    if (processed > maxWholeInstructions) return { ...summary, truncated: true };
    try {
        return await verify(context, record, "whole");
    } catch (error) {
        // before Linux 6.4 a log that does not fit ends the load
        if (!(error instanceof BpfmanError) || error.errno !== "ENOSPC") throw error;
        return { ...summary, truncated: true };
    }
}

async function verify(
    { bpffs, loader, store }: Context,
    record: ProgramRecord,
    log: "whole" | "summary",
): Promise<VerifierLog> {
    const stage = `staging/log_${record.id}_${++stages}`;
    bpffs.makeFolder(stage);
    try {
        const answer = await loader.load(
            {
                objectName: "log",
                programs: [loaderProgramOf(record, record.section, record.frags)],
                arrayMembers: [],
                target: undefined,
                reuse: Object.fromEntries(Array.from(record.mapIds, ([name, id]) => [mapKey(name), id])),
                globals: [],
                stage: bpffs.path(stage),
                pinMaps: false,
                log,
            },
            withoutMapValues(store.readObject(record.objectSha256)),
        );
        return { log: answer.log ?? "", unavailable: "", truncated: answer.logCut ?? false };
    } finally {
        bpffs.remove(stage);
    }
}
