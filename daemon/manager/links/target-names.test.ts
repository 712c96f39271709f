// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isForEverybody } from "./target-names.ts";

test("a file is for everybody where its mode and all of its folders' say so", context => {
    const top = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-targets-"));
    context.after(() => fs.rmSync(top, { recursive: true }));
    const folder = path.join(top, "folder");
    const file = path.join(folder, "file");
    fs.mkdirSync(folder);
    fs.writeFileSync(file, "");
    fs.symlinkSync(folder, path.join(top, "link"));
    const asked = (name: string, modes: readonly [top: number, folder: number, file: number], inOwnRoot = true) => {
        for (const [at, one] of [top, folder, file].entries()) fs.chmodSync(one, modes[at]!);
        const number = fs.openSync(name, "r");
        try {
            return isForEverybody({ number }, inOwnRoot);
        } finally {
            fs.closeSync(number);
        }
    };
    assert.equal(asked(file, [0o755, 0o711, 0o644]), true);
    assert.equal(asked(file, [0o755, 0o711, 0o640]), false);
    assert.equal(asked(file, [0o755, 0o700, 0o644]), false);
    assert.equal(asked(file, [0o700, 0o755, 0o644]), false);
    // a link in a folder of everybody's does not make it so
    assert.equal(asked(path.join(top, "link/file"), [0o755, 0o700, 0o644]), false);
    assert.equal(asked(file, [0o700, 0o700, 0o644], false), true);
});
