// SPDX-License-Identifier: Apache-2.0
// What a page that is left open keeps in memory, while the host changes under it twenty times a second.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { CDPSession, Page } from "playwright-core";
import type { HostClient } from "../../client/host-client.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { xdpItem } from "../lab/items.ts";
import type { Stack } from "./stack.ts";

/** After a garbage collection. */
export interface Footprint {
    readonly heapBytes: number;
    readonly nodes: number;
    readonly listeners: number;
}

export interface Kept {
    readonly view: string;
    readonly start: Footprint;
    readonly middle: Footprint;
    readonly end: Footprint;
}

const changesPerSecond = 20;
/** more than any view keeps of what happened, so that no list still fills up when it begins */
const changesBefore = 300;

/** Leaves each view open in a window of its own for so long, all at once. */
export async function leaveOpen(stack: Stack, views: readonly string[], seconds: number): Promise<Kept[]> {
    const changes = await Changes.start(stack);
    for (let count = 0; count < changesBefore; count++) await changes.next();
    const windows: { view: string; page: Page; session: CDPSession }[] = [];
    for (const view of views) {
        const page = await stack.open(view);
        await page
            .getByRole("grid")
            .or(page.getByRole("list", { name: "XDP on uplink" }))
            .first()
            .waitFor();
        windows.push({ view, page, session: await page.context().newCDPSession(page) });
    }
    const look = () => Promise.all(windows.map(({ session }) => footprint(session)));
    await changes.goOn(Math.min(seconds, 10));
    const start = await look();
    await changes.goOn(seconds / 2);
    const middle = await look();
    await changes.goOn(seconds / 2);
    const end = await look();
    return windows.map(({ view }, at) => ({ view, start: start[at]!, middle: middle[at]!, end: end[at]! }));
}

async function footprint(session: CDPSession): Promise<Footprint> {
    await session.send("Performance.enable");
    // the second takes what finalizers of the first let go
    for (let round = 0; round < 2; round++) await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name: string) => metrics.find(metric => metric.name === name)?.value ?? Number.NaN;
    return { heapBytes: value("JSHeapUsedSize"), nodes: value("Nodes"), listeners: value("JSEventListeners") };
}

const mebibyte = 1 << 20;

/** What a view shows differs from moment to moment by a row or two; what it keeps may not pile up. */
export function assertBounded(kept: Kept): void {
    const { start, end } = kept;
    const told = describeKept(kept);
    assert.ok(end.heapBytes <= start.heapBytes + 2 * mebibyte, told);
    assert.ok(end.nodes <= start.nodes * 1.1 + 200, told);
    assert.ok(end.listeners <= start.listeners * 1.1 + 50, told);
}

function figures({ heapBytes, nodes, listeners }: Footprint): string {
    return `${(heapBytes / mebibyte).toFixed(2)} MiB, ${nodes} nodes and ${listeners} listeners`;
}

export const describeKept = ({ view, start, middle, end }: Kept): string =>
    `${view}: ${[start, middle, end].map(figures).join("; then ")}`;

/** Changes of every kind: mostly an entry of a map, and each second a program that comes, attached, or goes. */
class Changes {
    readonly #client: HostClient;
    readonly #place: { interface: string; netns: string };
    #mapId = 0;
    #count = 0;
    #coming: number | undefined;

    private constructor(stack: Stack) {
        this.#client = stack.client;
        this.#place = { interface: "uplink", netns: "" };
    }

    static async start(stack: Stack): Promise<Changes> {
        const changes = new Changes(stack);
        const id = await changes.#load("xdp_count", 10);
        changes.#mapId = stack.kernel.mapsOf(id).find(({ type }) => type === "percpu_array")?.id ?? 0;
        return changes;
    }

    async next(): Promise<void> {
        this.#count++;
        if (this.#count % changesPerSecond !== 0) {
            const value = { text: String(this.#count) };
            await this.#client.updateMap({ map: { id: this.#mapId }, key: { text: "0" }, value, mode: "any" });
            return;
        }
        const gone = this.#coming;
        this.#coming = undefined;
        if (gone === undefined) this.#coming = await this.#load("xdp_pass", 20);
        else await this.#client.unload({ programIds: [gone] });
    }

    /** For so many seconds, in step. */
    async goOn(seconds: number): Promise<void> {
        const begin = performance.now();
        for (let at = 1; performance.now() - begin < seconds * 1000; at++) {
            await this.next();
            await sleep(Math.max(0, begin + (at * 1000) / changesPerSecond - performance.now()));
        }
    }

    async #load(name: string, priority: number): Promise<number> {
        const { programs = [] } = await this.#client.load({
            object: fixtureObject(name).toString("base64"),
            sourcePath: `/fixtures/${name}.o`,
            programs: [{ type: "xdp", name }],
        });
        const id = programs[0]?.id ?? 0;
        await this.#client.attach({ items: [xdpItem(this.#place, id, priority)] });
        return id;
    }
}
