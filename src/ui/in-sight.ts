// SPDX-License-Identifier: Apache-2.0
import { type RefObject, useEffect } from "react";

/** Of a strip that may be wider than its place: what is marked in it stays in sight, also when the place gets narrower. */
export function useMarkedInSight(strip: RefObject<HTMLElement | null>, selector: string, marked: unknown): void {
    // biome-ignore lint/correctness/useExhaustiveDependencies: what is marked is so in the document
    useEffect(() => {
        const element = strip.current;
        if (!element) return undefined;
        const bring = () => {
            const item = element.querySelector(selector)?.getBoundingClientRect();
            if (!item) return;
            // scrollIntoView would move the page, too
            const { left, right } = element.getBoundingClientRect();
            if (item.left < left) element.scrollLeft += item.left - left;
            else if (item.right > right) element.scrollLeft += item.right - right;
        };
        // begins with a first call
        const observer = new ResizeObserver(bring);
        observer.observe(element);
        return () => observer.disconnect();
    }, [strip, selector, marked]);
}
