// SPDX-License-Identifier: Apache-2.0
// apply -f FILE: makes a set of programs and links match a file, whole or not at all
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { toBase64 } from "../../client/base64.ts";
import type { ApplyRequestJson, ApplyResponseJson, ApplyStepJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Verb } from "../host.ts";
import { wantsJson } from "../host.ts";
import { parseDocumentText } from "../input/apply-document.ts";
import { parseApplyFile } from "../input/apply-file.ts";
import { whole } from "../input/image-source.ts";
import { readObjectFile } from "../input/object-file.ts";
import { linkJson, programJson } from "../output/json.ts";
import { printErrorLine, printJson, printLines, table } from "../output/print.ts";

const maxFileBytes = 1 << 20;

export const apply: Verb = async (args, { client }) => {
    const path = args.required("file");
    const dryRun = args.flag("dry-run");
    const request = await readSet(path);
    const answer = await client.apply({ ...request, dryRun, fullLog: args.flag("full-log") });
    for (const warning of answer.warnings ?? []) printErrorLine(`bpfman: warning: ${warning}`);
    if (wantsJson(args)) printJson(answerJson(request.set ?? "", dryRun, answer));
    else printLines(applyText(dryRun, answer.steps ?? []));
    return 0;
};

/** The file as a request, with the bytes of its objects; their paths count from the file's folder. */
async function readSet(path: string): Promise<ApplyRequestJson> {
    const fromStdin = path === "-";
    const named = fromStdin ? "standard input" : path;
    try {
        const { request, objects } = parseApplyFile(await parseDocumentText(readText(path)));
        const folder = fromStdin ? process.cwd() : dirname(resolve(path));
        const bytecode = (request.bytecode ?? []).map((one, at) => {
            const file = objects[at];
            if (file === undefined) return { ...one, image: whole(one.image ?? {}, folder) };
            const { bytes, absolutePath } = readObjectFile(resolve(folder, file));
            return { ...one, object: toBase64(bytes), sourcePath: absolutePath };
        });
        return { ...request, bytecode };
    } catch (error) {
        throw new Error(`${named}: ${(error as Error).message}`, { cause: error });
    }
}

function readText(path: string): string {
    if (path !== "-") {
        const stat = statSync(path, { throwIfNoEntry: false });
        if (stat === undefined) throw new Error("no such file");
        if (stat.isDirectory()) throw new Error("is a directory, not a file");
        if (stat.size > maxFileBytes) throw new Error(`has more than ${maxFileBytes} bytes`);
    }
    const text = readFileSync(path === "-" ? 0 : path, "utf8");
    if (text.length > maxFileBytes) throw new Error(`has more than ${maxFileBytes} bytes`);
    return text;
}

function applyText(dryRun: boolean, steps: readonly ApplyStepJson[]): string[] {
    const changes = steps.filter(({ action }) => action !== "keep");
    const unchanged = steps.length - changes.length;
    const rows = changes.map(({ action = "", kind = "", id = 0, name = "", detail = "" }) => [
        action.toUpperCase(),
        kind,
        id === 0 ? "-" : String(id),
        name,
        detail,
    ]);
    const counted = `${changes.length} ${changes.length === 1 ? "change" : "changes"}, ${unchanged} unchanged`;
    return [
        ...(rows.length === 0 ? [] : [...table([["ACTION", "KIND", "ID", "NAME", "DETAIL"], ...rows]), ""]),
        dryRun ? `${counted}; nothing was done (--dry-run)` : counted,
    ];
}

function answerJson(
    set: string,
    dryRun: boolean,
    { steps = [], programs = [], links = [] }: ApplyResponseJson,
): unknown {
    return {
        set,
        dry_run: dryRun,
        steps: steps.map(({ action = "", kind = "", name = "", id = 0, detail = "" }) => ({
            action,
            kind,
            name,
            id: id === 0 ? null : id,
            detail,
        })),
        programs: programs.map(programJson),
        links: links.map(linkJson),
    };
}
