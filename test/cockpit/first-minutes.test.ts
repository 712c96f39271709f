// SPDX-License-Identifier: Apache-2.0
// A newcomer's first ten minutes, in one window from the first look to the last program unloaded. What the page says of
// each step is what the kernel has then.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { fixtureObject } from "../fixtures/objects.ts";
import { eventually, picture, Stack } from "./stack.ts";

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(() => stack.closePages());

function bpftool<T>(...args: string[]): T {
    return JSON.parse(execFileSync("bpftool", ["--json", ...args], { encoding: "utf8" })) as T;
}

/** What the map of xdp_count has, for each CPU. */
function countsOf(mapId: number): number[] {
    const [entry] = bpftool<{ formatted: { values: { value: number }[] } }[]>("map", "dump", "id", String(mapId));
    return entry?.formatted.values.map(({ value }) => value) ?? [];
}

function sum(counts: readonly number[]): number {
    return counts.reduce((all, one) => all + one, 0);
}

it("a newcomer's first ten minutes", async () => {
    const samples = path.join(stack.dir, "samples");
    fs.mkdirSync(samples);
    for (const name of ["xdp_count", "xdp_pass"]) {
        fs.writeFileSync(path.join(samples, `${name}.o`), fixtureObject(name));
    }
    const page = await stack.open("");
    await looksAround(page);
    const counting = await findsAndLoads(page, path.join(samples, "xdp_count.o"));
    const [{ id: map } = { id: 0 }] = stack.kernel.mapsOf(counting).filter(({ type }) => type === "percpu_array");
    await attaches(page);
    const passing = await loadsAndAttaches(page, path.join(samples, "xdp_pass.o"));
    await reorders(page);
    await watchesPackets(page, map);
    await readsTheCode(page, counting);
    await changesAnEntry(page, map);
    await triesAPacket(page, map);
    await readsWhatHappened(page, { counting, passing });
    await unloadsEverything(page, { counting, passing, map });
});

function tab(page: Page, name: string): Promise<void> {
    return page.getByRole("navigation", { name: "eBPF" }).getByRole("link", { name, exact: true }).click();
}

function dialog(page: Page): Locator {
    return page.getByRole("dialog");
}

async function toast(page: Page, text: string): Promise<void> {
    await page.getByRole("list", { name: "Notifications" }).getByText(text).first().waitFor();
}

async function pick(page: Page, label: string, action: string): Promise<void> {
    await page.getByRole("button", { name: label, exact: true }).click();
    await page.getByRole("menuitem", { name: action, exact: true }).click();
}

async function looksAround(page: Page): Promise<void> {
    await page.getByRole("grid", { name: "Everything in the kernel" }).waitFor();
    await page.getByText(/^\d+ of \d+ are supported$/).waitFor();
    await tab(page, "Programs");
    await page.getByText("No programs").waitFor();
}

async function openLoad(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Load program" }).click();
    await dialog(page).getByLabel("File on the host").check();
}

/** From the root folder, one folder after the other. */
async function findsAndLoads(page: Page, file: string): Promise<number> {
    await openLoad(page);
    await dialog(page).getByRole("button", { name: "Browse" }).click();
    let folder = "";
    for (const name of file.slice(1).split("/")) {
        const listing = dialog(page).getByRole("region", { name: `Folder ${folder || "/"}`, exact: true });
        await listing.getByRole("button", { name, exact: true }).click();
        folder = `${folder}/${name}`;
    }
    assert.ok(await waited(dialog(page).getByRole("checkbox", { name: "xdp_count" })).then(box => box.isChecked()));
    await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
    await toast(page, "1 program loaded");
    return programId(page, "xdp_count");
}

async function waited(target: Locator): Promise<Locator> {
    await target.waitFor();
    return target;
}

/** As the list says; the kernel has a program of that name by that ID. */
async function programId(page: Page, name: string): Promise<number> {
    const row = page.getByRole("grid", { name: "Programs" }).getByRole("row").filter({ hasText: name });
    const id = Number(await row.locator("td[data-label=ID]").textContent());
    assert.equal(stack.kernel.programName(id), name);
    return id;
}

async function attaches(page: Page): Promise<void> {
    assert.deepEqual(stack.kernel.xdpOrder("uplink"), []);
    await pick(page, "Actions for xdp_count", "Attach");
    await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
    await dialog(page).getByRole("textbox", { name: "Priority" }).fill("50");
    await dialog(page).getByRole("button", { name: "Attach", exact: true }).click();
    await toast(page, "xdp_count attached to uplink");
    assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_count"]);
    await tab(page, "Interfaces");
    await eventually(() => shownOrder(page), ["xdp_count"]);
}

function chain(page: Page): Locator {
    return page.getByRole("list", { name: "XDP on uplink" });
}

function shownOrder(page: Page): Promise<string[]> {
    return chain(page).locator(".member-line a").allTextContents();
}

async function loadsAndAttaches(page: Page, file: string): Promise<number> {
    await tab(page, "Programs");
    await openLoad(page);
    await dialog(page).getByLabel("Path").fill(file);
    await page.keyboard.press("Enter");
    await dialog(page).getByLabel("Attach at once").check();
    await dialog(page).getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
    await dialog(page).getByRole("textbox", { name: "Priority" }).fill("60");
    await dialog(page).getByRole("button", { name: "Load and attach" }).click();
    await page.getByRole("grid", { name: "Programs" }).getByRole("link", { name: "xdp_pass" }).waitFor();
    assert.deepEqual(stack.kernel.xdpOrder("uplink"), ["xdp_count", "xdp_pass"]);
    return programId(page, "xdp_pass");
}

async function reorders(page: Page): Promise<void> {
    await tab(page, "Interfaces");
    await eventually(() => shownOrder(page), ["xdp_count", "xdp_pass"]);
    await chain(page)
        .getByRole("button", { name: /^Move xdp_pass,/ })
        .focus();
    for (const key of ["Space", "ArrowUp", "Space"]) await page.keyboard.press(key);
    await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);
    await eventually(() => shownOrder(page), ["xdp_pass", "xdp_count"]);
}

async function watchesPackets(page: Page, map: number): Promise<void> {
    const before = sum(countsOf(map));
    await page.getByText("Live packets").click();
    await page.getByText("No packet yet").waitFor();
    stack.sendToUplink(5);
    await eventually(async () => /pass\s*(\d+)/.exec(await page.locator(".chain-verdicts").innerText())?.[1], "5");
    await chain(page)
        .locator("[data-member]")
        .nth(1)
        .getByText(/^5 packets/)
        .waitFor();
    assert.equal(sum(countsOf(map)) - before, 5, "the second counted them itself");
    await picture(page, "first-minutes-chain");
    await page.getByText("Live packets").click();
    await page.locator(".chain-verdicts").waitFor({ state: "detached" });
    await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);
}

async function readsTheCode(page: Page, id: number): Promise<void> {
    await chain(page).getByRole("link", { name: "xdp_count" }).click();
    await page.getByRole("tab", { name: "Instructions" }).click();
    const code = page.getByRole("region", { name: "Instructions" });
    await code.getByText("(*count)++").first().waitFor();
    const instructions = bpftool<unknown[]>("prog", "dump", "xlated", "id", String(id));
    assert.equal(await code.locator(".code-hex").count(), instructions.length);
    await picture(page, "first-minutes-code");
    await page.getByRole("tab", { name: "Verifier log" }).click();
    const said = /processed (\d+) insns/;
    const log = page.getByRole("region", { name: "Verifier log" });
    const processed = Number(said.exec(await log.getByText(said).innerText())?.[1]);
    const kernel = bpftool<{ verified_insns?: number }>("prog", "show", "id", String(id));
    assert.equal(processed, kernel.verified_insns ?? processed);
}

async function changesAnEntry(page: Page, map: number): Promise<void> {
    await page.getByRole("tab", { name: /^Maps \(\d\)$/ }).click();
    await page.getByRole("grid", { name: "Maps" }).getByRole("link", { name: "packets", exact: true }).click();
    await page.getByRole("heading", { name: "packets", level: 1 }).waitFor();
    await pick(page, "Actions for the entry 0", "Edit");
    await dialog(page).getByLabel("New value").fill("1000");
    await dialog(page).getByRole("button", { name: "Change entry" }).click();
    await toast(page, "Entry 0 of packets changed");
    assert.deepEqual([...new Set(countsOf(map))], [1000], "on every CPU");
}

async function triesAPacket(page: Page, map: number): Promise<void> {
    const before = sum(countsOf(map));
    await tab(page, "Programs");
    await page.getByRole("grid", { name: "Programs" }).getByRole("link", { name: "xdp_count" }).click();
    await page.getByRole("tab", { name: "Test run" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("pass (2)").waitFor();
    assert.equal(sum(countsOf(map)) - before, 1, "it ran once, and did what it does");
}

interface Loaded {
    readonly counting: number;
    readonly passing: number;
}

function eventRow(page: Page, event: string, subject: string): Locator {
    const rows = page.getByRole("grid", { name: "Events" }).getByRole("row");
    return rows.filter({ hasText: event }).filter({ hasText: subject }).first();
}

async function readsWhatHappened(page: Page, { counting, passing }: Loaded): Promise<void> {
    await tab(page, "Events");
    for (const [name, id] of [
        ["xdp_count", counting],
        ["xdp_pass", passing],
    ] as const) {
        const loaded = eventRow(page, "Program loaded", name);
        await loaded.getByRole("link", { name: `Program ${id}`, exact: true }).waitFor();
        await eventRow(page, "Attached", name).getByText("uplink").waitFor();
    }
    await eventRow(page, "Link changed", "xdp_pass").waitFor();
    await eventRow(page, "Map changed", "packets").waitFor();
    assert.equal(await page.getByRole("grid", { name: "Events" }).getByText("Refused").count(), 0);
    await picture(page, "first-minutes-events");
}

async function unloadsEverything(page: Page, { counting, passing, map }: Loaded & { map: number }): Promise<void> {
    await tab(page, "Programs");
    for (const name of ["xdp_count", "xdp_pass"]) {
        await pick(page, `Actions for ${name}`, "Unload");
        await dialog(page)
            .getByText(/^XDP on uplink/)
            .waitFor();
        await dialog(page).getByRole("button", { name: "Unload" }).click();
        await toast(page, `${name} unloaded`);
    }
    await page.getByText("No programs").waitFor();
    assert.deepEqual(stack.kernel.xdpOrder("uplink"), []);
    // they go after an RCU grace period
    await eventually(() => [counting, passing].filter(id => stack.kernel.hasProgram(id)), []);
    const maps = () => bpftool<{ id: number }[]>("map", "show").map(({ id }) => id);
    await eventually(() => maps().includes(map), false);
    const pins = fs.readdirSync(path.join(stack.runtimeDir, "fs"), { recursive: true, withFileTypes: true });
    // the kernel puts iterators of its own into every bpffs (bpf_preload)
    const ofTheKernel = ["maps.debug", "progs.debug"];
    assert.deepEqual(
        pins.filter(pin => !pin.isDirectory() && !ofTheKernel.includes(pin.name)).map(pin => pin.name),
        [],
    );
    await tab(page, "Events");
    await eventRow(page, "Program unloaded", "xdp_count").waitFor();
    await eventRow(page, "Program unloaded", "xdp_pass").waitFor();
}
