// SPDX-License-Identifier: Apache-2.0
// A replaced program has the kernel's new id; whoever still asks for the old one is told the new.
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { Context } from "../context.ts";

/** Throws NOT_FOUND where another program has taken this one's place. */
export function refuseReplaced(context: Context, id: ProgramId): void {
    const now = context.store.replacedBy(id);
    if (now === undefined) return;
    throw new BpfmanError("NOT_FOUND", `program ${id} was replaced by program ${now}`, {
        hint: `Its links and maps are those of program ${now} now.`,
    });
}
