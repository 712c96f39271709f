// SPDX-License-Identifier: Apache-2.0
// Which lines of a verifier log tell why a program was refused. The log (kernel/bpf/log.c, verifier.c) is a trace of
// instructions, source lines and register states; the reason comes in words right before its summary.

export interface TellingLines {
    readonly lines: readonly string[];
    /** lines with text that are left out */
    readonly omitted: number;
}

const maxReasonLines = 6;
const maxLineLength = 240;

// "12: (61) r1 = *(u32 *)(r1 +0)", with a register state behind it or not
const instruction = /^\d+: \([0-9a-f]{2}\) /;
// "; int drop(struct xdp_md *ctx) @ drop.bpf.c:12"
const sourceLine = /^; /;
// what the verifier passes on its way
const trace = [
    /^\d+: (?:frame\d+: )?R\d/,
    /^(?:\d+: )?(?:frame\d+: ?)?(?: ?R\d+(?:_[a-z]+)?=\S+.*)$/,
    /^(?:cur|old) state:/,
    /^from \d+ to \d+/,
    /^func#\d+ @\d+/,
    /^Live regs before insn:/,
    /^\s*\d+: [.0-9]+ \([0-9a-f]{2}\) /,
    /^mark_precise: /,
    /^(?:parent |last_idx |regs=|propagating )/,
    /^\d+: safe$/,
    /^(?:caller|callee|to caller at \d+|returning from callee):?/,
];
// what frames the reason
const summary = [
    /^processed \d+ insns/,
    /^verification time /,
    /^stack depth /,
    /^max_states_per_insn /,
    /^-- (?:BEGIN|END) /,
    /^libbpf: .*-- (?:BEGIN|END) PROG LOAD LOG --$/,
    /^libbpf: .*(?:BPF program load failed|failed to load)/,
];

const isOneOf = (forms: readonly RegExp[], line: string) => forms.some(form => form.test(line));

/** The last words of the log, behind the source line and the instruction that they are about. */
export function tellingLines(log: string): TellingLines {
    const lines = log.split("\n").map(line => line.trimEnd());
    const filled = lines.filter(line => line !== "");
    const chosen = reason(filled) ?? filled.slice(-3);
    return { lines: chosen.map(shortened), omitted: filled.length - chosen.length };
}

function reason(lines: readonly string[]): string[] | undefined {
    const isStep = (line: string) => instruction.test(line) || sourceLine.test(line);
    const isWords = (line: string) => !isStep(line) && !isOneOf(trace, line) && !isOneOf(summary, line);
    const last = lines.findLastIndex(isWords);
    if (last < 0) return undefined;
    const step = lines.findLastIndex((line, index) => index < last && isStep(line));
    const words = lines.slice(step + 1, last + 1).filter(isWords);
    return [...place(lines.slice(0, step + 1)), ...words.slice(-maxReasonLines)];
}

/** The last source line and the last instruction, where the log has them. */
function place(lines: readonly string[]): string[] {
    const source = lines.findLast(line => sourceLine.test(line));
    const step = lines.findLast(line => instruction.test(line));
    return [source, step].filter(line => line !== undefined);
}

const shortened = (line: string) => (line.length > maxLineLength ? `${line.slice(0, maxLineLength - 1)}…` : line);
