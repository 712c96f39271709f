// SPDX-License-Identifier: Apache-2.0
// What `program`, `link` and `dispatcher` show to people. Pure: lines out, printed elsewhere.
import type { ChainJson, LinkJson, MapJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { proceedOnWords } from "../values.ts";
import { applicationOf, isRestricted, kernelWord, typeOf } from "./json.ts";
import { table } from "./print.ts";
import { isProbe, probeAttachment, probeFields } from "./probe-text.ts";
import { signatureText } from "./signature-text.ts";

type Field = readonly [label: string, value: string];

/** `Label: value`, sorted by label, values in one column. */
function fields(rows: readonly (Field | undefined)[], indent: string): string[] {
    const sorted = rows.filter(row => row !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
    return table(
        sorted.map(([label, value]) => [`${label}:`, value]),
        indent,
    );
}

const joinPairs = (pairs: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(pairs ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`)
        .join(", ");

export function hexOf(base64: string): string {
    return Array.from(atob(base64), character => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

export function globalsOf(program: ProgramJson): string[] {
    return Object.entries(program.record?.globalData ?? {}).map(([name, value]) => `${name}=${hexOf(value)}`);
}

/** eth0 pos-2, eth0 ingress pos-0, with the namespace where it is not the daemon's own */
export function attachment(link: LinkJson): string {
    if (isProbe(link)) return probeAttachment(link);
    const direction = link.direction ? ` ${link.direction}` : "";
    const netns = link.netns ? ` netns=${link.netns}` : "";
    return `${link.interface ?? ""}${direction} pos-${link.position ?? 0}${netns}`;
}

export function programTable(programs: readonly ProgramJson[]): string[] {
    if (programs.length === 0) return [];
    const withApplication = programs.some(program => applicationOf(program) !== "");
    const rows = programs.map(program => [
        String(program.id ?? 0),
        ...(withApplication ? [applicationOf(program)] : []),
        typeOf(program),
        program.record?.name ?? program.kernel?.name ?? "",
        // what the daemon made for a chain is no program of its own
        program.partOf || (program.links ?? []).map(link => link.id ?? 0).join(" ") || "<none>",
    ]);
    const head = ["PROGRAM ID", ...(withApplication ? ["APPLICATION"] : []), "TYPE", "FUNCTION NAME", "LINK IDS"];
    return table([head, ...rows]);
}

export function linkTable(links: readonly LinkJson[]): string[] {
    if (links.length === 0) return [];
    const withApplication = links.some(link => (link.application ?? "") !== "");
    const rows = links.map(link => [
        String(link.id ?? 0),
        link.kernelLinkId ? String(link.kernelLinkId) : "-",
        link.kind ?? "",
        String(link.programId ?? 0),
        ...(withApplication ? [link.application ?? ""] : []),
        link.programName ?? "",
        attachment(link),
    ]);
    const application = withApplication ? ["APPLICATION"] : [];
    return table([
        ["LINK ID", "KERNEL LINK ID", "KIND", "PROGRAM ID", ...application, "FUNCTION NAME", "ATTACHMENT"],
        ...rows,
    ]);
}

export function programText(program: ProgramJson): string[] {
    const { record } = program;
    const spec: (Field | undefined)[] = record
        ? [
              ["GPL Compatible", String(record.gplCompatible ?? false)],
              globalsOf(program).length > 0 ? ["Global", globalsOf(program).join(", ")] : undefined,
              ...((record.image
                  ? [
                        ["Image URL", record.image.url ?? ""],
                        ["Pull Policy", record.image.pullPolicy ?? ""],
                        ["Signature", signatureText(record.image.signature)],
                    ]
                  : [["Path", record.sourcePath ?? ""]]) satisfies Field[]),
              ["License", record.license ?? ""],
              record.mapOwnerId === undefined ? undefined : ["Map Owner ID", String(record.mapOwnerId)],
              ["Map Pin Path", record.mapPinPath ?? ""],
              ["Metadata", joinPairs(record.metadata) || "<none>"],
              ["Name", record.name ?? ""],
              ["Type", record.type ?? ""],
              record.attachFunction ? ["Attach Function", record.attachFunction] : undefined,
          ]
        : [];
    return [
        `Program ID: ${program.id ?? 0}`,
        ...(spec.length > 0 ? ["Spec:", ...fields(spec, "  ")] : []),
        "Status:",
        ...fields(statusFields(program), "  "),
        ...(program.links?.length ? ["  Links:", ...byId(program.links).flatMap(linkLines)] : []),
        ...(program.maps?.length ? ["  Maps:", ...byId(program.maps).flatMap(mapLines)] : []),
        "Stats:",
        ...statsLines(program),
    ];
}

const byId = <T extends { id?: number }>(things: readonly T[]): T[] =>
    [...things].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));

function statusFields({ record, kernel, mapUsedBy, partOf, pinPresent }: ProgramJson): (Field | undefined)[] {
    const missing = pinPresent ? "" : " (missing)";
    return [
        kernel ? ["BTF ID", String(kernel.btfId ?? 0)] : ["Kernel", "not loaded"],
        record ? ["Bytecode", record.objectPath ?? ""] : undefined,
        kernel ? ["Instructions", String(kernel.verifiedInsns ?? 0)] : undefined,
        kernel ? ["Kernel Type", kernelWord(kernel.typeName)] : undefined,
        kernel ? ["Loaded At", kernel.loadedAt ?? ""] : undefined,
        record ? ["Map Dir", record.mapPinPath ?? ""] : ["Managed", "no"],
        mapUsedBy?.length ? ["Maps Used By", mapUsedBy.join(" ")] : undefined,
        kernel ? ["Memory", `${kernel.memlockBytes ?? 0} bytes`] : undefined,
        record ? undefined : ["Name", kernel?.name ?? ""],
        partOf ? ["Part Of", partOf] : undefined,
        record ? ["Prog Pin", `${record.pinPath ?? ""}${missing}`] : undefined,
        kernel ? ["Size JITted", `${kernel.sizeJitedBytes ?? 0} bytes`] : undefined,
        kernel
            ? ["Size Translated", isRestricted(kernel) ? "(restricted)" : `${kernel.sizeXlatedBytes} bytes`]
            : undefined,
        kernel ? ["Tag", kernel.tag ?? ""] : undefined,
    ];
}

function linkLines(link: LinkJson): string[] {
    const missing = link.pinPresent ? "" : " (missing)";
    return [
        `    ${link.id ?? 0}:`,
        ...fields(
            [
                ["Attach", attachment(link)],
                ["Kind", link.kind ?? ""],
                link.pinPath ? ["Pin", `${link.pinPath}${missing}`] : undefined,
            ],
            "      ",
        ),
    ];
}

function mapLines(map: MapJson): string[] {
    return [
        `    ${map.id ?? 0}:`,
        ...fields(
            [
                ["Key Size", `${map.keySize ?? 0}B`],
                ["Max Entries", String(map.maxEntries ?? 0)],
                ["Name", map.name ?? ""],
                ["Pin", map.pinPath || "<none>"],
                ["Type", kernelWord(map.typeName)],
                ["Value Size", `${map.valueSize ?? 0}B`],
            ],
            "      ",
        ),
    ];
}

function statsLines({ stats }: ProgramJson): string[] {
    if (!stats) return ["  (not enabled, see sysctl kernel.bpf_stats_enabled)"];
    const misses = String(stats.recursionMisses ?? 0);
    return fields(
        [
            ["Run Count", String(stats.runCount ?? 0)],
            ["Runtime", `${stats.runTimeNs ?? 0}ns`],
            misses === "0" ? undefined : ["Recursion Misses", misses],
        ],
        "  ",
    );
}

export function linkText(link: LinkJson): string[] {
    const kind = link.kind ?? "";
    return [
        `Link ID: ${link.id ?? 0}`,
        "Spec:",
        ...fields(
            [
                ["BPF Function", link.programName ?? ""],
                ["Created At", link.createdAt ?? ""],
                ["Kernel Link ID", link.kernelLinkId ? String(link.kernelLinkId) : "<none>"],
                ["Metadata", joinPairs(link.metadata) || "<none>"],
                ["Pin Path", link.pinPath || "<none>"],
                ["Program ID", String(link.programId ?? 0)],
                ["Type", kind],
                ...(isProbe(link) ? probeFields(link) : chainFields(link)),
            ],
            "  ",
        ),
        "Status:",
        ...fields(
            [
                ["Kernel Seen", String(link.kernelSeen ?? false)],
                ["Pin Present", String(link.pinPresent ?? false)],
                isProbe(link) ? undefined : ["Backend", link.backend ?? ""],
            ],
            "  ",
        ),
    ];
}

function chainFields(link: LinkJson): (Field | undefined)[] {
    const kind = link.kind ?? "";
    return [
        ["Interface", link.interface ?? ""],
        kind === "xdp" ? undefined : ["Direction", link.direction ?? ""],
        ["Network Namespace", link.netns || "<none>"],
        ["Position", String(link.position ?? 0)],
        ["Priority", String(link.priority ?? 0)],
        kind === "tcx" ? undefined : ["Proceed On", proceedOnWords(kind, link.proceedOn ?? []) || "<none>"],
        kind === "xdp" ? ["Mode", link.xdpMode ?? ""] : undefined,
    ];
}

export function chainTable(chains: readonly ChainJson[]): string[] {
    if (chains.length === 0) return [];
    const rows = chains.map(chain => [
        chain.type ?? "",
        String(chain.nsid ?? 0),
        String(chain.ifindex ?? 0),
        String(chain.revision ?? 0),
        String(chain.programId ?? 0),
        chain.kernelLinkId ? String(chain.kernelLinkId) : "-",
        // of the bpf filter, where clsact carries the chain
        chain.filter ? String(chain.filter.priority ?? 0) : "-",
        chain.filter ? handleText(chain.filter) : "-",
        String(chain.members?.length ?? 0),
        chain.netns || "-",
    ]);
    const head = "TYPE,NSID,IFINDEX,REVISION,PROGRAM ID,KERNEL LINK ID,PRIORITY,HANDLE,MEMBERS,NETNS".split(",");
    return table([head, ...rows]);
}

const handleText = ({ handle }: { handle?: number }): string => `0x${(handle ?? 0).toString(16)}`;

export function chainText(chain: ChainJson): string[] {
    const members = [...(chain.members ?? [])].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    const because = (reason: string | undefined) => (reason ? ` (${reason})` : "");
    const rows: Field[] = [
        ["Revision", String(chain.revision ?? 0)],
        ["Program ID", String(chain.programId ?? 0)],
    ];
    if (chain.kernelLinkId) rows.push(["Kernel Link ID", String(chain.kernelLinkId)]);
    if (chain.filter) {
        rows.push(["Priority", String(chain.filter.priority ?? 0)]);
        rows.push(["Filter Handle", handleText(chain.filter)]);
    }
    rows.push(["Interface", chain.interface ?? ""]);
    rows.push(["Backend", `${chain.backend ?? ""}${because(chain.backendReason)}`]);
    if (chain.mode) rows.push(["Mode", `${chain.mode}${because(chain.modeReason)}`]);
    return [
        `Dispatcher: ${chain.type ?? ""} nsid=${chain.nsid ?? 0} ifindex=${chain.ifindex ?? 0}`,
        ...table(rows.map(([label, value]) => [`${label}:`, value])),
        "",
        `Members (${members.length}/10):`,
        ...(members.length === 0 ? ["  (none)"] : memberTable(chain.type ?? "", members)),
    ];
}

function memberTable(type: string, members: NonNullable<ChainJson["members"]>): string[] {
    const head = ["POS", "PRIORITY", "PROGRAM ID", "FUNCTION NAME", "LINK ID", "KERNEL LINK ID", "PROCEED ON"];
    const rows = members.map(member => [
        String(member.position ?? 0),
        String(member.priority ?? 0),
        String(member.programId ?? 0),
        member.programName ?? "",
        member.linkId ? String(member.linkId) : "-",
        member.kernelLinkId ? String(member.kernelLinkId) : "-",
        proceedOnWords(type === "xdp" ? "xdp" : "tc", member.proceedOn ?? []),
    ]);
    return table([head, ...rows], "  ");
}
