// SPDX-License-Identifier: Apache-2.0
// link attach KIND PROG… …; attach ID KIND …
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { type HookJson, hookFromArgs, isHookKind } from "../input/hook.ts";
import { probeFromArgs, probeFromReleased } from "../input/probe-args.ts";
import { isProbeKind } from "../input/probe-hook.ts";
import { linkJson } from "../output/json.ts";
import { printJson, printLines } from "../output/print.ts";
import { linkState } from "../output/state-text.ts";
import { linkText } from "../output/text.ts";
import { parseId, parseMetadata } from "../values.ts";

/** Several programs are one request: one rebuild of the chain, in the order given. */
export const linkAttach: Verb = async (args, host) => {
    const { command } = args;
    const hook = isProbeKind(command)
        ? probeFromArgs(command, args)
        : chainHook(args, args.required("IFACE"), args.value("DIRECTION"));
    const links = await attach(args, host, args.values("PROG"), hook);
    const [only] = links;
    if (wantsJson(args)) printJson(links.length === 1 && only ? linkJson(only) : { links: links.map(linkJson) });
    else printLines(links.map(linkText).flatMap((lines, at) => (at === 0 ? lines : ["", ...lines])));
    return 0;
};

export const attachProgram: Verb = async (args, host) => {
    const { command } = args;
    const hook = isProbeKind(command)
        ? probeFromReleased(command, args)
        : chainHook(args, args.required("iface"), args.value("direction"));
    const links = await attach(args, host, args.values("PROGRAM_ID"), hook);
    printLines(links.flatMap(linkState));
    return 0;
};

function chainHook(args: Args, iface: string, direction: string | undefined): HookJson {
    const { command } = args;
    if (!isHookKind(command)) throw new UsageError(`unknown hook ${command}`);
    return hookFromArgs(command, args, iface, direction);
}

async function attach(args: Args, { client }: Host, programs: readonly string[], hook: HookJson): Promise<LinkJson[]> {
    const metadata = parseMetadata([...args.values("metadata"), ...args.values("link-metadata")]);
    const items = programs.map(text => ({ programId: parseId("program", text), ...hook, metadata }));
    return (await client.attach({ items, fullLog: args.flag("full-log") })).links ?? [];
}
