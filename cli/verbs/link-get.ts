// SPDX-License-Identifier: Apache-2.0
// link get; get link
import { type Verb, wantsJson } from "../host.ts";
import { linkJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { linkState } from "../output/state-text.ts";
import { linkText } from "../output/text.ts";
import { parseId } from "../values.ts";

export const linkGet: Verb = async (args, { client }) => {
    const link = await client.getLink(parseId("link", args.required("ID")));
    if (wantsJson(args)) printJson(linkJson(link));
    else printLines(linkText(link));
    return 0;
};

export const getLink: Verb = async (args, { client }) => {
    const link = await client.getLink(parseId("link", args.required("LINK_ID")));
    if (wantsJson(args)) printJson(linkJson(link));
    else printLines(linkState(link));
    return 0;
};
