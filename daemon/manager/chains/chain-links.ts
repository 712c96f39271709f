// SPDX-License-Identifier: Apache-2.0
// The links of one chain as its next revision is planned from them.
import type { WantedLink } from "../../chain/plan.ts";
import type { HookKey } from "../../model/hooks.ts";
import type { LinkId } from "../../model/ids.ts";
import type { Context } from "../context.ts";
import { sameHook } from "../pins.ts";

/** A link of a chain on its way: one that is there (id) or a new one (item). */
export interface ChainLink extends WantedLink {
    readonly id: LinkId | undefined;
    readonly item: number | undefined;
}

/** The links that a chain of ours holds now. */
export function chainLinks(context: Context, hook: HookKey): ChainLink[] {
    return context.store.links().flatMap(record => {
        if (!sameHook(record.hook, hook)) return [];
        const program = context.store.program(record.programId);
        if (program === undefined) return [];
        const { id, priority, request, requestIndex, proceedOn } = record;
        return [{ id, item: undefined, program, priority, request, requestIndex, proceedOn }];
    });
}
