// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that tells of changes.
import { Event_Kind, type Host } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { EventKind } from "../model/events.ts";
import { changeEvent } from "./convert.ts";
import { invalid } from "./errors.ts";
import type { Handlers } from "./service.ts";
import { watch } from "./watch.ts";

const usualLimit = 200;
const maxLimit = 2000;

/** A caller that asks for more gets the most there is, and hears that there are more. */
export function eventHandlers(
    manager: Pick<Manager, "subscribe" | "listEvents">,
): Pick<Handlers<typeof Host>, "listEvents" | "watch"> {
    return {
        watch: (_request, _caller, sink) => watch(manager, sink),

        listEvents: async ({ limit, beforeSequence, kinds }) => {
            const { events, more } = manager.listEvents({
                limit: Math.min(limit === 0 ? usualLimit : limit, maxLimit),
                before: beforeSequence === 0n ? undefined : Number(beforeSequence),
                // each once: there is no end to the times that a caller may name one
                kinds: [...new Set(kinds.map(kindName))],
            });
            return { events: events.map(changeEvent), more };
        },
    };
}

function kindName(kind: Event_Kind): EventKind {
    const name = Event_Kind[kind];
    if (name === undefined || kind === Event_Kind.KIND_UNSPECIFIED) throw invalid(`unknown kind of event ${kind}`);
    return name as EventKind;
}
