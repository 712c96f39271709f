// SPDX-License-Identifier: Apache-2.0
// Signatures as policy.json demands them (signedBy, the simple signing that every skopeo has): who signed is shown, and
// what nobody, or another, signed is refused.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Images } from "../../daemon/image/images.ts";
import { defaultRules } from "../../daemon/image/signing.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { openFolder, Registry, tarOf } from "./registry.ts";

let registry: Registry;
let dir: string;
let cacheDir: string;

const gpg = (home: string, ...words: string[]) =>
    execFileSync("gpg", ["--homedir", home, "--batch", "--quiet", "--passphrase", "", ...words], { stdio: "pipe" });

function makeKey(name: string): { home: string; file: string } {
    const home = path.join(dir, name);
    fs.mkdirSync(home, { mode: 0o700 });
    gpg(home, "--quick-generate-key", `${name}@example.com`, "ed25519", "sign", "never");
    const file = path.join(dir, `${name}.pub`);
    fs.writeFileSync(file, gpg(home, "--export", "--armor"), { mode: 0o644 });
    return { home, file };
}

before(async () => {
    registry = await Registry.start();
    dir = openFolder("bpfman-sign-");
    cacheDir = openFolder("bpfman-cache-");
});
after(async () => {
    for (const home of ["ours", "theirs"])
        execFileSync("gpgconf", ["--homedir", path.join(dir, home), "--kill", "all"], { stdio: "ignore" });
    await registry[Symbol.asyncDispose]();
    for (const folder of [dir, cacheDir]) fs.rmSync(folder, { recursive: true, force: true });
});

test("an image is taken where the right key signed it, and who did is told", async () => {
    const [ours, theirs] = [makeKey("ours"), makeKey("theirs")];
    const registriesDir = path.join(dir, "registries.d");
    const store = path.join(dir, "store");
    fs.mkdirSync(registriesDir);
    fs.chmodSync(registriesDir, 0o755);
    fs.mkdirSync(store);
    fs.writeFileSync(path.join(registriesDir, "a.yaml"), `default-docker:\n  sigstore: file://${store}\n`, {
        mode: 0o644,
    });
    const registriesConf = registry.registriesConf({});
    const pass = tarOf("a.o", fixtureObject("xdp_pass"));
    for (const name of ["signed", "unsigned", "foreign"]) await registry.push(`acme/${name}`, "v1", pass);
    for (const [name, home] of [
        ["signed", ours.home],
        ["foreign", theirs.home],
    ] as const) {
        const image = `docker://${registry.address}/acme/${name}:v1`;
        const words = ["--insecure-policy", "--registries.d", registriesDir, "--registries-conf", registriesConf];
        const signer = `${path.basename(home)}@example.com`;
        execFileSync("skopeo", [...words, "copy", "-q", "--sign-by", signer, image, image], {
            env: { ...process.env, GNUPGHOME: home },
            stdio: "pipe",
        });
    }
    execFileSync("chmod", ["-R", "a+rX", store]);

    const policy = path.join(dir, "policy.json");
    const demand = (keyPath: string) =>
        fs.writeFileSync(
            policy,
            JSON.stringify({
                default: [{ type: "reject" }],
                transports: { docker: { [registry.address]: [{ type: "signedBy", keyType: "GPGKeys", keyPath }] } },
            }),
            { mode: 0o644 },
        );
    demand(ours.file);
    const images = new Images({
        cacheDir,
        log: () => {},
        checkObject: () => {},
        skopeo: { registriesConf, policy, registriesDir },
        // a demanded signature is enough for it
        signing: { ...defaultRules, allowUnsigned: false },
    });
    const get = (name: string, pullPolicy: "IfNotPresent" | "Never" = "IfNotPresent") =>
        images.get({ url: `${registry.address}/acme/${name}:v1`, pullPolicy, auth: undefined });

    const { facts } = await get("signed");
    assert.equal(facts.signature.state, "verified");
    assert.ok(facts.signature.detail.includes(`signed by ${ours.file}`), facts.signature.detail);
    assert.match(facts.signature.detail, /signedBy/);
    const refused = { code: "FAILED_PRECONDITION", hint: /policy\.json decides/ };
    await assert.rejects(get("unsigned"), { ...refused, message: /signature/ });
    await assert.rejects(get("foreign"), refused);
    assert.deepEqual(
        images.list().map(({ reference }) => reference),
        [`${registry.address}/acme/signed:v1`],
    );

    // the policy changes: what the cache holds is not taken on trust
    demand(theirs.file);
    assert.equal(images.list()[0]?.policyChanged, true);
    await assert.rejects(get("signed", "Never"), { message: /signature policy has changed/ });
    await assert.rejects(get("signed"), refused);
    assert.equal((await get("foreign")).facts.signature.state, "verified");
});
