// SPDX-License-Identifier: Apache-2.0
// program replace: new bytecode for a running program
import { toBase64 } from "../../client/base64.ts";
import { type Verb, wantsJson } from "../host.ts";
import { programDetailJson } from "../json.ts";
import { readObjectFile } from "../object-file.ts";
import { printJson, printLines } from "../print.ts";
import { programText } from "../text.ts";
import { parseGlobals, parseId } from "../values.ts";

export const programReplace: Verb = async (args, { client }) => {
    const programId = parseId("program", args.required("ID"));
    const globalValues = parseGlobals(args.values("global"));
    const { bytes, absolutePath } = readObjectFile(args.required("PATH"));
    const program = await client.replaceProgram({
        programId,
        object: toBase64(bytes),
        sourcePath: absolutePath,
        programName: args.value("program") ?? "",
        globalValues,
        fullLog: args.flag("full-log"),
    });
    if (wantsJson(args)) printJson(programDetailJson(program));
    else printLines(programText(program));
    return 0;
};
