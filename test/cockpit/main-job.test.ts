// SPDX-License-Identifier: Apache-2.0
// The administrator's way through the page: load, attach by priority, change, detach, unload.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { fixtureObject } from "../fixtures/objects.ts";
import { eventually, Stack } from "./stack.ts";

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
});

function object(name: string): { name: string; mimeType: string; buffer: Buffer } {
    return { name: `${name}.o`, mimeType: "application/octet-stream", buffer: fixtureObject(name) };
}

function dialog(page: Page) {
    return page.getByRole("dialog");
}

async function openLoad(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Load program" }).click();
    await dialog(page).getByRole("heading", { name: "Load program" }).waitFor();
}

async function toast(page: Page, text: string): Promise<void> {
    await page.getByRole("list", { name: "Notifications" }).getByText(text).waitFor();
}

async function pickRow(page: Page, label: string, action: string): Promise<void> {
    await page.getByRole("button", { name: label, exact: true }).click();
    await page.getByRole("menuitem", { name: action, exact: true }).click();
}

describe("loading", () => {
    it("uploads an object, shows its programs, and loads the chosen one into the kernel", async () => {
        const page = await stack.open();
        await openLoad(page);
        await page.locator("input[type=file]").setInputFiles(object("xdp_count"));
        const choice = dialog(page).getByRole("checkbox", { name: "xdp_count" });
        await choice.waitFor();
        assert.ok(await choice.isChecked(), "a lone program is chosen");
        await dialog(page).getByRole("textbox", { name: "Application" }).fill("telemetry");
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        await toast(page, "1 program loaded");
        const row = page.getByRole("row").filter({ hasText: "telemetry" });
        const id = Number(await row.getByRole("gridcell").nth(1).textContent());
        assert.equal(stack.kernel.programName(id), "xdp_count");
        await row.getByRole("link", { name: "xdp_count" }).click();
        await page.getByRole("heading", { name: "xdp_count", level: 1 }).waitFor();
        await page.getByText("bpfman.io/application").waitFor();
        await page.goBack();
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
    });

    it("shows the progress of a large upload", async () => {
        const page = await stack.open();
        await openLoad(page);
        // what follows an ELF object's sections is no part of it
        const large = {
            ...object("xdp_pass"),
            buffer: Buffer.concat([fixtureObject("xdp_pass"), Buffer.alloc(6 << 20)]),
        };
        await page.evaluate(() => {
            const seen: number[] = [];
            Object.assign(window, { seen });
            new MutationObserver(() => {
                const now = document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow");
                if (now && Number(now) !== seen.at(-1)) seen.push(Number(now));
            }).observe(document.body, { subtree: true, childList: true, attributes: true });
        });
        await page.locator("input[type=file]").setInputFiles(large);
        await dialog(page).getByRole("checkbox", { name: "xdp_pass" }).waitFor({ timeout: 30_000 });
        const seen = await page.evaluate(() => (window as unknown as { seen: number[] }).seen);
        assert.ok(seen.filter(percent => percent > 0 && percent < 100).length >= 3, `seen: ${seen}`);
        assert.deepEqual(
            seen,
            seen.toSorted((a, b) => a - b),
        );
    });

    it("takes an object that is dropped onto the dialog", async () => {
        const page = await stack.open();
        await openLoad(page);
        const { name, buffer } = object("xdp_pass");
        const transfer = await page.evaluateHandle(
            ([fileName, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([Uint8Array.from(bytes)], fileName));
                return data;
            },
            [name, [...buffer]] as const,
        );
        await page.getByText("Drop an eBPF object here, or").dispatchEvent("drop", { dataTransfer: transfer });
        await dialog(page).getByRole("checkbox", { name: "xdp_pass" }).waitFor();
    });

    it("reads an object on the host and attaches it at once", async () => {
        const file = path.join(stack.dir, "on-host.o");
        fs.writeFileSync(file, fixtureObject("xdp_pass"));
        const page = await stack.open();
        await openLoad(page);
        await dialog(page).getByLabel("File on the host").check();
        await dialog(page).getByRole("textbox", { name: "Path" }).fill(file);
        await dialog(page).getByRole("button", { name: "Inspect" }).click();
        await dialog(page).getByLabel("Attach at once").check();
        await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
        await dialog(page).getByRole("button", { name: "Load and attach" }).click();
        await toast(page, "1 program loaded");
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass"]);
        await page.getByRole("link", { name: "XDP on uplink" }).waitFor();
    });

    it("sets a global variable", async () => {
        const page = await stack.open();
        await openLoad(page);
        await page.locator("input[type=file]").setInputFiles(object("xdp_count"));
        await dialog(page)
            .getByRole("button", { name: /global variable/ })
            .click();
        const field = dialog(page).locator("[id^=load-global-]").first();
        await field.fill("two");
        assert.ok(await dialog(page).getByRole("button", { name: "Load", exact: true }).isDisabled());
        await field.fill("2");
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        await toast(page, "1 program loaded");
        await page.getByRole("link", { name: "xdp_count" }).click();
        await page.getByRole("tab", { name: "Global variables" }).click();
        const row = page.getByRole("grid", { name: "Global variables" }).getByRole("row").filter({ hasText: "action" });
        await row.getByText("0x02000000").waitFor();
    });

    it("loads a tc section as tcx and attaches it", async () => {
        const page = await stack.open();
        await openLoad(page);
        await page.locator("input[type=file]").setInputFiles(object("tc_actions"));
        const select = dialog(page)
            .getByRole("combobox", { name: /^Type of/ })
            .first();
        await select.selectOption("TCX");
        await dialog(page).locator("#load-program-0").check();
        await dialog(page).getByLabel("Attach at once").check();
        await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("downlink");
        await dialog(page).getByRole("radio", { name: "Egress" }).check();
        await dialog(page).getByRole("button", { name: "Load and attach" }).click();
        await toast(page, "1 program loaded");
        await page.getByRole("link", { name: "TCX egress on downlink" }).waitFor();
        const id = Number(await page.locator("td[data-label=ID]").textContent());
        assert.equal(stack.kernel.linkCount(id), 1);
    });
});

describe("chains", () => {
    async function attach(page: Page, program: string, priority: string): Promise<void> {
        await page.getByRole("button", { name: "Attach program to uplink" }).click();
        const option = dialog(page).getByRole("option", { name: new RegExp(`^${program} `) });
        await dialog(page)
            .getByRole("combobox", { name: "Program", exact: true })
            .selectOption((await option.getAttribute("value")) ?? "");
        await dialog(page).getByRole("textbox", { name: "Priority" }).fill(priority);
        await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
        await toast(page, `${program} attached to uplink`);
    }

    function shownOrder(page: Page): Promise<string[]> {
        return page.getByRole("list", { name: "XDP on uplink" }).locator(".member-line a").allTextContents();
    }

    it("orders two programs by priority, changes it, moves, detaches and unloads", async () => {
        stack.load("xdp_count");
        const passId = stack.load("xdp_pass");
        const page = await stack.open("#/interfaces");
        await attach(page, "xdp_count", "50");
        await attach(page, "xdp_pass", "20");
        await eventually(() => shownOrder(page), ["xdp_pass", "xdp_count"]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);

        await pickRow(page, "Actions for xdp_pass on uplink", "Change priority");
        await dialog(page).getByRole("textbox", { name: "Priority" }).fill("70");
        await dialog(page).getByRole("checkbox", { name: "drop", exact: true }).check();
        await dialog(page).getByRole("button", { name: "Save" }).click();
        await toast(page, "xdp_pass on uplink changed");
        await eventually(() => shownOrder(page), ["xdp_count", "xdp_pass"]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_count", "xdp_pass"]);
        const changed = page.getByRole("listitem").filter({ hasText: "xdp_pass" }).first();
        await changed.getByText("drop", { exact: true }).waitFor();

        await pickRow(page, "Actions for xdp_pass on uplink", "Move up");
        await toast(page, "xdp_pass moved");
        await eventually(() => shownOrder(page), ["xdp_pass", "xdp_count"]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);

        await pickRow(page, "Actions for xdp_count on uplink", "Detach");
        await dialog(page).getByRole("heading", { name: "Detach xdp_count from uplink?" }).waitFor();
        await dialog(page).getByRole("button", { name: "Detach" }).click();
        await toast(page, "xdp_count detached from uplink");
        await eventually(() => shownOrder(page), ["xdp_pass"]);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass"]);

        await page.getByRole("link", { name: "Programs" }).click();
        await pickRow(page, "Actions for xdp_pass", "Unload");
        await dialog(page).getByRole("heading", { name: "Unload xdp_pass?" }).waitFor();
        await dialog(page).getByText("XDP on uplink, priority 49").waitFor();
        await dialog(page).getByRole("button", { name: "Unload" }).click();
        await toast(page, "xdp_pass unloaded");
        await eventually(() => stack.kernel.hasProgram(passId), false);
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), []);
    });

    it("follows what the command does at once, on every view", async () => {
        const programs = await stack.open();
        const interfaces = await stack.open("#/interfaces/uplink");
        await programs.getByText("No programs").waitFor();
        await interfaces.getByText("no XDP program").waitFor();
        const id = stack.load("xdp_count");
        await programs.getByRole("link", { name: "xdp_count" }).waitFor({ timeout: 1500 });
        stack.cli("link", "attach", "xdp", String(id), "uplink", "--priority", "33");
        await programs.getByRole("link", { name: "XDP on uplink" }).waitFor({ timeout: 1500 });
        await interfaces.getByRole("list", { name: "XDP on uplink" }).getByText("33").waitFor({ timeout: 1500 });
        const one = await stack.open(`#/programs/${id}`);
        await one.getByRole("grid", { name: "Links" }).getByText("33").waitFor();
        stack.cli("program", "unload", String(id));
        await programs.getByText("No programs").waitFor({ timeout: 1500 });
        await interfaces.getByText("no XDP program").waitFor({ timeout: 1500 });
        await one.getByText(`No program has the ID ${id}`).waitFor({ timeout: 1500 });
    });

    it("attaches in another network namespace, and shows it from then on", async () => {
        stack.load("xdp_pass");
        // the namespace that Cockpit and this test run in; its loopback device takes XDP in generic mode
        const page = await stack.open();
        await pickRow(page, "Actions for xdp_pass", "Attach");
        await dialog(page)
            .getByRole("combobox", { name: "Interface", exact: true })
            .selectOption("In another network namespace…");
        await dialog(page).getByRole("textbox", { name: "Namespace" }).fill(`/proc/${process.pid}/ns/net`);
        await dialog(page).getByRole("textbox", { name: "Interface there" }).fill("no-such-device");
        await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
        await dialog(page).getByText("The program was not attached").waitFor();
        await dialog(page)
            .getByText(/no-such-device/)
            .waitFor();
    });

    it("puts new bytecode in the place of a program, and goes on with the new one", async () => {
        const id = stack.load("xdp_pass");
        stack.cli("link", "attach", "xdp", String(id), "uplink", "--priority", "20");
        const page = await stack.open(`#/program/${id}`);
        await page.getByRole("button", { name: "Replace" }).click();
        await page.locator("input[type=file]").setInputFiles(object("tc_actions"));
        await dialog(page).getByText("It holds no program of type XDP.").waitFor();
        await page.locator("input[type=file]").setInputFiles(object("xdp_drop"));
        await eventually(() => dialog(page).getByRole("combobox", { name: "New program" }).inputValue(), "xdp_drop");
        await dialog(page).getByRole("button", { name: "Replace" }).click();
        await toast(page, "xdp_pass replaced");
        await page.getByRole("heading", { name: "xdp_drop", level: 1 }).waitFor();
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_drop"]);
        await eventually(() => stack.kernel.hasProgram(id), false);
        await page.getByRole("grid", { name: "Links" }).getByText("20").waitFor();
    });

    it("shows what others attached as not managed here", async () => {
        const page = await stack.open("#/interfaces");
        stack.attachForeign(stack.objectFile("xdp_drop"), "downlink");
        try {
            const row = page
                .getByRole("list", { name: "XDP on downlink" })
                .getByRole("listitem")
                .filter({ hasText: "xdp_drop" });
            await row.getByText("Not managed here").waitFor();
            assert.equal(
                await row.getByRole("button", { name: /Actions|Move/ }).count(),
                0,
                "nothing can be done to it",
            );
            await page.getByRole("link", { name: "Programs" }).click();
            assert.equal(await page.getByRole("link", { name: "xdp_drop" }).count(), 0);
            await page.getByRole("button", { name: "All", exact: true }).click();
            // the machine may run others of that name, and more than are in the document at once
            await page.getByRole("textbox", { name: "Filter programs" }).fill("xdp_drop");
            await page.getByRole("link", { name: "xdp_drop" }).first().waitFor();
        } finally {
            stack.detachForeign("downlink");
        }
    });
});

describe("filtering", () => {
    it("narrows the table by name and by interface", async () => {
        const id = stack.load("xdp_count");
        stack.load("xdp_pass");
        stack.cli("link", "attach", "xdp", String(id), "downlink", "--priority", "5");
        const page = await stack.open();
        const names = () =>
            page.getByRole("grid", { name: "Programs" }).locator("td[data-label=Name] a").allTextContents();
        await eventually(names, ["xdp_count", "xdp_pass"]);
        const filter = page.getByRole("textbox", { name: "Filter programs" });
        await filter.fill("PASS");
        await eventually(names, ["xdp_pass"]);
        await filter.fill("downlink");
        await eventually(names, ["xdp_count"]);
        await filter.fill("nothing like it");
        await page.getByText("No program matches the filter").waitFor();
    });
});
