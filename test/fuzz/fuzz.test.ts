// SPDX-License-Identifier: Apache-2.0
// Whatever reads foreign bytes gets real samples made wrong: ten thousand inputs in `make check`, a million in a night. None
// may crash or hang its reader, be answered with an internal error, or leave anything behind. BPFMAN_FUZZ_SEED repeats a
// run, BPFMAN_FUZZ_INPUTS makes another length; what to type for one input is told with a finding.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { howMany, seedOf } from "../scale.ts";
import { shares } from "./all-targets.ts";

const seed = seedOf("BPFMAN_FUZZ_SEED");
const inputs = Number(process.env["BPFMAN_FUZZ_INPUTS"] ?? howMany(10_000, 1_000_000));
/** A single input takes milliseconds; a machine that is busy with other things takes longer. */
const limitMs = 30_000;
/** Objects have 16 MiB at most, and what is made of them may not be many times that. */
const memoryLimitMiB = 512;

const total = Object.values(shares).reduce((sum, share) => sum + share, 0);

/** What a run leaves in the folder of temporary files. */
const temporary = () => fs.readdirSync(os.tmpdir()).filter(name => /^bpfman-(fuzz|api)-/.test(name));

suite("fuzz", { concurrency: 2 }, () => {
    let dir: string;
    let left: string[];
    before(() => {
        left = temporary();
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-progress-"));
    });
    after(() => {
        fs.rmSync(dir, { recursive: true });
        assert.deepEqual(
            temporary().filter(name => !left.includes(name)),
            [],
            "files left",
        );
    });

    for (const [name, share] of Object.entries(shares)) {
        const count = Math.ceil((inputs * share) / total);
        test(`${name}: ${count} inputs, seed ${seed}`, async t => {
            const progress = path.join(dir, name);
            const script = path.join(import.meta.dirname, "child.ts");
            const args = [script, name, String(seed), "0", String(count), progress];
            const child = spawn(process.execPath, [`--max-old-space-size=${memoryLimitMiB}`, ...args], {
                stdio: ["ignore", "ignore", "pipe"],
                signal: t.signal,
            });
            let said = "";
            child.stderr.on("data", (text: Buffer) => {
                said = (said + text.toString()).slice(-8000);
            });
            const at = () => {
                const bytes = fs.existsSync(progress) ? fs.readFileSync(progress) : Buffer.alloc(0);
                return bytes.length === 8 ? Number(bytes.readBigUInt64LE(0)) : -1;
            };
            let last = { input: -2, since: performance.now() };
            let hung = false;
            const watch = setInterval(() => {
                const input = at();
                if (input !== last.input) last = { input, since: performance.now() };
                else if (performance.now() - last.since > limitMs) {
                    hung = true;
                    child.kill("SIGKILL");
                }
            }, 500);
            const ended = await new Promise<string>(resolve => {
                child.once("error", error => resolve(String(error)));
                child.once("close", (code, signal) => resolve(signal ?? String(code)));
            });
            clearInterval(watch);
            const input = at();
            const again = `node test/fuzz/child.ts ${name} ${seed} ${input} ${input + 1}`;
            assert.ok(!hung, `input ${input} took more than ${limitMs} ms; again: ${again}`);
            assert.equal(ended, "0", `input ${input} ended the reader (${ended}); again: ${again}\n${said}`);
            assert.equal(input, count, "not every input was tried");
        });
    }
});
