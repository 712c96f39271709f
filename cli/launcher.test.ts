// SPDX-License-Identifier: Apache-2.0
// The launcher as it is delivered: with the compiled code beside it, without, and with code that is not for this V8.
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const dist = join(import.meta.dirname, "../dist");
const copy = fs.mkdtempSync(join(tmpdir(), "bpfman-launcher-"));
const launcher = join(copy, "bin/bpfman");
const compiled = () => fs.globSync("lib/*.v8", { cwd: copy }).map(name => join(copy, name));

before(() => {
    assert.ok(fs.existsSync(join(dist, "bin/bpfman")), "dist/bin/bpfman is not built: node build.ts cli");
    fs.cpSync(join(dist, "bin"), join(copy, "bin"), { recursive: true });
    for (const name of fs.globSync("lib/cli*.cjs*", { cwd: dist })) {
        if (!name.endsWith(".map")) fs.cpSync(join(dist, name), join(copy, name));
    }
});
after(() => fs.rmSync(copy, { recursive: true }));

function run(...words: string[]): SpawnSyncReturns<string> {
    return spawnSync(launcher, words, { cwd: "/", env: {}, encoding: "utf8" });
}

/** A verb of its own file, a mistake that is told by a class that both files must share, and what asks no verb. */
function works(): void {
    assert.match(run("--version").stdout, /^bpfman \d+\.\d+\.\d+\n$/);
    assert.match(run("completions", "bash").stdout, /complete .*bpfman/);
    const mistake = run("program", "list", "--attached", "--unattached");
    assert.equal(mistake.status, 1, mistake.stderr);
    assert.match(
        mistake.stderr,
        /^bpfman: error: --attached and --unattached exclude each other\nhint: bpfman program list --help\n/,
    );
}

test("starts with the compiled code that the build made, which V8 takes", () => {
    assert.ok(compiled().length > 20, `${compiled().length} files of compiled code`);
    works();
    const main = join(copy, "lib/cli.cjs");
    const source = /const source = ("(?:[^"\\]|\\.)*") \+ .* \+ ("(?:[^"\\]|\\.)*");/.exec(
        fs.readFileSync(launcher, "utf8"),
    );
    const [, head = "", tail = ""] = source ?? [];
    const check = `const { Script } = require("node:vm"), { readFileSync } = require("node:fs");
        const source = ${head} + readFileSync(${JSON.stringify(main)}, "latin1") + ${tail};
        const cachedData = readFileSync(${JSON.stringify(`${main}.v8`)});
        console.log(new Script(source, { filename: "cli.cjs", cachedData }).cachedDataRejected)`;
    const [interpreter = ""] = fs.readFileSync(launcher, "utf8").slice(2).split(" ", 1);
    const answer = spawnSync(interpreter, ["--max-semi-space-size=1", "-e", check], { encoding: "utf8" });
    assert.equal(answer.stdout, "false\n", answer.stderr);
});

test("starts with compiled code of another V8, and without any", () => {
    for (const file of compiled()) {
        const bytes = fs.readFileSync(file);
        // the second word is a hash of V8's version (SerializedCodeData::kVersionHashOffset, code-serializer.h)
        bytes.writeInt32LE(bytes.readInt32LE(4) ^ 1, 4);
        fs.writeFileSync(file, bytes);
    }
    works();
    for (const file of compiled()) fs.rmSync(file);
    works();
});

test("tells an interpreter that is too old", () => {
    // a fake: the machine may have no older one
    const old = `Object.defineProperty(process, "versions", { value: { node: "20.19.0" } }); require(${JSON.stringify(launcher)})`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", old], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /^bpfman: error: needs Node\.js 24 or newer, .* is v\d+/);
});
