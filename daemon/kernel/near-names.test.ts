// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { suggest, suggestAmong } from "./near-names.ts";

describe("suggest", () => {
    const names = ["xdp_pass", "xdp_drop", "xdp_count", "tc_pass", "trace_openat"];

    it("finds a name with a letter too few, too many, wrong or swapped", () => {
        for (const wanted of ["xdp_pas", "xdp_passs", "xdp_pasd", "xpd_pass"]) {
            assert.equal(suggest(wanted, names)[0], "xdp_pass", wanted);
        }
    });

    it("finds another spelling of the same name", () => {
        assert.deepEqual(suggest("XDP-COUNT", names)[0], "xdp_count");
        assert.deepEqual(suggest("pass_xdp", names)[0], "xdp_pass");
    });

    it("finds a name by its part", () => {
        assert.deepEqual(suggest("openat", names), ["trace_openat"]);
    });

    it("names nothing that nobody meant", () => {
        assert.deepEqual(suggest("kprobe_unlink", names), []);
        assert.deepEqual(suggest("x", names), []);
        assert.deepEqual(suggest("xdp_pass", []), []);
    });

    it("names three at most", () => {
        assert.equal(suggest("f1", ["f2", "f3", "f4", "f5"]).length, 3);
    });

    it("compares the beginnings of long words: the rest may differ as it likes", () => {
        const beginning = "x".repeat(128);
        const other = `${beginning}${"b".repeat(5000)}`;
        assert.deepEqual(suggest(`${beginning}${"a".repeat(1_000_000)}`, [other]), [other]);
        assert.deepEqual(suggest(`y${beginning}`.repeat(2), [`${"z".repeat(100)}${beginning}`]), []);
    });
});

it("compares of many names only those that begin or end alike", () => {
    const many = Array.from({ length: 100_000 }, (_, n) => `other_function_${n}`);
    assert.deepEqual(suggestAmong("vfs_unlnk", [...many, "vfs_unlink", "vfs_link"]), ["vfs_unlink"]);
    assert.deepEqual(suggestAmong("getenw", ["getenv", "secure_getenv", "setenv"]), ["getenv"]);
    assert.deepEqual(suggestAmong("zzz", many), []);
});
