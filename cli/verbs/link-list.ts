// SPDX-License-Identifier: Apache-2.0
// link list; list links
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Args } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { parseSelector } from "../input/selector.ts";
import { linkRecordJson } from "../output/json.ts";
import { printHeadedTable, printJson, printLines } from "../output/print.ts";
import { releasedLinkRows } from "../output/state-text.ts";
import { linkTable } from "../output/text.ts";
import { checkType, parseId, parseMetadata, programTypes, splitCommas, typeWord } from "../values.ts";

export const linkList: Verb = async (args, host) => {
    // the type of a link's program and the kind of the link are one word
    const kinds = splitCommas(args.values("kind")).map(typeWord);
    const types = splitCommas(args.values("program-type")).flatMap(typesOf);
    const selects = parseSelector(args.value("selector") ?? "");
    const links = await list(args, host, kinds.length > 0 ? kinds : types);
    const selected = links.filter(
        ({ kind = "", metadata = {} }) => (types.length === 0 || types.includes(kind)) && selects(metadata),
    );
    if (args.flag("quiet")) printLines(selected.map(link => String(link.id ?? 0)));
    else if (wantsJson(args)) printJson({ links: selected.map(linkRecordJson) });
    else printLines(linkTable(selected));
    return 0;
};

export const listLinks: Verb = async (args, host) => {
    const type = args.value("program-type");
    printHeadedTable(releasedLinkRows(await list(args, host, type === undefined ? [] : kindsOf(type))));
    return 0;
};

/** Of the kernel's types, those that several of ours are. */
const kernelTypes: Readonly<Record<string, string[]>> = {
    probe: ["kprobe", "kretprobe", "uprobe", "uretprobe"],
    schedcls: ["tc", "tcx"],
    tracing: ["fentry", "fexit"],
};

/** A word in any spelling that tables and JSON show. */
function typesOf(word: string): string[] {
    const folded = word.toLowerCase().replaceAll(/[-_]/g, "");
    const types = kernelTypes[folded] ?? programTypes.filter(type => type.replaceAll("_", "") === folded);
    if (types.length === 0) checkType(typeWord(word), word);
    return types;
}

/** The released commands select by the kernel's type. */
const kindsOf = (type: string): string[] => (type === "tc" ? ["tc", "tcx"] : typesOf(type));

async function list(args: Args, { client }: Host, kinds: string[]): Promise<LinkJson[]> {
    const program = args.value("program-id");
    const answer = await client.listLinks({
        ...(program === undefined ? {} : { programId: parseId("program", program) }),
        kinds,
        application: args.value("application") ?? "",
        metadata: parseMetadata(args.values("metadata")),
    });
    return answer.links ?? [];
}
