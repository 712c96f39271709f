// SPDX-License-Identifier: Apache-2.0
// link list; list links
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Args } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { linkRecordJson } from "../json.ts";
import { printHeadedTable, printJson, printLines } from "../print.ts";
import { releasedLinkRows } from "../state-text.ts";
import { linkTable } from "../text.ts";
import { parseId, parseMetadata, splitCommas } from "../values.ts";

export const linkList: Verb = async (args, host) => {
    // the type of a link's program and the kind of the link are one word for xdp, tc and tcx
    const kinds = splitCommas(args.values("kind"));
    const types = splitCommas(args.values("program-type"));
    const links = await list(args, host, kinds.length > 0 ? kinds : types);
    const selected = links.filter(({ kind = "" }) => types.length === 0 || types.includes(kind));
    if (args.flag("quiet")) printLines(selected.map(link => String(link.id ?? 0)));
    else if (wantsJson(args)) printJson({ links: selected.map(linkRecordJson) });
    else printLines(linkTable(selected));
    return 0;
};

export const listLinks: Verb = async (args, host) => {
    const type = args.value("program-type");
    printHeadedTable(releasedLinkRows(await list(args, host, type === undefined ? [] : [type])));
    return 0;
};

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
