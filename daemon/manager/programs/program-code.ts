// SPDX-License-Identifier: Apache-2.0
// A program's translated instructions with the source lines that its BTF tells.
import { openProgram } from "../../kernel/bpf.ts";
import type { Btf } from "../../kernel/btf/btf.ts";
import { CallNames } from "../../kernel/objects/call-names.ts";
import { type Decoded, disassemble } from "../../kernel/objects/disassembler.ts";
import { type RawCode, readCode } from "../../kernel/objects/program-code.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId, ProgramId } from "../../model/ids.ts";
import type { CodeInstruction, ProgramCode } from "../../model/program-code.ts";
import type { Context } from "../context.ts";
import { btfOf } from "../maps/map-view.ts";

/** An answer of more would be of no use to a person, and takes memory. */
const maxInstructions = 65_536;

const calls = new CallNames();

/** NOT_FOUND where the kernel has no such program. */
export async function programCode(context: Context, id: ProgramId, withJited: boolean): Promise<ProgramCode> {
    const { code, name } = read(context, id, withJited);
    const btf = knownBtf(code.btfId);
    await calls.learn(helperCalls(code.xlated));
    const functions = functionsOf(code, btf, name);
    const mapNames = new Map<number, string>();
    const instructions = disassemble(code.xlated, {
        call: imm => calls.name(imm),
        map: mapId => {
            const known = mapNames.get(mapId) ?? context.kernel.map(mapId as MapId)?.name ?? "";
            mapNames.set(mapId, known);
            return known;
        },
        subprogram: index => functions.find(({ start }) => start === index)?.name ?? "",
    });
    const all = withSource(instructions, code, btf);
    const shown = code.xlated.length / 8;
    return {
        functions: functions
            .map(({ start, name: functionName, prototype }, at) => ({
                name: functionName,
                prototype,
                instructions: all.filter(
                    ({ index }) => index >= start && index < (functions[at + 1]?.start ?? Number.POSITIVE_INFINITY),
                ),
            }))
            .filter(one => one.instructions.length > 0),
        unavailable: unavailable(code, shown),
        jitedBytes: code.jitedBytes,
        jited: withJited && code.jited.length > 0 ? code.jited : undefined,
        jitedUnavailable: jitedUnavailable(code, withJited),
    };
}

function read(context: Context, id: ProgramId, withJited: boolean): { code: RawCode; name: string } {
    using fd = openProgram(id);
    if (fd === undefined) throw new BpfmanError("NOT_FOUND", `program ${id} does not exist`);
    return { code: readCode(fd, withJited, maxInstructions * 8), name: context.kernel.program(id)?.name ?? "" };
}

function unavailable({ xlated, xlatedBytes }: RawCode, shown: number): string {
    if (xlatedBytes === 0) return "";
    if (xlated.length === 0)
        return "this kernel does not show the instructions of programs whose constants it has blinded (net.core.bpf_jit_harden)";
    return xlated.length < xlatedBytes ? `only the first ${shown} of ${xlatedBytes / 8} instructions are shown` : "";
}

function jitedUnavailable({ jited, jitedBytes }: RawCode, asked: boolean): string {
    if (!asked || jited.length > 0) return "";
    return jitedBytes === 0
        ? "the program is interpreted: it has no machine code"
        : "this kernel does not show machine code (kernel.kptr_restrict)";
}

function knownBtf(id: number): Btf | undefined {
    try {
        return btfOf(id);
    } catch {
        // of a newer kind
        return undefined;
    }
}

/** The numbers that calls of helpers and of kernel functions carry. */
function helperCalls(xlated: Buffer): number[] {
    const found = new Set<number>();
    for (let at = 0; at + 8 <= xlated.length; at += 8) {
        const code = xlated[at];
        if (code === 0x85 && (xlated[at + 1] ?? 0) >> 4 !== 1) found.add(xlated.readInt32LE(at + 4));
        if (code === 0x18) at += 8;
    }
    return [...found];
}

function functionsOf({ functions }: RawCode, btf: Btf | undefined, name: string) {
    const known = functions.flatMap(({ instruction, typeId }) => {
        const type = btf === undefined ? undefined : typeOf(btf, typeId);
        if (btf === undefined || type?.kind !== "function") return [];
        return [{ start: instruction, name: type.name, prototype: btf.prototype(typeId) }];
    });
    // without BTF nobody tells where the functions begin
    return known[0]?.start === 0 ? known : [{ start: 0, name, prototype: "" }, ...known];
}

function typeOf(btf: Btf, id: number) {
    try {
        return btf.type(id);
    } catch {
        return undefined;
    }
}

function withSource(instructions: readonly Decoded[], { lines }: RawCode, btf: Btf | undefined): CodeInstruction[] {
    const byInstruction = new Map(lines.map(line => [line.instruction, line]));
    return instructions.map(({ index, text, hex, jumpTo }) => {
        const line = byInstruction.get(index);
        const source =
            // line 0: what the compiler made of no line in particular
            line === undefined || line.line === 0 || btf === undefined
                ? undefined
                : {
                      text: btf.text(line.textAt).trim(),
                      file: btf.text(line.fileAt),
                      line: line.line,
                      column: line.column,
                  };
        return { index, text, hex, jumpTo, source };
    });
}
