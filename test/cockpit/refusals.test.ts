// SPDX-License-Identifier: Apache-2.0
// What can't be done is said where it was asked for, in the words of who refused it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { fixtureObject } from "../fixtures/objects.ts";
import { axe, eventually, picture, Stack } from "./stack.ts";

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
});

function dialog(page: Page) {
    return page.getByRole("dialog");
}

async function upload(page: Page, name: string, buffer: Buffer): Promise<void> {
    await page.getByRole("button", { name: "Load program" }).click();
    await page.locator("input[type=file]").setInputFiles({ name, mimeType: "", buffer });
}

async function fromHost(page: Page, file: string): Promise<void> {
    await page.getByRole("button", { name: "Load program" }).click();
    await dialog(page).getByLabel("File on the host").check();
    await dialog(page).getByRole("textbox", { name: "Path" }).fill(file);
    await dialog(page).getByRole("textbox", { name: "Path" }).press("Enter");
}

describe("a load that the verifier refuses", () => {
    it("shows the verifier's last lines, how many are left out, and the whole log when asked", async () => {
        const page = await stack.open();
        await upload(page, "xdp_big_log.o", fixtureObject("xdp_big_log"));
        await dialog(page).getByRole("checkbox").first().waitFor();
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        await dialog(page).getByText("The load was refused").waitFor();
        const log = dialog(page).getByRole("log", { name: "Verifier log" });
        const few = ((await log.textContent()) ?? "").split("\n").length;
        const rest = await dialog(page)
            .getByText(/more lines of the verifier's log are left out/)
            .textContent();
        const omitted = Number(/^(\d+)/.exec(rest ?? "")?.[1]);
        assert.ok(few < 30 && omitted > 100, `${few} shown, ${omitted} left out`);
        await picture(page, "load-refused");
        assert.deepEqual(await axe(page), []);
        await dialog(page).getByRole("button", { name: "Show the whole log" }).click();
        await eventually(async () => ((await log.textContent()) ?? "").split("\n").length >= few + omitted, true);
        assert.ok(
            await dialog(page).getByRole("button", { name: "Load", exact: true }).isEnabled(),
            "it can be tried again",
        );
    });

    it("shows the reason, keeps what was chosen, and loads the sound program beside it", async () => {
        const page = await stack.open();
        await upload(page, "xdp_reject.o", fixtureObject("xdp_reject"));
        const bad = dialog(page).getByRole("checkbox", { name: "reject_out_of_bounds" });
        await bad.check();
        await dialog(page).getByRole("textbox", { name: "Application" }).fill("kept");
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        const log = dialog(page).getByRole("log", { name: "Verifier log" });
        assert.match((await log.textContent()) ?? "", /invalid access to packet/);
        assert.equal(await dialog(page).getByRole("textbox", { name: "Application" }).inputValue(), "kept");
        await bad.uncheck();
        await dialog(page).getByRole("checkbox", { name: "sound_sibling" }).check();
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        await page.getByRole("link", { name: "sound_sibling" }).waitFor();
    });
});

describe("a file that is no object", () => {
    it("is refused before anything is loaded", async () => {
        const page = await stack.open();
        await upload(page, "notes.txt", Buffer.from("just some notes\n"));
        await dialog(page).getByText("The object can't be used").waitFor();
        await dialog(page)
            .getByText(/not an ELF object/)
            .waitFor();
        assert.ok(await dialog(page).getByRole("button", { name: "Load", exact: true }).isDisabled());
    });

    it("is refused when it is empty or too large, without being sent", async () => {
        const page = await stack.open();
        await upload(page, "empty.o", Buffer.alloc(0));
        await dialog(page).getByText("The file is empty").waitFor();
        await page.locator("input[type=file]").setInputFiles({
            name: "large.o",
            mimeType: "",
            buffer: Buffer.alloc((16 << 20) + 1),
        });
        await dialog(page)
            .getByText(/objects may have/)
            .waitFor();
    });

    it("on the host: a folder, a FIFO, a missing one, one that is too large", async () => {
        const page = await stack.open();
        const fifo = path.join(stack.dir, "fifo.o");
        execFileSync("mkfifo", [fifo]);
        const large = path.join(stack.dir, "large.o");
        fs.writeFileSync(large, "");
        fs.truncateSync(large, 1 << 30);
        await fromHost(page, fifo);
        await dialog(page).getByText("fifo.o is not a regular file").waitFor();
        for (const [file, text] of [
            [stack.dir, /is not a regular file/],
            [path.join(stack.dir, "missing.o"), /No such file or directory/],
            [large, /objects may have/],
        ] as const) {
            await dialog(page).getByRole("textbox", { name: "Path" }).fill(file);
            await dialog(page).getByRole("button", { name: "Inspect" }).click();
            await dialog(page).getByText(text).waitFor();
        }
    });
});

describe("an attach that the daemon refuses", () => {
    it("stays open with the reason", async () => {
        stack.load("xdp_pass");
        stack.attachForeign(stack.objectFile("xdp_drop"), "uplink");
        try {
            const page = await stack.open();
            await page.getByRole("button", { name: "Actions for xdp_pass" }).click();
            await page.getByRole("menuitem", { name: "Attach" }).click();
            await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
            await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
            await dialog(page).getByText("The program was not attached").waitFor();
            await dialog(page)
                .getByText(/not managed here/)
                .waitFor();
            assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_drop"], "the other's program was not touched");
        } finally {
            stack.detachForeign("uplink");
        }
    });

    it("does not let a negative priority or a chain that never goes on be sent", async () => {
        stack.load("xdp_pass");
        const page = await stack.open();
        await page.getByRole("button", { name: "Actions for xdp_pass" }).click();
        await page.getByRole("menuitem", { name: "Attach" }).click();
        await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
        const button = dialog(page).getByRole("button", { name: "Attach", exact: true });
        await eventually(() => button.isEnabled(), true);
        await dialog(page).getByRole("textbox", { name: "Priority" }).fill("-1");
        await dialog(page).getByText("A whole number from 0 to 2147483647").waitFor();
        assert.ok(await button.isDisabled());
        await dialog(page).getByRole("textbox", { name: "Priority" }).fill("0");
        assert.ok(await button.isEnabled());
        for (const word of ["pass", "dispatcher_return"]) {
            await dialog(page).getByRole("checkbox", { name: word, exact: true }).uncheck();
        }
        await dialog(page).getByText("Choose at least one result.").waitFor();
        assert.ok(await button.isDisabled());
    });
});
