// SPDX-License-Identifier: Apache-2.0
// Maps: the list, entries by BTF, a million of them, search, change and deletion as bpftool sees them, a watch, an export.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { everyLook } from "./looks.ts";
import { eventually, picture, Stack } from "./stack.ts";

interface BpftoolMap {
    readonly id: number;
    readonly name?: string;
}

let stack: Stack;
const ids = new Map<string, number>();

before(async () => {
    stack = await Stack.start();
    stack.load("map_shapes", "xdp:xdp_shapes");
    // a map that the program does not name is its object's all the same
    for (const map of bpftool("map", "show") as BpftoolMap[]) if (map.name !== undefined) ids.set(map.name, map.id);
});
after(() => stack?.stop());
afterEach(() => stack.closePages());

function bpftool(...args: string[]): unknown {
    return JSON.parse(execFileSync("bpftool", ["--json", ...args], { encoding: "utf8", maxBuffer: 1 << 30 }));
}

/** The newest of that name, of which the kernel keeps 15 bytes. */
function idOf(name: string): number {
    const id = ids.get(name.slice(0, 15));
    assert.ok(id, `${name} is one of ${[...ids.keys()]}`);
    return id;
}

function elements(name: string): number {
    return (bpftool("map", "dump", "id", String(idOf(name))) as unknown[]).length;
}

/** bpftool writes a structure with a floating-point number as no JSON, so by bytes. */
function valueBytes(name: string, ...key: number[]): Buffer {
    const args = ["map", "lookup", "id", String(idOf(name)), "key", ...key.map(String)];
    const text = execFileSync("bpftool", ["--json", ...args], { encoding: "utf8" });
    const [, list = ""] = /"value":\s*\[([^\]]*)\]/.exec(text) ?? [];
    return Buffer.from([...list.matchAll(/0x([0-9a-f]{2})/g)].map(([, pair]) => Number.parseInt(pair ?? "", 16)));
}

function nameOfShape(key: number): string {
    return valueBytes("shapes", key, 0, 0, 0).toString("latin1", 0, 6);
}

async function openMap(name: string): Promise<Page> {
    const page = await stack.open(`#/map/${idOf(name)}`);
    await page.getByRole("heading", { name: /^Entries/ }).waitFor();
    return page;
}

function row(page: Page, text: string) {
    return page.getByRole("grid", { name: "Entries" }).getByRole("row").filter({ hasText: text });
}

async function pick(page: Page, entry: string, action: string): Promise<void> {
    await page
        .getByRole("button", { name: `Actions for the entry ${entry}`, exact: true })
        .first()
        .click();
    await page.getByRole("menuitem", { name: action, exact: true }).click();
}

describe("the list of maps", () => {
    it("has those of our programs, with what uses them, and finds by words", async () => {
        const page = await stack.open("#/maps");
        const grid = page.getByRole("grid", { name: "Maps" });
        await grid.getByRole("link", { name: "shapes", exact: true }).waitFor();
        await grid.getByRole("link", { name: "xdp_shapes" }).first().waitFor();
        await everyLook(page, "maps-list");
        const cut = () =>
            grid
                .locator("th")
                .evaluateAll(all => all.filter(th => th.scrollWidth > th.clientWidth).map(th => th.textContent));
        assert.deepEqual(await cut(), [], "no heading is cut");
        const names = () => grid.locator("td[data-label=Name] > a").allTextContents();
        await page.getByRole("textbox", { name: "Filter maps" }).fill("lpm");
        await eventually(names, ["routes"]);
        await page.getByRole("textbox", { name: "Filter maps" }).fill("nothing like it");
        await page.getByText("No map matches the filter").waitFor();
        await page.getByRole("textbox", { name: "Filter maps" }).fill("");
        await page.getByRole("button", { name: "All", exact: true }).click();
        await grid.getByRole("columnheader", { name: "Owner" }).waitFor();
        await page.getByRole("link", { name: "numbers", exact: true }).first().click();
        await page.getByRole("heading", { name: "numbers", level: 1 }).waitFor();
        await page.goBack();
        await page.getByRole("heading", { name: "Maps", level: 1 }).waitFor();
    });
});

describe("entries", () => {
    it("are added, changed and deleted, as the kernel then has them", async () => {
        const page = await openMap("shapes");
        await page.getByText("No entries").waitFor();
        await page.getByRole("button", { name: "Add entry" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Key", { exact: true }).fill("7");
        await dialog
            .getByLabel("Value", { exact: true })
            .fill('{"name": "square", "color": "GREEN", "corners": [{"x": 3}]}');
        await dialog.getByRole("button", { name: "Add entry" }).click();
        await row(page, "square").waitFor();
        await eventually(() => nameOfShape(7), "square");
        await row(page, "square").locator("summary").first().click();
        await row(page, "square").getByText("GREEN", { exact: true }).waitFor();
        await everyLook(page, "map-entries");

        await pick(page, "7", "Edit");
        const value = dialog.getByLabel("New value");
        assert.match(await value.inputValue(), /"name": "square"/);
        await value.fill((await value.inputValue()).replace('"square"', '"circle"'));
        await everyLook(page, "map-edit");
        await dialog.getByRole("button", { name: "Change entry" }).click();
        await row(page, "circle").waitFor();
        assert.equal(nameOfShape(7), "circle");

        await pick(page, "7", "Edit");
        await dialog.getByLabel("New value").fill('{"nam": 1}');
        await dialog.getByRole("button", { name: "Change entry" }).click();
        await dialog.getByText("The entry was not changed").waitFor();
        await dialog.getByRole("button", { name: "Cancel" }).click();

        await page.getByRole("button", { name: "Bytes", exact: true }).click();
        await row(page, "07 00 00 00").waitFor();
        await page.getByRole("button", { name: "Values", exact: true }).click();
        await pick(page, "7", "Delete");
        await dialog.getByText("Programs that use the map no longer find it:").waitFor();
        await picture(page, "map-delete");
        await dialog.getByRole("button", { name: "Delete" }).click();
        await page.getByText("No entries").waitFor();
        assert.equal(elements("shapes"), 0);
    });

    it("of an array can be changed and not deleted", async () => {
        const page = await openMap("numbers");
        await page.getByRole("button", { name: "Actions for the entry 3" }).click();
        assert.equal(await page.getByRole("menuitem", { name: "Delete" }).count(), 0);
        await page.getByRole("menuitem", { name: "Edit" }).click();
        await page.getByRole("dialog").getByLabel("New value").fill("0x10");
        await page.getByRole("dialog").getByRole("button", { name: "Change entry" }).click();
        await row(page, "16").waitFor();
        assert.equal(valueBytes("numbers", 3, 0, 0, 0).readBigUInt64LE(), 16n);
    });

    it("per CPU are summed, and told apart", async () => {
        stack.cli("map", "update", String(idOf("per_cpu_counts")), "0", '{"packets": 5, "bytes": 7}');
        const page = await openMap("per_cpu_counts");
        const cpus = Number(execFileSync("getconf", ["_NPROCESSORS_CONF"], { encoding: "utf8" }));
        const first = row(page, `packets: ${5 * cpus}`);
        await first.waitFor();
        await first.locator("summary").nth(1).click();
        await first.getByText("CPU 0", { exact: true }).waitFor();
        await first.getByText("{packets: 5, bytes: 7}").first().waitFor();
        await picture(page, "map-per-cpu");
    });

    it("are found by key, also as an address and its prefix", async () => {
        stack.cli("map", "update", String(idOf("routes")), "10.0.0.0/8", "1");
        const page = await openMap("routes");
        await page.getByLabel("Find by key").fill("10.1.2.3/32");
        await page.getByRole("button", { name: "Find", exact: true }).click();
        const value = page.getByRole("grid", { name: "Found entry" }).locator("td[data-label=Value]");
        await eventually(() => value.textContent(), "1");
        stack.cli("map", "update", String(idOf("routes")), "10.0.0.0/8", "2");
        await eventually(() => value.textContent(), "2");
        await page.getByLabel("Find by key").fill("11.0.0.0/8");
        await page.keyboard.press("Enter");
        await page.getByText("No entry has this key.").waitFor();
    });

    it("of a frozen map say why they can't be changed", async () => {
        execFileSync("bpftool", ["map", "freeze", "id", String(idOf("frozen"))]);
        const page = await openMap("frozen");
        await page.getByText("The entries of this map can't be changed").waitFor();
        assert.equal(await page.getByRole("button", { name: "Add entry" }).count(), 0);
        assert.equal(await page.getByRole("button", { name: /Actions for/ }).count(), 0);
    });
});

describe("a map of others", () => {
    it("is changed only when one says that one means it", async () => {
        const pin = "/sys/fs/bpf/bpfman-page-foreign";
        const args = ["type", "hash", "key", "4", "value", "4", "entries", "4", "name", "foreign_map"];
        execFileSync("bpftool", ["map", "create", pin, ...args]);
        try {
            execFileSync("bpftool", [
                "map",
                "update",
                "pinned",
                pin,
                "key",
                "1",
                "0",
                "0",
                "0",
                "value",
                "9",
                "0",
                "0",
                "0",
            ]);
            const { id } = bpftool("map", "show", "pinned", pin) as BpftoolMap;
            const page = await stack.open(`#/map/${id}`);
            await page.getByRole("button", { name: "Actions for the entry 01 00 00 00" }).click();
            await page.getByRole("menuitem", { name: "Delete" }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByText("This map belongs to programs that were not loaded here").waitFor();
            const remove = dialog.getByRole("button", { name: "Delete" });
            assert.ok(await remove.isDisabled());
            await dialog.getByLabel("Change it all the same").check();
            await remove.click();
            await page.getByText("No entries").waitFor();
            assert.deepEqual(bpftool("map", "dump", "pinned", pin), []);
        } finally {
            fs.rmSync(pin);
        }
    });
});

describe("a watch", () => {
    it("shows what changes, as it changes", async () => {
        const page = await openMap("numbers");
        await page.getByText("Watch changes").click();
        const log = page.getByRole("region", { name: "Changes" });
        await log.getByText("8 entries; no change yet").waitFor();
        stack.cli("map", "update", String(idOf("numbers")), "5", "4711");
        await log.getByText("4711").waitFor();
        await row(page, "4711").waitFor();
        await picture(page, "map-watch");
        await stack.stopDaemon("SIGKILL");
        await stack.startDaemon();
        // it is watched again a moment after the daemon is there
        let value = 8000;
        await eventually(async () => {
            stack.cli("map", "update", String(idOf("numbers")), "6", String(value++));
            return (await log.getByText(/^8\d{3}$/).count()) > 0;
        }, true);
    });
});

describe("a large map", () => {
    const some = 20_000;
    const million = 1_000_000;
    const name = "a_map_with_a_very_long_name";

    it("is exported whole", async () => {
        fill(0, some);
        const page = await openMap(name);
        const download = page.waitForEvent("download", { timeout: 60_000 });
        await page.getByRole("button", { name: "Export" }).click();
        const file = await download;
        assert.match(file.suggestedFilename(), /^a_map_with_a_very_long_name-\d+\.json$/);
        const document = JSON.parse(fs.readFileSync(await file.path(), "utf8")) as {
            entries: { key: { value: number }; value: { value: number } }[];
        };
        assert.equal(document.entries.length, some);
        assert.equal(new Set(document.entries.map(entry => entry.key.value)).size, some);
        assert.ok(document.entries.every(entry => entry.value.value === entry.key.value + 1));
    });

    it("of a million entries opens at once, pages forth and back, and finds one", async () => {
        fill(some, million);
        const page = await openMap(name);
        const grid = page.getByRole("grid", { name: "Entries" });
        await grid.getByRole("row").nth(100).waitFor();
        assert.equal(await grid.getByRole("row").count(), 101, "one page and the heading");
        const first = await grid.getByRole("row").nth(1).textContent();
        await page.getByText("1 – 100", { exact: true }).waitFor();
        await page.getByRole("button", { name: "Next page" }).click();
        await page.getByText(/^101 – /).waitFor();
        assert.notEqual(await grid.getByRole("row").nth(1).textContent(), first);
        await page.getByRole("button", { name: "Previous page" }).click();
        await page.getByText("1 – 100", { exact: true }).waitFor();
        assert.equal(await grid.getByRole("row").nth(1).textContent(), first);
        await page.getByLabel("Find by key").fill(String(million - 1));
        await page.keyboard.press("Enter");
        await page.getByRole("grid", { name: "Found entry" }).getByText(String(million)).waitFor();
    });

    it("tells how far its export is, and ends it when asked", async () => {
        const page = await openMap(name);
        await page.getByRole("button", { name: "Export" }).click();
        const progress = page.getByRole("progressbar", { name: "Entries read" });
        await progress.waitFor();
        await eventually(() => progress.evaluate(bar => Number(bar.getAttribute("aria-valuenow")) > 0), true);
        await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await page.getByLabel("Find by key").fill("17");
        await page.keyboard.press("Enter");
        await page.getByRole("grid", { name: "Found entry" }).getByText("18", { exact: true }).waitFor();
    });

    /** By bpftool's batch mode, in one process. */
    function fill(from: number, to: number): void {
        const id = idOf(name);
        const bytes = (value: number) => [0, 8, 16, 24].map(shift => (value >> shift) & 0xff).join(" ");
        const batch = path.join(stack.dir, "batch");
        const out = fs.openSync(batch, "w");
        for (let at = from; at < to; at += 10_000) {
            const lines = Array.from({ length: 10_000 }, (_, index) => at + index).map(
                key => `map update id ${id} key ${bytes(key)} value ${bytes(key + 1)}\n`,
            );
            fs.writeSync(out, lines.join(""));
        }
        fs.closeSync(out);
        execFileSync("bpftool", ["batch", "file", batch], { stdio: ["ignore", "ignore", "inherit"] });
        fs.rmSync(batch);
    }
});
