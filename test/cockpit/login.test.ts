// SPDX-License-Identifier: Apache-2.0
// A real login through PAM as an ordinary user who may use sudo: limited access first, then the shell's switch.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { after, before, it } from "node:test";
import { fixtureObject } from "../fixtures/objects.ts";
import { eventually, picture, Stack } from "./stack.ts";

const user = `bpfman-${process.pid}`;
const password = "only for this test 42";
let stack: Stack;

before(async () => {
    execFileSync("useradd", ["--create-home", "--shell", "/bin/bash", user]);
    execFileSync("chpasswd", { input: `${user}:${password}\n` });
    fs.writeFileSync(`/etc/sudoers.d/${user}`, `${user} ALL=(ALL) ALL\n`, { mode: 0o440 });
    stack = await Stack.start({ login: true });
});
after(async () => {
    await stack?.stop();
    fs.rmSync(`/etc/sudoers.d/${user}`, { force: true });
    // what PAM's modules started for the session (an ssh-agent) ends a moment after it
    await eventually(() => processesOf(user), []);
    execFileSync("userdel", ["--remove", user], { stdio: "ignore" });
});

function processesOf(name: string): string[] {
    const uid = execFileSync("id", ["-u", name], { encoding: "utf8" }).trim();
    return fs
        .readdirSync("/proc")
        .filter(entry => /^\d+$/.test(entry))
        .filter(pid => {
            const status = fs.existsSync(`/proc/${pid}/status`) ? fs.readFileSync(`/proc/${pid}/status`, "utf8") : "";
            return new RegExp(`^Uid:\\s+${uid}\\s`, "m").test(status);
        });
}

it("shows what limited access lacks, and the programs once the session is an administrator's", async () => {
    const page = await stack.newPage();
    await page.goto(`${stack.origin}/bpfman`);
    await page.locator("#login-user-input").fill(user);
    await page.locator("#login-password-input").fill(password);
    await page.locator("#login-button").click();
    const frame = page.frameLocator("iframe[name='cockpit1:localhost/bpfman']");
    await frame.getByRole("heading", { name: "Not permitted to manage eBPF programs" }).waitFor();
    await picture(page, "login-limited");
    await page.getByRole("button", { name: "Limited access" }).click();
    await page.locator("input[type=password]").last().fill(password);
    await page.getByRole("button", { name: "Authenticate" }).click();
    await frame.getByRole("link", { name: "Programs", exact: true }).first().click();
    await frame.getByRole("heading", { name: "Programs", level: 1 }).waitFor();
    await frame.getByText("No programs").waitFor();
    await picture(page, "login-administrator");
    // the daemon's peer is root's bridge; it still knows who the human is
    await frame.getByRole("button", { name: "Load program" }).click();
    const buffer = fixtureObject("xdp_pass");
    await frame.locator("input[type=file]").setInputFiles({ name: "xdp_pass.o", mimeType: "", buffer });
    await frame.getByRole("dialog").getByRole("button", { name: "Load", exact: true }).click();
    await frame.getByRole("link", { name: "xdp_pass" }).click();
    const uid = execFileSync("id", ["-u", user], { encoding: "utf8" }).trim();
    await frame.getByText(new RegExp(`\\(uid ${uid}\\) through root`)).waitFor();
    await stack.closePages();
});
