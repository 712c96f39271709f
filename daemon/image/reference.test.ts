// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference } from "./reference.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test("names are written in full", () => {
    for (const [given, text] of [
        ["quay.io/bpfman-bytecode/xdp_pass:latest", "quay.io/bpfman-bytecode/xdp_pass:latest"],
        ["quay.io/bpfman-bytecode/xdp_pass", "quay.io/bpfman-bytecode/xdp_pass:latest"],
        ["docker://quay.io/x/y:V1.2_3", "quay.io/x/y:V1.2_3"],
        ["localhost/x", "localhost/x:latest"],
        ["localhost:5000/a/b/c", "localhost:5000/a/b/c:latest"],
        ["[::1]:5000/a", "[::1]:5000/a:latest"],
        ["x", "docker.io/library/x:latest"],
        ["x/y", "docker.io/x/y:latest"],
        [`quay.io/x/y@${digest}`, `quay.io/x/y@${digest}`],
        [`quay.io/x/y:v1@${digest}`, `quay.io/x/y@${digest}`],
    ] as const)
        assert.equal(parseReference(given).text, text);
    const { registry, repository, tag } = parseReference("h:1/a/b:t");
    assert.deepEqual({ registry, repository, tag }, { registry: "h:1", repository: "h:1/a/b", tag: "t" });
});

test("images of this host are named by their path", () => {
    for (const [given, text, repository] of [
        ["oci:/a b/c", "oci:/a b/c", "/a b/c"],
        ["oci:/a/c:v1", "oci:/a/c:v1", "/a/c"],
        ["docker-archive:/x.tar:quay.io/x/y:v1", "docker-archive:/x.tar:quay.io/x/y:v1", "/x.tar"],
        ["containers-storage:quay.io/x/y", "containers-storage:quay.io/x/y:latest", ""],
        ["containers-storage:x", "containers-storage:docker.io/library/x:latest", ""],
    ] as const) {
        const reference = parseReference(given);
        assert.deepEqual([reference.text, reference.source, reference.repository], [text, text, repository]);
    }
});

test("what names no image of a registry is refused with the reason", () => {
    for (const [given, why] of [
        ["", /path is empty/],
        ["--help", /can't be in its path/],
        ["quay.io/-x/y", /can't be in its path/],
        ["quay.io/x/../y", /"\.\." can't be/],
        ["quay.io/X/y", /"X" can't be/],
        ["quay.io//y", /empty/],
        ["quay.io/x/y:", /tag/],
        ["quay.io/x/y:a b", /tag/],
        ["quay.io/x/y@sha256:abc", /digest/],
        ["quay.io/x/y@md5:abc", /digest/],
        ["qu ay.io/x", /no registry/],
        ["user@quay.io/x", /digest/],
        ["dir:/etc", /is not read/],
        ["containers-storage:/x", /path is empty|no registry|can't be/],
        ["containers-storage:[vfs@/x]y", /digest/],
        ["oci:x", /not absolute/],
        ["oci:", /not absolute/],
        ["docker-archive:x.tar", /not absolute/],
        ["oci:/x:--help", /name can't be read/],
        ["oci:/x\0y", /no such path/],
        [`oci:/${"x".repeat(5000)}`, /longer than 4096/],
        ["quay.io/x\n/y", /can't be/],
        [`quay.io/${"x".repeat(600)}`, /longer than/],
    ] as const)
        assert.throws(() => parseReference(given), { code: "INVALID_ARGUMENT", message: why }, given);
});
