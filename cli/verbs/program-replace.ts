// SPDX-License-Identifier: Apache-2.0
// program replace: new bytecode for a running program
import { toBase64 } from "../../client/base64.ts";
import type { ReplaceProgramRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Verb, wantsJson } from "../host.ts";
import { imageSource } from "../input/image-source.ts";
import { readObjectFile } from "../input/object-file.ts";
import { programDetailJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { programText } from "../output/text.ts";
import { parseGlobals, parseId } from "../values.ts";

export const programReplace: Verb = async (args, { client }) => {
    const programId = parseId("program", args.required("ID"));
    const globalValues = parseGlobals(args.values("global"));
    const program = await client.replaceProgram({
        programId,
        ...bytecode(args),
        programName: args.value("program") ?? "",
        globalValues,
        fullLog: args.flag("full-log"),
    });
    if (wantsJson(args)) printJson(programDetailJson(program));
    else printLines(programText(program));
    return 0;
};

function bytecode(args: Args): ReplaceProgramRequestJson {
    const path = args.value("PATH");
    const image = args.value("image");
    if (path !== undefined && image !== undefined) throw new UsageError("a file and an image are given: name one");
    if (image !== undefined) return { image: imageSource(args, image) };
    if (args.value("pull-policy") !== undefined)
        throw new UsageError("--pull-policy is for an image, which --image names");
    if (path === undefined) throw new UsageError("missing argument PATH: a BPF object file, or --image IMAGE");
    const { bytes, absolutePath } = readObjectFile(path);
    return { object: toBase64(bytes), sourcePath: absolutePath };
}
