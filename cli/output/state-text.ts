// SPDX-License-Identifier: Apache-2.0
// The tables of the released verb-noun commands (`load file`, `attach`, `list programs`, `get program`). Pure.
import type { LinkJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { proceedOnWords, withApplication } from "../values.ts";
import { applicationOf, typeOf } from "./json.ts";
import { table } from "./print.ts";
import { isProbe, probeRows } from "./probe-text.ts";
import { signatureText } from "./signature-text.ts";
import { attachment, globalsOf } from "./text.ts";

type Row = readonly [label: string, values: readonly string[]];

const one = (value: string | number | boolean | undefined): readonly string[] =>
    value === undefined || value === "" ? [] : [String(value)];

/** A heading underlined, then `Label:  value`, further values below the first, None where there is none. */
function stateTable(heading: string, rows: readonly Row[]): string[] {
    const cells = rows.flatMap(([label, values]) =>
        (values.length === 0 ? ["None"] : values).map((value, at) => [at === 0 ? `${label}:` : "", value]),
    );
    const labelWidth = Math.max(...rows.map(([label]) => label.length + 1));
    return [` ${heading}`, "-".repeat(labelWidth + 2), ...table(cells, " ")];
}

const pairs = (metadata: Readonly<Record<string, string>> | undefined): string[] =>
    Object.entries(metadata ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`);

/** Bpfman State where it was loaded here, and Kernel State. */
export function programState(program: ProgramJson): string[] {
    const { record } = program;
    const managed = record
        ? [
              ...stateTable("Bpfman State", [
                  ["BPF Function", one(record.name)],
                  ["Program Type", one(record.type)],
                  ...(record.image
                      ? [
                            ["Image URL", one(record.image.url)] as const,
                            ["Pull Policy", one(record.image.pullPolicy)] as const,
                            ["Signature", one(signatureText(record.image.signature))] as const,
                        ]
                      : [["Path", one(record.sourcePath)] as const]),
                  ["Global", globalsOf(program)],
                  ["Metadata", pairs(record.metadata)],
                  ["Map Pin Path", one(record.mapPinPath)],
                  ["Map Owner ID", one(record.mapOwnerId)],
                  ["Maps Used By", (program.mapUsedBy ?? []).map(String)],
                  ["Links", (program.links ?? []).map(link => `${link.id ?? 0} (${attachment(link)})`)],
              ]),
              "",
          ]
        : [];
    return [...managed, ...kernelState(program)];
}

function kernelState({ id, kernel = {} }: ProgramJson): string[] {
    return stateTable("Kernel State", [
        ["Program ID", one(id)],
        ["BPF Function", one(kernel.name)],
        ["Kernel Type", one(releasedTypeWord(kernel.typeName ?? ""))],
        ["Loaded At", one(localTime(kernel.loadedAt))],
        ["Tag", one(kernel.tag)],
        ["GPL Compatible", one(kernel.gplCompatible ?? false)],
        ["Map IDs", one(`[${(kernel.mapIds ?? []).join(", ")}]`)],
        ["BTF ID", one(kernel.btfId ?? 0)],
        ["Size Translated (bytes)", one(kernel.sizeXlatedBytes ?? 0)],
        ["JITted", one((kernel.sizeJitedBytes ?? 0) > 0)],
        ["Size JITted", one(kernel.sizeJitedBytes ?? 0)],
        ["Kernel Allocated Memory (bytes)", one(kernel.memlockBytes ?? 0)],
        ["Verified Instruction Count", one(kernel.verifiedInsns ?? 0)],
    ]);
}

export function linkState(link: LinkJson): string[] {
    const kind = link.kind ?? "";
    return stateTable("Bpfman State", [
        ["BPF Function", one(link.programName)],
        ["Program Type", one(kind)],
        ["Program ID", one(link.programId)],
        ["Link ID", one(link.id)],
        ...(isProbe(link) ? probeRows(link) : chainRows(link)),
        ["Metadata", pairs(withProgramsApplication(link))],
    ]);
}

/** A link without an application of its own is of its program's, as earlier releases showed it. */
function withProgramsApplication({ application, metadata = {} }: LinkJson): Readonly<Record<string, string>> {
    return application ? withApplication({ ...metadata }, application).metadata : metadata;
}

function chainRows(link: LinkJson): Row[] {
    const kind = link.kind ?? "";
    return [
        ["Interface", one(link.interface)],
        ...(kind === "xdp" ? [] : [["Direction", one(link.direction)] as const]),
        ["Priority", one(link.priority ?? 0)],
        ["Position", one(link.position ?? 0)],
        ...(kind === "tcx" ? [] : [["Proceed On", one(proceedOnWords(kind, link.proceedOn ?? []))] as const]),
        ["Network Namespace", one(link.netns)],
    ];
}

/** Rows with their head first; nothing where there are none. */
export function releasedProgramRows(programs: readonly ProgramJson[]): string[][] {
    const rows = programs.map(program => [
        String(program.id ?? 0),
        applicationOf(program),
        program.record ? typeOf(program) : releasedTypeWord(program.kernel?.typeName ?? ""),
        program.kernel?.name ?? program.record?.name ?? "",
        program.partOf || firstThree((program.links ?? []).map(link => link.id ?? 0)),
    ]);
    return [["Program ID", "Application", "Type", "Function Name", "Links"], ...rows];
}

export function releasedLinkRows(links: readonly LinkJson[]): string[][] {
    const rows = links.map(link => [
        String(link.programId ?? 0),
        String(link.id ?? 0),
        link.application ?? "",
        link.kind ?? "",
        link.programName ?? "",
        attachment(link),
    ]);
    return [["Program ID", "Link ID", "Application", "Type", "Function Name", "Attachment"], ...rows];
}

function firstThree(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    return `(${ids.length}) ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", ..." : ""}`;
}

// the released commands have words of their own for two of the kernel's types
const releasedWords: Readonly<Record<string, string>> = { sched_cls: "tc", kprobe: "probe" };

export function releasedTypeWord(typeName: string): string {
    return releasedWords[typeName] ?? typeName.replaceAll("_", "-");
}

/** For `list programs -p`: tc means the kernel's type, which tcx programs have too. */
export const kernelTypeName = (word: string): string => (word === "tc" ? "sched_cls" : word);

/** RFC 3339 to local time with its offset, 2026-01-31T12:00:00+0100 */
function localTime(rfc3339: string | undefined): string {
    const time = new Date(rfc3339 ?? "");
    if (Number.isNaN(time.getTime())) return rfc3339 ?? "";
    const two = (value: number) => String(value).padStart(2, "0");
    const offset = -time.getTimezoneOffset();
    const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
    const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
    return `${date}T${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}${zone}`;
}
