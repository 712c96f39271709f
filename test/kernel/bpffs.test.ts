// SPDX-License-Identifier: Apache-2.0
// The guard around pins: nothing outside the daemon's own bpffs is made or removed.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { BpfFs } from "../../daemon/kernel/bpffs.ts";
import { libc } from "../../daemon/kernel/ffi.ts";

function withBpfFs(work: (bpffs: BpfFs, dir: string) => void): void {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-bpffs-"));
    try {
        work(BpfFs.open(path.join(dir, "fs")), dir);
    } finally {
        libc.umount(path.join(dir, "fs"), 0);
        fs.rmSync(dir, { recursive: true, force: true });
    }
}

test("NamesThatLeadOutsideAreRefused", () => {
    withBpfFs((bpffs, dir) => {
        const outside = path.join(dir, "outside");
        fs.mkdirSync(outside);
        const lookAlike = path.join(dir, "fs-other");
        fs.mkdirSync(lookAlike);
        for (const name of ["../outside", "xdp/../../outside", outside, "..", ".", "", "a.b", "x\0y", "../fs-other"]) {
            assert.throws(() => bpffs.remove(name), { code: "INVALID_ARGUMENT" }, JSON.stringify(name));
            assert.throws(() => bpffs.makeFolder(name), { code: "INVALID_ARGUMENT" }, JSON.stringify(name));
        }
        assert.ok(fs.existsSync(outside) && fs.existsSync(lookAlike));
    });
});

test("LinksAreRemovedAndNeverFollowed", () => {
    withBpfFs((bpffs, dir) => {
        const outside = path.join(dir, "outside");
        fs.mkdirSync(outside);
        fs.writeFileSync(path.join(outside, "file"), "kept");
        // bpffs takes symbolic links
        fs.symlinkSync(outside, bpffs.path("links/way_out"));
        bpffs.remove("links");
        assert.equal(bpffs.exists("links"), false);
        assert.equal(fs.readFileSync(path.join(outside, "file"), "utf8"), "kept");
    });
});

test("WithoutItsMountNothingIsRemoved", () => {
    withBpfFs((bpffs, dir) => {
        libc.umount(path.join(dir, "fs"), 0);
        const file = path.join(dir, "fs", "prog_1");
        fs.writeFileSync(file, "an ordinary file of the host");
        assert.throws(() => bpffs.remove("prog_1"), { code: "FAILED_PRECONDITION" });
        assert.ok(fs.existsSync(file));
    });
});

test("FoldersAreForRootAndMapsForTheGroup", () => {
    withBpfFs(bpffs => {
        const mode = (name: string) => fs.statSync(name).mode & 0o777;
        assert.equal(mode(bpffs.root), 0o750);
        assert.equal(mode(bpffs.path("maps")), 0o750);
        for (const name of ["xdp", "links", "staging", "copies", "tc-ingress", "tc-egress"])
            assert.equal(mode(bpffs.path(name)), 0o700, name);
    });
});
