// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { BpfmanError } from "../../model/error.ts";
import { libraryPaths, namesLibrary, readLinkerCache } from "./library.ts";
import { parseCpus } from "./perf-event.ts";
import { ProcessRoot } from "./process-root.ts";

function cacheOf(entries: readonly [string, string][]): Buffer {
    const header = Buffer.alloc(48);
    header.write("glibc-ld.so.cache1.1", 0, "latin1");
    header.writeUInt32LE(entries.length, 20);
    const table = Buffer.alloc(24 * entries.length);
    let strings = "";
    const base = header.length + table.length;
    entries.forEach(([name, path], index) => {
        table.writeUInt32LE(base + strings.length, 24 * index + 4);
        strings += `${name}\0`;
        table.writeUInt32LE(base + strings.length, 24 * index + 8);
        strings += `${path}\0`;
    });
    return Buffer.concat([header, table, Buffer.from(strings)]);
}

test("a linker's cache is read, also behind one of the older format, and never past its end", () => {
    const cache = cacheOf([
        ["libc.so.6", "/lib/libc.so.6"],
        ["libm.so.6", "/lib/libm.so.6"],
    ]);
    const entries = [
        { name: "libc.so.6", path: "/lib/libc.so.6" },
        { name: "libm.so.6", path: "/lib/libm.so.6" },
    ];
    assert.deepEqual(readLinkerCache(cache), entries);
    assert.deepEqual(readLinkerCache(Buffer.concat([Buffer.from("ld.so-1.7.0\0"), Buffer.alloc(20), cache])), entries);
    cache.writeUInt32LE(0xffffffff, 20);
    assert.ok(readLinkerCache(cache).length >= 2);
    for (let length = 0; length < cache.length; length += 1) readLinkerCache(cache.subarray(0, length));
    assert.deepEqual(readLinkerCache(Buffer.from("no cache")), []);
});

test("a library goes by its name, with and without lib, version and .so", () => {
    for (const wanted of ["libc", "c", "libc.so", "libc.so.6"]) assert.ok(namesLibrary(wanted, "libc.so.6"), wanted);
    assert.ok(namesLibrary("libc", "libc-2.31.so"));
    assert.ok(namesLibrary("libssl.so.3", "libssl.so.3"));
    for (const [wanted, file] of [
        ["libc", "libcap.so.2"],
        ["libc", "libc-client.so"],
        ["libssl.so.1", "libssl.so.3"],
        ["c", "abc.so"],
    ] as const)
        assert.ok(!namesLibrary(wanted, file), `${wanted} ${file}`);
});

test("this process's own libraries are found by what it has mapped", () => {
    using root = ProcessRoot.open(process.pid);
    assert.match(libraryPaths(root, "libc", process.pid)[0] ?? "", /^\/.*\/libc\.so\.6$/);
    assert.throws(() => libraryPaths(root, "libcc_none", undefined), BpfmanError);
});

test("a root is not left by links or by climbing, and only regular files are opened", () => {
    using root = ProcessRoot.open(process.pid);
    using file = root.openFile("/../../etc/passwd");
    assert.ok(file);
    assert.equal(root.openFile("/etc/none"), undefined);
    assert.throws(() => root.openFile("/etc"), /is no regular file/);
    assert.throws(() => root.openFile("/dev/null"), /is no regular file/);
    assert.throws(() => root.openFile("/proc/self/root/etc/passwd"), /ELOOP|EXDEV/);
    assert.equal(root.readFile("/etc/passwd", 1), undefined);
    assert.ok(fs.existsSync("/etc/passwd"));
    assert.throws(() => ProcessRoot.open(2 ** 30), /^BpfmanError: process 1073741824 does not exist/);
});

test("sets of CPUs are read as the kernel writes them", () => {
    assert.deepEqual(parseCpus("0-3,6,8-9\n"), [0, 1, 2, 3, 6, 8, 9]);
    assert.deepEqual(parseCpus("0\n"), [0]);
    assert.deepEqual(parseCpus("\n"), []);
});
