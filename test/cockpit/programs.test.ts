// SPDX-License-Identifier: Apache-2.0
// Programs and links in all their details, against what the kernel has.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { everyLook } from "./looks.ts";
import { eventually, Stack } from "./stack.ts";

let stack: Stack;
let counting = 0;

before(async () => {
    stack = await Stack.start();
    counting = stack.load("xdp_count", "xdp:xdp_count", "--application", "telemetry", "--metadata", "team=network");
    const passing = stack.load("xdp_pass", "xdp:xdp_pass", "--application", "firewall");
    stack.cli("link", "attach", "xdp", String(counting), "uplink", "--priority", "20");
    stack.cli("link", "attach", "xdp", String(passing), "uplink", "--priority", "10");
});
after(() => stack?.stop());
afterEach(() => stack.closePages());

interface KernelProgram {
    readonly tag: string;
    readonly bytes_xlated: number;
    readonly map_ids: readonly number[];
}

function ofKernel(id: number): KernelProgram {
    return JSON.parse(execFileSync("bpftool", ["--json", "prog", "show", "id", String(id)], { encoding: "utf8" }));
}

const views: readonly { name: string; hash: () => string; ready: (page: Page) => Promise<void> }[] = [
    {
        name: "programs-grouped",
        hash: () => "#/programs",
        ready: async page => {
            await page.getByRole("combobox", { name: "Group by" }).selectOption("By application");
            await page.getByRole("button", { name: /telemetry/ }).waitFor();
        },
    },
    { name: "links", hash: () => "#/links", ready: page => page.getByRole("link", { name: "xdp_pass" }).waitFor() },
    { name: "link", hash: () => "#/link/1", ready: page => page.getByText("As it was attached").waitFor() },
    { name: "no-link", hash: () => "#/link/4000", ready: page => page.getByText(/No link has/).waitFor() },
    {
        name: "program-maps",
        hash: () => `#/program/${counting}/maps`,
        ready: page => page.getByRole("grid", { name: "Maps" }).waitFor(),
    },
    {
        name: "program-globals",
        hash: () => `#/program/${counting}/globals`,
        ready: page => page.getByRole("grid", { name: "Global variables" }).waitFor(),
    },
    {
        name: "program-statistics",
        hash: () => `#/program/${counting}/statistics`,
        ready: page => page.getByRole("heading", { name: "Run statistics" }).waitFor(),
    },
    {
        name: "program-code",
        hash: () => `#/program/${counting}/code`,
        ready: page => page.getByRole("heading", { name: "Machine code" }).waitFor(),
    },
    {
        name: "program-log",
        hash: () => `#/program/${counting}/log`,
        ready: page => page.getByRole("heading", { name: "Verifier log" }).waitFor(),
    },
    {
        name: "program-test",
        hash: () => `#/program/${counting}/test`,
        ready: async page => {
            await page.getByRole("button", { name: "Run", exact: true }).click();
            await page.getByText("pass (2)").waitFor();
        },
    },
];

it("is for every eye", async () => {
    const page = await stack.open("#/overview");
    for (const view of views) {
        await page.evaluate(hash => {
            window.location.hash = hash;
        }, view.hash());
        await view.ready(page);
        await everyLook(page, view.name);
    }
});

describe("the list", () => {
    it("is filtered, sorted and grouped, and leads to the program and back", async () => {
        const page = await stack.open("#/programs");
        const table = page.getByRole("grid", { name: "Programs" });
        const names = () => table.locator("tbody tr td:first-child").allInnerTexts();
        await table.getByRole("button", { name: "Name" }).click();
        await eventually(names, ["xdp_count", "xdp_pass"]);
        await table.getByRole("button", { name: "Name" }).click();
        await eventually(names, ["xdp_pass", "xdp_count"]);
        const heading = table.getByRole("columnheader", { name: "Name" });
        assert.equal(await heading.getAttribute("aria-sort"), "descending");
        await page.getByRole("textbox", { name: "Filter programs" }).fill("tele XDP");
        await eventually(names, ["xdp_count"]);
        await table.getByRole("link", { name: "xdp_count" }).click();
        await page.getByRole("heading", { name: "xdp_count", level: 1 }).waitFor();
        await page.getByRole("tab", { name: "Maps (2)" }).click();
        await page.waitForURL(/\/maps$/);
        await page.goBack();
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
        assert.equal(await page.getByRole("textbox", { name: "Filter programs" }).inputValue(), "tele XDP");
        await eventually(names, ["xdp_count"]);
    });

    it("keeps in its address what is filtered, sorted and grouped", async () => {
        const page = await stack.open("#/programs");
        const table = page.getByRole("grid", { name: "Programs" });
        await table.getByRole("link", { name: "xdp_count" }).waitFor();
        await page.getByRole("textbox", { name: "Filter programs" }).pressSequentially("xdp");
        await page.getByRole("combobox", { name: "Group by" }).selectOption("By type");
        await table.getByRole("button", { name: "Memory" }).click();
        await page.waitForURL(/#\/programs\?(?=.*filter=xdp)(?=.*group=type)(?=.*sort=-memory)/);
        const isAsLeft = async () => {
            await table.getByRole("link", { name: "xdp_count" }).waitFor();
            assert.equal(await page.getByRole("textbox", { name: "Filter programs" }).inputValue(), "xdp");
            await table.getByRole("button", { name: /^XDP/ }).waitFor();
            const heading = table.getByRole("columnheader", { name: "Memory" });
            assert.equal(await heading.getAttribute("aria-sort"), "descending");
        };
        await page.reload();
        await isAsLeft();
        await table.getByRole("link", { name: "xdp_count" }).click();
        await page.getByRole("heading", { name: "xdp_count", level: 1 }).waitFor();
        await page.goBack();
        await isAsLeft();
        // the tab itself is the list as it begins
        await page.getByRole("navigation", { name: "eBPF" }).getByRole("link", { name: "Programs" }).click();
        await eventually(() => page.getByRole("textbox", { name: "Filter programs" }).inputValue(), "");
        await page.waitForURL(/#\/programs$/);
    });

    it("opens as its address says, and takes nonsense for nothing", async () => {
        const page = await stack.open("#/links?filter=pass&group=target&sort=priority");
        const table = page.getByRole("grid", { name: "Links" });
        await table.getByRole("button", { name: /^uplink/ }).waitFor();
        await eventually(() => table.locator("td[data-label=Program]").allInnerTexts(), ["xdp_pass"]);
        await stack.goTo(page, "#/programs?which=nobody&group=shoe-size&sort=%3Cb%3E");
        const programs = page.getByRole("grid", { name: "Programs" });
        await eventually(() => programs.locator("td[data-label=Name]").count(), 2);
        assert.equal(await programs.locator(".group-row").count(), 0);
    });
});

describe("a program", () => {
    it("tells what the kernel has", async () => {
        const page = await stack.open(`#/program/${counting}`);
        const { tag, map_ids } = ofKernel(counting);
        await page.getByText(tag).waitFor();
        await page.getByText("team").waitFor();
        await page.getByRole("tab", { name: "Summary" }).focus();
        await page.keyboard.press("ArrowRight");
        const maps = page.getByRole("grid", { name: "Maps" });
        await maps.waitFor();
        const ids = await maps.locator("tbody td:nth-child(2)").allInnerTexts();
        assert.deepEqual(
            ids.map(Number).sort((a, b) => a - b),
            [...map_ids].sort((a, b) => a - b),
        );
        await page.keyboard.press("ArrowRight");
        const row = page.getByRole("grid", { name: "Global variables" }).getByRole("row").filter({ hasText: "action" });
        await row.getByText("2", { exact: true }).waitFor();
    });

    it("is run on a packet, whose bytes may be wrong", async () => {
        const page = await stack.open(`#/program/${counting}/test`);
        await page.getByRole("combobox", { name: "Begin with" }).selectOption("ARP request");
        await page.getByRole("textbox", { name: "Runs" }).fill("1000");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByText("over 1000 runs").or(page.getByText("over 1,000 runs")).waitFor();
        await page.getByText("pass (2)").waitFor();
        await page.getByRole("textbox", { name: "Bytes, hexadecimal" }).fill("45 0");
        await page.getByText("Pairs of hexadecimal digits are needed.").waitFor();
        assert.equal(await page.getByRole("button", { name: "Run", exact: true }).isDisabled(), true);
    });
});

describe("a link", () => {
    it("changes its priority, and is detached", async () => {
        const page = await stack.open("#/links");
        const table = page.getByRole("grid", { name: "Links" });
        assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);
        const id = await table
            .getByRole("row")
            .filter({ hasText: "xdp_count" })
            .getByRole("gridcell")
            .nth(1)
            .innerText();
        await table.getByRole("link", { name: id, exact: true }).click();
        await page.getByRole("heading", { name: "xdp_count on uplink", level: 1 }).waitFor();
        await page.getByRole("button", { name: "Change priority" }).click();
        await page.getByRole("dialog").getByRole("textbox", { name: "Priority" }).fill("5");
        await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_count", "xdp_pass"]);
        await page.goBack();
        await page.getByRole("button", { name: "Actions for xdp_pass on uplink" }).click();
        await page.getByRole("menuitem", { name: "Detach" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Detach" }).click();
        await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_count"]);
        await eventually(() => table.locator("tbody tr").count(), 1);
    });
});
