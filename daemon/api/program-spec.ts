// SPDX-License-Identifier: Apache-2.0
// Which function to load as what, checked.
import type { ProgramSpec as Message } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type ProgramSpec, type ProgramType, programTypes } from "../model.ts";
import { invalid } from "./errors.ts";
import * as validate from "./validate.ts";

function programType(word: string, program: string): ProgramType {
    const type = programTypes.find(known => known === word);
    if (type !== undefined) return type;
    if (word === "") throw invalid(`the type of program ${program} is missing: one of ${programTypes.join(", ")}`);
    throw invalid(`unknown type ${word} of program ${program}: one of ${programTypes.join(", ")}`);
}

export function programSpec(spec: Message): ProgramSpec {
    const name = validate.checkName(spec.name, "a program's name");
    const attachFunction = spec.attachFunction;
    if (attachFunction !== "") validate.checkFunction(attachFunction, `the function for program ${name}`);
    return { name, type: programType(spec.type, name), attachFunction };
}
