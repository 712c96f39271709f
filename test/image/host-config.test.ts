// SPDX-License-Identifier: Apache-2.0
// What the host's own configuration decides, with a skopeo that has Sigstore compiled in: policy.json by key and by
// certificate, registries.d, short names, certs.d; and a registry that keeps referrers itself.
import assert from "node:assert/strict";
import fs from "node:fs";
import http, { type IncomingMessage, type RequestListener } from "node:http";
import https from "node:https";
import path from "node:path";
import { after, before, test } from "node:test";
import { Images, type ImagesOptions } from "../../daemon/image/images.ts";
import { defaultRules } from "../../daemon/image/signing.ts";
import type { RegistryAuth } from "../../daemon/model/images.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import * as x509 from "./der.ts";
import { type NewerTools, newerTools } from "./newer.ts";
import { openFolder, Registry, tarOf } from "./registry.ts";
import * as lab from "./sigstore-lab.ts";

const pass = tarOf("a.o", fixtureObject("xdp_pass"));
const issuer = "https://accounts.example.com";
const me = { identity: "me@example.com", issuer };
const sigstore = new lab.SigstoreLab();
const key = x509.newKey();
let registry: Registry;
let tools: NewerTools;
let dir: string;
let cacheDir: string;
let registriesDir: string;
let count = 0;

const file = (name: string, text: string | Buffer) => {
    fs.writeFileSync(path.join(dir, name), text, { mode: 0o644 });
    return path.join(dir, name);
};

before(async () => {
    registry = await Registry.start();
    dir = openFolder("bpfman-host-config-");
    cacheDir = openFolder("bpfman-cache-");
    tools = newerTools(dir);
    registriesDir = path.join(dir, "registries.d");
    fs.mkdirSync(registriesDir);
    fs.chmodSync(registriesDir, 0o755);
    file("registries.d/a.yaml", `docker:\n  ${registry.address}:\n    use-sigstore-attachments: true\n`);
});
after(async () => {
    await registry[Symbol.asyncDispose]();
    const left = fs.readdirSync(cacheDir).filter(name => name !== "images");
    for (const folder of [dir, cacheDir]) fs.rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(left, [], "a pull left something");
});

const imagesOf = (options: Partial<ImagesOptions>) =>
    new Images({ cacheDir, log: () => {}, checkObject: () => {}, ...options });

const get = (images: Images, url: string, auth?: RegistryAuth) => images.get({ url, pullPolicy: "Always", auth });

async function image(): Promise<{ repository: string; url: string; digest: string }> {
    const repository = `acme/h${count++}`;
    const { digest } = await registry.push(repository, "v1", pass, { labels: { serial: repository } });
    return { repository, url: `${registry.address}/${repository}:v1`, digest };
}

/** With a policy that demands this of everything in the registry. */
function demanding(requirement: object): Images {
    const docker = { [registry.address]: [requirement] };
    const policy = file(
        `policy-${count++}.json`,
        JSON.stringify({ default: [{ type: "reject" }], transports: { docker } }),
    );
    return imagesOf({
        skopeo: { command: tools.skopeo, registriesConf: registry.registriesConf({}), policy, registriesDir },
        signing: { ...defaultRules, allowUnsigned: false },
    });
}

test("policy.json's sigstoreSigned: by a key, and by a certificate of Fulcio's", async () => {
    const keyPath = file("key.pub", x509.pem(x509.spki(key), "PUBLIC KEY"));
    const byKey = demanding({ type: "sigstoreSigned", keyPath, signedIdentity: { type: "matchRepository" } });
    const keyed = await image();
    const refused = { code: "FAILED_PRECONDITION", hint: /policy\.json decides/ };
    await assert.rejects(get(byKey, keyed.url), { ...refused, message: /signature/ });
    const reference = `${registry.address}/${keyed.repository}`;
    await lab.pushCosign(registry, keyed.repository, keyed.digest, [
        lab.keyedLayer(lab.cosignPayload(reference, keyed.digest), key),
    ]);
    const { signature } = (await get(byKey, keyed.url)).facts;
    assert.deepEqual([signature.state, signature.identity, signature.form], ["verified", keyPath, "cosign"]);

    const fulcio = {
        caPath: file("ca.pem", x509.pem(sigstore.authority)),
        oidcIssuer: issuer,
        subjectEmail: me.identity,
    };
    const rekorPublicKeyPath = file("rekor.pub", sigstore.logKey());
    const signedIdentity = { type: "matchRepository" };
    const byCertificate = demanding({ type: "sigstoreSigned", fulcio, rekorPublicKeyPath, signedIdentity });
    const certified = await image();
    const payload = lab.cosignPayload(`${registry.address}/${certified.repository}`, certified.digest);
    const push = (leaf: lab.Leaf) =>
        lab.pushCosign(registry, certified.repository, certified.digest, [lab.certifiedLayer(sigstore, payload, leaf)]);
    await push(sigstore.certify({ identity: "you@example.com", issuer }));
    await assert.rejects(get(byCertificate, certified.url), refused);
    await push(sigstore.certify(me));
    const found = (await get(byCertificate, certified.url)).facts.signature;
    assert.deepEqual([found.state, found.identity, found.issuer], ["verified", me.identity, issuer]);
    // a key's signature is none of a certificate
    await assert.rejects(get(byCertificate, keyed.url), refused);
});

test("short names: an alias, the one registry that is searched, and a choice that is nobody's here", async () => {
    const { repository } = await image();
    const [, name = ""] = repository.split("/");
    const table = `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`;
    const searched = (...registries: string[]) =>
        imagesOf({
            skopeo: {
                registriesConf: file(
                    `short-${count++}.conf`,
                    `unqualified-search-registries = ${JSON.stringify(registries)}\n${table}[aliases]\n"pass" = "${registry.address}/${repository}"\n`,
                ),
            },
        });
    const both = searched("a.example", "b.example");
    assert.equal((await get(both, "pass:v1")).facts.reference, `${registry.address}/${repository}:v1`);
    assert.equal((await both.inspect("pass:v1")).reference, `${registry.address}/${repository}:v1`);
    await assert.rejects(get(both, "other:v1"), {
        code: "INVALID_ARGUMENT",
        message: /"other:v1" could be of any of a\.example, b\.example/,
        hint: "Write it in full, as a.example/other:v1.",
    });
    const one = searched(registry.address);
    const found = await get(one, `acme/${name}:v1`);
    assert.equal(found.facts.reference, `${registry.address}/${repository}:v1`);
    assert.equal((await one.inspect(`acme/${name}:v1`)).digest, found.facts.digest);
    assert.deepEqual((await one.remove([`acme/${name}:v1`], { ignoreMissing: false })).removed, [
        found.facts.reference,
    ]);
});

/** The registry with referrers of its own, which wants a token for everything. */
async function serveReferrers(referrers: (digest: string) => unknown, tls?: { cert: Buffer; key: string }) {
    const asked: string[] = [];
    const authorized = (request: IncomingMessage) => request.headers.authorization === "Bearer t-o-k-e-n";
    const listener: RequestListener = (request, response) => {
        const { url = "" } = request;
        asked.push(`${url.split("?")[0]} ${request.headers.authorization ?? ""}`);
        const scheme = tls ? "https" : "http";
        if (url.startsWith("/token")) {
            const isKnown =
                request.headers.authorization === `Basic ${Buffer.from("user:pass-word").toString("base64")}`;
            response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
            response.end(isKnown ? JSON.stringify({ token: "t-o-k-e-n" }) : "{}");
            return;
        }
        if (!authorized(request)) {
            const challenge = `Bearer realm="${scheme}://${request.headers.host}/token",service="test",scope="pull"`;
            response.writeHead(401, { "www-authenticate": challenge }).end();
            return;
        }
        const digest = /\/referrers\/(sha256:[0-9a-f]{64})/.exec(url)?.[1];
        if (digest !== undefined) {
            const found = referrers(digest);
            response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" });
            response.end(typeof found === "string" ? found : JSON.stringify(found));
            return;
        }
        const { authorization: _, host: __, ...headers } = request.headers;
        const onward = http.request(`http://${registry.address}${url}`, { method: request.method ?? "GET", headers });
        onward.on("response", answer => {
            response.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(response);
        });
        onward.on("error", () => response.destroy());
        request.pipe(onward);
    };
    const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return {
        asked,
        address: `127.0.0.1:${port}`,
        [Symbol.asyncDispose]: async () => {
            server.closeAllConnections();
            await new Promise(resolve => server.close(resolve));
        },
    };
}

test("referrers that a registry keeps itself are asked for, with its token and its certificate", async () => {
    const { repository, digest } = await image();
    const bundle = lab.keyedBundle(lab.signStatement(digest), key);
    const index = await lab.pushBundles(registry, repository, digest, [bundle], { tagged: false });
    const trustedKeys = [file("key.pub", x509.pem(x509.spki(key), "PUBLIC KEY"))];
    const auth: RegistryAuth = { kind: "password", username: "user", password: "pass-word" };
    const signing = { ...defaultRules, allowUnsigned: false, trustedKeys };
    {
        await using server = await serveReferrers(() => index);
        const registriesConf = file("plain.conf", `[[registry]]\nlocation = "${server.address}"\ninsecure = true\n`);
        const url = `${server.address}/${repository}:v1`;
        const { signature } = (await get(imagesOf({ skopeo: { registriesConf }, signing }), url, auth)).facts;
        assert.deepEqual([signature.state, signature.form], ["verified", "bundle"]);
        assert.ok(server.asked.some(line => line.includes(`/referrers/${digest} Bearer t-o-k-e-n`)));
    }
    // whatever else is answered is no referrer, and takes no more than its share of memory
    for (const answer of [
        "{}",
        "[",
        `{"manifests":${JSON.stringify(Array.from({ length: 2000 }, () => ({})))}}`,
        "x".repeat(8 << 20),
    ]) {
        await using server = await serveReferrers(() => answer);
        const registriesConf = file("plain.conf", `[[registry]]\nlocation = "${server.address}"\ninsecure = true\n`);
        await assert.rejects(
            get(imagesOf({ skopeo: { registriesConf }, signing }), `${server.address}/${repository}:v1`, auth),
            {
                code: "FAILED_PRECONDITION",
                message: /allow_unsigned is false/,
            },
        );
    }
});

test("a mirror is asked in the place of its registry, for referrers too", async () => {
    const { repository, digest } = await image();
    const bundle = lab.keyedBundle(lab.signStatement(digest), key);
    const index = await lab.pushBundles(registry, repository, digest, [bundle], { tagged: false });
    await using server = await serveReferrers(() => index);
    const registriesConf = file(
        "mirror.conf",
        `[[registry]]\nprefix = "quay.io/x"\nlocation = "127.0.0.1:1/x"\n[[registry.mirror]]\nlocation = "${server.address}/acme"\ninsecure = true\n`,
    );
    const basic = Buffer.from("user:pass-word").toString("base64");
    const auth: RegistryAuth = {
        kind: "auth-file",
        text: JSON.stringify({ auths: { [server.address]: { auth: basic } } }),
    };
    const trustedKeys = [file("key.pub", x509.pem(x509.spki(key), "PUBLIC KEY"))];
    const images = imagesOf({ skopeo: { registriesConf }, signing: { ...defaultRules, trustedKeys } });
    const { facts } = await get(images, `quay.io/x/${repository.replace("acme/", "")}:v1`, auth);
    assert.equal(facts.signature.state, "verified");
});

test("a registry's private CA stands in certs.d for referrers as for all else", async () => {
    const { askReferrers } = await import("../../daemon/image/referrers.ts");
    const { certificate, privateKey, authority } = x509.serverCertificate();
    await using server = await serveReferrers(() => ({ manifests: [] }), { cert: certificate, key: privateKey });
    const certsDir = path.join(dir, "certs.d");
    const authText = JSON.stringify({
        auths: { [server.address]: { auth: Buffer.from("user:pass-word").toString("base64") } },
    });
    const question = {
        ...{ repository: `${server.address}/acme/x`, digest: `sha256:${"0".repeat(64)}`, authText, certsDir },
        ...{ registriesConf: file("none.conf", ""), signal: new AbortController().signal },
    };
    assert.equal(await askReferrers(question), undefined);
    fs.mkdirSync(path.join(certsDir, server.address), { recursive: true });
    fs.writeFileSync(path.join(certsDir, server.address, "ca.crt"), authority);
    assert.equal((await askReferrers(question))?.toString(), '{"manifests":[]}');
});
