// SPDX-License-Identifier: Apache-2.0
// Cosign's signatures in both forms, by keys and by certificates: which count, what is told of them, and what becomes
// of those that mean harm. Whatever signs is of the test's own making; no network is asked.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Images } from "../../daemon/image/images.ts";
import { defaultRules } from "../../daemon/image/signing.ts";
import type { PullPolicy, SigningRules } from "../../daemon/model/images.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { newKey, pem, signBytes, spki } from "./der.ts";
import { type NewerTools, newerTools } from "./newer.ts";
import { openFolder, Registry, tarOf } from "./registry.ts";
import * as lab from "./sigstore-lab.ts";

const pass = tarOf("a.o", fixtureObject("xdp_pass"));
const issuer = "https://accounts.example.com";
const me = { identity: "me@example.com", issuer };
const workflow = { identity: "https://forge.example.com/me/x/.workflows/build.yml@refs/heads/main", issuer };
const identity = (exact: string, issuerPattern = /^(?:https:\/\/accounts\.example\.com)$/u) => ({
    certificateIdentity: exact,
    certificateIdentityRegexp: undefined,
    certificateOidcIssuer: undefined,
    certificateOidcIssuerRegexp: issuerPattern,
});

const sigstore = new lab.SigstoreLab();
const key = newKey();
let registry: Registry;
let tools: NewerTools;
let dir: string;
let cacheDir: string;
let rules: SigningRules;
let count = 0;

before(async () => {
    registry = await Registry.start();
    dir = openFolder("bpfman-sigstore-");
    cacheDir = openFolder("bpfman-cache-");
    tools = newerTools(dir);
    const file = (name: string, text: string) => {
        fs.writeFileSync(path.join(dir, name), text, { mode: 0o644 });
        return path.join(dir, name);
    };
    rules = {
        ...defaultRules,
        allowUnsigned: false,
        trustedRoot: file("root.json", sigstore.trustedRoot()),
        trustedKeys: [
            file("other.pub", pem(spki(newKey()), "PUBLIC KEY")),
            file("key.pub", pem(spki(key), "PUBLIC KEY")),
        ],
        trustedIdentities: [identity("me@example.com"), identity(workflow.identity)],
    };
});
after(async () => {
    await registry[Symbol.asyncDispose]();
    const left = fs.readdirSync(cacheDir).filter(name => name !== "images" && name !== "tuf");
    for (const folder of [dir, cacheDir]) fs.rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(left, [], "a pull left something");
});

function imagesOf(change: Partial<SigningRules> = {}): Images {
    return new Images({
        cacheDir,
        log: () => {},
        checkObject: () => {},
        skopeo: { registriesConf: registry.registriesConf({}) },
        signing: { ...rules, ...change },
    });
}

/** An image of its own, and its digest. */
async function image(): Promise<{ repository: string; url: string; digest: string }> {
    const repository = `acme/i${count++}`;
    // each of another digest
    const labels = { serial: repository };
    const { digest } = await registry.push(repository, "v1", pass, { labels });
    return { repository, url: `${registry.address}/${repository}:v1`, digest };
}

const get = (images: Images, url: string, pullPolicy: PullPolicy = "IfNotPresent") =>
    images.get({ url, pullPolicy, auth: undefined });

const refusal = (message: RegExp) => ({ code: "FAILED_PRECONDITION", message });

/** Refused where a signature is demanded; taken, and told, where none is. */
async function untrusted(url: string, why: RegExp): Promise<void> {
    await assert.rejects(get(imagesOf(), url), refusal(why));
    const { facts } = await get(imagesOf({ allowUnsigned: true }), url);
    assert.equal(facts.signature.state, "untrusted");
    assert.match(facts.signature.detail, why);
    assert.deepEqual([facts.signature.identity, facts.signature.issuer, facts.signature.form], ["", "", undefined]);
}

test("by a key and by a certificate, as tag and as bundle: each counts, and who signed is told", async () => {
    const { url, repository, digest } = await image();
    const payload = lab.cosignPayload(url, digest);
    const statement = lab.signStatement(digest);
    const keyFile = path.join(dir, "key.pub");
    const cases: [string, () => Promise<unknown>, [string, string, string]][] = [
        [
            "a key's tag",
            () => lab.pushCosign(registry, repository, digest, [lab.keyedLayer(payload, key)]),
            [keyFile, "", "cosign"],
        ],
        [
            "a certificate's tag",
            () =>
                lab.pushCosign(registry, repository, digest, [
                    lab.certifiedLayer(sigstore, payload, sigstore.certify(me)),
                ]),
            ["me@example.com", issuer, "cosign"],
        ],
        [
            "a key's bundle",
            () => lab.pushBundles(registry, repository, digest, [lab.keyedBundle(statement, key)]),
            [keyFile, "", "bundle"],
        ],
        [
            "a certificate's bundle",
            () =>
                lab.pushBundles(registry, repository, digest, [
                    lab.certifiedBundle(sigstore, statement, sigstore.certify(workflow)),
                ]),
            [workflow.identity, issuer, "bundle"],
        ],
    ];
    await assert.rejects(
        get(imagesOf(), url),
        refusal(/allow_unsigned is false, and its registry has no signature of it/),
    );
    assert.equal((await get(imagesOf({ allowUnsigned: true }), url)).facts.signature.state, "unsigned");
    for (const [name, push, expected] of cases) {
        await push();
        const { signature } = (await get(imagesOf(), url, "Always")).facts;
        assert.equal(signature.state, "verified", name);
        assert.deepEqual([signature.identity, signature.issuer, signature.form], expected, name);
        assert.ok(signature.detail.includes(expected[0]), signature.detail);
    }
    // and from then on without the registry
    const offline = new Images({
        cacheDir,
        log: () => {},
        checkObject: () => {},
        skopeo: { command: "/bin/false", registriesConf: registry.registriesConf({}) },
        signing: rules,
    });
    const again = await get(offline, url, "Never");
    assert.deepEqual([again.cached, again.facts.signature.identity], [true, workflow.identity]);
});

test("what cosign itself signs counts, and cosign takes what the test signs", async () => {
    const password = { COSIGN_PASSWORD: "" };
    const home = { ...password, HOME: dir };
    fs.mkdirSync(path.join(dir, "keys"));
    tools.cosign(["generate-key-pair", "--output-key-prefix", path.join(dir, "keys/c")], home);
    const images = imagesOf({ trustedKeys: [path.join(dir, "keys/c.pub")] });
    for (const [form, flags] of [
        ["bundle", []],
        ["cosign", ["--new-bundle-format=false"]],
    ] as const) {
        const { url, digest, repository } = await image();
        const words = ["--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry", ...flags];
        const pinned = `${registry.address}/${repository}@${digest}`;
        tools.cosign(["sign", "--yes", "--key", path.join(dir, "keys/c.key"), ...words, pinned], home);
        const { signature } = (await get(images, url)).facts;
        assert.deepEqual([signature.state, signature.form], ["verified", form]);
        assert.equal(signature.identity, path.join(dir, "keys/c.pub"));
    }
    const { url, digest, repository } = await image();
    await lab.pushCosign(registry, repository, digest, [
        lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), sigstore.certify(me)),
    ]);
    const words = ["--certificate-identity", me.identity, "--certificate-oidc-issuer", issuer, "--allow-http-registry"];
    const verified = tools.cosign(["verify", "--trusted-root", rules.trustedRoot ?? "", ...words, url], home);
    assert.match(verified, new RegExp(digest));
});

test("of an index, a signature of the index or of this machine's image counts", async () => {
    const machine = { x64: "amd64" }[process.arch as string] ?? process.arch;
    for (const which of ["index", "image"]) {
        const { repository, digest } = await image();
        const found = await fetch(`http://${registry.address}/v2/${repository}/manifests/${digest}`, {
            headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
        });
        const size = (await found.arrayBuffer()).byteLength;
        const mediaType = "application/vnd.oci.image.manifest.v1+json";
        const manifests = [{ mediaType, digest, size, platform: { os: "linux", architecture: machine } }];
        const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
        const top = await registry.manifest(repository, "multi", index, index.mediaType);
        const signed = which === "index" ? top : digest;
        await lab.pushBundles(registry, repository, signed, [lab.keyedBundle(lab.signStatement(signed), key)]);
        const { facts } = await get(imagesOf(), `${registry.address}/${repository}:multi`);
        assert.deepEqual([facts.digest, facts.signature.state], [top, "verified"], which);
    }
});

test("rules that change are asked again, and the cache is not taken on trust", async () => {
    const { url, repository, digest } = await image();
    await lab.pushCosign(registry, repository, digest, [
        lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), sigstore.certify(me)),
    ]);
    await get(imagesOf(), url);
    const others = imagesOf({ trustedIdentities: [identity("you@example.com")] });
    assert.equal((await others.inspect(url)).policyChanged, true);
    await assert.rejects(get(others, url, "Never"), { message: /signature policy has changed/ });
    await assert.rejects(
        get(others, url),
        refusal(/signed by me@example\.com .*, whom signing\.trusted_identities does not name/),
    );
    // without names, a certificate of anybody counts; and where nothing is verified, nobody looks
    assert.equal((await get(imagesOf({ trustedIdentities: [] }), url)).facts.signature.identity, "me@example.com");
    assert.equal((await get(imagesOf({ verifyEnabled: false }), url)).facts.signature.state, "unchecked");
    // a key that is another one now is another rule
    const changing = path.join(dir, "changing.pub");
    fs.copyFileSync(path.join(dir, "key.pub"), changing);
    const keyed = imagesOf({ trustedKeys: [changing], allowUnsigned: true });
    await get(keyed, url);
    assert.equal((await keyed.inspect(url)).policyChanged, false);
    fs.copyFileSync(path.join(dir, "other.pub"), changing);
    assert.equal((await keyed.inspect(url)).policyChanged, true);
});

test("a tag that is signed later is seen to be signed", async () => {
    const { url, repository, digest } = await image();
    const images = imagesOf({ allowUnsigned: true });
    assert.equal((await get(images, url)).facts.signature.state, "unsigned");
    await lab.pushBundles(registry, repository, digest, [lab.keyedBundle(lab.signStatement(digest), key)]);
    assert.equal((await get(images, url)).facts.signature.state, "unsigned");
    const now = await get(images, url, "Always");
    assert.deepEqual([now.cached, now.facts.signature.state], [true, "verified"]);
    assert.equal((await images.inspect(url)).signature.state, "verified");
});

test("one look demands another signer: the certificate counts, the key does not, and nothing is kept", async () => {
    const { url, repository, digest } = await image();
    const payload = lab.cosignPayload(url, digest);
    const images = imagesOf();
    const look = (who: string, more: { allowUnsigned?: boolean } = {}) =>
        images.get({ url, pullPolicy: "Always", auth: undefined }, { demand: { identity: identity(who), ...more } });
    await lab.pushCosign(registry, repository, digest, [lab.keyedLayer(payload, key)]);
    assert.equal((await get(images, url)).facts.signature.state, "verified", "the configuration trusts the key");
    await assert.rejects(look("you@example.com"), refusal(/signed by a key/));

    const you = sigstore.certify({ identity: "you@example.com", issuer });
    await lab.pushCosign(registry, repository, digest, [
        lab.keyedLayer(payload, key),
        lab.certifiedLayer(sigstore, payload, sigstore.certify(me)),
        lab.certifiedLayer(sigstore, payload, you),
    ]);
    const { facts } = await look("you@example.com");
    assert.deepEqual([facts.signature.state, facts.signature.identity], ["verified", "you@example.com"]);
    const other = await look("nobody@example.com", { allowUnsigned: true });
    assert.equal(other.facts.signature.state, "untrusted");
    assert.equal((await images.inspect(url)).signature.identity, path.join(dir, "key.pub"));
    const never = { demand: { allowUnsigned: true } };
    await assert.rejects(images.get({ url, pullPolicy: "Never", auth: undefined }, never), {
        code: "INVALID_ARGUMENT",
    });

    const fresh = await image();
    const seen = await images.get(
        { url: fresh.url, pullPolicy: "Always", auth: undefined },
        { demand: { allowUnsigned: true } },
    );
    assert.equal(seen.facts.signature.state, "unsigned");
    await assert.rejects(images.inspect(fresh.url), { code: "NOT_FOUND" });
});

test("another digest, another signer, an expired certificate: each is told", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    const late = { ...me, notAfter: new Date(Date.now() - 60_000) };
    const stranger = new lab.SigstoreLab();
    const cosigned: [string, (url: string, digest: string) => lab.CosignLayer, RegExp][] = [
        ["digest", url => lab.keyedLayer(lab.cosignPayload(url, other), key), /it is of another digest/],
        ["type", () => lab.keyedLayer(Buffer.from('{"critical":{"type":"x"}}'), key), /no image's signature/],
        ["no JSON", () => lab.keyedLayer(Buffer.from("{"), key), /its payload is no JSON/],
        [
            "key",
            (url, digest) => lab.keyedLayer(lab.cosignPayload(url, digest), newKey()),
            /none of signing\.trusted_keys/,
        ],
        [
            "signature",
            (url, digest) => ({ ...lab.keyedLayer(lab.cosignPayload(url, digest), key), annotations: {} }),
            /none of signing\.trusted_keys|invalid/,
        ],
        [
            "expired",
            (url, digest) => lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), sigstore.certify(late)),
            /certificate is not valid or expired/,
        ],
        [
            "another authority",
            (url, digest) => lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), stranger.certify(me)),
            /certificate/,
        ],
        [
            "another log",
            (url, digest) => lab.certifiedLayer(stranger, lab.cosignPayload(url, digest), sigstore.certify(me)),
            /inclusion promise/,
        ],
        [
            "no log",
            (url, digest) => {
                const layer = lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), sigstore.certify(me));
                const { "dev.sigstore.cosign/bundle": _, ...annotations } = layer.annotations;
                return { ...layer, annotations };
            },
            /expected 1 timestamps, got 0/,
        ],
        [
            "another payload",
            (url, digest) => {
                const layer = lab.certifiedLayer(sigstore, lab.cosignPayload(url, other), sigstore.certify(me));
                return { ...layer, payload: lab.cosignPayload(url, digest) };
            },
            /mismatch|verification failed/,
        ],
        [
            "a stranger",
            (url, digest) => {
                const leaf = sigstore.certify({ identity: "you@example.com", issuer });
                return lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), leaf);
            },
            /signed by you@example\.com/,
        ],
        [
            "another issuer",
            (url, digest) => {
                const leaf = sigstore.certify({ ...me, issuer: `${issuer}.evil.example` });
                return lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), leaf);
            },
            /signed by me@example\.com \(https:\/\/accounts\.example\.com\.evil\.example\)/,
        ],
    ];
    for (const [name, layer, why] of cosigned) {
        const { url, repository, digest } = await image();
        await lab.pushCosign(registry, repository, digest, [layer(url, digest)]);
        await untrusted(url, why).catch(error => assert.fail(`${name}: ${error}`));
    }
});

test("bundles that were tampered with, or say too much, are refused", async () => {
    type Bundle = ReturnType<typeof lab.certifiedBundle>;
    const cases: [string, (bundle: Bundle, digest: string) => object | Buffer, RegExp][] = [
        ["another digest", () => lab.keyedBundle(lab.signStatement(`sha256:${"1".repeat(64)}`), key), /another digest/],
        [
            "another statement",
            (_, digest) => lab.keyedBundle(lab.signStatement(digest, "https://slsa.dev/provenance/v1"), key),
            /no image's signature/,
        ],
        [
            "a payload that was changed",
            (bundle, digest) => ({
                ...bundle,
                dsseEnvelope: {
                    ...bundle.dsseEnvelope,
                    payload: Buffer.from(`${lab.signStatement(digest)} `).toString("base64"),
                },
            }),
            /mismatch|verification failed/,
        ],
        [
            "a signature that was changed",
            (bundle, digest) => ({
                ...bundle,
                dsseEnvelope: {
                    ...bundle.dsseEnvelope,
                    signatures: [{ sig: signBytes(lab.signStatement(digest), newKey()).toString("base64") }],
                },
            }),
            /mismatch|verification failed/,
        ],
        [
            "no log entry",
            bundle => ({ ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [] } }),
            /expected 1 timestamps/,
        ],
        [
            "no proof",
            bundle => {
                const [entry] = bundle.verificationMaterial.tlogEntries;
                const { inclusionPromise: _, inclusionProof: __, ...bare } = entry ?? {};
                return { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [bare] } };
            },
            /invalid/,
        ],
        [
            "a proof of another tree",
            bundle => {
                const [entry] = bundle.verificationMaterial.tlogEntries;
                const hashes = [Buffer.alloc(32).toString("base64")];
                const inclusionProof = { ...entry?.inclusionProof, hashes };
                const tlogEntries = [{ ...entry, inclusionProof }];
                return { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries } };
            },
            /invalid hash count/,
        ],
        [
            "thousands of log entries",
            bundle => ({
                ...bundle,
                verificationMaterial: {
                    ...bundle.verificationMaterial,
                    tlogEntries: Array.from({ length: 2000 }, () => ({})),
                },
            }),
            /more than 8 log entries/,
        ],
        ["no bundle", () => Buffer.from("[1]"), /no JSON object/],
        ["no JSON", () => Buffer.from("\u001b[31m"), /no JSON/],
        ["nothing in it", () => ({ mediaType: lab.bundleMediaType }), /invalid bundle/],
        [
            "a certificate that is none",
            bundle => ({
                ...bundle,
                verificationMaterial: { ...bundle.verificationMaterial, certificate: { rawBytes: "MIIBCgKCAQEA" } },
            }),
            /no signature of it counts/,
        ],
    ];
    for (const [name, make, why] of cases) {
        const { url, repository, digest } = await image();
        const good = lab.certifiedBundle(sigstore, lab.signStatement(digest), sigstore.certify(me));
        await lab.pushBundles(registry, repository, digest, [make(good, digest)]);
        await untrusted(url, why).catch(error => assert.fail(`${name}: ${error}`));
    }
});

test("a good one among bad ones counts; too many, and too large ones, are not read", async () => {
    const among = await image();
    const payload = lab.cosignPayload(among.url, among.digest);
    await lab.pushCosign(registry, among.repository, among.digest, [
        ...Array.from({ length: 20 }, () => lab.keyedLayer(payload, newKey())),
        lab.keyedLayer(payload, key),
    ]);
    assert.equal((await get(imagesOf(), among.url)).facts.signature.state, "verified");

    // the tag of an index may be an image of somebody's
    const taken = await image();
    await registry.push(taken.repository, taken.digest.replace(":", "-"), pass);
    const signed = lab.cosignPayload(taken.url, taken.digest);
    await lab.pushCosign(registry, taken.repository, taken.digest, [lab.keyedLayer(signed, key)]);
    assert.equal((await get(imagesOf(), taken.url)).facts.signature.state, "verified");

    for (const [number, why] of [
        [100, /100 signatures, at most 64 are read/],
        [10_000, /has more than 1048576 bytes/],
    ] as const) {
        const many = await image();
        const one = lab.keyedLayer(lab.cosignPayload(many.url, many.digest), newKey());
        await lab.pushCosign(
            registry,
            many.repository,
            many.digest,
            Array.from({ length: number }, () => one),
        );
        await untrusted(many.url, why);
    }
    const bundles = await image();
    await lab.pushBundles(
        registry,
        bundles.repository,
        bundles.digest,
        Array.from({ length: 17 }, (_, at) => ({ at })),
    );
    await untrusted(bundles.url, /17 bundles, at most 16 are read/);

    const huge = await image();
    await lab.pushCosign(registry, huge.repository, huge.digest, [lab.keyedLayer(Buffer.alloc(2 << 20), key)]);
    await untrusted(huge.url, /signature: 2097152 bytes, at most 1048576 are read/);
    const hugeBundle = await image();
    await lab.pushBundles(registry, hugeBundle.repository, hugeBundle.digest, [Buffer.alloc(2 << 20)]);
    await untrusted(hugeBundle.url, /signature: 2097152 bytes, at most 1048576 are read/);
});

test("files of the configuration that are no key and no root are told", async () => {
    const { url, repository, digest } = await image();
    const payload = lab.cosignPayload(url, digest);
    await lab.pushCosign(registry, repository, digest, [lab.keyedLayer(payload, key)]);
    const root = path.join(dir, "root.json");
    await assert.rejects(get(imagesOf({ trustedKeys: [root] }), url), refusal(/root\.json is no public key in PEM/));
    await assert.rejects(get(imagesOf({ trustedKeys: [] }), url), refusal(/signing\.trusted_keys names none/));
    await lab.pushCosign(registry, repository, digest, [lab.certifiedLayer(sigstore, payload, sigstore.certify(me))]);
    await assert.rejects(
        get(imagesOf({ trustedRoot: path.join(dir, "key.pub") }), url),
        refusal(/key\.pub is no trusted root/),
    );
});

test("without a file and without a network, Sigstore's own root is told to be missing", async () => {
    const { url, repository, digest } = await image();
    await lab.pushCosign(registry, repository, digest, [
        lab.certifiedLayer(sigstore, lab.cosignPayload(url, digest), sigstore.certify(me)),
    ]);
    // nobody listens there
    process.env["HTTPS_PROXY"] = "http://127.0.0.1:1";
    try {
        const why = /Sigstore's root can't be fetched/;
        await assert.rejects(get(imagesOf({ trustedRoot: undefined }), url), refusal(why));
        const { signature } = (await get(imagesOf({ trustedRoot: undefined, allowUnsigned: true }), url)).facts;
        assert.equal(signature.state, "untrusted");
        assert.match(signature.detail, why);
    } finally {
        delete process.env["HTTPS_PROXY"];
    }
});
