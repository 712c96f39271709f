// SPDX-License-Identifier: Apache-2.0
// link update: priority or proceed-on of links, without a gap; of several all or none
import type { UpdateLinkRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { linkJson, linkRecordJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { linkTable, linkText } from "../output/text.ts";
import { parsePriority, parseProceedOn } from "../values.ts";
import { idsOf } from "./batch.ts";

export const linkUpdate: Verb = async (args, host) => {
    const ids = idsOf("link", args);
    const priority = args.value("priority");
    if (priority === undefined && !args.flag("proceed-on")) {
        throw new UsageError("nothing to change: give --priority or --proceed-on");
    }
    const updates: UpdateLinkRequestJson[] = [];
    for (const linkId of ids)
        updates.push({
            linkId,
            ...(priority === undefined ? {} : { priority: parsePriority(priority) }),
            ...(args.flag("proceed-on") ? { proceedOn: { actions: await actions(linkId, args, host) } } : {}),
        });
    const [only] = updates;
    if (only !== undefined && updates.length === 1) {
        const link = await host.client.updateLink(only);
        if (wantsJson(args)) printJson(linkJson(link));
        else printLines(linkText(link));
        return 0;
    }
    const { links = [] } = await host.client.updateLinks({ updates });
    if (wantsJson(args)) printJson({ links: links.map(linkRecordJson) });
    else printLines(linkTable(links));
    return 0;
};

/** Which codes the words stand for depends on the link's kind. */
async function actions(linkId: number, args: Args, { client }: Host): Promise<number[]> {
    const { kind } = await client.getLink(linkId);
    if (kind === "xdp" || kind === "tc") return parseProceedOn(kind, args.values("proceed-on"));
    throw new UsageError(`link ${linkId} is a ${kind ?? "foreign"} link, which has no proceed-on`);
}
