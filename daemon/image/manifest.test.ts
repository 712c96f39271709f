// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLabels } from "./labels.ts";
import { checkLayerTypes } from "./layer.ts";
import { choosePlatform, hostPlatform, parseConfig, parseManifest } from "./manifest.ts";

const digest = `sha256:${"a".repeat(64)}`;
const descriptor = { digest, size: 10, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
const good = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
const parse = (value: unknown) => parseManifest(Buffer.from(JSON.stringify(value)));
const refuses = (value: unknown, message: RegExp, code = "FAILED_PRECONDITION") =>
    assert.throws(() => parse(value), { name: "BpfmanError", code, message });

test("a manifest tells its configuration and its layers", () => {
    const manifest = parse(good);
    assert.ok(manifest.kind === "manifest");
    assert.equal(manifest.mediaType, "application/vnd.oci.image.manifest.v1+json");
    assert.equal(manifest.layers[0]?.sizeBytes, 10);
});

test("what is no manifest, or lies, is refused", () => {
    assert.throws(() => parseManifest(Buffer.from("{")), /no JSON/);
    assert.throws(() => parseManifest(Buffer.from([0xff, 0xfe])), /no JSON/);
    refuses([], /no JSON object/);
    refuses({ ...good, schemaVersion: 1 }, /schema/);
    refuses({ ...good, mediaType: "text/html" }, /"text\/html" is no manifest/);
    refuses({ ...good, manifests: [] }, /index at once/);
    refuses({ ...good, config: undefined }, /no configuration/);
    refuses({ ...good, layers: [] }, /no layer/);
    refuses({ ...good, layers: "x" }, /no list of layers/);
    refuses({ ...good, layers: Array(17).fill(descriptor) }, /17 layers/);
    refuses({ ...good, layers: [{ ...descriptor, digest: "sha256:../../etc" }] }, /no SHA-256 digest/);
    refuses({ ...good, layers: [{ ...descriptor, size: -1 }] }, /no size/);
    refuses({ ...good, layers: [{ ...descriptor, size: 1e300 }] }, /no size/);
    refuses({ ...good, layers: [{ ...descriptor, size: 33 << 20 }] }, /layers: .* bytes/, "RESOURCE_EXHAUSTED");
    refuses({ ...good, config: { ...descriptor, size: 2 << 20 } }, /configuration/, "RESOURCE_EXHAUSTED");
    assert.throws(() => checkLayerTypes([{ digest, sizeBytes: 1, mediaType: "application/x-evil" }]), /is not read/);
});

test("an index gives each machine its own", () => {
    const of = (architecture: string, byte: string) => ({
        ...descriptor,
        digest: `sha256:${byte.repeat(64)}`,
        platform: { os: "linux", architecture },
    });
    const index = parse({ schemaVersion: 2, manifests: [of("amd64", "1"), of("ppc64le", "2"), descriptor] });
    assert.ok(index.kind === "index");
    assert.equal(choosePlatform(index, hostPlatform("x64")).digest[7], "1");
    assert.equal(choosePlatform(index, hostPlatform("ppc64", "LE")).digest[7], "2");
    assert.throws(
        () => choosePlatform(index, hostPlatform("arm64")),
        /nothing for linux\/arm64; it has: linux\/amd64, /,
    );
    assert.throws(() => parse({ schemaVersion: 2, manifests: Array(65).fill(of("a", "1")) }), /65 platforms/);
});

test("a configuration tells labels, and both generations of them tell programs", () => {
    const config = (Labels: unknown) =>
        parseConfig(Buffer.from(JSON.stringify({ architecture: "amd64", config: { Labels } })));
    assert.equal(config({}).architecture, "amd64");
    assert.deepEqual([...config({ a: "b", c: 1 }).labels], [["a", "b"]]);
    assert.deepEqual([...config(null).labels], []);
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`l${at}`, ""]));
    assert.throws(() => config(many), /65 labels/);

    const read = (labels: Record<string, string>) => readLabels(new Map(Object.entries(labels)));
    assert.deepEqual(read({ "io.ebpf.programs": '{"a":"xdp","b":"probe","c":"tracing"}' }).programs, [
        { name: "a", type: "xdp" },
        { name: "b", type: "kprobe" },
        { name: "c", type: "fentry" },
    ]);
    const legacy = { "io.ebpf.program_name": "old", "io.ebpf.program_type": "tc", "io.ebpf.filename": "old.o" };
    assert.deepEqual(read(legacy), { programs: [{ name: "old", type: "tc" }], maps: [], fileName: "old.o" });
    for (const odd of ["", "[]", "null", "{", '{"a":1}'])
        assert.deepEqual(read({ "io.ebpf.programs": odd }).programs, []);
});
