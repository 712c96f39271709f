// SPDX-License-Identifier: Apache-2.0
// What every view has to be: for every eye, in light, in dark and on a phone, and no wider than the window.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { axe, eventually, picture } from "./stack.ts";

const wide = { width: 1280, height: 900 };
const looks = [
    { name: "light", colorScheme: "light", viewport: wide },
    { name: "dark", colorScheme: "dark", viewport: wide },
    { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
] as const;

/** Pictures and checks the page as it is. again: opens anew what a window of another size closes. */
export async function everyLook(page: Page, name: string, again?: () => Promise<void>): Promise<void> {
    for (const [index, look] of looks.entries()) {
        await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize(look.viewport);
        if (index > 0) await again?.();
        await picture(page, `${name}-${look.name}`);
        assert.deepEqual(await axe(page), [], `${name}, ${look.name}`);
        const seen = await page.evaluate(() => {
            const { scrollWidth, clientWidth, classList } = document.documentElement;
            return { tooWide: scrollWidth - clientWidth, dark: classList.contains("pf-v6-theme-dark") };
        });
        assert.deepEqual(seen, { tooWide: 0, dark: look.name === "dark" }, `${name}, ${look.name}`);
    }
    // WCAG's reflow: what fits into 320 pixels fits every phone, and a desktop at 400 %
    await page.setViewportSize({ width: 320, height: 640 });
    // a menu closes when the window tells its new size, which is a moment later
    await eventually(() => page.evaluate(beyondTheWindow), []);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(wide);
}

/** What can be pressed and is not wholly within the window's width, but for what lies in a strip that scrolls. Runs in the page. */
function beyondTheWindow(): string[] {
    const { clientWidth, scrollWidth } = document.documentElement;
    const scrolls = (element: Element | null): boolean =>
        element !== null &&
        element !== document.documentElement &&
        (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const beyond = [...document.querySelectorAll("button, a, input, select, textarea")].filter(element => {
        const { left, right, width } = element.getBoundingClientRect();
        const isOut = width > 0 && (left < -1 || right > clientWidth + 1);
        return isOut && element.checkVisibility() && !scrolls(element.parentElement);
    });
    const told = beyond.map(element => element.getAttribute("aria-label") ?? element.textContent ?? element.tagName);
    return scrollWidth > clientWidth ? [`${scrollWidth} pixels wide`, ...told] : told;
}
