// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { readObjectFile } from "./object-file.ts";

const dir = mkdtempSync(join(tmpdir(), "object-file-"));
after(() => rmSync(dir, { recursive: true }));
const path = (name: string) => join(dir, name);
const refused = (name: string, message: RegExp) => assert.throws(() => readObjectFile(path(name)), { message });

test("a regular file is read whole, its path made absolute", () => {
    writeFileSync(path("x.o"), "bytes");
    const { bytes, absolutePath } = readObjectFile(relative(process.cwd(), path("x.o")));
    assert.equal(Buffer.from(bytes).toString(), "bytes");
    assert.equal(absolutePath, path("x.o"));
});

test("what is no regular file, too large or empty is refused with its reason", async context => {
    mkdirSync(path("d"));
    execFileSync("mkfifo", [path("fifo")]);
    symlinkSync("x.o", path("link"));
    writeFileSync(path("empty"), "");
    writeFileSync(path("large"), "");
    truncateSync(path("large"), 2 ** 30);
    const server = createServer();
    await new Promise<void>(resolve => server.listen(path("socket"), resolve));
    context.after(() => server.close());
    refused("d", /is a directory, not a BPF object file$/);
    // would wait for a writer if it were opened as files are
    refused("fifo", /is a FIFO, not a regular file$/);
    refused("link", /is a symbolic link, which is not followed; name the file itself: x\.o$/);
    refused("empty", /is empty$/);
    refused("large", /is too large: 1073741824 bytes, a BPF object may have 16777216 \(16 MiB\)$/);
    refused("socket", /is a socket/);
    refused("nothing", /: no such file$/);
    refused("x.o/y", /a part of this path is not a directory$/);
    assert.throws(() => readObjectFile("/dev/null"), { message: /is a device/ });
    assert.throws(() => readObjectFile("a\u0000b"), { message: /NUL/ });
});
