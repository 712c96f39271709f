// SPDX-License-Identifier: Apache-2.0
// What the page costs: the requests of a list, and the memory of a page that stays open.
import assert from "node:assert/strict";
import { after, afterEach, before, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { assertBounded, leaveOpen } from "./memory.ts";
import { Stack } from "./stack.ts";

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
});

const manyPrograms = 25;

/** Loads as many programs, one with a map, and attaches some, so that every list has rows. */
function fill(): void {
    stack.load("xdp_count");
    const names = Array.from({ length: manyPrograms }, (_, at) => `xdp:many_${String(at).padStart(2, "0")}`);
    const ids = stack.loadAll("xdp_many", names);
    for (const [at, id] of ids.slice(0, 5).entries()) {
        stack.cli("link", "attach", "xdp", String(id), "uplink", "--priority", String(10 * (at + 1)));
    }
}

/** The calls that the page's connections carry, as they go out. */
function calls(page: Page): string[] {
    const found: string[] = [];
    page.on("websocket", socket =>
        socket.on("framesent", ({ payload }) => {
            for (const [, method = ""] of payload.toString().matchAll(/POST \/bpfman\.host\.v1\.Host\/(\w+) /g)) {
                found.push(method);
            }
        }),
    );
    return found;
}

const lists = [
    { view: "#/overview", method: "GetInventory", rows: "Everything in the kernel" },
    { view: "#/programs", method: "ListPrograms", rows: "Programs" },
    { view: "#/links", method: "ListLinks", rows: "Links" },
    { view: "#/maps", method: "ListMaps", rows: "Maps" },
    { view: "#/events", method: "ListEvents", rows: "Events" },
] as const;

it("a list is one request, however many rows it has", async () => {
    fill();
    for (const { view, method, rows } of lists) {
        const page = await stack.newPage();
        const called = calls(page);
        await stack.goTo(page, view);
        const row = page.getByRole("grid", { name: rows }).getByRole("row").nth(1);
        await row.waitFor();
        // whatever a row would ask for on its own is asked for by then
        await sleep(300);
        assert.ok(called.includes(method), `${view}: ${called}`);
        // with what tells of the host and names what uses a row, and once more where the kernel changed meanwhile
        assert.ok(called.length < 8, `${view}: ${called}`);
    }
});

it("a page left open while the host changes keeps its memory", async t => {
    // memory.nightly.ts does the same for an hour
    for (const kept of await leaveOpen(stack, ["#/overview", "#/events"], 20)) assertBounded(kept);
    t.diagnostic("20 changes a second, for 20 seconds");
});
