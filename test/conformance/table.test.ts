// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Result } from "../results.ts";
import { asks, features } from "./rows.ts";
import { judge, page } from "./table.ts";

const root = join(import.meta.dirname, "../..");
const proofs = [{ file: "a.test.ts", test: "works" }];
const result = (outcome: Result["outcome"], reason = ""): Result => ({
    file: "a.test.ts",
    name: "suite › works",
    outcome,
    reason,
});

test("a row holds where each of its tests passed and none failed", () => {
    assert.deepEqual(judge({ proofs }, [result("passed")]), { holds: "yes", problems: [] });
    assert.equal(judge({ proofs, claim: "both" }, [result("passed"), result("skipped", "x")]).holds, "both");
    assert.equal(judge({ proofs, open: "less" }, [result("passed")]).holds, "yes; less");
    const failed = judge({ proofs }, [result("passed"), result("failed")]);
    assert.match(failed.holds, /not shown/);
    assert.deepEqual(failed.problems, ["failed: a.test.ts: works"]);
    const other = { ...result("passed"), name: "other" };
    assert.deepEqual(judge({ proofs }, [other]).problems, ["no such test ran: a.test.ts: works"]);
    assert.deepEqual(judge({ proofs }, []), { holds: "not run", problems: ["did not run: a.test.ts: works"] });
    assert.match(judge({ proofs }, [result("skipped", "no TCX")]).holds, /no TCX/);
    assert.equal(judge({ proofs: [], open: "later" }, []).holds, "no: later");
    assert.equal(judge({ proofs: [] }, []).problems.length, 1);
    // another test whose name ends alike
    assert.equal(judge({ proofs }, [{ ...result("passed"), name: "networks" }]).problems.length, 1);
});

test("every test that a row names stands in its file", () => {
    for (const { proofs } of [...features, ...asks])
        for (const { file, test: name } of proofs) {
            assert.ok(existsSync(join(root, file)), file);
            if (typeof name !== "string") continue;
            // what a template makes up is looked for when the run is over
            const last = name.split(" › ").at(-1) ?? "";
            const text = readFileSync(join(root, file), "utf8");
            if (!text.includes(`${"`"}`) || text.includes(last)) assert.ok(text.includes(last), `${file}: ${name}`);
            else assert.match(text, /test\(`|Test\(`|it\(`/, `${file}: ${name}`);
        }
});

test("the page has every row", () => {
    const text = readFileSync(page, "utf8");
    for (const { feature } of features) assert.ok(text.includes(`| ${feature} |`), `${feature}: make conformance`);
    for (const { threads, ask } of asks)
        assert.ok(text.includes(`| ${threads} | ${ask} |`), `${ask}: make conformance`);
});
