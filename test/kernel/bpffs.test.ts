// SPDX-License-Identifier: Apache-2.0
// The guard around pins: nothing outside the daemon's own bpffs is made or removed.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { mapIds, mapInfo, openMap, pin } from "../../daemon/kernel/bpf.ts";
import { BpfFs } from "../../daemon/kernel/bpffs.ts";
import { removeRevision, slotsPin } from "../../daemon/kernel/dispatch/backend.ts";
import { check } from "../../daemon/kernel/errors.ts";
import { Fd } from "../../daemon/kernel/fd.ts";
import { createMap } from "../../daemon/kernel/features/probe.ts";
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

test("AProgArrayWhoseRevisionGoesIsNotOpenedWhileTheKernelEmptiesIt", async () => {
    const before = new Set(mapIds());
    withBpfFs(bpffs => {
        // each round: what an inventory does, right behind the removal; opened by its id, the map would stay for ever
        for (let round = 0; round < 200; round++) {
            const map = new Fd(check(createMap({ type: progArray }), "make a map"));
            const { id } = mapInfo(map);
            bpffs.makeFolder("xdp/1_1_1");
            pin(map, bpffs.path(`xdp/1_1_1/${slotsPin}`));
            map[Symbol.dispose]();
            openMap(id)?.[Symbol.dispose]();
            removeRevision(bpffs, "xdp/1_1_1");
            for (let look = 0; look < 5; look++) assert.equal(openMap(id), undefined);
        }
    });
    await eventually(() => mapIds().filter(id => !before.has(id)));
});

const progArray = 3;

async function eventually(left: () => readonly number[]): Promise<void> {
    const deadline = Date.now() + 5000;
    while (left().length > 0 && Date.now() < deadline) await sleep(10);
    assert.deepEqual(left(), []);
}

test("APinIsRemovedAsARevisionTooAndHasNothingBelowIt", () => {
    withBpfFs(bpffs => {
        using map = new Fd(check(createMap({ type: progArray }), "make a map"));
        bpffs.makeFolder("copies");
        pin(map, bpffs.path("copies/1_double"));
        assert.equal(bpffs.exists("copies/1_double/slots"), false);
        removeRevision(bpffs, "copies/1_double");
        assert.equal(bpffs.exists("copies/1_double"), false);
    });
});

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
