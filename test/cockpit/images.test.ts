// SPDX-License-Identifier: Apache-2.0
// Images in the page: pulled from a real registry, loaded from, looked at, checked and removed.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { fixtureObject } from "../fixtures/objects.ts";
import { openFolder, Registry, tarOf } from "../image/registry.ts";
import { everyLook } from "./looks.ts";
import { eventually, Stack } from "./stack.ts";

const url = "quay.io/bpfman-bytecode/xdp_pass:latest";
const labels = { "io.ebpf.programs": '{"xdp_pass":"xdp"}', "io.ebpf.maps": "{}" };

let registry: Registry;
let containers: string;
let stack: Stack;
let digest: string;

before(async () => {
    registry = await Registry.start();
    containers = openFolder("bpfman-containers-");
    fs.copyFileSync(registry.registriesConf({ "quay.io/bpfman-bytecode": "acme" }), `${containers}/registries.conf`);
    const reject = { "quay.io/bpfman-bytecode/refused": [{ type: "reject" }] };
    const policy = { default: [{ type: "insecureAcceptAnything" }], transports: { docker: reject } };
    fs.writeFileSync(`${containers}/policy.json`, JSON.stringify(policy));
    for (const name of fs.readdirSync(containers)) fs.chmodSync(`${containers}/${name}`, 0o644);
    const pushed = await registry.push("acme/xdp_pass", "latest", tarOf("xdp_pass.o", fixtureObject("xdp_pass")), {
        labels,
    });
    digest = pushed.digest;
    await registry.push("acme/refused", "latest", tarOf("xdp_pass.o", fixtureObject("xdp_pass")), { labels });
    stack = await Stack.start({ containers });
});
after(async () => {
    await stack?.stop();
    await registry?.[Symbol.asyncDispose]();
    if (containers) fs.rmSync(containers, { recursive: true });
});
afterEach(async () => {
    await stack.closePages();
    await stack.unloadAll();
    stack.cli("image", "prune", "--all");
});

const dialog = (page: Page) => page.getByRole("dialog");

function kept(): string[] {
    const listed: unknown = JSON.parse(stack.cli("image", "list", "-o", "json"));
    return [...JSON.stringify(listed).matchAll(/"reference":"([^"]+)"/g)].map(([, name = ""]) => name);
}

describe("the load dialog", () => {
    it("pulls the image, offers what is inside, and loads it into the kernel", async () => {
        const page = await stack.open("#/programs");
        await page.getByRole("button", { name: "Load program" }).click();
        await dialog(page).getByLabel("Container image").check();
        await dialog(page).getByRole("combobox", { name: "Image", exact: true }).fill(url);
        await dialog(page).getByRole("button", { name: "Pull and inspect" }).click();
        await dialog(page).getByRole("checkbox", { name: "xdp_pass" }).waitFor();
        await dialog(page)
            .getByText(/Not signed|Signature not checked/)
            .waitFor();
        await everyLook(page, "load-image");
        await dialog(page).getByRole("button", { name: "Load", exact: true }).click();
        await page.getByText("1 program loaded").waitFor();
        const row = page.getByRole("row").filter({ hasText: "xdp_pass" });
        const id = Number(await row.getByRole("gridcell").nth(1).textContent());
        assert.equal(stack.kernel.programName(id), "xdp_pass");
        const program = stack.cli("program", "get", String(id), "-o", "json");
        assert.ok(program.includes(url) && program.includes(digest));
    });

    it("says why where the host's policy refuses", async () => {
        const page = await stack.open("#/programs");
        await page.getByRole("button", { name: "Load program" }).click();
        await dialog(page).getByLabel("Container image").check();
        await dialog(page)
            .getByRole("combobox", { name: "Image", exact: true })
            .fill("quay.io/bpfman-bytecode/refused:latest");
        await dialog(page).getByRole("button", { name: "Pull and inspect" }).click();
        await dialog(page).getByText("The image can't be used").waitFor();
        await dialog(page)
            .getByText(/policy/)
            .first()
            .waitFor();
        await everyLook(page, "load-image-refused");
        assert.deepEqual(kept(), []);
    });

    it("says so where there is no such image, and keeps what was typed", async () => {
        const page = await stack.open("#/programs");
        await page.getByRole("button", { name: "Load program" }).click();
        await dialog(page).getByLabel("Container image").check();
        const field = dialog(page).getByRole("combobox", { name: "Image", exact: true });
        await field.fill("quay.io/bpfman-bytecode/absent:latest");
        await dialog(page).getByRole("button", { name: "Pull and inspect" }).click();
        await dialog(page).getByText("The image can't be used").waitFor();
        assert.equal(await field.inputValue(), "quay.io/bpfman-bytecode/absent:latest");
    });
});

describe("the images view", () => {
    it("is empty at first, shows what is pulled here and elsewhere, and what uses it", async () => {
        const page = await stack.open("#/images");
        await page.getByRole("heading", { name: "No images" }).waitFor();
        await everyLook(page, "images-none");
        await page.getByRole("button", { name: "Pull image" }).click();
        await dialog(page).getByRole("combobox", { name: "Image", exact: true }).fill(url);
        await dialog(page).getByRole("button", { name: "Pull", exact: true }).click();
        await page.getByText(`${url} is here`).waitFor();
        assert.deepEqual(kept(), [url]);
        stack.cli("program", "load", "image", url, "--programs", "xdp:xdp_pass");
        const row = page.getByRole("row").filter({ hasText: url });
        await row.getByRole("link", { name: "xdp_pass" }).waitFor();
        await row.getByText(digest.slice(0, 19)).waitFor();
        await everyLook(page, "images");
        await page.getByRole("button", { name: url, exact: true }).click();
        await dialog(page).getByRole("link", { name: "xdp_pass" }).click();
        await page.getByRole("heading", { name: "xdp_pass", level: 1 }).waitFor();
        await dialog(page).waitFor({ state: "detached" });
    });

    it("tells an image's digest, labels and signature", async () => {
        stack.cli("image", "pull", url);
        const page = await stack.open("#/images");
        await page.getByRole("button", { name: url, exact: true }).click();
        await dialog(page).getByText(digest).first().waitFor();
        await dialog(page).getByText("io.ebpf.programs=").waitFor();
        await everyLook(page, "image");
    });

    it("removes one, and what no program uses, and leaves what one does", async () => {
        await registry.push("acme/other", "1", tarOf("xdp_drop.o", fixtureObject("xdp_drop")));
        stack.cli("image", "pull", "quay.io/bpfman-bytecode/other:1");
        stack.cli("program", "load", "image", url, "--programs", "xdp:xdp_pass");
        const page = await stack.open("#/images");
        await page.getByRole("button", { name: "Clean up" }).click();
        await dialog(page).getByText("quay.io/bpfman-bytecode/other:1").waitFor();
        await everyLook(page, "images-prune");
        await dialog(page).getByRole("button", { name: "Clean up" }).click();
        await page.getByText(/1 image removed/).waitFor();
        assert.deepEqual(kept(), [url]);
        await page.getByRole("button", { name: `Actions for ${url}` }).click();
        await page.getByRole("menuitem", { name: "Remove" }).click();
        await dialog(page).getByText("Programs that were loaded from it keep running.").waitFor();
        await dialog(page).getByRole("button", { name: "Remove" }).click();
        await page.getByRole("heading", { name: "No images" }).waitFor();
        assert.deepEqual(kept(), []);
    });

    it("follows the command at once", async () => {
        const page = await stack.open("#/images");
        await page.getByRole("heading", { name: "No images" }).waitFor();
        stack.cli("image", "pull", url);
        await page.getByRole("button", { name: url, exact: true }).waitFor();
        stack.cli("image", "remove", url);
        await page.getByRole("heading", { name: "No images" }).waitFor();
    });
});

describe("what the host's configuration says", () => {
    it("stands in the settings, with the policy of each repository", async () => {
        const page = await stack.open("#/settings");
        const row = page.getByRole("row").filter({ hasText: "quay.io/bpfman-bytecode/refused" });
        await row.getByText("refused", { exact: true }).waitFor();
        await page.getByText("bpfman.toml").first().waitFor();
        const scopes = await page
            .getByRole("grid", { name: "Policies" })
            .locator("td[data-label='Images of']")
            .allInnerTexts();
        assert.deepEqual(scopes, ["quay.io/bpfman-bytecode/refused", "everywhere else"]);
        await everyLook(page, "settings");
    });

    it("and pulls and removals are told among the events", async () => {
        stack.cli("image", "pull", url);
        stack.cli("image", "remove", url);
        const page = await stack.open("#/events");
        const rows = page.getByRole("row").filter({ hasText: url });
        await rows.filter({ hasText: "Image removed" }).first().waitFor();
        await rows.filter({ hasText: "Image pulled" }).first().waitFor();
        await page.getByLabel("Which events").selectOption("Links");
        await eventually(() => rows.count(), 0);
        await page.getByLabel("Which events").selectOption("Images");
        await rows.first().waitFor();
        await everyLook(page, "events");
    });
});
