// SPDX-License-Identifier: Apache-2.0
// program get; get program
import type { Verb } from "../host.ts";
import { wantsJson } from "../host.ts";
import { programDetailJson } from "../json.ts";
import { printJson, printLines } from "../print.ts";
import { programState } from "../state-text.ts";
import { programText } from "../text.ts";
import { parseId } from "../values.ts";

export const programGet: Verb = async (args, { client }) => {
    const program = await client.getProgram(parseId("program", args.required("ID")));
    if (wantsJson(args)) printJson(programDetailJson(program));
    else printLines(programText(program));
    return 0;
};

export const getProgram: Verb = async (args, { client }) => {
    const program = await client.getProgram(parseId("program", args.required("PROGRAM_ID")));
    if (wantsJson(args)) printJson(programDetailJson(program));
    else printLines(programState(program));
    return 0;
};
