// SPDX-License-Identifier: Apache-2.0
// Images of this host, made by the tools that make them: a folder in OCI's layout, an archive as docker save writes it,
// and the containers' store. No registry is asked, and nobody but root is served.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Images, type ImagesOptions } from "../../daemon/image/images.ts";
import { defaultRules } from "../../daemon/image/signing.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import type { PullPolicy } from "../../daemon/model/images.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { openFolder } from "./registry.ts";

const pass = fixtureObject("xdp_pass");
const drop = fixtureObject("xdp_drop");
let dir: string;
let cacheDir: string;
let storage: string;

const skopeo = (...args: string[]) =>
    execFileSync("skopeo", ["--insecure-policy", "copy", "-q", ...args], {
        cwd: dir,
        env: { ...process.env, CONTAINERS_STORAGE_CONF: storage },
        stdio: "pipe",
    });

function makeLayout(name: string, object: Uint8Array): void {
    const umoci = (...words: string[]) => execFileSync("umoci", words, { cwd: dir, stdio: "ignore" });
    fs.writeFileSync(path.join(dir, "x.o"), object);
    umoci("init", "--layout", name);
    umoci("new", "--image", `${name}:v1`);
    umoci("insert", "--rootless", "--image", `${name}:v1`, "x.o", "/x.o");
    umoci("config", "--image", `${name}:v1`, "--config.label", 'io.ebpf.programs={"pass":"xdp"}');
}

before(() => {
    // root's alone, as a home folder is
    dir = fs.mkdtempSync("/tmp/bpfman-local-");
    cacheDir = openFolder("bpfman-cache-");
    storage = path.join(dir, "storage.conf");
    fs.writeFileSync(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${dir}/store"\nrunroot = "${dir}/run"\n`);
    makeLayout("layout", pass);
});
after(() => {
    const left = fs.readdirSync(cacheDir).filter(name => name !== "images");
    for (const folder of [dir, cacheDir]) fs.rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(left, [], "a pull left something");
});

const imagesOf = (options: Partial<ImagesOptions> = {}) =>
    new Images({ cacheDir, log: () => {}, checkObject: object => void checkObject(object), ...options });

const get = (url: string, pullPolicy: PullPolicy = "IfNotPresent", options?: Partial<ImagesOptions>) =>
    imagesOf(options).get({ url, pullPolicy, auth: undefined });

test("an oci folder, with and without its tag, and what it holds now", async () => {
    for (const url of [`oci:${dir}/layout:v1`, `oci:${dir}/layout`]) {
        const { object, facts } = await get(url);
        assert.deepEqual(Buffer.from(object), pass);
        assert.equal(facts.reference, url);
        assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
        assert.deepEqual([facts.signature.state, facts.objectName], ["unsigned", "x.o"]);
        assert.match(facts.digest, /^sha256:[0-9a-f]{64}$/);
    }
    fs.cpSync(path.join(dir, "layout"), path.join(dir, "moving"), { recursive: true });
    const url = `oci:${dir}/moving:v1`;
    await get(url);
    fs.rmSync(path.join(dir, "moving"), { recursive: true });
    makeLayout("moving", drop);
    assert.deepEqual(Buffer.from((await get(url, "Never")).object), pass);
    assert.deepEqual(Buffer.from((await get(url)).object), drop);
    fs.rmSync(path.join(dir, "moving"), { recursive: true });
    await assert.rejects(get(url), { code: "NOT_FOUND", message: /moving:v1 can't be pulled/ });
    await assert.rejects(get(`oci:${dir}/layout:v2`), { code: "NOT_FOUND" });
});

test("an archive as docker save writes it", async () => {
    skopeo("oci:layout:v1", "docker-archive:archive.tar:quay.io/acme/pass:v1");
    for (const url of [`docker-archive:${dir}/archive.tar`, `docker-archive:${dir}/archive.tar:quay.io/acme/pass:v1`]) {
        const { object, facts } = await get(url);
        assert.deepEqual(Buffer.from(object), pass);
        assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
    }
    fs.writeFileSync(path.join(dir, "none.tar"), "this is no archive");
    await assert.rejects(get(`docker-archive:${dir}/none.tar`), { message: /none\.tar can't be pulled/ });
});

test("the containers' store", async () => {
    skopeo("oci:layout:v1", "containers-storage:quay.io/acme/pass:v1");
    // as root's own: the child inherits where the store is
    process.env["CONTAINERS_STORAGE_CONF"] = storage;
    try {
        const { object, facts } = await get("containers-storage:quay.io/acme/pass:v1");
        assert.deepEqual(Buffer.from(object), pass);
        assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
        await assert.rejects(get("containers-storage:quay.io/acme/absent:v1"), { code: "NOT_FOUND" });
    } finally {
        delete process.env["CONTAINERS_STORAGE_CONF"];
    }
});

test("the host's policy and the demand for signatures hold for them too", async () => {
    const policy = path.join(dir, "policy.json");
    const url = `oci:${dir}/layout:v1`;
    const accept = [{ type: "insecureAcceptAnything" }];
    fs.writeFileSync(policy, JSON.stringify({ default: accept, transports: { oci: { "": [{ type: "reject" }] } } }));
    await assert.rejects(get(url, "Always", { skopeo: { policy } }), { message: /is refused by/ });
    await assert.rejects(get(url, "Always", { signing: { ...defaultRules, allowUnsigned: false } }), {
        code: "FAILED_PRECONDITION",
        message: /allow_unsigned is false, and it has no registry that could hold a signature/,
    });
});

test("who reads a file for root may read, and nothing else", async () => {
    const spyDir = openFolder("bpfman-spy-");
    const spy = path.join(spyDir, "skopeo");
    const said = path.join(spyDir, "said");
    fs.writeFileSync(said, "");
    fs.chmodSync(said, 0o666);
    const look = "grep -E '^(Uid|CapEff|CapInh|NoNewPrivs):' /proc/self/status";
    fs.writeFileSync(spy, `#!/bin/sh\n${look} >${said}\nexec skopeo "$@"\n`, { mode: 0o755 });
    try {
        await get(`oci:${dir}/layout:v1`, "Always", { skopeo: { command: spy } });
        const words = fs.readFileSync(said, "utf8");
        // CAP_DAC_READ_SEARCH is bit 2
        assert.match(words, /CapEff:\s+0000000000000004/);
        assert.match(words, /NoNewPrivs:\s+1/);
        assert.match(words, /Uid:\s+6\d{4}\s/);
    } finally {
        fs.rmSync(spyDir, { recursive: true });
    }
});
