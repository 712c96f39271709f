// SPDX-License-Identifier: Apache-2.0
// Programs of hooks that are no interface, loaded and attached from the page; names are completed as they are typed.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
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

const dialog = (page: Page) => page.getByRole("dialog");

function links(): string {
    return stack.cli("link", "list", "-o", "json");
}

/** Opens the dialog with the object of every hook, and chooses one program of it. */
async function choose(page: Page, program: string): Promise<void> {
    await page.getByRole("button", { name: "Load program" }).click();
    const buffer = fixtureObject("hooks");
    await page.locator("input[type=file]").setInputFiles({ name: "hooks.o", mimeType: "", buffer });
    await dialog(page).getByRole("checkbox", { name: program, exact: true }).check();
    await dialog(page).getByLabel("Attach at once").check();
}

async function loadAndAttach(page: Page): Promise<void> {
    await dialog(page).getByRole("button", { name: "Load and attach" }).click();
    await dialog(page).waitFor({ state: "detached" });
}

function option(page: Page, name: string): Locator {
    return dialog(page).getByRole("option", { name, exact: true });
}

describe("hooks that are no interface", () => {
    it("a tracepoint is completed, chosen by keyboard, and runs the program", async () => {
        const page = await stack.open("#/programs");
        await choose(page, "on_tracepoint");
        const field = dialog(page).getByRole("combobox", { name: "Tracepoint" });
        await field.fill("sched/sched_swi");
        await option(page, "sched/sched_switch").waitFor();
        const isSeen = await option(page, "sched/sched_switch").evaluate(element => {
            const { left, top, width, height } = element.getBoundingClientRect();
            return element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        });
        assert.ok(isSeen, "the dialog scrolls to what is offered");
        await picture(page, "hook-tracepoint");
        assert.deepEqual(await axe(page), []);
        await field.press("ArrowDown");
        await field.press("Enter");
        assert.equal(await field.inputValue(), "sched/sched_switch");
        await loadAndAttach(page);
        assert.match(links(), /sched_switch/);
        const id = Number(
            await page.getByRole("row").filter({ hasText: "on_tracepoint" }).getByRole("gridcell").nth(1).textContent(),
        );
        await eventually(() => stack.kernel.linkCount(id), 1);
    });

    it("Escape closes what is offered, and then the dialog", async () => {
        const page = await stack.open("#/programs");
        await choose(page, "on_tracepoint");
        const field = dialog(page).getByRole("combobox", { name: "Tracepoint" });
        // those of the selects beside it have the role too
        const offers = dialog(page).locator(".combo-box [role=option]:visible");
        await field.fill("sched/");
        await offers.first().waitFor();
        await field.press("Escape");
        await eventually(() => offers.count(), 0);
        assert.equal(await field.inputValue(), "sched/");
        await field.press("Escape");
        await dialog(page).waitFor({ state: "detached" });
    });

    it("a raw tracepoint, samples by frequency, and a function of a library are attached", async () => {
        const page = await stack.open("#/programs");
        await choose(page, "on_raw_tracepoint");
        await dialog(page).getByRole("checkbox", { name: "on_sample" }).check();
        await dialog(page).getByRole("checkbox", { name: "on_uprobe", exact: true }).check();
        await dialog(page).getByRole("combobox", { name: "Tracepoint" }).fill("sched_switch");
        await dialog(page).getByRole("textbox", { name: "Samples a second" }).fill("7");
        await dialog(page).getByRole("textbox", { name: "CPU" }).fill("0");
        await dialog(page).getByRole("combobox", { name: "Program or library", exact: true }).fill("libc");
        const symbol = dialog(page).getByRole("combobox", { name: "Function", exact: true });
        await symbol.fill("getpriori");
        await option(page, "getpriority").click();
        assert.equal(await symbol.inputValue(), "getpriority");
        await picture(page, "hook-several");
        assert.deepEqual(await axe(page), []);
        await loadAndAttach(page);
        const listed = links();
        for (const kind of ["raw_tracepoint", "perf_event", "uprobe"]) assert.ok(listed.includes(kind), kind);
        assert.match(listed, /getpriority/);
    });

    it("a control group is completed, and its link is detached again", async () => {
        const group = `bpfman-page-${process.pid}`;
        fs.mkdirSync(path.join(cgroupRoot(), group));
        try {
            const page = await stack.open("#/programs");
            await choose(page, "on_cgroup_skb");
            await dialog(page).getByRole("combobox", { name: "Control group", exact: true }).fill("bpfman-page");
            await option(page, group).click();
            await loadAndAttach(page);
            assert.match(links(), new RegExp(group));
            await page.getByRole("link", { name: "Links", exact: true }).click();
            await page.getByRole("button", { name: /^Actions for on_cgroup_skb/ }).click();
            await page.getByRole("menuitem", { name: "Detach" }).click();
            await dialog(page).getByRole("button", { name: "Detach" }).click();
            await page.getByRole("heading", { name: "No links" }).waitFor();
            assert.doesNotMatch(links(), new RegExp(group));
        } finally {
            fs.rmdirSync(path.join(cgroupRoot(), group));
        }
    });

    it("a program that is loaded already is attached from its page", async () => {
        stack.load("hooks", "tracepoint:on_tracepoint");
        const page = await stack.open("#/programs");
        await page.getByRole("link", { name: "on_tracepoint" }).click();
        await page.getByRole("button", { name: "Attach", exact: true }).click();
        await dialog(page).getByRole("combobox", { name: "Tracepoint" }).fill("sched/sched_wakeup");
        await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
        await page.getByText("on_tracepoint attached").waitFor();
        assert.match(links(), /sched_wakeup/);
    });

    it("one is attached from the list of links, where programs of every hook are offered", async () => {
        stack.load("hooks", "tracepoint:on_tracepoint");
        const page = await stack.open("#/links");
        await page.getByRole("button", { name: "Attach program" }).click();
        const offered = dialog(page).getByRole("option", { name: /^on_tracepoint / });
        await dialog(page)
            .getByRole("combobox", { name: "Program", exact: true })
            .selectOption((await offered.getAttribute("value")) ?? "");
        await dialog(page).getByRole("combobox", { name: "Tracepoint" }).fill("sched/sched_wakeup");
        await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
        await page.getByText("on_tracepoint attached").waitFor();
        assert.match(links(), /sched_wakeup/);
        await page.getByRole("gridcell", { name: "sched/sched_wakeup", exact: true }).waitFor();
    });

    it("what does not exist is refused with names that are near", async () => {
        const page = await stack.open("#/programs");
        await choose(page, "on_tracepoint");
        await dialog(page).getByRole("combobox", { name: "Tracepoint" }).fill("sched/sched_swich");
        await dialog(page).getByRole("button", { name: "Load and attach" }).click();
        await dialog(page).getByText("The load was refused").waitFor();
        await dialog(page)
            .getByText(/sched_switch/)
            .first()
            .waitFor();
        assert.doesNotMatch(links(), /tracepoint/);
    });

    it("a program for a kernel function is loaded for it, or refused with the kernel's reason", async () => {
        const page = await stack.open("#/programs");
        await choose(page, "on_fentry");
        const field = dialog(page).getByRole("combobox", { name: "Kernel function", exact: true });
        assert.equal(await field.inputValue(), "vfs_unlink");
        await field.fill("vfs_unli");
        await option(page, "vfs_unlink").click();
        await dialog(page).getByRole("button", { name: "Load and attach" }).click();
        const features = JSON.parse(stack.cli("features", "-o", "json"));
        const tracing = JSON.stringify(features).match(/\{[^{}]*program-type\/tracing[^{}]*\}/)?.[0] ?? "";
        if (/"supported":true/.test(tracing)) {
            await dialog(page).waitFor({ state: "detached" });
            assert.match(links(), /vfs_unlink/);
        } else {
            await dialog(page).getByText("The load was refused").waitFor();
            assert.doesNotMatch(links(), /vfs_unlink/);
        }
    });
});

function cgroupRoot(): string {
    const mount = fs
        .readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .find(line => / - cgroup2 /.test(line));
    const point = mount?.split(" ")[4];
    assert.ok(point, "cgroup2 is mounted");
    return point;
}
