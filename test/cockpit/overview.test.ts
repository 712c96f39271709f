// SPDX-License-Identifier: Apache-2.0
// The overview with a script in the daemon's place: owners of every kind, rates that are known, thousands of programs.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { everyLook } from "./looks.ts";
import { type Script, ScriptedDaemon } from "./scripted-daemon.ts";
import { axe, eventually, Stack } from "./stack.ts";

const manyPrograms = 3000;

const inventory = {
    programs: [
        {
            kernel: {
                id: 12,
                name: "restrict_filesy",
                typeName: "lsm",
                memlockBytes: 4096,
                loadedAt: "2026-01-02T03:04:05Z",
            },
            name: "restrict_filesystems",
            pids: [1],
            owner: "systemd",
            hooks: ["lsm file_open"],
        },
        {
            kernel: {
                id: 40,
                name: "xdp_count",
                typeName: "xdp",
                memlockBytes: 8192,
                loadedAt: "2026-11-28T03:04:05Z",
            },
            name: "xdp_count",
            managed: true,
            owner: "bpfman",
            application: "telemetry",
            hooks: ["xdp eth0"],
            linkIds: [3],
        },
        {
            kernel: { id: 77, name: "kprobe_tcp_conn", typeName: "kprobe", memlockBytes: 4096 },
            pids: [501, 502],
            owner: "bpftrace",
            hooks: ["kprobe tcp_connect"],
        },
    ],
    maps: [
        {
            map: { id: 5, name: "counters", typeName: "percpu_array", memlockBytes: 65536 },
            managed: true,
            owner: "bpfman",
            programIds: [40],
        },
    ],
    links: [{ kernel: { id: 9, type: "xdp", programId: 40 }, managedLinkId: 3, hook: "xdp eth0", owner: "bpfman" }],
    btf: [{ id: 1, name: "vmlinux", kernel: true, sizeBytes: 5_600_000 }],
    processes: [
        { pid: 1, name: "systemd", command: "/sbin/init", unit: "init.scope" },
        {
            pid: 501,
            name: "bpftrace",
            command: "bpftrace -e x",
            unit: "session-3.scope",
            container: "web-1",
            containerRuntime: "podman",
        },
        { pid: 502, name: "bpftrace", unit: "session-3.scope" },
    ],
};

const features = {
    kernel: "6.18.0",
    libbpf: "1.5",
    architecture: "x86_64",
    features: [
        { name: "program-type/xdp", supported: true },
        { name: "program-type/netfilter", errno: "EINVAL", note: "netfilter programs can't be loaded" },
        { name: "link/tcx", supported: true },
    ],
};

async function* watch(_request: unknown, signal: AbortSignal) {
    yield { kind: "READY" };
    await sleep(3_600_000, undefined, { signal });
}

async function* statistics(request: Readonly<Record<string, unknown>>, signal: AbortSignal) {
    const isFor = (id: number) => {
        const { programIds } = request;
        return !Array.isArray(programIds) || programIds.includes(id);
    };
    const programs = [
        {
            id: 40,
            name: "xdp_count",
            type: "xdp",
            runs: "2000",
            runsPerSecond: 2000,
            nsPerRun: 150,
            cpuShare: 0.0003,
            totalRuns: "9000",
            totalRunTimeNs: "1350000",
            byChain: true,
        },
        {
            id: 77,
            name: "kprobe_tcp_conn",
            type: "kprobe",
            runs: "10",
            runsPerSecond: 10,
            nsPerRun: 1200,
            cpuShare: 0.25,
            totalRuns: "70",
            totalRunTimeNs: "84000",
        },
        {
            id: 12,
            name: "restrict_filesystems",
            type: "lsm",
            unmeasured: "it is a member of a chain that others share",
        },
    ].filter(({ id }) => isFor(id));
    yield { programs: programs.map(({ id, name, type, totalRuns }) => ({ id, name, type, totalRuns })), cpus: 2 };
    for (;;) {
        await sleep(100, undefined, { signal });
        yield { intervalMs: 1000, programs, cpus: 2 };
    }
}

const script: Script = {
    calls: {
        GetInventory: inventory,
        Features: features,
        Version: { version: "1.2.3" },
        ListPrograms: {
            programs: Array.from({ length: manyPrograms }, (_, at) => ({
                id: at + 1,
                record: {
                    name: `program_${at + 1}`,
                    type: "xdp",
                    metadata: { "bpfman.io/application": `app-${at % 7}` },
                },
                kernel: {
                    id: at + 1,
                    typeName: "xdp",
                    memlockBytes: 4096 * (at % 5),
                    loadedAt: "2026-01-02T03:04:05Z",
                },
            })),
        },
    },
    streams: { Watch: watch, WatchStatistics: statistics },
};

let stack: Stack;
let daemon: ScriptedDaemon;

before(async () => {
    stack = await Stack.start({ daemon: false });
    daemon = await ScriptedDaemon.start(stack.socketPath, script);
});
after(async () => {
    await daemon?.stop();
    await stack?.stop();
});
afterEach(() => stack.closePages());

const everything = (page: Page) => page.getByRole("grid", { name: "Everything in the kernel" });

async function names(page: Page): Promise<string[]> {
    return everything(page).locator("tbody tr td:first-child").allInnerTexts();
}

it("is for every eye", async () => {
    const page = await stack.open("");
    await everything(page).waitFor();
    await page.getByRole("switch", { name: "Measure" }).press("Space");
    await page.getByRole("grid", { name: "Run statistics" }).getByText("2,000").waitFor();
    await everyLook(page, "overview");
});

describe("everything in the kernel", () => {
    it("has owners, and is filtered, sorted and grouped", async () => {
        const page = await stack.open("#/overview");
        await everything(page).waitFor();
        const row = everything(page).getByRole("row").filter({ hasText: "kprobe_tcp_conn" });
        for (const text of ["bpftrace, PID 501", "and 1 more", "session-3.scope", "web-1", "kprobe tcp_connect"]) {
            await row.getByText(text).first().waitFor();
        }
        await page.getByRole("textbox", { name: "Filter everything" }).fill("web-1");
        await eventually(() => names(page), ["kprobe_tcp_conn"]);
        await page.getByRole("textbox", { name: "Filter everything" }).fill("");
        await page.getByRole("button", { name: /^\d+ ?Maps/ }).click();
        await eventually(() => names(page), ["counters"]);
        await page.getByRole("group", { name: "Which kind" }).getByRole("button", { name: "Programs" }).click();
        await everything(page).getByRole("button", { name: "Memory" }).click();
        assert.deepEqual((await names(page))[0], "xdp_count", "the largest is up");
        await page.getByRole("combobox", { name: "Group by" }).selectOption("By owner");
        const group = everything(page).getByRole("button", { name: /systemd/ });
        await group.click();
        assert.equal(await group.getAttribute("aria-expanded"), "false");
        assert.equal(await everything(page).getByText("restrict_filesystems").count(), 0);
        await everything(page).getByRole("link", { name: "xdp_count" }).click();
        await page.waitForURL(/#\/program\/40$/);
        await page.goBack();
        await everything(page).waitFor();
    });

    it("tells what this kernel supports, and why not", async () => {
        const page = await stack.open("#/overview");
        await page.getByText("2 of 3 are supported").waitFor();
        await page.getByRole("button", { name: "Show features" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByText("EINVAL: netfilter programs can't be loaded").waitFor();
        assert.deepEqual(await axe(page), []);
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
    });
});

describe("run statistics", () => {
    it("are measured while the switch is on and the view is there, and no longer", async () => {
        const page = await stack.open("#/overview");
        await everything(page).waitFor();
        // one that another page left may end a moment later
        await eventually(() => daemon.open.get("WatchStatistics") ?? 0, 0);
        await page.getByRole("switch", { name: "Measure" }).press("Space");
        const table = page.getByRole("grid", { name: "Run statistics" });
        const row = table.getByRole("row").filter({ hasText: "xdp_count" });
        await row.getByText("2,000").waitFor();
        await row.getByText("150 ns").waitFor();
        await row.getByText("counted by its chain").waitFor();
        const first = await table.locator("tbody tr").first().innerText();
        assert.match(first, /kprobe_tcp_conn/, "what takes most of the CPU is up");
        assert.match(first, /25%/);
        const unmeasured = table.getByRole("row").filter({ hasText: "restrict_filesystems" });
        await unmeasured.getByText("it is a member of a chain that others share").waitFor();
        const cells = await unmeasured.getByRole("gridcell").allInnerTexts();
        assert.deepEqual(cells.slice(3), ["", "", "", "", ""], "no figure stands for what is not known");
        await page.getByRole("img", { name: /^Share of a CPU\. Latest: kprobe_tcp_conn \(ID 77\): 25%/ }).waitFor();
        assert.equal(daemon.open.get("WatchStatistics"), 1);
        await page.getByRole("link", { name: "Programs", exact: true }).click();
        await eventually(() => daemon.open.get("WatchStatistics"), 0);
    });
});

describe("thousands of programs", () => {
    it("are one request, and few of them in the document", async () => {
        const page = await stack.open("#/programs");
        const table = page.getByRole("grid", { name: "Programs" });
        await table.getByText("program_1", { exact: true }).waitFor();
        assert.equal(await table.getAttribute("aria-rowcount"), String(manyPrograms + 1));
        const drawn = () => table.locator("tbody tr:not(.far-rows)").count();
        assert.ok((await drawn()) < 300, `${await drawn()} rows are in the document`);
        const before = daemon.called.length;
        await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
        await table.getByText(`program_${manyPrograms}`, { exact: true }).waitFor();
        assert.ok((await drawn()) < 300, `${await drawn()} rows are in the document`);
        await page.evaluate(() => window.scrollTo(0, 0));
        await page.getByRole("textbox", { name: "Filter programs" }).fill("program_2999");
        await eventually(() => table.locator("tbody tr").count(), 1);
        await page.getByRole("textbox", { name: "Filter programs" }).fill("");
        await page.getByRole("combobox", { name: "Group by" }).selectOption("By application");
        await table.getByRole("button", { name: /app-0/ }).waitFor();
        await table.getByRole("button", { name: "Name" }).click();
        assert.deepEqual(daemon.called.slice(before), [], "no request for a row, a filter or an order");
        assert.deepEqual(await axe(page), []);
    });
});
