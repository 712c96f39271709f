// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that shows a program's code and what the verifier said of it.
import { machine } from "node:os";
import type { Host, InstructionJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { CodeInstruction } from "../model/program-code.ts";
import type { Handlers } from "./service.ts";
import * as validate from "./validate.ts";

export function codeHandlers(
    manager: Pick<Manager, "programCode" | "verifierLog">,
): Pick<Handlers<typeof Host>, "getProgramCode" | "getVerifierLog"> {
    return {
        getProgramCode: async request => {
            const id = validate.checkProgramId(request.id);
            const code = await manager.programCode(id, request.jited);
            return {
                id,
                functions: code.functions.map(({ name, prototype, instructions }) => ({
                    name,
                    prototype,
                    instructions: instructions.map(instructionJson),
                })),
                unavailable: code.unavailable,
                jitedSizeBytes: code.jitedBytes,
                ...(code.jited && { jited: Buffer.from(code.jited).toString("base64") }),
                jitedUnavailable: code.jitedUnavailable,
                architecture: machine(),
            };
        },

        getVerifierLog: async request => ({
            ...(await manager.verifierLog(validate.checkProgramId(request.programId))),
        }),
    };
}

/** Tens of thousands of them: what is default is left out. */
function instructionJson({ index, text, hex, jumpTo, source }: CodeInstruction): InstructionJson {
    return {
        index,
        text,
        hex,
        ...(jumpTo !== undefined && { jumpTo }),
        ...(source && { source: source.text, file: source.file, line: source.line, column: source.column }),
    };
}
