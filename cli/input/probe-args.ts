// SPDX-License-Identifier: Apache-2.0
// The hook that a command line names, where it is no chain.
import type { Args } from "../args.ts";
import { releasedTargets } from "../commands/probe-commands.ts";
import { makeProbe, type ProbeJson, type ProbeKind } from "./probe-hook.ts";

export const probeFromArgs = (kind: ProbeKind, args: Args): ProbeJson =>
    makeProbe(kind, args.value("TARGET") ?? "", name => args.value(name));

/** Released commands name the target by an option. */
export function probeFromReleased(kind: ProbeKind, args: Args): ProbeJson {
    const option = releasedTargets[kind];
    return makeProbe(kind, option === undefined ? "" : args.required(option), name => args.value(name));
}
