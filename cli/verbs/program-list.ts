// SPDX-License-Identifier: Apache-2.0
// program list; list programs
import type { ListProgramsRequestJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { parseSelector } from "../input/selector.ts";
import { programListJson } from "../output/json.ts";
import { printHeadedTable, printJson, printLines } from "../output/print.ts";
import { kernelTypeName, releasedProgramRows } from "../output/state-text.ts";
import { programTable } from "../output/text.ts";
import { parseMetadata, splitCommas, typeWord } from "../values.ts";

export const programList: Verb = async (args, host) => {
    if (args.flag("attached") && args.flag("unattached")) {
        throw new UsageError("--attached and --unattached exclude each other");
    }
    const selects = parseSelector(args.value("selector") ?? "");
    const attached = args.flag("attached") ? true : args.flag("unattached") ? false : undefined;
    const programs = await list(args, host, splitCommas(args.values("type")).map(typeWord), attached);
    const selected = programs.filter(program => selects(program.record?.metadata ?? {}));
    if (args.flag("quiet")) printLines(selected.map(program => String(program.id ?? 0)));
    else if (wantsJson(args)) printJson(programListJson(selected));
    else printLines(programTable(selected));
    return 0;
};

export const listPrograms: Verb = async (args, host) => {
    const type = args.value("type");
    const programs = await list(args, host, type === undefined ? [] : [kernelTypeName(type)]);
    printHeadedTable(releasedProgramRows(programs));
    return 0;
};

async function list(args: Args, { client }: Host, types: string[], attached?: boolean): Promise<ProgramJson[]> {
    const request: ListProgramsRequestJson = {
        all: args.flag("all"),
        types,
        application: args.value("application") ?? "",
        metadata: parseMetadata(args.values("metadata")),
        ...(attached === undefined ? {} : { attached }),
    };
    return (await client.listPrograms(request)).programs ?? [];
}
