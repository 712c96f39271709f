// SPDX-License-Identifier: Apache-2.0
// dispatcher list, dispatcher get: the chains of XDP and TC
import { UsageError } from "../args.ts";
import { type Verb, wantsJson } from "../host.ts";
import { chainJson, chainListJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { chainTable, chainText } from "../output/text.ts";
import { parseCount } from "../values.ts";

const types = ["xdp", "tc-ingress", "tc-egress"];

export function checkChainType(type: string): string {
    if (!types.includes(type)) throw new UsageError(`unknown dispatcher type "${type}"; one of: ${types.join(", ")}`);
    return type;
}

export const dispatcherList: Verb = async (args, { client }) => {
    const type = args.value("type");
    const nsid = args.value("nsid");
    const ifindex = args.value("ifindex");
    const answer = await client.listChains({
        ...(type === undefined ? {} : { type: checkChainType(type) }),
        ...(nsid === undefined ? {} : { nsid: String(parseCount("nsid", nsid)) }),
        ...(ifindex === undefined ? {} : { ifindex: parseCount("ifindex", ifindex) }),
    });
    const chains = (answer.chains ?? []).filter(chain => types.includes(chain.type ?? ""));
    if (wantsJson(args)) printJson(chainListJson(chains));
    else printLines(chainTable(chains));
    return 0;
};

export const dispatcherGet: Verb = async (args, { client }) => {
    const chain = await client.getChain({
        type: checkChainType(args.required("TYPE")),
        nsid: String(parseCount("nsid", args.required("NSID"))),
        ifindex: parseCount("ifindex", args.required("IFINDEX")),
    });
    if (wantsJson(args)) printJson(chainJson(chain));
    else printLines(chainText(chain));
    return 0;
};
