// SPDX-License-Identifier: Apache-2.0
// A list's order changed by pointer (mouse, pen, touch) or by keyboard: Space takes a member, the arrows move it, Space
// puts it down, Escape puts it back. What happens is announced for who doesn't see it.
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from "react";

export interface DragOptions {
    readonly count: number;
    /** says who stands where: when it changes while one is carried, places mean other members, and the carrying ends */
    readonly order: string;
    /** the members' places after such a move, by where they are now */
    readonly orderAfter: (from: number, to: number) => readonly number[];
    /** whether the member at `from` may take the place `to` */
    readonly canMove: (from: number, to: number) => boolean;
    readonly onMove: (from: number, to: number) => void;
    readonly announce: (what: "taken" | "moved" | "dropped" | "cancelled", from: number, to: number) => void;
}

interface Drag {
    readonly from: number;
    readonly to: number;
    /** how far the pointer has carried it; absent: by keyboard */
    readonly offsetPx?: number;
    /** of all members, when it was taken */
    readonly heightsPx: readonly number[];
    /** knows whom the places meant then */
    readonly announce: DragOptions["announce"];
}

interface Grip {
    readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void;
    readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
    readonly onBlur: () => void;
    readonly "aria-pressed": boolean;
}

export function useDrag(options: DragOptions) {
    const list = useRef<HTMLOListElement>(null);
    const [drag, setDrag] = useState<Drag>();
    // what the listeners of a running drag see
    const latest = useRef({ options, drag });
    latest.current = { options, drag };

    const end = useCallback((drop: boolean) => {
        const { drag: ended, options: now } = latest.current;
        if (!ended) return;
        setDrag(undefined);
        const moved = drop && ended.to !== ended.from;
        ended.announce(drop ? "dropped" : "cancelled", ended.from, drop ? ended.to : ended.from);
        if (moved) now.onMove(ended.from, ended.to);
    }, []);

    const { order } = options;
    // biome-ignore lint/correctness/useExhaustiveDependencies: with each other order
    useEffect(() => end(false), [order, end]);

    const byPointer = drag?.offsetPx !== undefined;
    const start = useRef({ y: 0, middles: [] as number[] });
    useEffect(() => {
        if (!byPointer) return undefined;
        const move = (event: globalThis.PointerEvent) => {
            const { drag: running, options: now } = latest.current;
            if (!running) return;
            const offsetPx = event.clientY + window.scrollY - start.current.y;
            const to = nearest(start.current.middles, running.from, offsetPx, now.canMove);
            setDrag({ ...running, to, offsetPx });
        };
        const drop = () => end(true);
        const cancel = () => end(false);
        const key = (event: globalThis.KeyboardEvent) => event.key === "Escape" && end(false);
        window.addEventListener("pointermove", move);
        window.addEventListener("pointerup", drop);
        window.addEventListener("pointercancel", cancel);
        window.addEventListener("keydown", key, true);
        return () => {
            window.removeEventListener("pointermove", move);
            window.removeEventListener("pointerup", drop);
            window.removeEventListener("pointercancel", cancel);
            window.removeEventListener("keydown", key, true);
        };
    }, [byPointer, end]);

    const takenAt = (at: number, { children }: HTMLElement): Drag => ({
        from: at,
        to: at,
        heightsPx: [...children].map(item => item.getBoundingClientRect().height),
        announce: options.announce,
    });
    const gripOf = (at: number): Grip => ({
        "aria-pressed": drag?.from === at && drag.offsetPx === undefined,
        onPointerDown: event => {
            if (event.button !== 0 || !list.current) return;
            // else the browser selects text, or scrolls under a finger
            event.preventDefault();
            event.currentTarget.focus();
            start.current = { y: event.clientY + window.scrollY, middles: middlesOf(list.current) };
            setDrag({ ...takenAt(at, list.current), offsetPx: 0 });
            options.announce("taken", at, at);
        },
        onKeyDown: event => {
            const taken = drag?.from === at && drag.offsetPx === undefined;
            if (event.key === " " || event.key === "Enter") {
                event.preventDefault();
                if (taken || !list.current) return end(true);
                setDrag(takenAt(at, list.current));
                options.announce("taken", at, at);
            } else if (taken && event.key === "Escape") {
                event.preventDefault();
                event.stopPropagation();
                end(false);
            } else if (taken && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
                event.preventDefault();
                const to = next(drag.to, event.key === "ArrowUp" ? -1 : 1, at, options);
                if (to === undefined) return undefined;
                setDrag({ ...drag, to });
                options.announce("moved", at, to);
            }
            return undefined;
        },
        onBlur: () => {
            if (drag && drag.offsetPx === undefined) end(false);
        },
    });
    /** How far each member is shown from its place while one is carried. */
    const shiftOf = (at: number): number => {
        if (!drag) return 0;
        if (drag.from === at && drag.offsetPx !== undefined) return drag.offsetPx;
        return (
            shifts(drag.heightsPx, drag.from === drag.to ? undefined : options.orderAfter(drag.from, drag.to))[at] ?? 0
        );
    };
    return { list, drag, gripOf, shiftOf };
}

/** Each one's distance from where it stands to where it would stand in that order. */
export function shifts(heightsPx: readonly number[], order: readonly number[] | undefined): number[] {
    const found = heightsPx.map(() => 0);
    if (!order) return found;
    let top = 0;
    for (const at of order) {
        found[at] = top - heightsPx.slice(0, at).reduce((sum, height) => sum + height, 0);
        top += heightsPx[at] ?? 0;
    }
    return found;
}

/** The next place in that direction that the member may take; its own always. */
function next(at: number, step: -1 | 1, from: number, { count, canMove }: DragOptions): number | undefined {
    for (let to = at + step; to >= 0 && to < count; to += step) {
        if (to === from || canMove(from, to)) return to;
    }
    return undefined;
}

/** Of the list's items, in the document. */
function middlesOf(list: HTMLElement): number[] {
    return [...list.children].map(item => {
        const { top, height } = item.getBoundingClientRect();
        return top + window.scrollY + height / 2;
    });
}

/** The place whose middle the carried member's is nearest to, of those that it may take. */
export function nearest(
    middles: readonly number[],
    from: number,
    offsetPx: number,
    canMove: (from: number, to: number) => boolean,
): number {
    const middle = (middles[from] ?? 0) + offsetPx;
    let best = from;
    for (const [at, other] of middles.entries()) {
        if (at !== from && !canMove(from, at)) continue;
        if (Math.abs(other - middle) < Math.abs((middles[best] ?? 0) - middle)) best = at;
    }
    return best;
}
