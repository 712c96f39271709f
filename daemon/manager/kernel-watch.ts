// SPDX-License-Identifier: Apache-2.0
// Programs, maps and links of others that come or go: the kernel tells nobody, so its ids are walked, at most once a
// second and only while somebody watches. A walk of a thousand ids takes a millisecond or two.
import { linkIds, mapIds, programIds } from "../kernel/bpf.ts";
import type { Context } from "./context.ts";
import { asBpfmanError } from "./unexpected.ts";

const everyMs = 1000;

const idsNow = (): string => [programIds(), mapIds(), linkIds()].map(ids => ids.join(" ")).join("/");

/** Until the returned function is called. ids: what is there now, as text. */
export function startKernelWatch(
    { events, log }: Pick<Context, "events" | "log">,
    ids: () => string = idsNow,
): () => void {
    let timer: NodeJS.Timeout | undefined;
    let last = "";
    let failed = false;
    /** Whether something is other than it was. A walk that fails is logged, once, and the next one is tried. */
    const look = (): boolean => {
        const before = last;
        try {
            last = ids();
            failed = false;
        } catch (error) {
            if (!failed) log(`the kernel's ids can't be walked: ${asBpfmanError(error, log).message}`);
            failed = true;
        }
        return last !== before;
    };
    events.onWatched(watched => {
        clearInterval(timer);
        timer = undefined;
        if (!watched) return;
        look();
        timer = setInterval(() => {
            if (look()) events.emit("KERNEL_CHANGED", "", {});
        }, everyMs).unref();
    });
    // a change of ours has an event of its own, and who hears of it reads what is there from then on
    events.onKept(() => {
        if (timer !== undefined) look();
    });
    return () => {
        clearInterval(timer);
        timer = undefined;
    };
}
