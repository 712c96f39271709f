// SPDX-License-Identifier: Apache-2.0
// Programs, maps and links of others that come or go: the kernel tells nobody, so its ids are walked, at most once a
// second and only while somebody watches. A walk of a thousand ids takes a millisecond or two.
import { linkIds, mapIds, programIds } from "../kernel/bpf.ts";
import type { Context } from "./context.ts";

const everyMs = 1000;

/** Until the returned function is called. */
export function startKernelWatch(context: Context): () => void {
    let timer: NodeJS.Timeout | undefined;
    let last = "";
    /** a change of ours is told by an event of its own */
    let ours = false;
    const look = () => {
        const now = [programIds(), mapIds(), linkIds()].map(ids => ids.join(" ")).join("/");
        if (now === last) return;
        const first = last === "";
        last = now;
        if (!first && !ours) context.events.emit("KERNEL_CHANGED", "", {});
        ours = false;
    };
    context.events.onWatched(watched => {
        clearInterval(timer);
        last = "";
        if (watched) {
            look();
            timer = setInterval(look, everyMs).unref();
        }
    });
    context.events.onKept(() => {
        ours = true;
    });
    return () => clearInterval(timer);
}
