// SPDX-License-Identifier: Apache-2.0
// program load file; load file; both also attach, all or nothing
import { toBase64 } from "../../client/base64.ts";
import type { AttachItemJson, LoadRequestJson, LoadResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { type HookKind, hookFromArgs, isHookKind, parseAttach } from "../input/hook.ts";
import { imageSource } from "../input/image-source.ts";
import { readObjectFile } from "../input/object-file.ts";
import { probeFromReleased } from "../input/probe-args.ts";
import { attachableTypes, isProbeKind, type ProbeKind } from "../input/probe-hook.ts";
import { pullWithProgress } from "../input/pull.ts";
import { linkJson, programJson } from "../output/json.ts";
import { printErrorLine, printHeadedTable, printJson, printLine, printLines } from "../output/print.ts";
import { linkState, programState, releasedProgramRows } from "../output/state-text.ts";
import { linkText, programText } from "../output/text.ts";
import { type NamedProgram, parseGlobals, parseId, parseMetadata, parsePrograms, withApplication } from "../values.ts";

export const programLoadFile: Verb = (args, host) => programLoad(args, host, () => fileBytecode(args.required("PATH")));

export const programLoadImage: Verb = (args, host) =>
    programLoad(args, host, () => ({ image: imageSource(args, args.required("IMAGE")) }));

type Bytecode = Pick<LoadRequestJson, "object" | "sourcePath" | "image">;

/** The bytes are read when everything else of the command line is in order. */
type ReadBytecode = () => Bytecode;

function fileBytecode(path: string): Bytecode {
    const { bytes, absolutePath } = readObjectFile(path);
    return { object: toBase64(bytes), sourcePath: absolutePath };
}

async function programLoad(args: Args, host: Host, bytecode: ReadBytecode): Promise<number> {
    const programs = parsePrograms(args.values("programs"));
    const attach = args.values("attach").map(word => attachItem(word, programs));
    const answer = await load(args, host, bytecode, programs, attach);
    if (wantsJson(args)) {
        printJson({
            programs: (answer.programs ?? []).map(programJson),
            ...(attach.length === 0 ? {} : { links: (answer.links ?? []).map(linkJson) }),
        });
        return 0;
    }
    const parts = [...(answer.programs ?? []).map(programText), ...(answer.links ?? []).map(linkText)];
    printLines(parts.flatMap((lines, at) => (at === 0 ? lines : ["", ...lines])));
    return 0;
}

/** `load file … [xdp --iface I --priority N]`: every program of that type is attached there, in the order named. */
export const loadFile: Verb = (args, host) => released(args, host, () => fileBytecode(args.required("path")));

export const loadImage: Verb = (args, host) =>
    released(args, host, () => ({ image: imageSource(args, args.required("image-url")) }));

async function released(args: Args, host: Host, bytecode: ReadBytecode): Promise<number> {
    const programs = parsePrograms(args.values("programs"));
    const { command } = args;
    const attach = isHookKind(command) || isProbeKind(command) ? trailingAttach(args, command, programs) : [];
    printReleased(await load(args, host, bytecode, programs, attach));
    return 0;
}

function attachItem(word: string, programs: readonly NamedProgram[]): AttachItemJson {
    const { programName, hook } = parseAttach(word);
    const [only] = programs;
    const name = programName ?? (programs.length === 1 ? only?.name : undefined);
    if (name === undefined) {
        throw new UsageError(`--attach "${word}" does not say which program: write NAME=${word}`);
    }
    if (!programs.some(program => program.name === name)) {
        throw new UsageError(`--attach names program "${name}", which --programs does not`);
    }
    return { programName: name, ...hook };
}

function trailingAttach(args: Args, kind: HookKind | ProbeKind, programs: readonly NamedProgram[]): AttachItemJson[] {
    const types = attachableTypes(kind);
    const other = programs.find(program => !types.includes(program.type));
    if (other)
        throw new UsageError(
            `program ${other.name} is a ${other.type} program; the ${kind} attach accepts ${types.join(", ")}`,
        );
    const hook = isHookKind(kind)
        ? hookFromArgs(kind, args, args.required("iface"), args.value("direction"))
        : probeFromReleased(kind, args);
    const metadata = parseMetadata(args.values("link-metadata"));
    return programs.map(({ name }) => ({ programName: name, ...hook, metadata }));
}

async function load(
    args: Args,
    { client }: Host,
    bytecode: ReadBytecode,
    programs: readonly NamedProgram[],
    attach: AttachItemJson[],
): Promise<LoadResponseJson> {
    const application = args.value("application");
    const { metadata, ignored } = withApplication(parseMetadata(args.values("metadata")), application);
    if (ignored) printErrorLine(`bpfman: warning: --application ${application} is ignored: the metadata names one`);
    const owner = args.value("map-owner-id");
    const request: LoadRequestJson = {
        programs: [...programs],
        globalValues: parseGlobals(args.values("global")),
        metadata,
        ...(owner === undefined ? {} : { mapOwnerId: parseId("program", owner) }),
        privateMaps: args.flag("private-maps"),
        attach,
        fullLog: args.flag("full-log"),
    };
    const code = bytecode();
    // who looks on sees what comes, and may end it; the load itself finds it in the cache
    if (code.image !== undefined && code.image.pullPolicy !== "Never" && process.stderr.isTTY)
        await pullWithProgress(client, code.image);
    const answer = await client.load({ ...request, ...code });
    for (const warning of answer.warnings ?? []) printErrorLine(`bpfman: warning: ${warning}`);
    return answer;
}

/** One program: its two tables; several: the list. Then each link's table. */
function printReleased({ programs = [], links = [] }: LoadResponseJson): void {
    const [only] = programs;
    if (programs.length === 1 && only) printLines(programState(only));
    else printHeadedTable(releasedProgramRows(programs));
    for (const link of links) {
        printLine();
        printLines(linkState(link));
    }
}
