// SPDX-License-Identifier: Apache-2.0
// A program's code and the verifier's log of it: the same instructions as bpftool shows, of every fixture that loads.
import assert from "node:assert/strict";
import fs from "node:fs";
import { machine } from "node:os";
import path from "node:path";
import { suite } from "node:test";
import { Foreign } from "../lab/foreign.ts";
import { refusal } from "../lab/items.ts";
import { type Lab, run } from "../lab/lab.ts";
import { sharedLab } from "../lab/shared-lab.ts";

/** bpftool's text of an instruction without what only one of the two tells. */
const plain = (text: string): string =>
    text
        // a helper's name is followed by its distance, a map's id here by its name
        .replace(/^call (\S+?)#-?\d+$/, "call $1")
        // bpftool 7.1 does not know per-CPU addresses
        .replace(/^(r\d+) = &\(void __percpu \*\)\((r\d+)\)$/, "$1 = $2")
        .replace(/^call pc[+-]\d+.*$/, "call pc")
        .replace(/^call (?:unknown|\d+).*$/, "call ?")
        .replace(/map\[id:(\d+)[^\]]*\]/, "map[id:$1]")
        .replace(/^(r\d+ = subprog\[[+-]\d+\]).*/, "$1");

interface Line {
    readonly index: number;
    readonly text: string;
}

function bpftool(id: number): Line[] {
    return run("bpftool", "prog", "dump", "xlated", "id", String(id))
        .split("\n")
        .flatMap(line => {
            const [, index, text = ""] = /^\s*(\d+): \([0-9a-f]{2}\) (.*)$/.exec(line) ?? [];
            return index === undefined ? [] : [{ index: Number(index), text: plain(text.trim()) }];
        });
}

async function ours(lab: Lab, id: number) {
    const code = await lab.client.getProgramCode(id);
    const lines = (code.functions ?? []).flatMap(({ instructions = [] }) =>
        instructions.map(({ index = 0, text = "" }) => ({ index, text: plain(text) })),
    );
    return { code, lines };
}

const fixtures: readonly [fixture: string, program: string][] = [
    ["xdp_count", "xdp:xdp_count"],
    ["xdp_pass", "xdp:xdp_pass"],
    ["xdp_adjust", "xdp:xdp_adjust"],
    ["xdp_sequence", "xdp:xdp_sequence_3"],
    ["tc_sequence", "tc:tc_sequence_0"],
    ["tc_actions", "tc:tc_action"],
    ["hooks", "tracepoint:on_tracepoint"],
    ["hooks", "cgroup:on_cgroup_connect"],
];

const sourceText = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int length(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

SEC("xdp")
int judge(struct xdp_md *ctx)
{
	return length(ctx) > 100 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
`;

suite("code of programs", () => {
    const labTest = sharedLab();

    labTest("TheSameInstructionsAsBpftool", async lab => {
        const loaded = [];
        for (const [fixture, program] of fixtures) loaded.push(...(await lab.load(fixture, [program])));
        const { programs = [] } = await lab.client.getInventory();
        const others = programs.flatMap(({ kernel, managed }) => (managed || !kernel?.id ? [] : [kernel.id]));
        for (const id of [...loaded.map(program => program.id ?? 0), ...others]) {
            let expected: Line[];
            try {
                expected = bpftool(id);
            } catch (error) {
                // of somebody else, who took it away meanwhile
                if (others.includes(id)) continue;
                throw error;
            }
            assert.notEqual(expected.length, 0, `bpftool shows program ${id}`);
            assert.deepEqual((await ours(lab, id)).lines, expected, `program ${id}`);
        }
        lab.assertNoDescriptors();
    });

    labTest("FunctionsSourceLinesAndMachineCode", async lab => {
        // where the compiler finds the source it puts the text in; of the fixtures it knows the lines alone
        const source = path.join(lab.dir, "lines.bpf.c");
        const object = path.join(lab.dir, "lines.o");
        fs.writeFileSync(source, sourceText);
        run(
            "clang",
            "-target",
            "bpf",
            "-g",
            "-O2",
            `-I/usr/include/${machine()}-linux-gnu`,
            "-c",
            source,
            "-o",
            object,
        );
        const { programs = [] } = await lab.client.load({
            object: fs.readFileSync(object).toString("base64"),
            programs: [{ type: "xdp", name: "judge" }],
        });
        const [program] = programs;
        const { code, lines } = await ours(lab, program?.id ?? 0);
        const [main, helper] = code.functions ?? [];
        assert.deepEqual(
            [main?.prototype, helper?.prototype],
            ["int judge(struct xdp_md *ctx)", "int length(struct xdp_md *ctx)"],
        );
        const first = main?.instructions?.find(one => one.source);
        assert.deepEqual(
            [first?.source, first?.file, first?.line],
            ["return length(ctx) > 100 ? XDP_DROP : XDP_PASS;", source, 12],
        );
        assert.ok(main?.instructions?.some(({ text }) => text?.startsWith("call pc+") && text.endsWith("#length")));
        assert.equal(lines.at(-1)?.text, "exit");
        const jump = main?.instructions?.find(({ jumpTo }) => jumpTo !== undefined);
        assert.ok(
            lines.some(({ index }) => index === jump?.jumpTo),
            JSON.stringify(jump),
        );
        assert.equal(code.jited ?? "", "");
        const whole = await lab.client.getProgramCode(program?.id ?? 0, true);
        const bytes = Buffer.from(whole.jited ?? "", "base64");
        if (whole.jitedUnavailable) assert.equal(bytes.length, 0);
        else assert.equal(bytes.length, program?.kernel?.sizeJitedBytes);
        assert.equal((await refusal(lab.client.getProgramCode(4_000_000_000))).code, "NOT_FOUND");
    });

    labTest("TheVerifiersLogOfWhatItAccepted", async lab => {
        const [program] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const { log = "", unavailable, truncated } = await lab.client.getVerifierLog(program?.id ?? 0);
        assert.deepEqual([unavailable ?? "", truncated ?? false], ["", false]);
        assert.match(log, /^processed \d+ insns/m);
        assert.match(log, /R1=ctx/);
        assert.deepEqual(lab.pins("staging"), []);
        using foreign = new Foreign("xdp_pass", "xdp");
        assert.match((await lab.client.getVerifierLog(foreign.program.id)).unavailable ?? "", /loaded by others/);
        assert.equal((await refusal(lab.client.getVerifierLog(4_000_000_000))).code, "NOT_FOUND");
        lab.assertNoDescriptors();
    });
});
