// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { tellingLines } from "./verifier-log.ts";

test("a rejection in a trace is shown with its source line and instruction", () => {
    const log = `func#0 @0
0: R1=ctx() R10=fp0
; void *data = (void *)(long)ctx->data; @ drop.bpf.c:14
0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2_w=pkt(r=0)
; if (data[0] == 1) @ drop.bpf.c:15
1: (71) r3 = *(u8 *)(r2 +0)
invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)
R2 offset is outside of the packet
verification time 61 usec
stack depth 0
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;
    assert.deepEqual(tellingLines(log), {
        lines: [
            "; if (data[0] == 1) @ drop.bpf.c:15",
            "1: (71) r3 = *(u8 *)(r2 +0)",
            "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)",
            "R2 offset is outside of the packet",
        ],
        omitted: 7,
    });
});

test("register states of older kernels are not taken for words", () => {
    const log = `0: R1=ctx(off=0,imm=0) R10=fp0
0: (bf) r6 = r1                       ; R1=ctx(off=0,imm=0) R6_w=ctx(off=0,imm=0)
1: R0=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R6=ctx(off=0,imm=0) R10=fp0
5: (79) r1 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0`;
    assert.deepEqual(tellingLines(log).lines, [
        "5: (79) r1 = *(u64 *)(r0 +0)",
        "R0 invalid mem access 'map_value_or_null'",
    ]);
});

test("the states behind an endless loop are left out", () => {
    const log = `; while (1) @ loop.bpf.c:9
3: (05) goto pc-1
3: (05) goto pc-1
infinite loop detected at insn 3
cur state: R0=1 R10=fp0
old state: R0=1 R10=fp0
processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0`;
    assert.deepEqual(tellingLines(log), {
        lines: ["; while (1) @ loop.bpf.c:9", "3: (05) goto pc-1", "infinite loop detected at insn 3"],
        omitted: 4,
    });
});

test("a log without instructions is its words", () => {
    const log = `Calling kernel function bpf_missing is not allowed
processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;
    assert.deepEqual(tellingLines(log), { lines: ["Calling kernel function bpf_missing is not allowed"], omitted: 1 });
    const tooLarge = "BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns (limit 1000000)\n";
    assert.deepEqual(tellingLines(tooLarge).lines, ["BPF program is too large. Processed 1000001 insn"]);
});

test("what libbpf writes around the log does not hide its reason", () => {
    const log = `libbpf: prog 'drop': BPF program load failed: Permission denied
libbpf: prog 'drop': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; return bad(ctx); @ drop.bpf.c:3
0: (b7) r0 = 1                        ; R0_w=1
1: (85) call bpf_override_return#58
program of this type cannot use helper bpf_override_return#58
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'drop': failed to load: -13
libbpf: failed to load object 'x'
`;
    assert.deepEqual(tellingLines(log).lines, [
        "; return bad(ctx); @ drop.bpf.c:3",
        "1: (85) call bpf_override_return#58",
        "program of this type cannot use helper bpf_override_return#58",
    ]);
});

test("a log that tells nothing in words gives its end", () => {
    const log = "0: (b7) r0 = 1\n1: (95) exit\n2: safe\nprocessed 2 insns (limit 1000000)\n";
    assert.deepEqual(tellingLines(log), {
        lines: ["1: (95) exit", "2: safe", "processed 2 insns (limit 1000000)"],
        omitted: 1,
    });
    assert.deepEqual(tellingLines(""), { lines: [], omitted: 0 });
    assert.deepEqual(tellingLines("\n \n"), { lines: [], omitted: 0 });
});

test("many and long lines are bounded", () => {
    const log = Array.from({ length: 50 }, (_, i) => `word ${i} ${"x".repeat(1000)}`).join("\n");
    const { lines, omitted } = tellingLines(log);
    assert.deepEqual([lines.length, omitted], [6, 44]);
    assert.ok(lines.every(line => line.length === 240 && line.endsWith("…")));
    assert.match(lines.at(-1) ?? "", /^word 49 /);
});
