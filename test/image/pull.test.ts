// SPDX-License-Identifier: Apache-2.0
// Pulls from a real registry: every kind of image, what the host's configuration decides, and the cache.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { Images, type ImagesOptions } from "../../daemon/image/images.ts";
import { hostPlatform } from "../../daemon/image/manifest.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import type { PullPolicy, PullProgress, RegistryAuth } from "../../daemon/model/images.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import {
    digestOf,
    ociConfig,
    ociIndex,
    ociManifest,
    openFolder,
    Registry,
    tarEnd,
    tarMember,
    tarOf,
} from "./registry.ts";

const pass = fixtureObject("xdp_pass");
const drop = fixtureObject("xdp_drop");
const labels = { "io.ebpf.programs": '{"pass":"xdp"}', "io.ebpf.maps": '{"counts":"array"}' };

let registry: Registry;
let locked: Registry;
let cacheDir: string;
const log: string[] = [];

before(async () => {
    [registry, locked] = await Promise.all([
        Registry.start(),
        Registry.start({ username: "user", password: "pass-word-7" }),
    ]);
});
after(async () => {
    await registry[Symbol.asyncDispose]();
    await locked[Symbol.asyncDispose]();
});
beforeEach(() => {
    cacheDir = openFolder("bpfman-cache-");
    log.length = 0;
});
afterEach(() => {
    const left = fs.readdirSync(cacheDir).filter(name => name !== "images");
    fs.rmSync(cacheDir, { recursive: true });
    assert.deepEqual(left, [], "a pull left something");
});

function imagesOf(options: Partial<ImagesOptions> = {}): Images {
    return new Images({
        cacheDir,
        log: line => log.push(line),
        checkObject: object => void checkObject(object),
        skopeo: { registriesConf: registry.registriesConf({ "quay.io/bpfman-bytecode": "acme" }) },
        ...options,
    });
}

const get = (images: Images, url: string, pullPolicy: PullPolicy = "IfNotPresent", auth?: RegistryAuth) =>
    images.get({ url, pullPolicy, auth });

test("quay.io/bpfman-bytecode/xdp_pass:latest is pulled once, and is there without the registry", async () => {
    const pushed = await registry.push("acme/xdp_pass", "latest", tarOf("xdp_pass.o", pass), { labels });
    const url = "quay.io/bpfman-bytecode/xdp_pass:latest";
    const phases: PullProgress[] = [];
    const pulled = await imagesOf().get(
        { url, pullPolicy: "IfNotPresent", auth: undefined },
        { onProgress: progress => phases.push(progress) },
    );
    assert.deepEqual(Buffer.from(pulled.object), pass);
    assert.equal(pulled.cached, false);
    assert.equal(pulled.facts.digest, pushed.digest);
    assert.equal(pulled.facts.manifestDigest, pushed.digest);
    assert.deepEqual(pulled.facts.programs, [{ name: "pass", type: "xdp" }]);
    assert.deepEqual(pulled.facts.maps, [{ name: "counts", type: "array" }]);
    assert.equal(pulled.facts.signature.state, "unsigned");
    assert.deepEqual([...new Set(phases.map(({ phase }) => phase))], ["RESOLVING", "PULLING", "CHECKING"]);
    const last = phases.at(-1);
    assert.ok(last && last.totalBytes > 1000 && last.bytes === last.totalBytes && last.layers === 1);

    // another daemon, later, with no registry to ask
    const offline = imagesOf({ skopeo: { command: "/bin/false" } });
    for (const policy of ["IfNotPresent", "Never"] as const) {
        const again = await get(offline, url, policy);
        assert.equal(again.cached, true);
        assert.deepEqual(Buffer.from(again.object), pass);
    }
    await assert.rejects(get(offline, url, "Always"), { code: "UNAVAILABLE" });
});

test("Never asks nobody, Always sees that a tag moved, IfNotPresent does not", async () => {
    const url = `${registry.address}/acme/moving`;
    const images = imagesOf();
    await assert.rejects(get(images, url, "Never"), { code: "NOT_FOUND", message: /is not in the cache/ });
    const first = await registry.push("acme/moving", "latest", tarOf("a.o", pass));
    assert.equal((await get(images, url)).facts.digest, first.digest);
    assert.equal((await get(images, url, "Always")).cached, true);
    const second = await registry.push("acme/moving", "latest", tarOf("a.o", drop));
    assert.equal((await get(images, url)).facts.digest, first.digest);
    const moved = await get(images, url, "Always");
    assert.equal(moved.facts.digest, second.digest);
    assert.deepEqual(Buffer.from(moved.object), drop);
    assert.deepEqual(Buffer.from((await get(images, url)).object), drop);
    // by its digest, the first one is still to be had
    const pinned = await get(images, `${url}@${first.digest}`);
    assert.deepEqual(Buffer.from(pinned.object), pass);
});

test("images of umoci and skopeo, Docker's and OCI's media types, gzip and zstd", async () => {
    const images = imagesOf();
    const dir = openFolder("bpfman-umoci-");
    try {
        const umoci = (...words: string[]) => execFileSync("umoci", words, { cwd: dir, stdio: "ignore" });
        fs.writeFileSync(path.join(dir, "x.o"), pass);
        umoci("init", "--layout", "layout");
        umoci("new", "--image", "layout:v1");
        umoci("insert", "--rootless", "--image", "layout:v1", "x.o", "/x.o");
        umoci("config", "--image", "layout:v1", "--config.label", `io.ebpf.programs=${labels["io.ebpf.programs"]}`);
        for (const format of ["oci", "v2s2"]) {
            const target = `${registry.address}/acme/umoci-${format}:v1`;
            const words = ["--format", format, "--dest-tls-verify=false", "oci:layout:v1", `docker://${target}`];
            execFileSync("skopeo", ["copy", "-q", ...words], { cwd: dir });
            const { object, facts } = await get(images, target);
            assert.deepEqual(Buffer.from(object), pass);
            assert.match(facts.mediaType, format === "oci" ? /oci/ : /docker/);
            assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
        }
    } finally {
        fs.rmSync(dir, { recursive: true });
    }
    await registry.push("acme/docker", "v1", tarOf("dir/x.bpf.o", pass), { docker: true });
    assert.equal((await get(images, `${registry.address}/acme/docker:v1`)).facts.objectName, "x.bpf.o");

    const layer = zstdCompressSync(tarOf("z.o", pass));
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: {} }));
    const manifest = {
        schemaVersion: 2,
        config: { mediaType: ociConfig, digest: await registry.blob("acme/zstd", config), size: config.length },
        layers: [
            {
                mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
                digest: await registry.blob("acme/zstd", layer),
                size: layer.length,
            },
        ],
    };
    await registry.manifest("acme/zstd", "v1", manifest, ociManifest);
    assert.deepEqual(Buffer.from((await get(images, `${registry.address}/acme/zstd:v1`)).object), pass);
});

// what `image generate-build-args` prints fills it
const containerfile = `FROM scratch
ARG BYTECODE_FILE
ARG PROGRAMS
ARG MAPS
COPY \${BYTECODE_FILE} /
LABEL io.ebpf.programs=\${PROGRAMS}
LABEL io.ebpf.maps=\${MAPS}
`;

for (const tool of ["buildah", "podman"])
    for (const format of ["oci", "docker"])
        test(`an image that ${tool} builds in the format ${format}`, async () => {
            const dir = openFolder(`bpfman-${tool}-`);
            // a storage of its own, which needs no file system of its own
            const place = ["--root", `${dir}/storage`, "--runroot", `${dir}/run`, "--storage-driver", "vfs"];
            const run = (...words: string[]) =>
                execFileSync(tool, [...place, ...words], { cwd: dir, encoding: "utf8", stdio: "pipe" });
            try {
                fs.writeFileSync(path.join(dir, "x.o"), pass);
                fs.writeFileSync(path.join(dir, "Containerfile"), containerfile);
                const target = `${registry.address}/acme/${tool}-${format}:v1`;
                const values = [
                    "BYTECODE_FILE=x.o",
                    `PROGRAMS=${labels["io.ebpf.programs"]}`,
                    `MAPS=${labels["io.ebpf.maps"]}`,
                ].flatMap(value => ["--build-arg", value]);
                run("build", "--isolation", "chroot", "--format", format, ...values, "-t", target, ".");
                run("push", "--tls-verify=false", target);
                const { object, facts } = await get(imagesOf(), target);
                assert.deepEqual(Buffer.from(object), pass);
                assert.match(facts.mediaType, format === "oci" ? /oci/ : /docker/);
                assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
                assert.deepEqual(facts.maps, [{ name: "counts", type: "array" }]);
            } finally {
                fs.rmSync(dir, { recursive: true });
            }
        });

test("the first generation's labels tell the program, and missing ones are no harm", async () => {
    const images = imagesOf();
    const legacy = {
        "io.ebpf.program_type": "xdp",
        "io.ebpf.bpf_function_name": "pass",
        "io.ebpf.filename": "second.o",
    };
    const both = Buffer.concat([tarMember("first.o", drop), tarMember("second.o", pass), tarEnd]);
    await registry.push("acme/legacy", "v1", both, { labels: legacy });
    const { facts, object } = await get(images, `${registry.address}/acme/legacy:v1`);
    assert.deepEqual(facts.programs, [{ name: "pass", type: "xdp" }]);
    assert.equal(facts.objectName, "second.o");
    assert.deepEqual(Buffer.from(object), pass);

    await registry.push("acme/bare", "v1", both);
    const bare = await get(images, `${registry.address}/acme/bare:v1`);
    assert.deepEqual(bare.facts.programs, []);
    assert.equal(bare.facts.objectName, "first.o");
});

test("of an index this machine's image is taken; one without it is refused with what there is", async () => {
    const images = imagesOf();
    const [mine, other] = [hostPlatform(process.arch, os.endianness()).replace("linux/", ""), "s390x"];
    const index = async (repository: string, architectures: Readonly<Record<string, Buffer>>) => {
        const manifests = [];
        for (const [architecture, object] of Object.entries(architectures)) {
            const { digest } = await registry.push(repository, architecture, tarOf(`${architecture}.o`, object), {
                architecture,
            });
            const found = await fetch(`http://${registry.address}/v2/${repository}/manifests/${digest}`, {
                headers: { accept: ociManifest },
            });
            const size = (await found.arrayBuffer()).byteLength;
            manifests.push({ mediaType: ociManifest, digest, size, platform: { os: "linux", architecture } });
        }
        return registry.manifest(repository, "v1", { schemaVersion: 2, mediaType: ociIndex, manifests }, ociIndex);
    };
    const digest = await index("acme/multi", { [other]: drop, [mine]: pass });
    const { facts, object } = await get(images, `${registry.address}/acme/multi:v1`);
    assert.deepEqual(Buffer.from(object), pass);
    assert.equal(facts.digest, digest);
    assert.notEqual(facts.manifestDigest, digest);
    assert.deepEqual(facts.platforms, [`linux/${other}`, `linux/${mine}`]);

    await index("acme/elsewhere", { [other]: drop });
    await assert.rejects(get(images, `${registry.address}/acme/elsewhere:v1`), {
        code: "FAILED_PRECONDITION",
        message: new RegExp(`nothing for linux/${mine}; it has: linux/${other}`),
    });
});

test("two pulls of one image at once are one pull", async () => {
    await registry.push("acme/twice", "v1", tarOf("a.o", pass));
    const images = imagesOf();
    const url = `${registry.address}/acme/twice:v1`;
    const [first, second] = await Promise.all([get(images, url, "Always"), get(images, url, "Always")]);
    assert.equal(first, second);
    assert.equal(log.filter(line => line.startsWith("pulled")).length, 1);
});

test("one who leaves a pull does not end it for the other; the last one ends it", async () => {
    await registry.push("acme/left", "v1", tarOf("a.o", pass));
    const images = imagesOf();
    const request = { url: `${registry.address}/acme/left:v1`, pullPolicy: "Always", auth: undefined } as const;
    const leaving = new AbortController();
    const first = images.get(request, { signal: leaving.signal });
    const second = images.get(request);
    leaving.abort();
    await assert.rejects(first, { code: "CANCELLED" });
    assert.equal((await second).cached, false);

    const alone = new AbortController();
    const gone = images.get(request, { signal: alone.signal });
    alone.abort();
    await assert.rejects(gone, { code: "CANCELLED" });
    await images.stop();
});

test("a password is asked for, given, and seen nowhere", async () => {
    await locked.push("acme/secret", "v1", tarOf("a.o", pass));
    const registriesConf = locked.registriesConf({});
    // what the child is started with is written down before it runs
    const dir = openFolder("bpfman-spy-");
    const spy = path.join(dir, "skopeo");
    fs.writeFileSync(spy, `#!/bin/sh\necho "$@" >>${dir}/said\nenv >>${dir}/said\nexec skopeo "$@"\n`, { mode: 0o755 });
    fs.writeFileSync(path.join(dir, "said"), "", { mode: 0o666 });
    fs.chmodSync(path.join(dir, "said"), 0o666);
    const images = imagesOf({ skopeo: { registriesConf, command: spy } });
    const url = `${locked.address}/acme/secret:v1`;
    const refused = { code: "PERMISSION_DENIED", hint: /--registry-auth/ };
    await assert.rejects(get(images, url), refused);
    const wrong = { kind: "password", username: "user", password: "wrong-word-8" } as const;
    await assert.rejects(get(images, url, "IfNotPresent", wrong), refused);
    const right = { kind: "password", username: "user", password: "pass-word-7" } as const;
    assert.deepEqual(Buffer.from((await get(images, url, "IfNotPresent", right)).object), pass);
    const basic = Buffer.from("user:pass-word-7").toString("base64");
    const file = { kind: "auth-file", text: JSON.stringify({ auths: { [locked.address]: { auth: basic } } }) } as const;
    assert.deepEqual(Buffer.from((await get(images, url, "Always", file)).object), pass);

    const said = fs.readFileSync(path.join(dir, "said"), "utf8") + log.join("\n");
    assert.match(said, /--authfile/);
    assert.doesNotMatch(said, /pass-word-7|wrong-word-8/);
    assert.equal(said.includes(basic), false);
    // nor is it kept
    const kept = fs.readdirSync(cacheDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    for (const entry of kept)
        assert.equal(fs.readFileSync(path.join(entry.parentPath, entry.name)).includes("pass-word-7"), false);
    fs.rmSync(dir, { recursive: true });
});

test("the child that fetches is nobody, may gain nothing, and is told of no other secret", async () => {
    await registry.push("acme/child", "v1", tarOf("a.o", pass));
    const dir = openFolder("bpfman-spy-");
    const spy = path.join(dir, "skopeo");
    fs.writeFileSync(path.join(dir, "said"), "");
    fs.chmodSync(path.join(dir, "said"), 0o666);
    const look = `id -u; id -G; grep -E '^(NoNewPrivs|CapEff):' /proc/self/status; ulimit -f; env | cut -d= -f1 | sort`;
    fs.writeFileSync(spy, `#!/bin/sh\n(${look}) >${dir}/said\nexec skopeo "$@"\n`, { mode: 0o755 });
    const skopeo = { registriesConf: registry.registriesConf({}), command: spy };
    process.env["SECRET_OF_THE_DAEMON"] = "1";
    await get(imagesOf({ skopeo }), `${registry.address}/acme/child:v1`);
    delete process.env["SECRET_OF_THE_DAEMON"];
    const said = fs.readFileSync(path.join(dir, "said"), "utf8");
    const [uid, groups] = said.split("\n");
    assert.ok(Number(uid) >= 61_184 && Number(uid) <= 65_519, uid);
    assert.equal(groups, uid);
    assert.match(said, /NoNewPrivs:\s+1/);
    assert.match(said, /CapEff:\s+0000000000000000/);
    assert.match(said, /^65536$/m);
    assert.doesNotMatch(said, /SECRET_OF_THE_DAEMON/);
    fs.rmSync(dir, { recursive: true });
});

test("registries.conf blocks and mirrors; a registry without TLS has to be named there", async () => {
    await registry.push("acme/mirrored", "v1", tarOf("a.o", pass));
    const conf = path.join(registry.dir, "more.conf");
    const blocked = `[[registry]]\nprefix = "blocked.example"\nlocation = "blocked.example"\nblocked = true\n`;
    const mirrored = `[[registry]]\nlocation = "127.0.0.1:1"\n[[registry.mirror]]\nlocation = "${registry.address}"\ninsecure = true\n`;
    fs.writeFileSync(conf, blocked + mirrored, { mode: 0o644 });
    const images = imagesOf({ skopeo: { registriesConf: conf } });
    await assert.rejects(get(images, "blocked.example/acme/x"), { code: "FAILED_PRECONDITION", message: /blocked/ });
    assert.deepEqual(Buffer.from((await get(images, "127.0.0.1:1/acme/mirrored:v1")).object), pass);
    await assert.rejects(get(images, `${registry.address}/acme/mirrored:v1`), {
        code: "FAILED_PRECONDITION",
        hint: /insecure = true/,
    });
    await assert.rejects(get(images, "127.0.0.1:2/acme/x:v1"), { code: "UNAVAILABLE" });
});

test("what is no object, or not there, is told as that", async () => {
    const images = imagesOf();
    const url = (name: string) => `${registry.address}/acme/${name}:v1`;
    await assert.rejects(get(images, url("absent")), { code: "NOT_FOUND", message: /absent:v1 can't be pulled/ });
    await registry.push("acme/text", "v1", tarOf("readme.txt", Buffer.from("hello")));
    await assert.rejects(get(images, url("text")), { message: /holds no object .*; it holds: "readme.txt"/ });
    await registry.push("acme/fake", "v1", tarOf("fake.o", Buffer.from("hello")));
    await assert.rejects(get(images, url("fake")), {
        code: "FAILED_PRECONDITION",
        message: /the image is broken: "fake.o": /,
    });
    assert.deepEqual(images.list(), []);
});

test("the cache lists, shows, removes and prunes, and keeps within its bounds", async () => {
    const images = imagesOf({ cacheLimits: { bytes: 1 << 20, images: 2 } });
    const url = (name: string) => `${registry.address}/acme/${name}:v1`;
    for (const name of ["one", "two"]) await registry.push(`acme/${name}`, "v1", tarOf("a.o", pass));
    await registry.push("acme/three", "v1", tarOf("a.o", drop));
    const one = await get(images, url("one"));
    await get(images, url("two"));
    assert.deepEqual(
        images.list().map(({ reference }) => reference),
        [url("one"), url("two")],
    );
    // one object for both
    assert.equal(fs.readdirSync(path.join(cacheDir, "images/objects")).length, 1);
    assert.deepEqual(await images.inspect(one.facts.digest), await images.inspect(url("one")));
    fs.utimesSync(fs.globSync(`${cacheDir}/images/references/*.json`)[0] ?? "", 1, 1);
    const oldest = images.list().find(({ usedAt }) => usedAt.startsWith("1970"))?.reference;
    await get(images, url("three"));
    assert.equal(images.list().length, 2);
    assert.equal(
        images.list().some(({ reference }) => reference === oldest),
        false,
    );
    await assert.rejects(images.remove([url("absent")], { ignoreMissing: false }), { code: "NOT_FOUND" });
    assert.deepEqual(await images.remove([url("absent")], { ignoreMissing: true }), { removed: [], freedBytes: 0 });
    const { removed, freedBytes } = await images.remove([url("three")], { ignoreMissing: false });
    assert.deepEqual([removed, freedBytes], [[url("three")], drop.length]);
    assert.deepEqual(images.prune(new Set([images.list()[0]?.digest ?? ""])).removed, []);
    assert.equal(images.prune(new Set()).freedBytes, pass.length);
    assert.deepEqual(fs.readdirSync(path.join(cacheDir, "images/objects")), []);
});

test("a damaged object in the cache is pulled again, and files and folders are root's alone", async () => {
    await registry.push("acme/damaged", "v1", tarOf("a.o", pass));
    const images = imagesOf();
    const url = `${registry.address}/acme/damaged:v1`;
    await get(images, url);
    const [object = ""] = fs.globSync(`${cacheDir}/images/objects/*`);
    const [facts = ""] = fs.globSync(`${cacheDir}/images/references/*`);
    for (const file of [object, facts]) assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    for (const folder of ["images/objects", "images/references"])
        assert.equal(fs.statSync(path.join(cacheDir, folder)).mode & 0o777, 0o700);
    fs.writeFileSync(object, drop);
    await assert.rejects(get(images, url, "Never"), { code: "NOT_FOUND" });
    const again = await get(images, url);
    assert.equal(again.cached, false);
    assert.deepEqual(Buffer.from(again.object), pass);
    fs.writeFileSync(facts, "{");
    assert.equal((await get(images, url)).cached, false);
    assert.equal(digestOf(pass), `sha256:${images.list()[0]?.objectSha256}`);
});

test("folders of pulls that were killed are removed, those of others that run are not", async () => {
    await registry.push("acme/sweep", "v1", tarOf("a.o", pass));
    const dead = path.join(cacheDir, "pull-4194304-abc");
    const alive = path.join(cacheDir, `pull-${process.ppid}-abc`);
    for (const folder of [dead, alive]) fs.mkdirSync(folder);
    await get(imagesOf(), `${registry.address}/acme/sweep:v1`);
    assert.equal(fs.existsSync(dead), false);
    assert.equal(fs.existsSync(alive), true);
    fs.rmdirSync(alive);
});
