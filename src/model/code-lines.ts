// SPDX-License-Identifier: Apache-2.0
// A program's code as lines: functions, the source that instructions come from, and the instructions.
import type { ProgramCodeJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { matches } from "../ui/rows.ts";

export type CodeLine =
    | { readonly kind: "function"; readonly name: string; readonly prototype: string }
    | { readonly kind: "source"; readonly place: string; readonly text: string }
    | {
          readonly kind: "instruction";
          readonly index: number;
          readonly text: string;
          readonly hex: string;
          readonly jumpTo: number | undefined;
      };

export function codeLines(code: ProgramCodeJson, isWithSource: boolean): CodeLine[] {
    return (code.functions ?? []).flatMap(({ name = "", prototype = "", instructions = [] }) => [
        { kind: "function", name, prototype } as const,
        ...instructions.flatMap(instruction => {
            const { index = 0, text = "", hex = "", source = "", file = "", line = 0, jumpTo } = instruction;
            const own: CodeLine = { kind: "instruction", index, text, hex, jumpTo };
            if (!isWithSource || source === "") return [own];
            const place = file === "" ? "" : `${file.split("/").at(-1)}:${line}`;
            return [{ kind: "source", place, text: source } as const, own];
        }),
    ]);
}

/**
 * The lines that match, with what they belong to: an instruction's source line and function above it, and all
 * instructions of a source line that matches.
 */
export function filteredLines(lines: readonly CodeLine[], filter: string): CodeLine[] {
    if (filter.trim() === "") return [...lines];
    const kept: CodeLine[] = [];
    let pending: CodeLine[] = [];
    let isSourceMatching = false;
    for (const line of lines) {
        if (line.kind === "instruction") {
            if (!isSourceMatching && !matches([line.text, String(line.index)], filter)) continue;
            kept.push(...pending, line);
            pending = [];
            continue;
        }
        isSourceMatching = line.kind === "source" && matches([line.text, line.place], filter);
        pending = line.kind === "function" ? [line] : [...pending.filter(one => one.kind === "function"), line];
    }
    return kept;
}
