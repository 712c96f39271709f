// SPDX-License-Identifier: Apache-2.0
// Every view in a language that nobody speaks, also mirrored: no text escapes gettext, and nothing breaks when texts are
// longer or run the other way.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { examples } from "../../src/dialogs/load/examples.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { escapes, mirroredLanguage, pseudo, pseudoLanguage } from "./pseudo.ts";
import { axe, picture, Stack } from "./stack.ts";

let stack: Stack;
let ids: { program: number; probe: number; link: number; map: number };
let known: string[];

before(async () => {
    stack = await Stack.start({ pseudoLanguages: true });
    const program = stack.load("xdp_count", "xdp:xdp_count", "--application", "telemetry");
    const probe = stack.load("hooks", "tracepoint:on_tracepoint", "--application", "telemetry");
    const attached = stack.cli("link", "attach", "xdp", String(program), "uplink", "--priority", "7", "-o", "json");
    const link = Number(/"(?:link_)?id":\s*(\d+)/.exec(attached)?.[1]);
    stack.cli("link", "attach", "tracepoint", String(probe), "sched/sched_process_exec");
    const maps = stack.cli("map", "list", "-o", "json");
    ids = { program, probe, link, map: Number(/"id":\s*(\d+)/.exec(maps)?.[1]) };
    known = wordsOf(stack);
});
after(() => stack?.stop());

/** What the daemon said, word by word: names and kernel's words that are the same in every language. */
function wordsOf({ cli }: Stack): string[] {
    const told = [
        ["program", "list", "--all"],
        ["map", "list"],
        ["link", "list"],
        ["dispatcher", "list"],
        ["overview"],
        ["settings"],
        ["events"],
        ["features"],
        ["version"],
    ].map(words => cli.call(stack, ...words, "-o", "json"));
    // units, and the kernel's words, which are the same in every language
    const units = "kb mb gb kib mib gib ns ms min pm am json btf cpu id sha toml bpfman ebpf";
    const kernel = "xdp tc tcx veth uplink downlink direct freplace tail call pass drop dispatcher_return";
    const said = `${told.join(" ")} ${units} ${kernel} ${Object.values(examples).join(" ")}`
        .toLowerCase()
        .match(/\p{L}[\p{L}\p{N}_]+/gu);
    // of MAC addresses too
    const octets = Array.from({ length: 256 }, (_octet, value) => value.toString(16).padStart(2, "0"));
    return [...new Set([...(said ?? []), ...octets])];
}

const views: readonly { name: string; hash: () => string; ready?: (page: Page) => Promise<void> }[] = [
    { name: "overview", hash: () => "#/overview" },
    { name: "programs", hash: () => "#/programs" },
    { name: "program", hash: () => `#/program/${ids.program}` },
    { name: "program-statistics", hash: () => `#/program/${ids.program}/statistics` },
    { name: "program-code", hash: () => `#/program/${ids.program}/code` },
    { name: "program-test", hash: () => `#/program/${ids.program}/test` },
    { name: "no-program", hash: () => "#/program/4000000000" },
    { name: "interfaces", hash: () => "#/interfaces" },
    { name: "interface", hash: () => "#/interfaces/uplink" },
    { name: "links", hash: () => "#/links" },
    { name: "link", hash: () => `#/link/${ids.link}` },
    { name: "maps", hash: () => "#/maps" },
    { name: "map", hash: () => `#/map/${ids.map}` },
    { name: "images", hash: () => "#/images" },
    { name: "events", hash: () => "#/events" },
    { name: "settings", hash: () => "#/settings" },
    { name: "load", hash: () => "#/programs", ready: page => openLoad(page) },
    {
        name: "attach-probe",
        hash: () => `#/program/${ids.probe}`,
        ready: page => page.getByRole("button", { name: pseudo("Attach"), exact: true }).click(),
    },
];

async function openLoad(page: Page): Promise<void> {
    await page.getByRole("button", { name: pseudo("Load program") }).click();
    const buffer = fixtureObject("xdp_count");
    await page.locator("input[type=file]").setInputFiles({ name: "xdp_count.o", mimeType: "", buffer });
    await page.getByRole("dialog").getByLabel(pseudo("Attach at once")).check();
    const closed = page.getByRole("dialog").locator("button[aria-expanded=false]");
    while ((await closed.count()) > 0) await closed.first().click();
}

/** One window goes through all views, as its reader does. */
async function goTo(page: Page, hash: string): Promise<void> {
    await stack.goTo(page, hash);
    await page
        .getByRole("link", { name: pseudo("Programs") })
        .first()
        .waitFor();
    // the view before this one is gone by the second frame
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    await page.getByText(pseudo("Loading…")).first().waitFor({ state: "detached" });
}

describe("a language that nobody speaks", () => {
    let page: Page;
    before(async () => {
        page = await stack.newPage({ locale: pseudoLanguage });
    });
    after(() => stack.closePages());

    for (const view of views) {
        it(`${view.name}: no text escapes`, async () => {
            await goTo(page, view.hash());
            await view.ready?.(page);
            assert.deepEqual(await page.evaluate(escapes, known), []);
            if (view.ready) await page.reload();
        });
    }

    it("finds a text that did escape", async () => {
        await goTo(page, "#/links");
        const before = await page.evaluate(escapes, known);
        await page.evaluate(() => document.querySelector("main")?.append("Bare words"));
        assert.equal((await page.evaluate(escapes, known)).length, before.length + 1);
    });
});

describe("mirrored", () => {
    let page: Page;
    before(async () => {
        page = await stack.newPage({ locale: mirroredLanguage });
    });
    after(() => stack.closePages());

    for (const view of views) {
        it(`${view.name} reads from right to left, within the window`, async () => {
            await goTo(page, view.hash());
            await view.ready?.(page);
            await picture(page, `mirrored-${view.name}`);
            const facts = await page.evaluate(() => {
                const { scrollWidth, clientWidth, dir } = document.documentElement;
                const [first, second] = [...document.querySelectorAll(".tabs a")].map(tab =>
                    tab.getBoundingClientRect(),
                );
                return { isWide: scrollWidth > clientWidth, dir, isMirrored: (first?.x ?? 0) > (second?.x ?? 0) };
            });
            assert.deepEqual(facts, { isWide: false, dir: "rtl", isMirrored: true });
            if (view.ready) await page.reload();
        });
    }

    it("has no accessibility fault where it begins", async () => {
        await goTo(page, "#/overview");
        assert.deepEqual(await axe(page), []);
    });
});
