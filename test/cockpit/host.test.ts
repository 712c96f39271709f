// SPDX-License-Identifier: Apache-2.0
// What the page says of this host, against the host itself: what programs cost by the kernel's own counters, who holds
// a program, and whose connection a change would meet.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { after, afterEach, before, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { Foreign } from "../lab/foreign.ts";
import { bpfDescriptors } from "../lab/leaks.ts";
import { connection, holder, listener } from "../lab/others.ts";
import { eventually, picture, Stack } from "./stack.ts";

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
});

function attachXdp(id: number, priority: number): void {
    stack.cli("link", "attach", "xdp", String(id), "uplink", "--priority", String(priority));
}

function runCount(id: number): number {
    const text = execFileSync("bpftool", ["--json", "prog", "show", "id", String(id)], { encoding: "utf8" });
    return (JSON.parse(text) as { run_cnt?: number }).run_cnt ?? 0;
}

/** Those by which the daemon has the kernel count. */
function counting(): string[] {
    return bpfDescriptors(stack.daemonPid).filter(fd => fd.includes("bpf-stats"));
}

function measured(page: Page, id: number): Locator {
    const rows = page.getByRole("grid", { name: "Run statistics" }).getByRole("row");
    return rows.filter({ has: page.getByRole("gridcell", { name: String(id), exact: true }) });
}

function allRuns(page: Page, id: number): Promise<string> {
    return measured(page, id).locator("td[data-label='All runs']").innerText();
}

async function measure(page: Page): Promise<void> {
    await page.getByRole("switch", { name: "Measure" }).press("Space");
    await page.getByRole("grid", { name: "Run statistics" }).waitFor();
}

it("a program's runs are those that the kernel counts, while somebody looks and no longer", async () => {
    // the kernel keeps the lists of TCX itself, so it counts each of their programs
    const id = stack.load("tc_return_0", "tcx:tc_return");
    stack.cli("link", "attach", "tcx", String(id), "uplink", "ingress", "--priority", "10");
    stack.sendToUplink(3);
    const page = await stack.open("#/overview");
    await page.getByRole("grid", { name: "Everything in the kernel" }).waitFor();
    assert.deepEqual(counting(), [], "nobody asked for it yet");
    await measure(page);
    await eventually(() => allRuns(page, id), "0");
    assert.equal(counting().length, 1);
    stack.sendToUplink(20);
    await eventually(() => allRuns(page, id), "20");
    assert.equal(runCount(id), 20);
    await picture(page, "host-statistics");
    await page.getByRole("link", { name: "Programs", exact: true }).click();
    await eventually(counting, []);
    stack.sendToUplink(4);
    assert.equal(fs.readFileSync("/proc/sys/kernel/bpf_stats_enabled", "utf8").trim(), "0");
    assert.equal(runCount(id), 20, "the kernel counts no more");
});

it("a chain counts for its members", async () => {
    const first = stack.load("xdp_pass");
    const second = stack.load("xdp_count");
    attachXdp(first, 10);
    attachXdp(second, 20);
    const page = await stack.open("#/overview");
    await measure(page);
    for (const id of [first, second]) await measured(page, id).getByText("counted by its chain").waitFor();
    stack.sendToUplink(12);
    for (const id of [first, second]) await eventually(() => allRuns(page, id), "12");
    await page.getByRole("link", { name: "Programs", exact: true }).click();
    await eventually(counting, []);
    await eventually(() => stack.kernel.xdpOrder("uplink"), ["xdp_pass", "xdp_count"]);
});

it("a program of others has the process that holds it", async () => {
    using foreign = new Foreign("xdp_drop", "xdp");
    await using other = await holder(foreign.program.pin);
    const page = await stack.open("#/overview");
    const table = page.getByRole("grid", { name: "Everything in the kernel" });
    await page.getByRole("textbox", { name: "Filter everything" }).fill("xdp_drop");
    const row = table.getByRole("row").filter({ hasText: String(foreign.program.id) });
    const name = fs.readFileSync(`/proc/${other.pid}/comm`, "utf8").trim();
    await row.getByText(`${name}, PID ${other.pid}`).waitFor();
    await picture(page, "host-owner");
});

/** A host behind the interface `admin`, as the one that somebody administers this host from. */
function neighbour(): { netns: string } & Disposable {
    const name = `bpfman-admin-${process.pid}`;
    const netns = `/run/netns/${name}`;
    const ip = (place: string, ...args: string[]) => execFileSync("nsenter", [`--net=${place}`, "ip", ...args]);
    execFileSync("ip", ["netns", "add", name]);
    ip(stack.netns, "link", "add", "admin", "type", "veth", "peer", "name", "far", "netns", name);
    ip(stack.netns, "address", "add", "198.51.100.1/24", "dev", "admin");
    ip(netns, "address", "add", "198.51.100.2/24", "dev", "far");
    ip(stack.netns, "link", "set", "admin", "up");
    ip(netns, "link", "set", "far", "up");
    return {
        netns,
        [Symbol.dispose]() {
            ip(stack.netns, "link", "delete", "admin");
            execFileSync("ip", ["netns", "delete", name]);
        },
    };
}

it("whose connection comes in through an interface is told before a program is attached there", async () => {
    stack.load("xdp_pass");
    using far = neighbour();
    await using _server = await listener(stack.netns, 22, "198.51.100.1");
    await using _client = await connection(far.netns, 22, "198.51.100.1");
    const page = await stack.open("#/programs");
    await page.getByRole("button", { name: "Actions for xdp_pass", exact: true }).click();
    await page.getByRole("menuitem", { name: "Attach", exact: true }).click();
    const dialog = page.getByRole("dialog");
    const warning = dialog.getByText("SSH connections to this host come in through admin");
    await dialog.getByRole("combobox", { name: "Interface", exact: true }).selectOption("uplink");
    assert.equal(await warning.count(), 0, "nobody comes in there");
    await dialog.getByRole("combobox", { name: "Interface", exact: true }).selectOption("admin");
    await warning.waitFor();
    await dialog.getByText("Connected now: SSH from 198.51.100.2").waitFor();
    await picture(page, "host-session");
});
