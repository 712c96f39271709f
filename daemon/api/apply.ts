// SPDX-License-Identifier: Apache-2.0
// Apply's message as the model has it. What a whole set must keep to is the manager's; here is what single fields must.
import type {
    ApplyBytecode as BytecodeMessage,
    ApplyLink as LinkMessage,
    ApplyProgram as ProgramMessage,
    ApplyRequest as RequestMessage,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { ApplyBytecode, ApplyLink, ApplyProgram, ApplyRequest } from "../model/apply.ts";
import type { Caller } from "../model/caller.ts";
import { givenBytecode } from "./bytecode.ts";
import { invalid } from "./errors.ts";
import { hookRequest } from "./hooks.ts";
import { programSpec } from "./program-spec.ts";
import * as validate from "./validate.ts";

const maxLinks = 1024;

/** Fewer than are pulled at once for everybody: a set has no more of them than others leave (daemon/image/images.ts). */
const imagesAtOnce = 4;

/** Images are fetched once everything else is in order, some at the same time. */
export async function applyRequest(request: RequestMessage, manager: Manager, caller: Caller): Promise<ApplyRequest> {
    const { bytecode, programs, links, dryRun } = request;
    if (programs.length > validate.limits.programs)
        throw invalid(`more than ${validate.limits.programs} programs in one request`);
    if (bytecode.length > validate.limits.programs)
        throw invalid(`more than ${validate.limits.programs} objects in one request`);
    if (links.length > maxLinks) throw invalid(`more than ${maxLinks} links in one request`);
    const set = {
        set: validate.checkName(request.set, "the set's name"),
        programs: programs.map(applyProgram),
        links: links.map(applyLink),
        dryRun,
    };
    const objects: ApplyBytecode[] = [];
    for (let at = 0; at < bytecode.length; at += imagesAtOnce) {
        const some = bytecode.slice(at, at + imagesAtOnce);
        objects.push(...(await Promise.all(some.map(one => applyBytecode(one, manager, caller)))));
    }
    return { ...set, bytecode: objects };
}

async function applyBytecode(message: BytecodeMessage, manager: Manager, caller: Caller): Promise<ApplyBytecode> {
    const { name, globalData, globalValues, privateMaps } = message;
    return {
        name: validate.checkName(name, "a bytecode's name"),
        globalData: validate.checkGlobals(globalData),
        globalValues: validate.checkGlobalValues(globalValues),
        privateMaps,
        ...(await givenBytecode(message.bytecode, message.sourcePath, manager, caller)),
    };
}

function applyProgram({ name, bytecode, spec, metadata }: ProgramMessage): ApplyProgram {
    validate.checkName(name, "a program's name");
    if (spec === undefined) throw invalid(`program ${name} has no spec`);
    return {
        name,
        bytecode: validate.checkName(bytecode, `the bytecode of program ${name}`),
        spec: programSpec(spec),
        metadata: validate.checkMetadata(metadata),
    };
}

function applyLink({ name, attach }: LinkMessage): ApplyLink {
    validate.checkName(name, "a link's name");
    if (attach === undefined) throw invalid(`link ${name} has no attachment`);
    if (attach.programId !== 0) throw invalid(`link ${name}: a set's program is named by its name, not by an id`);
    return {
        name,
        program: validate.checkName(attach.programName, `the program of link ${name}`),
        hook: hookRequest(attach.hook),
        metadata: validate.checkMetadata(attach.metadata),
    };
}
