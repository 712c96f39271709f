// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CodeLine, codeLines, filteredLines } from "./code-lines.ts";

const code = {
    functions: [
        {
            name: "xdp_pass",
            prototype: "int xdp_pass(struct xdp_md *ctx)",
            instructions: [
                { text: "r1 = 0", source: "int key = 0;", file: "/usr/src/pass.bpf.c", line: 12 },
                { index: 1, text: "if r1 == 0 goto +1" },
                {
                    index: 2,
                    text: "r0 = 2",
                    source: "return XDP_PASS;",
                    file: "/usr/src/pass.bpf.c",
                    line: 14,
                    jumpTo: 3,
                },
                { index: 3, text: "exit" },
            ],
        },
        { name: "helper", instructions: [{ index: 4, text: "exit" }] },
    ],
};

const told = (lines: readonly CodeLine[]) => lines.map(line => ("text" in line ? line.text : line.name));

test("source stands above the first of its instructions", () => {
    assert.deepEqual(told(codeLines(code, true)), [
        ...["xdp_pass", "int key = 0;", "r1 = 0", "if r1 == 0 goto +1", "return XDP_PASS;", "r0 = 2", "exit"],
        ...["helper", "exit"],
    ]);
    assert.deepEqual(told(codeLines(code, false)).slice(0, 3), ["xdp_pass", "r1 = 0", "if r1 == 0 goto +1"]);
});

test("what is found keeps its source and its function", () => {
    const lines = codeLines(code, true);
    assert.deepEqual(told(filteredLines(lines, "r0 = 2")), ["xdp_pass", "return XDP_PASS;", "r0 = 2"]);
    assert.deepEqual(told(filteredLines(lines, "XDP_PASS")), ["xdp_pass", "return XDP_PASS;", "r0 = 2", "exit"]);
    assert.deepEqual(told(filteredLines(lines, "bpf.c:12")), [
        "xdp_pass",
        "int key = 0;",
        "r1 = 0",
        "if r1 == 0 goto +1",
    ]);
    assert.deepEqual(told(filteredLines(lines, "exit")), ["xdp_pass", "return XDP_PASS;", "exit", "helper", "exit"]);
    assert.deepEqual(filteredLines(lines, "nothing"), []);
});
