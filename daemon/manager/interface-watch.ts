// SPDX-License-Identifier: Apache-2.0
// Interfaces of the daemon's own namespace that come, go or change: noticed at once, while the daemon runs. Links that
// went with an interface are forgotten then; in other namespaces that happens at the next read.
import { pollReadable } from "../kernel/ffi.ts";
import { watchInterfaces } from "../kernel/net/netlink.ts";
import type { Context } from "./context.ts";
import { dropDeadLinks } from "./links/dead-links.ts";

/** A new interface brings a burst of messages: one event for all of them. */
const settleMs = 50;

/** Watches until the returned function is called. */
export function startInterfaceWatch(context: Context): () => void {
    const watch = watchInterfaces();
    let timer: NodeJS.Timeout | undefined;
    const settle = async () => {
        timer = undefined;
        await context.lock.run(scope => dropDeadLinks(scope, context));
        context.events.emit("INTERFACES_CHANGED", "kernel", {});
    };
    const stopPolling = pollReadable(watch.fd, () => {
        if (watch.read().length === 0) return;
        timer ??= setTimeout(() => {
            settle().catch((error: unknown) => context.log(`interfaces changed: ${String(error)}`));
        }, settleMs).unref();
    });
    return () => {
        clearTimeout(timer);
        stopPolling();
        watch[Symbol.dispose]();
    };
}
