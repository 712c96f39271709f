// SPDX-License-Identifier: Apache-2.0
// The page without its daemon, without permission, and when the daemon comes and goes.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { axe, eventually, picture, Stack } from "./stack.ts";

describe("as an administrator", () => {
    let stack: Stack;
    before(async () => {
        stack = await Stack.start({ daemon: false });
    });
    after(() => stack?.stop());
    afterEach(() => stack.closePages());

    it("says that the daemon is not running, and goes on by itself when it starts", async () => {
        const page = await stack.open();
        await page.getByRole("heading", { name: "eBPF manager is not running" }).waitFor();
        await page.getByText("“bpfman serve”").waitFor();
        await picture(page, "not-running");
        assert.deepEqual(await axe(page), []);
        await stack.startDaemon();
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
    });

    it("keeps showing what was known while the daemon restarts, and catches up", async () => {
        const page = await stack.open();
        stack.load("xdp_pass");
        await page.getByRole("link", { name: "xdp_pass" }).waitFor();
        await stack.stopDaemon("SIGKILL");
        await page.getByText("The connection to the eBPF manager was lost. Reconnecting…").waitFor();
        assert.ok(await page.getByRole("link", { name: "xdp_pass" }).isVisible());
        await picture(page, "reconnecting");
        assert.deepEqual(await axe(page), []);
        await stack.startDaemon();
        const alert = page.getByText("The connection to the eBPF manager was lost. Reconnecting…");
        await alert.waitFor({ state: "detached" });
        // not the state of a daemon that stays away
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
        await stack.unloadAll();
        await page.getByText("No programs").waitFor();
    });

    it("says so when the daemon stays away", async () => {
        const page = await stack.open();
        await page.getByText("No programs").waitFor();
        await stack.stopDaemon();
        await page.getByRole("heading", { name: "eBPF manager is not running" }).waitFor();
        await stack.startDaemon();
        await page.getByText("No programs").waitFor();
    });
});

describe("where systemd has the unit", () => {
    let stack: Stack;
    const path = process.env["PATH"];
    before(async () => {
        // says what systemd would, and keeps what it was told
        const bin = fs.mkdtempSync("/tmp/bpfman-systemctl-");
        const script = `#!/bin/sh\ncase "$1" in show) echo loaded;; *) echo "$@" >"${bin}/called";; esac\n`;
        fs.writeFileSync(`${bin}/systemctl`, script, { mode: 0o755 });
        fs.chmodSync(bin, 0o755);
        process.env["PATH"] = `${bin}:${path}`;
        stack = await Stack.start({ daemon: false });
    });
    after(async () => {
        const bin = process.env["PATH"]?.split(":")[0];
        process.env["PATH"] = path;
        await stack?.stop();
        if (bin?.startsWith("/tmp/bpfman-systemctl-")) fs.rmSync(bin, { recursive: true });
    });
    afterEach(() => stack.closePages());

    it("starts it, and shows the programs", async () => {
        const page = await stack.open();
        await page.getByText("Start the service to see and manage them.").waitFor();
        await page.getByRole("button", { name: "Troubleshoot" }).waitFor();
        await picture(page, "start");
        assert.deepEqual(await axe(page), []);
        await page.getByRole("button", { name: "Start", exact: true }).click();
        const called = `${process.env["PATH"]?.split(":")[0]}/called`;
        await eventually(() => fs.existsSync(called), true);
        assert.equal(fs.readFileSync(called, "utf8"), "enable --now bpfman.socket\n");
        await stack.startDaemon();
        await page.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
    });
});

describe("with limited access", () => {
    let stack: Stack;
    before(async () => {
        stack = await Stack.start({ user: "nobody" });
    });
    after(() => stack?.stop());
    afterEach(() => stack.closePages());

    it("names the shell's switch and the group", async () => {
        const page = await stack.open();
        await page.getByRole("heading", { name: "Not permitted to manage eBPF programs" }).waitFor();
        await page.getByText("“Limited access”").waitFor();
        await page.getByText("group “bpfman”").waitFor();
        await picture(page, "limited");
        assert.deepEqual(await axe(page), []);
    });

    it("works without administrative access where the socket admits the user", async () => {
        fs.chmodSync(stack.runtimeDir, 0o755);
        fs.chmodSync(stack.socketPath, 0o666);
        const page = await stack.open("#/interfaces");
        await eventually(() => page.getByRole("heading", { name: "uplink" }).count(), 1);
    });
});
