// SPDX-License-Identifier: Apache-2.0
// Every view in light and dark, on a phone, in German, by keyboard, and to a screen reader.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { fixtureObject } from "../fixtures/objects.ts";
import { everyLook } from "./looks.ts";
import { eventually, Stack } from "./stack.ts";

let stack: Stack;
let programId = 0;

before(async () => {
    stack = await Stack.start();
    const names = ["xdp_count", "xdp_pass", "xdp_drop"];
    const ids = names.map(name => stack.load(name, `xdp:${name}`, "--application", "telemetry"));
    programId = ids[0]!;
    for (const [index, id] of ids.entries()) {
        stack.cli("link", "attach", "xdp", String(id), "uplink", "--priority", String(10 * (index + 1)));
    }
});
after(() => stack?.stop());
afterEach(() => stack.closePages());

interface View {
    readonly name: string;
    readonly hash: () => string;
    readonly ready: (page: Page) => Promise<void>;
    /** where a window of another size closes it */
    readonly again?: (page: Page) => Promise<void>;
}

async function openMenu(page: Page): Promise<void> {
    const menu = page.getByRole("menuitem", { name: "Move up" });
    if (await menu.isVisible()) {
        const cut = await menu
            .locator("span")
            .evaluateAll(all => all.filter(one => one.scrollWidth > one.clientWidth).length);
        assert.equal(cut, 0, "a menu that follows its button is as wide as its words");
        return;
    }
    const button = page.getByRole("button", { name: "Actions for xdp_pass on uplink" });
    // a page that moves closes its menu
    await button.scrollIntoViewIfNeeded();
    await button.click();
    await menu.waitFor();
}

const views: readonly View[] = [
    { name: "programs", hash: () => "#/programs", ready: page => page.locator("td a").first().waitFor() },
    {
        name: "programs-all",
        hash: () => "#/programs",
        ready: async page => {
            await page.getByRole("button", { name: "All", exact: true }).click();
            await page.getByRole("textbox", { name: "Filter programs" }).fill("dispatcher");
            await page
                .getByText(/Part of the/)
                .first()
                .waitFor();
        },
    },
    { name: "program", hash: () => `#/program/${programId}`, ready: page => page.getByText("SHA-256").waitFor() },
    {
        name: "no-program",
        hash: () => "#/program/4000000000",
        ready: page => page.getByText(/No program has/).waitFor(),
    },
    { name: "interfaces", hash: () => "#/interfaces", ready: page => page.locator(".member a").first().waitFor() },
    {
        name: "interface",
        hash: () => "#/interfaces/uplink",
        ready: page => page.locator(".member a").first().waitFor(),
    },
    {
        name: "maps-all",
        hash: () => "#/maps",
        ready: async page => {
            await page.getByRole("button", { name: "All", exact: true }).click();
            await page
                .getByText(/^Part of the/)
                .first()
                .waitFor();
        },
    },
    { name: "no-map", hash: () => "#/map/4000000000", ready: page => page.getByText(/No map has/).waitFor() },
    {
        name: "menu",
        hash: () => "#/interfaces/uplink",
        ready: openMenu,
        again: openMenu,
    },
    {
        name: "attach",
        hash: () => "#/interfaces/uplink",
        ready: async page => {
            await page.getByRole("button", { name: "Attach program to uplink" }).click();
            await page
                .getByRole("dialog")
                .getByRole("combobox", { name: "Program", exact: true })
                .selectOption({ index: 1 });
        },
    },
    {
        name: "change",
        hash: () => `#/program/${programId}`,
        ready: async page => {
            await page.getByRole("button", { name: "Actions for xdp_count on uplink" }).click();
            await page.getByRole("menuitem", { name: "Change priority" }).click();
            await page.getByRole("dialog").getByText("Lower values run first.").waitFor();
        },
    },
    {
        name: "unload",
        hash: () => `#/program/${programId}`,
        ready: async page => {
            await page.getByRole("button", { name: "Unload" }).click();
            await page.getByText("This link goes with it:").waitFor();
        },
    },
    {
        name: "load",
        hash: () => "#/programs",
        ready: async page => {
            await page.getByRole("button", { name: "Load program" }).click();
            const buffer = fixtureObject("xdp_count");
            await page.locator("input[type=file]").setInputFiles({ name: "xdp_count.o", mimeType: "", buffer });
            await page.getByRole("dialog").getByLabel("Attach at once").check();
            await page.getByRole("button", { name: /global variable/ }).click();
        },
    },
];

describe("for every eye", () => {
    for (const view of views) {
        it(view.name, async () => {
            const page = await stack.open(view.hash());
            await view.ready(page);
            await everyLook(page, view.name, view.again && (() => view.again!(page)));
        });
    }
});

describe("the shell's style switcher", () => {
    it("is followed at once, and wins over the system's preference", async () => {
        const page = await stack.open("#/programs", { colorScheme: "dark" });
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
        const dark = () => page.evaluate(() => document.documentElement.classList.contains("pf-v6-theme-dark"));
        assert.equal(await dark(), true);
        const switchTo = (style: string) =>
            page.evaluate(
                detail => {
                    localStorage.setItem("shell:style", detail.style);
                    window.dispatchEvent(new CustomEvent("cockpit-style", { detail }));
                },
                { style },
            );
        await switchTo("light");
        assert.equal(await dark(), false);
        await page.reload();
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
        assert.equal(await dark(), false);
        await switchTo("auto");
        assert.equal(await dark(), true);
    });
});

describe("a name that would change how the page reads", () => {
    it("is shown with its characters escaped", async () => {
        const name = "evil\u202etxt";
        stack.addInterface(name);
        const page = await stack.open("#/interfaces");
        await page.getByRole("button", { name: /without programs$/ }).click();
        await page.getByRole("heading", { name: "evil\\u202etxt" }).waitFor();
        const text = await page.evaluate(() => document.body.textContent ?? "");
        assert.ok(!text.includes("\u202e"));
        await page.getByRole("link", { name: "evil\\u202etxt" }).click();
        await page.getByRole("heading", { name: "evil\\u202etxt", level: 1 }).waitFor();
    });
});

describe("in German", () => {
    it("has the shell's menu entry and every heading", async () => {
        const page = await stack.newPage({ locale: "de-DE" });
        await page.goto(`${stack.origin}/bpfman#/interfaces`);
        await page.getByRole("link", { name: "eBPF" }).waitFor();
        const frame = page.frameLocator("iframe[name='cockpit1:localhost/bpfman']");
        await frame.getByRole("heading", { name: "Schnittstellen", level: 1 }).waitFor();
        await frame.getByText("Weiter nach").first().waitFor();
        await frame.getByRole("link", { name: "Programme" }).click();
        await frame.getByRole("button", { name: "Programm laden" }).click();
        await frame.getByText("Ein eBPF-Objekt hier ablegen oder").waitFor();
        await page.screenshot({ path: path.join(import.meta.dirname, "../../test-results/german-shell.png") });
        assert.match(page.url(), /#\/programs$/, "the shell's address follows the page");
    });
});

describe("by keyboard alone", () => {
    it("loads, attaches, changes, and unloads", async () => {
        const file = path.join(stack.dir, "keyboard.o");
        fs.writeFileSync(file, fixtureObject("xdp_pass"));
        const page = await stack.open();
        await page.getByRole("button", { name: "Load program" }).waitFor();
        await tabTo(page, "Load program");
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        // from the button that opens a file to the sources: an image, the host, this computer
        await page.keyboard.press("Shift+Tab");
        await page.keyboard.press("ArrowLeft");
        await page.getByRole("dialog").getByRole("textbox", { name: "Path" }).waitFor();
        await page.keyboard.press("Tab");
        await page.keyboard.type(file);
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").getByRole("checkbox", { name: "xdp_pass" }).waitFor();
        await tabTo(page, "Application");
        await page.keyboard.type("by-keyboard");
        await tabTo(page, "Load");
        await page.keyboard.press("Enter");
        const row = page.getByRole("row").filter({ hasText: "by-keyboard" });
        await row.waitFor();
        const id = Number(await row.getByRole("gridcell").nth(1).textContent());
        assert.equal(stack.kernel.programName(id), "xdp_pass");

        await row.getByRole("link", { name: "xdp_pass" }).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "xdp_pass", level: 1 }).waitFor();
        await tabTo(page, "Attach");
        await page.keyboard.press("Space");
        await page.getByRole("dialog").waitFor();
        await page.keyboard.type("downlink");
        await tabTo(page, "Attach");
        await page.keyboard.press("Enter");
        await eventually(() => stack.kernel.xdpOrder("downlink"), ["xdp_pass"]);
        await page.getByRole("dialog").waitFor({ state: "detached" });

        await tabTo(page, "Actions for xdp_pass on downlink");
        await page.keyboard.press("Enter");
        await page.getByRole("menuitem", { name: "Change priority" }).waitFor();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("ControlOrMeta+a");
        await page.keyboard.type("7");
        await tabTo(page, "Save");
        await page.keyboard.press("Enter");
        await page.getByRole("grid", { name: "Links" }).getByText("7", { exact: true }).waitFor();

        await tabTo(page, "Unload");
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await tabTo(page, "Unload");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
        await eventually(() => stack.kernel.hasProgram(id), false);
    });

    /** Presses Tab until what has this name has the focus. */
    async function tabTo(page: Page, name: string): Promise<void> {
        for (let presses = 0; presses < 60; presses++) {
            await page.keyboard.press("Tab");
            const focused = await page.evaluate(() => {
                const element = document.activeElement as HTMLElement | null;
                const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
                return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
            });
            if (focused.trim() === name) return;
        }
        assert.fail(`Tab never reached ${name}`);
    }
});
