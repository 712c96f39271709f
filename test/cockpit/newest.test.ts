// SPDX-License-Identifier: Apache-2.0
// The page within the shell of the newest Cockpit: the main job, asserted on the kernel.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { fixtureObject } from "../fixtures/objects.ts";
import { newestCockpit } from "./newest.ts";
import { axe, eventually, picture, Stack } from "./stack.ts";

let stack: Stack;
const newest = newestCockpit();

before(async () => {
    stack = await Stack.start({ cockpitRoot: newest.root });
});
after(() => stack?.stop());
afterEach(() => stack.closePages());

describe(`Cockpit ${newest.version}`, () => {
    it("is newer than the machine's", () => {
        assert.ok(Number.parseInt(newest.version, 10) > 337);
    });

    it("loads, attaches by priority, shows the chain, detaches and unloads", async () => {
        const page = await stack.newPage();
        await page.goto(`${stack.origin}/bpfman#/programs`);
        const frame = page.frameLocator("iframe[name='cockpit1:localhost/bpfman']");
        const dialog = frame.getByRole("dialog");
        for (const [name, priority] of [
            ["xdp_count", "20"],
            ["xdp_pass", "10"],
        ] as const) {
            await frame.getByRole("button", { name: "Load program" }).click();
            await dialog.getByLabel("Upload from this computer").check();
            const file = { name: `${name}.o`, mimeType: "", buffer: fixtureObject(name) };
            await frame.locator("input[type=file]").setInputFiles(file);
            await dialog.getByLabel("Attach at once").check();
            await dialog.getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
            await dialog.getByRole("textbox", { name: "Priority" }).fill(priority);
            await dialog.getByRole("button", { name: "Load and attach" }).click();
            await dialog.waitFor({ state: "detached" });
        }
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);
        await frame.getByRole("link", { name: "Interfaces", exact: true }).click();
        await frame.getByRole("link", { name: "xdp_pass" }).first().waitFor();
        await picture(page, "newest-shell");
        assert.match(page.url(), /#\/interfaces$/, "the shell's address follows the page");
        await frame.getByRole("link", { name: "xdp_pass" }).first().click();
        await frame.getByRole("button", { name: "Unload" }).click();
        await dialog.getByRole("button", { name: "Unload" }).click();
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_count"]);
        await stack.unloadAll();
        await frame.getByText("No programs").waitFor();
    });

    it("has no accessibility fault in the overview", async () => {
        const page = await stack.open("#/overview");
        await page.getByRole("heading", { name: "Overview" }).waitFor();
        assert.deepEqual(await axe(page), []);
    });
});
