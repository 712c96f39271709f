// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tarEnd, tarMember } from "../../test/image/registry.ts";
import { objectRank } from "./layer.ts";
import { type Rank, TarReader, tarLimits } from "./tar.ts";

const data = Buffer.from("object bytes");

function read(archive: Buffer, rank: Rank = objectRank(undefined), pieceBytes = archive.length): TarReader {
    const reader = new TarReader(rank);
    for (let at = 0; at < archive.length; at += pieceBytes) reader.push(archive.subarray(at, at + pieceBytes));
    reader.end();
    return reader;
}

const refuses = (archive: Buffer, message: RegExp) =>
    assert.throws(() => read(archive), { name: "BpfmanError", code: "FAILED_PRECONDITION", message });

test("the first *.o is the object, whatever pieces the archive comes in", () => {
    const archive = Buffer.concat([
        tarMember("README", Buffer.from("no")),
        tarMember("dir/", Buffer.alloc(0), "5"),
        tarMember("dir/one.o", data),
        tarMember("two.o", Buffer.from("two")),
        tarEnd,
    ]);
    for (const size of [1, 7, 512, 513, archive.length]) {
        const { found, names } = read(archive, objectRank(undefined), size);
        assert.equal(found?.name, "dir/one.o");
        assert.deepEqual(found.bytes, data);
        assert.deepEqual(names, ["README", "dir/", "dir/one.o", "two.o"]);
    }
    assert.equal(read(archive, objectRank("/two.o")).found?.name, "two.o");
    assert.equal(read(archive, objectRank("absent.o")).found?.name, "dir/one.o");
    assert.equal(read(Buffer.concat([tarMember(".o", data), tarEnd])).found, undefined);
});

test("long names, as GNU tar and pax write them", () => {
    const dir = mkdtempSync(join(tmpdir(), "tar-test-"));
    try {
        const name = `${"very-long-name-".repeat(12)}.bpf.o`;
        writeFileSync(join(dir, name), data);
        for (const format of ["gnu", "pax", "posix"]) {
            const archive = execFileSync("tar", ["-c", `--format=${format}`, "-C", dir, name]);
            assert.equal(read(archive).found?.name, name, format);
            assert.deepEqual(read(archive).found?.bytes, data);
        }
        const folder = "folder-of-some-length-".repeat(5);
        mkdirSync(join(dir, folder));
        writeFileSync(join(dir, folder, "x.o"), data);
        const ustar = execFileSync("tar", ["-c", "--format=ustar", "-C", dir, `${folder}/x.o`]);
        assert.equal(read(ustar).found?.name, `${folder}/x.o`);
        symlinkSync("/etc/shadow", join(dir, "link.o"));
        refuses(execFileSync("tar", ["-c", "-C", dir, "link.o"]), /"link.o" in a layer is a symbolic link/);
    } finally {
        rmSync(dir, { recursive: true });
    }
});

test("links, devices and whatever else is no plain file are refused", () => {
    for (const [type, kind] of [
        ["1", "a hard link"],
        ["2", "a symbolic link"],
        ["3", "a character device"],
        ["4", "a block device"],
        ["6", "a FIFO"],
        ["S", "a sparse file"],
        ["Z", "of an unknown kind"],
    ] as const)
        refuses(
            Buffer.concat([tarMember("a.o", data), tarMember("b", Buffer.alloc(0), type, "a.o")]),
            new RegExp(kind),
        );
});

test("broken archives are refused", () => {
    const member = tarMember("a.o", data);
    refuses(member.subarray(0, 515), /breaks off/);
    refuses(member.subarray(0, 300), /breaks off/);
    refuses(Buffer.concat([tarEnd, member]), /goes on behind its end/);
    const flipped = Buffer.from(member);
    flipped[0] = 0x62;
    refuses(flipped, /no tar archive, or it is damaged/);
    refuses(Buffer.alloc(512, 0x41), /no tar archive/);
    refuses(Buffer.concat([tarMember("../a.o", data), tarEnd]), /has the name "..\/a.o"/);
    refuses(Buffer.concat([tarMember("", data), tarEnd]), /without a name/);
    refuses(Buffer.concat([tarMember("x", Buffer.from("8 path=a\n"), "x"), tarEnd]), /damaged pax header/);
    refuses(Buffer.concat([tarMember("x", Buffer.from("7 size=x\n"), "x"), member]), /damaged pax header/);
    refuses(Buffer.concat([tarMember("x", Buffer.from("9 path=a\nrest"), "x"), member]), /damaged pax header/);
    refuses(Buffer.concat([tarMember("x", Buffer.from("10 size=x\n"), "x"), member]), /wrong size/);
    refuses(Buffer.concat([tarMember("x", Buffer.alloc(tarLimits.headerBytes + 1), "L"), member]), /too long/);
});

test("an archive without its end or its padding is whole where its members are (umoci)", () => {
    const member = tarMember("a.o", data);
    for (const archive of [member, member.subarray(0, 512 + data.length)])
        assert.deepEqual(read(archive).found?.bytes, data);
});

test("entries and sizes have limits", () => {
    const many = Array.from({ length: tarLimits.entries + 1 }, (_, at) => tarMember(`f${at}`, Buffer.alloc(0)));
    refuses(Buffer.concat([...many, tarEnd]), /more than 1024 entries/);
    const huge = tarMember("a.o", Buffer.alloc(0));
    huge.write("77777777777\0", 124);
    huge.write("        ", 148);
    const sum = huge.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    huge.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    refuses(huge, /an object may have 16777216/);
});
