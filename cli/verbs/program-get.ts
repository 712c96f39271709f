// SPDX-License-Identifier: Apache-2.0
// program get; get program
import type { Verb } from "../host.ts";
import { wantsJson } from "../host.ts";
import { programDetailJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { programState } from "../output/state-text.ts";
import { programText } from "../output/text.ts";
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
