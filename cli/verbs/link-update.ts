// SPDX-License-Identifier: Apache-2.0
// link update: priority or proceed-on of one link, without a gap
import type { UpdateLinkRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { linkJson } from "../json.ts";
import { printJson, printLines } from "../print.ts";
import { linkText } from "../text.ts";
import { parseId, parsePriority, parseProceedOn } from "../values.ts";

export const linkUpdate: Verb = async (args, host) => {
    const linkId = parseId("link", args.required("ID"));
    const priority = args.value("priority");
    if (priority === undefined && !args.flag("proceed-on")) {
        throw new UsageError("nothing to change: give --priority or --proceed-on");
    }
    const request: UpdateLinkRequestJson = {
        linkId,
        ...(priority === undefined ? {} : { priority: parsePriority(priority) }),
        ...(args.flag("proceed-on") ? { proceedOn: { actions: await actions(linkId, args, host) } } : {}),
    };
    const link = await host.client.updateLink(request);
    if (wantsJson(args)) printJson(linkJson(link));
    else printLines(linkText(link));
    return 0;
};

/** Which codes the words stand for depends on the link's kind. */
async function actions(linkId: number, args: Args, { client }: Host): Promise<number[]> {
    const { kind } = await client.getLink(linkId);
    if (kind === "xdp" || kind === "tc") return parseProceedOn(kind, args.values("proceed-on"));
    throw new UsageError(`link ${linkId} is a ${kind ?? "foreign"} link, which has no proceed-on`);
}
