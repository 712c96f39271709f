// SPDX-License-Identifier: Apache-2.0
// The built command and daemon with images: the daemon sees an /etc/containers of the test's own, in a mount namespace
// of its own, and nothing else tells it about registries.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fixtureObject } from "../fixtures/objects.ts";
import { ContractClient } from "../lab/contract-client.ts";
import { refusedCall } from "../lab/grpc-client.ts";
import { xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { Pty } from "../lab/pty.ts";
import { newKey, pem, serverCertificate, spki } from "./der.ts";
import { inNamespace } from "./own-containers.ts";
import { openFolder, Registry, tarOf } from "./registry.ts";
import { keyedBundle, pushBundles, signStatement } from "./sigstore-lab.ts";

const command = path.join(import.meta.dirname, "../../dist/bin/bpfman");
const url = "quay.io/bpfman-bytecode/xdp_pass:latest";
const pass = fixtureObject("xdp_pass");

let registry: Registry;
let digest: string;
let containers: string;
let cacheDir: string;

before(async () => {
    // the first namespace ever makes /run/netns a mount, which a daemon in a mount namespace of its own would not see
    const first = `images-${process.pid}`;
    for (const verb of ["add", "del"]) execFileSync("ip", ["netns", verb, first]);
    registry = await Registry.start();
    containers = openFolder("bpfman-containers-");
    cacheDir = openFolder("bpfman-cache-");
    fs.copyFileSync(registry.registriesConf({ "quay.io/bpfman-bytecode": "acme" }), `${containers}/registries.conf`);
    const policy = {
        default: [{ type: "insecureAcceptAnything" }],
        transports: { docker: { "quay.io/bpfman-bytecode/refused": [{ type: "reject" }] } },
    };
    fs.writeFileSync(`${containers}/policy.json`, JSON.stringify(policy));
    for (const name of fs.readdirSync(containers)) fs.chmodSync(`${containers}/${name}`, 0o644);
    const labels = { "io.ebpf.programs": '{"xdp_pass":"xdp"}' };
    ({ digest } = await registry.push("acme/xdp_pass", "latest", tarOf("xdp_pass.o", pass), { labels }));
    await registry.push("acme/refused", "latest", tarOf("xdp_pass.o", pass), { labels });
});
after(async () => {
    await registry[Symbol.asyncDispose]();
    for (const folder of [containers, cacheDir]) fs.rmSync(folder, { recursive: true });
});

/** A daemon that is told nothing of images but where to keep them. */
async function start(options: readonly string[] = []): Promise<Lab> {
    const lab = Lab.prepare(["--image-cache-dir", cacheDir, ...options]);
    // what the daemon mounts in a namespace of its own would not be seen here
    fs.mkdirSync(path.join(lab.runtimeDir, "fs"), { recursive: true, mode: 0o750 });
    execFileSync("mount", ["-t", "bpf", "bpf", path.join(lab.runtimeDir, "fs")]);
    await lab.startDaemon(inNamespace(containers));
    return lab;
}

function bpfman(lab: Lab, line: string, env: Record<string, string> = {}) {
    return new Promise<{ status: number; out: string; err: string }>(resolve => {
        const words = ["--socket-path", lab.socketPath, ...line.split(" ")];
        const options = { cwd: "/", env, encoding: "utf8" } as const;
        execFile(command, words, options, (error, out, err) =>
            resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
    });
}

async function ok(lab: Lab, line: string): Promise<string> {
    const { status, out, err } = await bpfman(lab, line);
    assert.deepEqual({ status, err }, { status: 0, err: "" }, line);
    return out;
}

test("the sentence that everybody knows: load image quay.io/bpfman-bytecode/xdp_pass:latest", async () => {
    await using lab = await start();
    const wire = lab.wire();
    const attach = `xdp --iface ${wire.interface} --netns ${wire.netns} --priority 50`;
    const out = await ok(lab, `load image --image-url ${url} --programs xdp:xdp_pass ${attach}`);
    assert.match(out, new RegExp(`Image URL: +${url}`));
    assert.match(out, /Pull Policy: +IfNotPresent/);
    assert.match(out, /Signature: +unsigned: its registry has no signature of it/);
    assert.match(out, new RegExp(`Interface: +${wire.interface}`));
    const [link] = (await lab.client.listLinks({})).links ?? [];
    assert.equal(link?.interface, wire.interface);

    const { programs } = JSON.parse(
        await ok(lab, `program load image ${url} --programs xdp:xdp_pass -p Never -o json`),
    );
    const { signature, ...source } = programs[0].record.load.image_source;
    assert.deepEqual(source, { url, digest, pull_policy: "Never" });
    assert.deepEqual([signature.state, signature.identity], ["unsigned", ""]);
    assert.equal(programs[0].record.load.source_path, null);
    assert.match(await ok(lab, `program get ${programs[0].record.program_id}`), new RegExp(`Image URL: +${url}`));

    // a restart keeps it, and prune keeps what is in use
    await lab.stopDaemon();
    await lab.startDaemon(inNamespace(containers));
    assert.match(await ok(lab, `get program ${programs[0].record.program_id}`), /Pull Policy: +Never/);
    assert.match(await ok(lab, "image prune"), /^0 removed/);
    assert.match(
        await ok(lab, "image list"),
        /quay\.io\/bpfman-bytecode\/xdp_pass:latest +sha256:.* xdp:xdp_pass .*unsigned/,
    );
});

test("a client of the public contract pulls an image and loads from it, without a word of its password", async () => {
    await using lab = await start();
    using client = new ContractClient(lab.socketPath, "released", lab.dir);
    // as the agent sends it: what is not set is empty
    const image = { url, imagePullPolicy: 1, username: "", password: "" };
    assert.deepEqual(await client.call("PullBytecode", { image }), {});
    const info = [{ name: "xdp_pass", programType: "XDP" }];
    const answer = await client.call("Load", { bytecode: { image: { ...image, imagePullPolicy: 2 } }, info });
    const [loaded] = answer["programs"] as { info: { bytecode: { image: object } }; kernelInfo: { id: number } }[];
    assert.deepEqual(loaded?.info.bytecode.image, { url, imagePullPolicy: 2 });
    await client.call("Unload", { id: loaded?.kernelInfo.id });
    for (const [policy, code] of [
        [2, "NOT_FOUND"],
        [3, "INVALID_ARGUMENT"],
    ] as const) {
        const other = { ...image, url: "quay.io/bpfman-bytecode/never:latest", imagePullPolicy: policy };
        assert.equal((await refusedCall(client.call("PullBytecode", { image: other }))).code, code);
    }
});

test("image pull, list, inspect, remove, prune", async () => {
    await using lab = await start();
    await ok(lab, `image remove ${url} --ignore-missing`);
    const pulls = [1, 2].map(() => ok(lab, `image pull ${url} -p Always`));
    assert.deepEqual(
        await Promise.all(pulls),
        [1, 2].map(() => `${url}@${digest}\n`),
    );
    const { events = [] } = await lab.client.listEvents({ kinds: ["IMAGE_PULLED"] });
    assert.deepEqual(
        events.map(({ subjects }) => subjects),
        [[url]],
        "what two waited for is told once",
    );
    assert.equal(await ok(lab, `image pull --image-url ${url}`), "");
    assert.equal(await ok(lab, "image list -q"), `${url}\n`);
    const shown = JSON.parse(await ok(lab, `image inspect ${url} -o json`));
    assert.equal(shown.digest, digest);
    assert.deepEqual(shown.programs, { xdp_pass: "xdp" });
    assert.deepEqual(shown.object, {
        name: "xdp_pass.o",
        sha256: execFileSync("sha256sum", { input: pass, encoding: "utf8" }).split(" ")[0],
        size: pass.length,
    });
    assert.match(await ok(lab, `image inspect ${digest}`), /Signature: +unsigned: its registry has no signature of it/);
    const { removed, freed_bytes: freed } = JSON.parse(await ok(lab, `image remove ${url} -o json`));
    assert.deepEqual([removed, freed], [[url], pass.length]);
    assert.equal(await ok(lab, `image remove ${url} --ignore-missing`), "");
    assert.equal(await ok(lab, "image list"), "");
    for (const absent of [`${url} -p Never`, digest]) {
        const gone = await bpfman(lab, `image inspect ${absent}`);
        assert.deepEqual([gone.status, gone.out], [1, ""]);
        assert.match(gone.err, /is not in the cache\nhint: bpfman image list/);
    }
    // one that is not there is asked for, and kept
    assert.equal(JSON.parse(await ok(lab, `image inspect ${url} -o json`)).digest, digest);
    assert.equal(await ok(lab, "image list -q"), `${url}\n`);
    assert.match(await ok(lab, "image prune --all"), /1 removed, \d+\.\d KiB freed/);
    assert.equal(await ok(lab, "image list -q"), "");
    const never = await bpfman(lab, `program load image ${url} --programs xdp:xdp_pass -p Never`);
    assert.match(never.err, /is not in the cache/);
});

test("a pull tells on a terminal what has come, and then the image alone", async () => {
    await using lab = await start();
    await ok(lab, `image remove ${url} --ignore-missing`);
    const words = [command, "--socket-path", lab.socketPath, "image", "pull", url];
    await using pty = new Pty(`${words.join(" ")}; echo "status $?"`, { columns: 120, rows: 20 });
    await pty.until(() => /status \d/.test(pty.output), "end");
    // each takes the place of the one before
    const lines = pty.output.split("\r\u001b[K");
    assert.ok(lines.includes("asking the registry …"), pty.output);
    assert.ok(
        lines.some(line => /^pulling: .+ of .+, layer \d of 1$/.test(line)),
        pty.output,
    );
    assert.ok(
        lines.some(line => /^checking: (.+) of \1, layer 1 of 1$/.test(line)),
        pty.output,
    );
    assert.equal(lines.at(-1), `${url}@${digest}\r\nstatus 0\r\n`);
});

test("program replace takes an image, which is then where the program is from", async () => {
    await using lab = await start();
    const wire = lab.wire();
    const [old] = await lab.load("xdp_drop", ["xdp:xdp_drop"]);
    await lab.attach(xdpItem(wire, old?.id, 50));
    const answered = async () => (await wire.ping(2).result).received;
    assert.equal(await answered(), 0);
    const neither = await bpfman(lab, `program replace ${old?.id}`);
    assert.match(neither.err, /missing argument PATH: a BPF object file, or --image IMAGE/);
    const both = await bpfman(lab, `program replace ${old?.id} x.o --image ${url}`);
    assert.match(both.err, /a file and an image are given: name one/);
    const never = await bpfman(lab, `program replace ${old?.id} --image ${url}x -p Never --program xdp_pass`);
    assert.match(never.err, /is not in the cache/);
    const replaced = JSON.parse(
        await ok(lab, `program replace ${old?.id} --image ${url} -p Always --program xdp_pass -o json`),
    );
    const { signature, ...source } = replaced.record.load.image_source;
    assert.deepEqual(source, { url, digest, pull_policy: "Always" });
    assert.equal(signature.state, "unsigned");
    assert.equal(await answered(), 2);
});

test("a set of apply takes images: what their objects hold decides what changes", async () => {
    await using lab = await start();
    const wire = lab.wire();
    const moving = "quay.io/bpfman-bytecode/moving:v1";
    const push = (object: Uint8Array) => registry.push("acme/moving", "v1", tarOf("xdp_pass.o", object));
    await push(pass);
    const file = path.join(lab.dir, "set.json");
    const write = (policy: string) =>
        fs.writeFileSync(
            file,
            JSON.stringify({
                set: "images",
                bytecode: [{ image: moving, pull_policy: policy }],
                programs: [{ function: "xdp_sequence_0", type: "xdp" }],
                links: [{ xdp: { interface: wire.interface, netns: wire.netns, priority: 5 } }],
            }),
        );
    write("IfNotPresent");
    const wrong = await bpfman(lab, `apply -f ${file}`);
    assert.match(wrong.err, /the object has no program "xdp_sequence_0"/);

    await push(fixtureObject("xdp_sequence"));
    assert.match((await bpfman(lab, `apply -f ${file}`)).err, /the object has no program/, "the cache is asked");
    write("Always");
    assert.match(await ok(lab, `apply -f ${file} --dry-run`), /LOAD +program +- +xdp_sequence_0 .* of moving/);
    const made = JSON.parse(await ok(lab, `apply -f ${file} -o json`));
    assert.deepEqual(
        made.steps.map(({ action }: { action: string }) => action),
        ["load", "attach"],
    );
    assert.equal(made.programs[0].record.load.image_source.url, moving);
    assert.equal(made.programs[0].record.load.source_path, null);
    assert.match(await ok(lab, `apply -f ${file}`), /^0 changes, 2 unchanged/);

    write("Never");
    assert.match(await ok(lab, `apply -f ${file}`), /^0 changes, 2 unchanged/);
    fs.writeFileSync(file, '{"set": "images"}');
    await ok(lab, `apply -f ${file}`);
    await ok(lab, `image remove ${moving}`);
    assert.deepEqual((await lab.client.listPrograms({})).programs ?? [], []);
});

test("wrong words, refused and absent images are one clear error each", async () => {
    await using lab = await start();
    const fails = async (line: string, message: RegExp, status = 1) => {
        const outcome = await bpfman(lab, line);
        assert.deepEqual([outcome.status, outcome.out], [status, ""], line);
        assert.match(outcome.err, message);
        assert.equal(outcome.err.split("\n").filter(text => text.startsWith("bpfman: error:")).length, 1);
    };
    await fails("image pull", /missing argument IMAGE/);
    await fails(`image pull ${url} -p always`, /must be one of Always, IfNotPresent, Never/);
    await fails(`image pull ${url} --registry-auth c2VjcmV0`, /--registry-auth is not USER:PASSWORD in base64/);
    await fails("image pull Quay.io/X/y", /names no image/);
    await fails("image pull quay.io/bpfman-bytecode/refused", /refused by \/etc\/containers\/policy.json/);
    await fails("image pull quay.io/bpfman-bytecode/absent", /can't be pulled: .*unknown/);
    await fails(`load image --image-url ${url} --programs xdp:absent`, /the object has no program "absent"/);
    await fails(`load image --programs xdp:xdp_pass`, /--image-url is required/, 2);
    assert.deepEqual((await lab.client.listPrograms({})).programs ?? [], []);
});

test("signing.allow_unsigned = false refuses what the policy demands no signature for", async () => {
    const config = path.join(containers, "bpfman.toml");
    fs.writeFileSync(config, "[signing]\nallow_unsigned = false\n");
    await using lab = await start(["--config", config]);
    const { status, err } = await bpfman(lab, `image pull ${url}`);
    assert.equal(status, 1);
    assert.match(err, /signing.allow_unsigned is false, and its registry has no signature of it\nhint: Name who signs/);
});

test("a policy that changed is asked again before the cache is used", async () => {
    await using lab = await start();
    await ok(lab, `image pull ${url}`);
    const file = `${containers}/policy.json`;
    const before = fs.readFileSync(file, "utf8");
    try {
        fs.writeFileSync(file, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
        assert.match(await ok(lab, "image list"), /to be checked again/);
        const never = await bpfman(lab, `program load image ${url} --programs xdp:xdp_pass -p Never`);
        assert.match(never.err, /signature policy has changed since it was pulled/);
        await ok(lab, `image pull ${url}`);
        assert.match(await ok(lab, "image list"), /unsigned/);
        fs.writeFileSync(file, JSON.stringify({ default: [{ type: "reject" }] }));
        assert.match((await bpfman(lab, `image pull ${url}`)).err, /is refused by/);
    } finally {
        fs.writeFileSync(file, before);
    }
});

test("a registry with TLS, a private CA and a password: certs.d and auth.json say how", async () => {
    const { certificate, privateKey, authority } = serverCertificate();
    const paths = { certificate: path.join(containers, "server.pem"), key: path.join(containers, "server.key") };
    fs.writeFileSync(paths.certificate, certificate);
    fs.writeFileSync(paths.key, privateKey);
    const auth = { username: "user", password: "pass-word-9" };
    await using secure = await Registry.start(auth, paths);
    const secret = `${secure.address}/acme/secret:v1`;
    execFileSync("skopeo", [
        ...["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"],
        ...["--dest-creds", `${auth.username}:${auth.password}`],
        ...[`docker://${registry.address}/acme/xdp_pass:latest`, `docker://${secret}`],
    ]);
    await using lab = await start();
    const fails = async (message: RegExp, env: Record<string, string> = {}) => {
        const { status, err } = await bpfman(lab, `image pull ${secret}`, env);
        assert.equal(status, 1);
        assert.match(err, message);
    };
    const basic = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    const file = path.join(cacheDir, "..", `auth-${process.pid}.json`);
    fs.writeFileSync(file, JSON.stringify({ auths: { [secure.address]: { auth: basic } } }), { mode: 0o600 });
    try {
        await fails(/certificate.*\nhint: Put the registry's CA below \/etc\/containers\/certs\.d/s, {
            REGISTRY_AUTH_FILE: file,
        });
        fs.mkdirSync(path.join(containers, "certs.d", secure.address), { recursive: true });
        fs.writeFileSync(path.join(containers, "certs.d", secure.address, "ca.crt"), authority);
        await fails(/\nhint: Give credentials by --registry-auth/);
        // the caller's own file, then the word of the command line
        const taken = await bpfman(lab, `image pull ${secret}`, { REGISTRY_AUTH_FILE: file });
        assert.deepEqual([taken.status, taken.err], [0, ""]);
        await ok(lab, `image remove ${secret}`);
        const named = await bpfman(lab, `image pull ${secret}`, { BPFMAN_REGISTRY_AUTH: basic });
        assert.deepEqual([named.status, named.err], [0, ""]);
        assert.doesNotMatch(lab.log, new RegExp(`pass-word-9|${basic}`));
        await ok(lab, `image remove ${secret}`);
    } finally {
        fs.rmSync(file);
    }
});

test("image verify answers 0 where a signature counts, and tells whose it is", async () => {
    const key = newKey();
    const keyFile = path.join(containers, "team.pub");
    fs.writeFileSync(keyFile, pem(spki(key), "PUBLIC KEY"));
    const config = path.join(containers, "bpfman.toml");
    fs.writeFileSync(config, `[signing]\nallow_unsigned = false\ntrusted_keys = ["${keyFile}"]\n`);
    const signed = await registry.push("acme/signed", "v1", tarOf("xdp_pass.o", pass), { labels: { a: "signed" } });
    await pushBundles(registry, "acme/signed", signed.digest, [keyedBundle(signStatement(signed.digest), key)]);
    const image = "quay.io/bpfman-bytecode/signed:v1";
    await using lab = await start(["--config", config]);
    const out = await ok(lab, `image verify ${image}`);
    assert.match(out, new RegExp(`^Image ${image}: signature verified\nDigest: +${signed.digest}\n`));
    assert.match(out, /Signature: +verified: signed by .*team\.pub \(Sigstore bundle\)/);
    assert.match(out, new RegExp(`Signed By: +${keyFile}\nForm: +Sigstore bundle\n`));
    const { signature } = JSON.parse(await ok(lab, `image verify ${image} -o json`));
    assert.deepEqual([signature.state, signature.identity, signature.form], ["verified", keyFile, "bundle"]);
    assert.match(await ok(lab, "image list"), /signed:v1 .* verified/);
    const loaded = await ok(lab, `program load image ${image} --programs xdp:xdp_pass`);
    assert.match(loaded, /Signature: +verified: signed by/);
    const refused = await bpfman(lab, `image verify ${url}`);
    assert.deepEqual([refused.status, refused.out], [1, ""]);
    assert.match(refused.err, /allow_unsigned is false, and its registry has no signature of it/);
    // what this call says counts, and is not kept
    const before = await ok(lab, "image list");
    assert.match(
        await ok(lab, `image verify ${url} --allow-unsigned`),
        new RegExp(`^Image ${url}: unsigned image accepted by policy\n`),
    );
    const who = "--certificate-identity me@example.com --certificate-oidc-issuer-regexp https://.*";
    const another = await bpfman(lab, `image verify ${image} ${who} --allow-unsigned`);
    assert.equal(another.status, 1);
    assert.match(
        another.out,
        /: no signature of it counts\n(?:.*\n)*.*signed by a key, and signing\.trusted_keys names none/,
    );
    const half = await bpfman(lab, `image verify ${image} --certificate-identity me@example.com`);
    assert.match(half.err, /give either --certificate-oidc-issuer or --certificate-oidc-issuer-regexp/);
    assert.equal(await ok(lab, "image list"), before);
    await ok(lab, `image remove ${image}`);
});

test("Ctrl-C ends a pull in the daemon too", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer((request, response) => {
        if (request.url === "/v2/") response.end();
        else asked.resolve();
    });
    await new Promise<void>(resolve => silent.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(silent.address() as { port: number }).port}`;
    const conf = path.join(containers, "registries.conf");
    const before = fs.readFileSync(conf, "utf8");
    fs.writeFileSync(conf, `${before}\n[[registry]]\nlocation = "${address}"\ninsecure = true\n`);
    try {
        await using lab = await start();
        const words = ["--socket-path", lab.socketPath, "image", "pull", `${address}/acme/x:v1`];
        const child = spawn(command, words, { cwd: "/", env: {}, stdio: "ignore" });
        const ended = new Promise(resolve => child.on("exit", (code, signal) => resolve(code ?? signal)));
        await asked.promise;
        child.kill("SIGINT");
        assert.equal(await ended, 130);
        while (!lab.log.includes("was cancelled")) await sleep(20);
        assert.deepEqual(
            fs.readdirSync(cacheDir).filter(name => name.startsWith("pull-")),
            [],
        );
    } finally {
        fs.writeFileSync(conf, before);
        silent.closeAllConnections();
        await new Promise(resolve => silent.close(resolve));
    }
});
