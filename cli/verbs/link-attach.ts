// SPDX-License-Identifier: Apache-2.0
// link attach xdp|tc|tcx; attach ID xdp|tc|tcx
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { hookFromArgs, isHookKind } from "../hook.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { linkJson } from "../json.ts";
import { printJson, printLines } from "../print.ts";
import { linkState } from "../state-text.ts";
import { linkText } from "../text.ts";
import { parseId, parseMetadata } from "../values.ts";

/** Several programs are one request: one rebuild of the chain, in the order given. */
export const linkAttach: Verb = async (args, host) => {
    const links = await attach(args, host, {
        programs: args.values("PROG"),
        interface: args.required("IFACE"),
        direction: args.value("DIRECTION"),
    });
    const [only] = links;
    if (wantsJson(args)) printJson(links.length === 1 && only ? linkJson(only) : { links: links.map(linkJson) });
    else printLines(links.map(linkText).flatMap((lines, at) => (at === 0 ? lines : ["", ...lines])));
    return 0;
};

export const attachProgram: Verb = async (args, host) => {
    const links = await attach(args, host, {
        programs: args.values("PROGRAM_ID"),
        interface: args.required("iface"),
        direction: args.value("direction"),
    });
    printLines(links.flatMap(linkState));
    return 0;
};

interface Place {
    readonly programs: readonly string[];
    readonly interface: string;
    readonly direction: string | undefined;
}

async function attach(args: Args, { client }: Host, place: Place): Promise<LinkJson[]> {
    const { command } = args;
    if (!isHookKind(command)) throw new UsageError(`expected one of: xdp, tc, tcx`);
    const hook = hookFromArgs(command, args, place.interface, place.direction);
    const metadata = parseMetadata([...args.values("metadata"), ...args.values("link-metadata")]);
    const items = place.programs.map(text => ({ programId: parseId("program", text), ...hook, metadata }));
    return (await client.attach({ items, fullLog: args.flag("full-log") })).links ?? [];
}
