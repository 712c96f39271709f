// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeText } from "./program-code.ts";

test("source lines stand above the instructions that they begin", () => {
    const code = {
        functions: [
            {
                name: "judge",
                prototype: "int judge(struct xdp_md *ctx)",
                instructions: [
                    { text: "r0 = 2", source: "return 2;", file: "/src/judge.bpf.c", line: 7 },
                    { index: 1, text: "exit", file: "/src/judge.bpf.c", line: 8 },
                ],
            },
            { name: "other", instructions: [{ index: 12, text: "exit" }] },
        ],
    };
    assert.deepEqual(codeText(code), [
        "int judge(struct xdp_md *ctx):",
        "; return 2;",
        "     0: r0 = 2",
        "; judge.bpf.c:8",
        "     1: exit",
        "",
        "other:",
        "    12: exit",
    ]);
});
