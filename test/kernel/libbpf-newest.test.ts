// SPDX-License-Identifier: Apache-2.0
// The same objects, chains and copies with the newest libbpf: what one version does by itself another does not.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { libbpfOf } from "../libbpf/newest.ts";

const root = path.resolve(import.meta.dirname, "../..");

test("LoadsAndChainsWithTheNewestLibbpf", () => {
    const env = { ...process.env, LIBBPF: libbpfOf("forky") };
    // the runner tells its files so that they are parts of a run; these are a run of their own
    delete (env as NodeJS.ProcessEnv)["NODE_TEST_CONTEXT"];
    const show = 'import("./daemon/kernel/ffi.ts").then(ffi => console.log(ffi.libbpf.versionString()))';
    const version = execFileSync(process.execPath, ["-e", show], { cwd: root, env, encoding: "utf8" }).trim();
    assert.match(version, /^v1\.([7-9]|\d\d)$/);
    const patterns = ["RunsInOrder", "Frags", "Members", "Sections", "ATcxLinkThatMoves"];
    const args = patterns.flatMap(pattern => ["--test-name-pattern", pattern]);
    const files = ["test/kernel/chain-xdp.test.ts", "test/kernel/chain-tc.test.ts"];
    const reporter = ["--test-reporter=tap", "--test-concurrency=1"];
    const ran = spawnSync(process.execPath, ["--test", ...reporter, ...args, ...files], {
        cwd: root,
        env,
        encoding: "utf8",
    });
    assert.ok(Number(/^# pass (\d+)$/m.exec(ran.stdout)?.[1]) >= 7, ran.stdout);
    assert.match(ran.stdout, /^# fail 0$/m);
    assert.equal(ran.status, 0, ran.stderr);
});
