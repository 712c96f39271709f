// SPDX-License-Identifier: Apache-2.0
// Interfaces and their chains: another order by hand and by keyboard, results that a chain goes on after, what others
// attached, and live packets against known traffic.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { axe, eventually, picture, Stack } from "./stack.ts";

const names = ["xdp_count", "xdp_pass", "xdp_drop"] as const;

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
});

/** Three programs at uplink, by these priorities. */
function attachAll(...priorities: number[]): void {
    for (const [at, name] of names.entries()) {
        stack.cli("link", "attach", "xdp", String(stack.load(name)), "uplink", "--priority", String(priorities[at]));
    }
}

function chain(page: Page): Locator {
    return page.getByRole("list", { name: "XDP on uplink" });
}

function shownOrder(page: Page): Promise<string[]> {
    return chain(page).locator(".member-line a").allTextContents();
}

function grip(page: Page, name: string): Locator {
    return chain(page).getByRole("button", { name: new RegExp(`^Move ${name},`) });
}

async function spoken(page: Page, text: string): Promise<void> {
    await page.locator("[aria-live=assertive]").getByText(text, { exact: true }).waitFor({ state: "attached" });
}

describe("the order of a chain", () => {
    it("is changed by keyboard, and told as it goes", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink");
        await grip(page, "xdp_drop").focus();
        await page.keyboard.press("Space");
        await spoken(page, "xdp_drop taken, position 3 of 3");
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("ArrowUp");
        await spoken(page, "xdp_drop moved to position 1 of 3");
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("Space");
        await spoken(page, "xdp_drop dropped at position 1 of 3");
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_drop", "xdp_count", "xdp_pass"]);
        await eventually(() => shownOrder(page), ["xdp_drop", "xdp_count", "xdp_pass"]);
        await grip(page, "xdp_drop").evaluate(element => element === document.activeElement);
        await eventually(
            () => page.evaluate(() => document.activeElement?.getAttribute("aria-label")),
            "Move xdp_drop, position 1",
        );
    });

    it("stays when Escape is pressed", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink");
        await grip(page, "xdp_count").focus();
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Escape");
        await spoken(page, "xdp_count stays at position 1 of 3");
        assert.deepEqual(await shownOrder(page), [...names]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), [...names]);
    });

    it("is left as others put it when they do while a program is carried", async () => {
        attachAll(10, 20, 30);
        const links = await stack.open("#/links");
        const row = links.getByRole("row").filter({ hasText: "xdp_drop" });
        const id = await row.getByRole("gridcell").nth(1).innerText();
        const page = await stack.open("#/interfaces/uplink");
        await grip(page, "xdp_count").focus();
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowDown");
        await spoken(page, "xdp_count moved to position 2 of 3");
        stack.cli("link", "update", id, "--priority", "5");
        await spoken(page, "xdp_count stays at position 1 of 3");
        await eventually(() => shownOrder(page), ["xdp_drop", "xdp_count", "xdp_pass"]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_drop", "xdp_count", "xdp_pass"]);
    });

    it("is changed by dragging with a mouse", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink");
        await drag(page, "xdp_count", "xdp_drop");
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_drop", "xdp_count"]);
        await eventually(() => shownOrder(page), ["xdp_pass", "xdp_drop", "xdp_count"]);
    });

    it("is changed by a finger", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink", { hasTouch: true, viewport: { width: 390, height: 844 } });
        const client = await page.context().newCDPSession(page);
        await grip(page, "xdp_drop").scrollIntoViewIfNeeded();
        const from = await middle(grip(page, "xdp_drop"));
        const to = await middle(grip(page, "xdp_pass"));
        const touch = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
            client.send("Input.dispatchTouchEvent", {
                type,
                touchPoints: y === undefined ? [] : [{ x: from.x, y }],
            });
        await touch("touchStart", from.y);
        await touch("touchMove", (from.y + to.y) / 2);
        await touch("touchMove", to.y - 4);
        await picture(page, "interfaces-finger");
        await touch("touchEnd");
        await spoken(page, "xdp_drop dropped at position 2 of 3");
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_count", "xdp_drop", "xdp_pass"]);
    });

    it("is changed in one rebuild where several have to give way", async () => {
        attachAll(50, 51, 52);
        const page = await stack.open("#/interfaces/uplink");
        const revision = async () =>
            Number(/\d+/.exec(await page.getByText(/^Revision \d+$/).innerText({ timeout: 5000 }))?.[0]);
        const before = await revision();
        await grip(page, "xdp_drop").focus();
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("Space");
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_count", "xdp_drop", "xdp_pass"]);
        await eventually(() => shownOrder(page), ["xdp_count", "xdp_drop", "xdp_pass"]);
        await eventually(revision, before + 1);
    });
});

describe("what a program goes on after", () => {
    it("is changed beside it", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink");
        await page.getByRole("button", { name: "Change what xdp_pass goes on after" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("checkbox", { name: "pass", exact: true }).uncheck();
        await dialog.getByRole("checkbox", { name: "drop", exact: true }).check();
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        const list = () => chain(page).getByRole("list", { name: "Proceeds on" }).nth(1).innerText();
        await eventually(async () => (await list()).split(/\s+/), ["drop", "dispatcher_return"]);
        // xdp_pass ends the chain now: what comes never reaches the last one
        await page.getByText("Live packets").click();
        await page.getByText("No packet yet").waitFor();
        stack.sendToUplink(3);
        await eventually(async () => /pass\s*(\d+)/.exec(await page.locator(".chain-verdicts").innerText())?.[1], "3");
        const last = chain(page).locator("[data-member]").nth(2);
        await last.getByText(/^0 packets/).waitFor();
    });
});

describe("live packets", () => {
    it("are counted while the switch is on, for the chain and for each program", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces/uplink");
        const before = stack.kernel.xdpOrder("uplink");
        await page.getByText("Live packets").click();
        const verdicts = page.getByRole("status").filter({ hasText: /drop|No packet yet/ });
        await verdicts.waitFor();
        stack.sendToUplink(7);
        await page.locator(".chain-verdicts").getByText("drop").waitFor();
        await eventually(async () => /drop\s*(\d+)/.exec(await page.locator(".chain-verdicts").innerText())?.[1], "7");
        await picture(page, "interfaces-live");
        const text = (at: number) => chain(page).getByRole("listitem").locator("visible=true").nth(at).innerText();
        assert.match(await text(0), /pass 7/);
        const ended = chain(page).getByRole("list", { name: "Ended here" });
        await eventually(() => ended.allInnerTexts(), ["drop 7"]);
        await page.getByText("Live packets").click();
        await page.locator(".chain-verdicts").waitFor({ state: "detached" });
        await eventually(() => stack.kernel.xdpOrder("uplink"), before);
    });
});

describe("help", () => {
    it("tells what a word means, and closes by Escape", async () => {
        const page = await stack.open("#/interfaces/uplink");
        await page.getByRole("button", { name: "What is this: XDP", exact: true }).click();
        const panel = page.getByRole("note", { name: "XDP", exact: true });
        await panel.getByText(/The earliest place for a program/).waitFor();
        assert.deepEqual(await axe(page), []);
        await picture(page, "interfaces-help");
        await page.keyboard.press("Escape");
        await panel.waitFor({ state: "hidden" });
    });
});

describe("the list of interfaces", () => {
    it("folds away those without programs, and finds by words", async () => {
        attachAll(10, 20, 30);
        const page = await stack.open("#/interfaces");
        await page.getByRole("link", { name: "uplink", exact: true }).waitFor();
        assert.equal(await page.getByRole("link", { name: "downlink", exact: true }).count(), 0);
        await page.getByRole("button", { name: /^Show \d+ interfaces without programs$/ }).click();
        await page.getByRole("link", { name: "downlink", exact: true }).waitFor();
        const filter = page.getByRole("textbox", { name: "Filter interfaces" });
        await filter.fill("xdp_drop");
        await page.getByRole("link", { name: "downlink", exact: true }).waitFor({ state: "detached" });
        await filter.fill("nothing like it");
        await page.getByText("No interface matches the filter").waitFor();
    });
});

async function middle(target: Locator): Promise<{ x: number; y: number }> {
    const box = await target.boundingBox();
    assert.ok(box);
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Onto the place of the other one. */
async function drag(page: Page, name: string, other: string): Promise<void> {
    const from = await middle(grip(page, name));
    const to = await middle(grip(page, other));
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x, (from.y + to.y) / 2, { steps: 4 });
    await picture(page, "interfaces-dragging");
    await page.mouse.move(from.x, to.y + 4, { steps: 4 });
    await page.mouse.up();
}
