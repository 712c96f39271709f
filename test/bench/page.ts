// SPDX-License-Identifier: Apache-2.0
// The page in a browser beside what an administrator would have without it: a bare page of Cockpit's that shows the same
// list by running bpftool.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { Stack, until } from "../cockpit/stack.ts";
import { inTurn } from "./rounds.ts";

export interface PageFigures {
    /** milliseconds from the frame's load event to the first rows of the list of programs */
    readonly firstList: number;
    readonly bareFirstList: number;
    /** percent of a CPU that an open page takes: browser, Cockpit and its bridge, daemon */
    readonly open: number;
    readonly bareOpen: number;
}

const bareHtml = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>bpftool</title>
<script src="../base1/cockpit.js"></script><script src="bare.js" defer></script></head><body><table></table></body></html>`;
const bareScript = `cockpit.spawn(["bpftool", "--json", "prog", "show"], { superuser: "try" }).then(text => {
    for (const { id, name, type } of JSON.parse(text)) {
        const row = document.querySelector("table").insertRow();
        for (const one of [id, name, type]) row.insertCell().textContent = one;
    }
});`;

/** Remembers when the first row with a cell in it came. */
const watchRows = `new MutationObserver((_, observer) => {
    if (!document.querySelector("tbody td, table tr td")) return;
    window.firstRowAt = performance.now();
    observer.disconnect();
}).observe(document, { subtree: true, childList: true });`;

const programs = 25;

export async function measurePage(rounds: number, seconds: number): Promise<PageFigures> {
    const stack = await Stack.start({ files: { "bare.html": bareHtml, "bare.js": bareScript } });
    try {
        const names = Array.from({ length: programs }, (_, at) => `xdp:many_${String(at).padStart(2, "0")}`);
        stack.loadAll("xdp_many", names);
        const open = async (place: string): Promise<{ page: Page; elapsedMs: number }> => {
            const page = await stack.newPage();
            await page.addInitScript(watchRows);
            await stack.goTo(page, place);
            // evaluated from outside: Cockpit's pages forbid what waits inside of them
            await until("rows", () =>
                page.evaluate<boolean>("window.firstRowAt !== undefined && performance.timing.loadEventEnd > 0"),
            );
            const elapsedMs = await page.evaluate<number>(
                'window.firstRowAt - performance.getEntriesByType("navigation")[0].loadEventEnd',
            );
            return { page, elapsedMs };
        };
        const first = async (place: string) => {
            const { elapsedMs } = await open(place);
            await stack.closePages();
            // rows that are there before everything is loaded cost nobody a wait
            return Math.max(0.1, elapsedMs);
        };
        const lists = await inTurn(rounds, [
            { name: "ours", run: () => first("index.html#/programs") },
            { name: "bare", run: () => first("bare.html") },
        ]);
        const idle = async (place: string) => {
            await open(place);
            // what starts with the page is not what an open one costs
            await sleep(5000);
            const before = cpuSecondsOfChildren();
            await sleep(seconds * 1000);
            const share = (cpuSecondsOfChildren() - before) / seconds;
            await stack.closePages();
            return 100 * share;
        };
        const openShare = await idle("index.html#/overview");
        const bareOpen = await idle("bare.html");
        const figure = (name: string) => lists.get(name) ?? Number.NaN;
        return { firstList: figure("ours"), bareFirstList: figure("bare"), open: openShare, bareOpen };
    } finally {
        await stack.stop();
    }
}

/** In clock ticks of 10 ms, as /proc tells them on every architecture (USER_HZ of include/asm-generic/param.h). */
const ticksPerSecond = 100;

/** Of every process that this one started, and those that these did: browser, Cockpit, bridge, daemon. */
function cpuSecondsOfChildren(): number {
    const processes = fs.readdirSync("/proc").flatMap(pid => {
        if (!/^\d+$/.test(pid)) return [];
        try {
            const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
            // the name in parentheses may hold anything; what follows begins with the state, then the parent
            const [, parent = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
            return [{ pid: Number(pid), parent: Number(parent), ticks: Number(rest[9]) + Number(rest[10]) }];
        } catch {
            // ended meanwhile
            return [];
        }
    });
    const below = (parent: number): number =>
        processes.filter(one => one.parent === parent).reduce((sum, one) => sum + one.ticks + below(one.pid), 0);
    return below(process.pid) / ticksPerSecond;
}
