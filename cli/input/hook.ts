// SPDX-License-Identifier: Apache-2.0
// Hooks as users write them: `link attach xdp …` options, and the one word of `--attach`. Pure.
import { resolve } from "node:path";
import type { AttachItemJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { nearest } from "../nearest.ts";
import { parsePriority, parseProceedOn } from "../values.ts";
import { isProbeKind, type ProbeJson, parseProbe } from "./probe-hook.ts";

const hookKinds = ["xdp", "tc", "tcx"] as const;
export type HookKind = (typeof hookKinds)[number];

export const isHookKind = (word: string): word is HookKind => (hookKinds as readonly string[]).includes(word);

/** The hook's half of an AttachItem. */
export type HookJson = Pick<AttachItemJson, "xdp" | "tc" | "tcx"> & ProbeJson;

export interface HookWords {
    readonly kind: HookKind;
    readonly interface: string;
    readonly direction?: string | undefined;
    readonly priority: string;
    readonly proceedOn: readonly string[];
    readonly netns?: string | undefined;
    readonly mode?: string | undefined;
}

export const modes = ["auto", "native", "generic"] as const;

export function makeHook(words: HookWords): HookJson {
    const { kind } = words;
    // longer names would reach the kernel cut short (IFNAMSIZ)
    if (words.interface === "" || words.interface.length > 15 || /[\s/:]/.test(words.interface)) {
        throw new UsageError(`invalid interface name "${words.interface}"`);
    }
    const place = {
        interface: words.interface,
        ...(words.netns === undefined ? {} : { netns: resolve(words.netns) }),
        priority: parsePriority(words.priority),
    };
    if (kind === "xdp") {
        if (words.direction !== undefined) throw new UsageError("xdp has no direction");
        const mode = words.mode ?? "auto";
        if (!(modes as readonly string[]).includes(mode)) {
            throw new UsageError(`invalid mode "${mode}"; one of: ${modes.join(", ")}`);
        }
        return { xdp: { ...place, proceedOn: parseProceedOn("xdp", words.proceedOn), mode } };
    }
    if (words.mode !== undefined) throw new UsageError(`${kind} has no mode`);
    const direction = parseDirection(kind, words.direction);
    if (kind === "tc") return { tc: { ...place, direction, proceedOn: parseProceedOn("tc", words.proceedOn) } };
    if (words.proceedOn.length > 0)
        throw new UsageError("tcx has no proceed-on: the kernel decides by the return code");
    return { tcx: { ...place, direction } };
}

function parseDirection(kind: string, text: string | undefined): string {
    if (text === undefined) throw new UsageError(`${kind} needs a direction: ingress or egress`);
    if (text === "ingress" || text === "egress") return text;
    throw new UsageError(`${text} is not a valid direction; ingress or egress`);
}

/** From the options and words that both grammars share. */
export function hookFromArgs(kind: HookKind, args: Args, iface: string, direction: string | undefined): HookJson {
    return makeHook({
        kind,
        interface: iface,
        direction,
        priority: args.required("priority"),
        proceedOn: args.values("proceed-on"),
        netns: args.value("netns"),
        mode: args.value("mode"),
    });
}

const settings = ["prio", "priority", "proceed-on", "netns", "mode"];

/** `[NAME=]xdp:eth0:prio=100[:proceed-on=pass,drop][:netns=/path][:mode=native]`, tc and tcx with a direction. */
export function parseAttach(word: string): { programName: string | undefined; hook: HookJson } {
    const match = /^(?:([^:=]+)=)?([a-z_-]+)(?::(.*))?$/s.exec(word);
    const [, programName, written = "", after] = match ?? [];
    const probe = written.replaceAll("_", "-");
    if (isProbeKind(probe)) return { programName, hook: parseProbe(word, probe, after) };
    const kind = written;
    if (!isHookKind(kind) || after === undefined) {
        throw new UsageError(
            `can't read --attach "${word}": must be [NAME=]xdp:IFACE:prio=N, or tc or tcx with :ingress or :egress after the interface, or as tracepoint:GROUP/NAME`,
        );
    }
    const rest = after;
    const [iface = "", ...pieces] = rest.split(":");
    const values = new Map<string, string>();
    let direction: string | undefined;
    let last: string | undefined;
    for (const piece of pieces) {
        const equals = piece.indexOf("=");
        const key = piece.slice(0, Math.max(equals, 0));
        if (settings.includes(key)) {
            last = key === "priority" ? "prio" : key;
            values.set(last, piece.slice(equals + 1));
        } else if (equals < 0 && last === undefined && direction === undefined) {
            direction = piece;
        } else if (last === "netns") {
            // a path may hold what separates the settings
            values.set("netns", `${values.get("netns")}:${piece}`);
        } else {
            const near = nearest(key || piece, settings);
            throw new UsageError(
                `unknown setting "${piece}" in --attach "${word}"${near ? `; did you mean ${near}=?` : ""}`,
            );
        }
    }
    const priority = values.get("prio");
    if (priority === undefined) throw new UsageError(`--attach "${word}" has no priority: add :prio=N`);
    const proceedOn = values.get("proceed-on");
    const hook = makeHook({
        kind,
        interface: iface,
        direction,
        priority,
        proceedOn: proceedOn === undefined ? [] : [proceedOn],
        netns: values.get("netns"),
        mode: values.get("mode"),
    });
    return { programName, hook };
}
