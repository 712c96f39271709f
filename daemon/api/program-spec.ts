// SPDX-License-Identifier: Apache-2.0
// Which function to load as what, checked.
import type { ProgramSpec as Message } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { suggest } from "../kernel/near-names.ts";
import { type ProgramType, programTypes } from "../model/hooks.ts";
import type { ProgramSpec } from "../model/requests.ts";
import { invalid } from "./errors.ts";
import * as validate from "./validate.ts";

function programType(word: string, program: string): ProgramType {
    const type = programTypes.find(known => known === word);
    if (type !== undefined) return type;
    if (word === "") throw invalid(`the type of program ${program} is missing: one of ${programTypes.join(", ")}`);
    const near = suggest(word, programTypes);
    const help = near.length > 0 ? `; did you mean: ${near.join(", ")}?` : `: one of ${programTypes.join(", ")}`;
    throw invalid(`unknown type ${word} of program ${program}${help}`);
}

export function programSpec(spec: Message): ProgramSpec {
    const name = validate.checkName(spec.name, "a program's name");
    const attachFunction = spec.attachFunction;
    if (attachFunction !== "") validate.checkFunction(attachFunction, `the function for program ${name}`);
    return { name, type: programType(spec.type, name), attachFunction };
}
