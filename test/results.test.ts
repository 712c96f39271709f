// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { collectResults } from "./results.ts";

const at = (file: string) => join(import.meta.dirname, "..", file);

test("a test that a helper declares is one of the file whose suite it stands in", () => {
    const stream = new EventEmitter();
    const results = collectResults(stream as unknown as Parameters<typeof collectResults>[0]);
    const helper = at("test/lab/shared-lab.ts");
    stream.emit("test:pass", { name: "first", nesting: 1, file: helper });
    stream.emit("test:fail", { name: "second", nesting: 1, file: helper });
    stream.emit("test:fail", { name: "chains", nesting: 0, file: at("test/kernel/one.test.ts") });
    stream.emit("test:pass", { name: "inner", nesting: 2, file: helper });
    stream.emit("test:pass", { name: "middle", nesting: 1, file: at("test/kernel/two.test.ts") });
    stream.emit("test:pass", { name: "left out", nesting: 1, file: helper, skip: "EPERM" });
    stream.emit("test:pass", { name: "outer", nesting: 0, file: at("test/kernel/two.test.ts") });
    assert.deepEqual(
        results().map(({ file, name, outcome, reason }) => [file, name, outcome, reason]),
        [
            ["test/kernel/one.test.ts", "chains › first", "passed", ""],
            ["test/kernel/one.test.ts", "chains › second", "failed", ""],
            ["test/kernel/one.test.ts", "chains", "failed", ""],
            ["test/kernel/two.test.ts", "outer › middle › inner", "passed", ""],
            ["test/kernel/two.test.ts", "outer › middle", "passed", ""],
            ["test/kernel/two.test.ts", "outer › left out", "skipped", "EPERM"],
            ["test/kernel/two.test.ts", "outer", "passed", ""],
        ],
    );
});
