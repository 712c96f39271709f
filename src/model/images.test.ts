// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { keptImages } from "./images.ts";
import { programOf } from "./model.ts";

test("an image is used by the programs that were loaded from its digest", () => {
    const loaded = (id: number, digest: string) =>
        programOf({ id, record: { name: `p${id}`, image: { url: "whatever:tag", digest } } });
    const [one, other] = keptImages(
        [
            { reference: "host/a:1", digest: "sha256:aa", layers: [{ size: "10" }, { size: "5" }], objectSize: "4" },
            { reference: "host/b:1", digest: "sha256:bb", objectSize: "7" },
        ],
        [loaded(1, "sha256:aa"), loaded(2, "sha256:cc"), programOf({ id: 3 }), loaded(4, "sha256:aa")],
    );
    assert.deepEqual(
        one?.users.map(program => program.id),
        [1, 4],
    );
    assert.equal(one?.sizeBytes, 15);
    assert.deepEqual(other?.users, []);
    assert.equal(other?.sizeBytes, 7);
});

test("what has no digest is used by nobody, also not by programs from files", () => {
    assert.deepEqual(keptImages([{ reference: "x" }], [programOf({ id: 3 })])[0]?.users, []);
});
