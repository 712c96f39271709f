// SPDX-License-Identifier: Apache-2.0
// program code, program log: what the kernel runs, and what the verifier said of it
import { writeFileSync } from "node:fs";
import { fromBase64 } from "../../client/base64.ts";
import type { InstructionJson, ProgramCodeJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Verb, wantsJson } from "../host.ts";
import { printErrorLine, printJson, printLines } from "../output/print.ts";
import { parseId } from "../values.ts";

export const programCode: Verb = async (args, { client }) => {
    const id = parseId("program", args.required("ID"));
    const file = args.value("jited");
    const code = await client.getProgramCode(id, file !== undefined);
    if (file !== undefined) {
        if (!code.jited) throw new Error(code.jitedUnavailable || "the program has no machine code");
        writeFileSync(file, fromBase64(code.jited));
    }
    if (wantsJson(args)) printJson(codeJson(code));
    else if (file === undefined) printLines(codeText(code));
    if (code.unavailable && !wantsJson(args)) printErrorLine(code.unavailable);
    return 0;
};

export const programLog: Verb = async (args, { client }) => {
    const {
        log = "",
        unavailable = "",
        truncated = false,
    } = await client.getVerifierLog(parseId("program", args.required("ID")));
    if (wantsJson(args)) printJson({ log, unavailable, truncated });
    else if (unavailable !== "") printErrorLine(unavailable);
    else {
        printLines(log.trimEnd().split("\n"));
        if (truncated) printErrorLine("the log is cut: the whole would be too long");
    }
    return unavailable === "" ? 0 : 1;
};

export function codeText({ functions = [] }: ProgramCodeJson): string[] {
    return functions.flatMap(({ name, prototype, instructions = [] }, at) => [
        ...(at === 0 ? [] : [""]),
        `${prototype || name || "program"}:`,
        ...instructions.flatMap(instructionText),
    ]);
}

function instructionText({ index = 0, text = "", source, file = "", line = 0 }: InstructionJson): string[] {
    const place = `${file.slice(file.lastIndexOf("/") + 1)}:${line}`;
    const words = source ? `; ${source}` : line > 0 ? `; ${place}` : "";
    return [...(words === "" ? [] : [words]), `${String(index).padStart(6)}: ${text}`];
}

function codeJson(code: ProgramCodeJson): object {
    return {
        id: code.id ?? 0,
        architecture: code.architecture ?? "",
        jited_size: code.jitedSizeBytes ?? 0,
        unavailable: code.unavailable ?? "",
        functions: (code.functions ?? []).map(({ name = "", prototype = "", instructions = [] }) => ({
            name,
            prototype,
            instructions: instructions.map(one => ({
                index: one.index ?? 0,
                text: one.text ?? "",
                hex: one.hex ?? "",
                source: one.source ?? "",
                file: one.file ?? "",
                line: one.line ?? 0,
                column: one.column ?? 0,
                jump_to: one.jumpTo ?? null,
            })),
        })),
    };
}
