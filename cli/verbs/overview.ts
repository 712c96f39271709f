// SPDX-License-Identifier: Apache-2.0
// overview: everything of BPF in the kernel, by owner
import { type Verb, wantsJson } from "../host.ts";
import { overviewJson, overviewText } from "../output/overview-text.ts";
import { printJson, printLines } from "../output/print.ts";

export const overview: Verb = async (args, { client }) => {
    const inventory = await client.getInventory();
    if (wantsJson(args)) printJson(overviewJson(inventory));
    else printLines(overviewText(inventory, Date.now()));
    return 0;
};
