// SPDX-License-Identifier: Apache-2.0
// Images built by the command, without a daemon and without root, and pulled again.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Images } from "../../daemon/image/images.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { openFolder, Registry } from "./registry.ts";

const command = path.join(import.meta.dirname, "../../dist/bin/bpfman");
const nobody = 65_534;
let dir: string;
let registry: Registry;
let locked: Registry;

before(async () => {
    dir = openFolder("bpfman-build-");
    fs.chmodSync(dir, 0o777);
    for (const name of ["xdp_pass", "xdp_count"]) fs.writeFileSync(path.join(dir, `${name}.o`), fixtureObject(name));
    fs.mkdirSync(path.join(dir, "project"));
    for (const name of ["prog_x86_bpfel.o", "prog_bpfel_arm64.o", "prog_bpfel.o", "prog.go"])
        fs.writeFileSync(path.join(dir, "project", name), fixtureObject("xdp_count"));
    const big = Buffer.from(fixtureObject("xdp_count"));
    big[5] = 2;
    fs.writeFileSync(path.join(dir, "project/prog_s390_bpfeb.o"), big);
    registry = await Registry.start();
    locked = await Registry.start({ username: "user", password: "pass-word-7" });
    // the user's own configuration says that loopback has no TLS
    const conf = path.join(dir, ".config/containers");
    fs.mkdirSync(conf, { recursive: true });
    fs.copyFileSync(registry.registriesConf({}), path.join(conf, "registries.conf"));
    fs.appendFileSync(path.join(conf, "registries.conf"), `\n${fs.readFileSync(locked.registriesConf({}), "utf8")}`);
});
after(async () => {
    await registry[Symbol.asyncDispose]();
    await locked[Symbol.asyncDispose]();
    fs.rmSync(dir, { recursive: true });
});

function bpfman(line: string, env: Record<string, string> = {}) {
    return new Promise<{ status: number; out: string; err: string }>(resolve => {
        const rights = ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
        const words = [...rights, command, ...line.split(" ")];
        const all = { PATH: "/usr/bin:/bin", HOME: dir, XDG_RUNTIME_DIR: dir, ...env };
        execFile("setpriv", words, { cwd: dir, env: all, encoding: "utf8" }, (error, out, err) =>
            resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
    });
}

async function ok(line: string, env: Record<string, string> = {}): Promise<string> {
    const { status, out, err } = await bpfman(line, env);
    assert.deepEqual({ status, err }, { status: 0, err: "" }, line);
    return out;
}

const readableByNobody = () => {
    try {
        execFileSync(command, ["--version"], { uid: nobody, gid: nobody, stdio: "ignore" });
        return true;
    } catch {
        return false;
    }
};

test("the user without rights can run the command at all", () => {
    assert.ok(readableByNobody(), `${command} can't be run by uid ${nobody}`);
});

test("an image of one object is pushed, has the same digest twice, and is pulled again", async () => {
    const url = `${registry.address}/acme/built:v1`;
    const first = await ok(`image build ${url} xdp_count.o`);
    assert.match(first, /^published: 127\.0\.0\.1:\d+\/acme\/built@sha256:[0-9a-f]{64}\n$/);
    assert.equal(await ok(`image build --tag ${url} --bytecode xdp_count.o`), first);
    assert.notEqual(await ok(`image build ${url} xdp_count.o`, { SOURCE_DATE_EPOCH: "1700000000" }), first);
    await ok(`image build ${url} xdp_count.o`);
    const cacheDir = openFolder("bpfman-cache-");
    const images = new Images({
        cacheDir,
        log: () => {},
        checkObject: object => void checkObject(object),
        skopeo: { registriesConf: registry.registriesConf({}) },
    });
    const { facts, object } = await images.get({ url, pullPolicy: "Always", auth: undefined });
    fs.rmSync(cacheDir, { recursive: true });
    assert.ok(first.includes(facts.digest));
    assert.deepEqual(Buffer.from(object), fixtureObject("xdp_count"));
    assert.ok(facts.programs.length > 0 && facts.programs.every(({ type }) => type === "xdp"));
    assert.ok(facts.maps.some(({ type }) => /array|hash/.test(type)));
    assert.equal(facts.objectName, "xdp_count.o");
});

test("a folder of bpf2go's becomes an index with each machine's object", async () => {
    const url = `${registry.address}/acme/project:v1`;
    const published = await ok(`image build ${url} -c project`);
    const raw = execFileSync("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${url}`], {
        encoding: "utf8",
    });
    const platforms = JSON.parse(raw).manifests.map(
        (one: { platform: { architecture: string } }) => one.platform.architecture,
    );
    assert.deepEqual(platforms, ["amd64", "arm64", "s390x"]);
    const named =
        "linux/s390x=project/prog_s390_bpfeb.o linux/amd64=project/prog_x86_bpfel.o linux/arm64=project/prog_bpfel_arm64.o";
    assert.equal(await ok(`image build ${url} ${named}`), published);
});

test("an image is written to a folder, which tools of others read", async () => {
    const out = await ok("image build oci:layout:v2 xdp_pass.o");
    const digest = /@(sha256:.*)\n/.exec(out)?.[1];
    const inspected = JSON.parse(execFileSync("skopeo", ["inspect", `oci:${dir}/layout:v2`], { encoding: "utf8" }));
    assert.equal(inspected.Digest, digest);
    assert.deepEqual(JSON.parse(inspected.Labels["io.ebpf.programs"]), { xdp_pass: "xdp" });
    execFileSync("umoci", ["unpack", "--rootless", "--image", `${dir}/layout:v2`, `${dir}/bundle`], {
        stdio: "ignore",
    });
    assert.deepEqual(fs.readFileSync(`${dir}/bundle/rootfs/xdp_pass.o`), fixtureObject("xdp_pass"));
    assert.match((await bpfman("image build oci:layout xdp_pass.o")).err, /is an OCI layout already/);
});

test("build arguments and labels, as text and as JSON", async () => {
    const text = await ok("image generate-build-args --bytecode xdp_pass.o");
    assert.equal(text, `BYTECODE_FILE=${dir}/xdp_pass.o\nPROGRAMS={"xdp_pass":"xdp"}\nMAPS={}\n`);
    const { platforms, build_args, labels } = JSON.parse(await ok("image generate-build-args -c project -o json"));
    assert.deepEqual(platforms, ["linux/amd64", "linux/arm64", "linux/s390x"]);
    assert.equal(build_args.BC_AMD64_EL, `${dir}/project/prog_x86_bpfel.o`);
    assert.equal(build_args.BC_S390X_EB, `${dir}/project/prog_s390_bpfeb.o`);
    assert.equal(build_args.PROGRAMS, labels["io.ebpf.programs"]);
    assert.equal(
        await ok("image generate-build-args --bc-amd64-el xdp_pass.o").then(out => out.split("=")[0]),
        "BC_AMD64_EL",
    );
});

test("a push with a password, and what can't be built, told clearly", async () => {
    const url = `${locked.address}/acme/secret:v1`;
    assert.match(
        (await bpfman(`image build ${url} xdp_pass.o`)).err,
        /can't be pushed: .*(unauthorized|authentication)/,
    );
    const auth = { BPFMAN_REGISTRY_AUTH: Buffer.from("user:pass-word-7").toString("base64") };
    assert.match(await ok(`image build ${url} xdp_pass.o`, auth), /^published/);
    fs.writeFileSync(path.join(dir, "text.o"), "hello");
    for (const [line, why] of [
        ["image build", /missing argument IMAGE/],
        ["image build x/y", /no object is named/],
        ["image build x/y absent.o", /no such file/],
        ["image build x/y text.o", /is no ELF object/],
        ["image build x/y linux/s390x=xdp_pass.o", /little-endian, s390x is not/],
        ["image build x/y linux/vax=xdp_pass.o", /unknown architecture "vax"/],
        ["image build x/y xdp_pass.o xdp_count.o", /need their architectures/],
        ["image build x/y linux/arm64=xdp_pass.o linux/arm64=xdp_count.o", /two objects are for linux\/arm64/],
        ["image build quay.io/X/y xdp_pass.o", /names no image/],
        ["image build x/y -c .", /holds no object of bpf2go's/],
    ] as const) {
        const { status, err } = await bpfman(line);
        assert.equal(status, 1, line);
        assert.match(err, why);
    }
});
