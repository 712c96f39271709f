// SPDX-License-Identifier: Apache-2.0
// A stream of changes for one watcher.
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { BpfmanError } from "../model/error.ts";
import { changeEvent } from "./convert.ts";
import type { Sink } from "./service.ts";
import { bpfmanVersion } from "./version.ts";

/** What the daemon keeps for a watcher that does not read. */
export const maxPendingBytes = 1024 * 1024;

/** READY at once, then every change; returns what ends the watch. */
export function watch(manager: Pick<Manager, "subscribe">, sink: Sink<EventJson>): () => void {
    sink.send({ sequence: "0", kind: "READY", time: new Date().toISOString(), version: bpfmanVersion() });
    const unsubscribe = manager.subscribe(event => {
        if (sink.pendingBytes <= maxPendingBytes) {
            sink.send(changeEvent(event));
            return;
        }
        unsubscribe();
        sink.cut(new BpfmanError("RESOURCE_EXHAUSTED", "the watcher does not read its events"));
    });
    return unsubscribe;
}
