// SPDX-License-Identifier: Apache-2.0
// The kernel's and the API's words, as people read them.
import { _, format, N_, pageLanguage } from "./i18n.ts";

export type HookKind = "xdp" | "tc" | "tcx";

const probeKinds = [
    "tracepoint",
    "raw_tracepoint",
    "kprobe",
    "kretprobe",
    "uprobe",
    "uretprobe",
    "fentry",
    "fexit",
    "lsm",
    "perf_event",
    "cgroup",
] as const;

/** The types of programs that attach to no interface. */
export type ProbeKind = (typeof probeKinds)[number];

export type AttachKind = HookKind | ProbeKind;

export interface Action {
    readonly code: number;
    readonly word: string;
    /** what it means that the chain goes on after it */
    readonly help: string;
    readonly preset: boolean;
}

// Codes: enum xdp_action and TC_ACT_* of the kernel's headers; dispatcher_return is what a dispatcher's empty slot
// returns, in libxdp's layout 31, for TC 30.
const xdpActions: readonly Action[] = [
    { code: 0, word: "aborted", help: N_("The program failed"), preset: false },
    { code: 1, word: "drop", help: N_("The program would drop the packet"), preset: false },
    { code: 2, word: "pass", help: N_("The program lets the packet through"), preset: true },
    { code: 3, word: "tx", help: N_("The program would send the packet back out of the interface"), preset: false },
    { code: 4, word: "redirect", help: N_("The program would send the packet somewhere else"), preset: false },
    { code: 31, word: "dispatcher_return", help: N_("The program leaves the decision to the chain"), preset: true },
];

const tcActions: readonly Action[] = [
    { code: -1, word: "unspec", help: N_("The program does not decide"), preset: false },
    { code: 0, word: "ok", help: N_("The program accepts the packet"), preset: false },
    { code: 1, word: "reclassify", help: N_("Classification would start again"), preset: false },
    { code: 2, word: "shot", help: N_("The program would drop the packet"), preset: false },
    { code: 3, word: "pipe", help: N_("The packet goes on to the next action"), preset: true },
    { code: 4, word: "stolen", help: N_("The program took the packet"), preset: false },
    { code: 5, word: "queued", help: N_("The program queued the packet"), preset: false },
    { code: 6, word: "repeat", help: N_("The action would be repeated"), preset: false },
    { code: 7, word: "redirect", help: N_("The program would send the packet somewhere else"), preset: false },
    { code: 8, word: "trap", help: N_("The program would hand the packet to the control plane"), preset: false },
    { code: 30, word: "dispatcher_return", help: N_("The program leaves the decision to the chain"), preset: true },
];

/** What a program at such a hook can return; none for TCX, whose order the kernel keeps. */
export function actionsOf(kind: HookKind): readonly Action[] {
    if (kind === "xdp") return xdpActions;
    return kind === "tc" ? tcActions : [];
}

export function presetOf(kind: HookKind): number[] {
    return actionsOf(kind)
        .filter(action => action.preset)
        .map(action => action.code);
}

export function actionWord(kind: HookKind, code: number): string {
    return actionsOf(kind).find(action => action.code === code)?.word ?? String(code);
}

export function hookKind(word: string): HookKind | undefined {
    return word === "xdp" || word === "tc" || word === "tcx" ? word : undefined;
}

export function probeKind(word: string): ProbeKind | undefined {
    return probeKinds.find(kind => kind === word);
}

export function anyKind(word: string): AttachKind | undefined {
    return hookKind(word) ?? probeKind(word);
}

/** Such a program is loaded for one function of the kernel and attaches to no other. */
export function isBoundAtLoad(kind: AttachKind | undefined): kind is "fentry" | "fexit" | "lsm" {
    return kind === "fentry" || kind === "fexit" || kind === "lsm";
}

/** Chain types begin with their hook: xdp, tc-ingress, tcx-egress. */
export function chainKind(type: string): HookKind {
    return hookKind(type.split("-")[0] ?? "") ?? "xdp";
}

export function chainTitle(type: string): string {
    switch (type) {
        case "xdp":
            return _("XDP");
        case "tc-ingress":
            return _("TC ingress");
        case "tc-egress":
            return _("TC egress");
        case "tcx-ingress":
            return _("TCX ingress");
        case "tcx-egress":
            return _("TCX egress");
        default:
            return type;
    }
}

export function hookTitle(kind: string, direction: string): string {
    return chainTitle(direction === "" || kind === "xdp" ? kind : `${kind}-${direction}`);
}

export function backendHelp(backend: string): string {
    switch (backend) {
        case "direct":
            return _("The program itself is attached; no dispatcher is needed.");
        case "freplace":
            return _("A dispatcher calls the programs one after the other.");
        case "tail-call":
            return _("A dispatcher reaches the programs by tail calls.");
        case "libxdp":
            return _(
                "Shared with other tools: a dispatcher in libxdp's protocol calls the programs one after the other.",
            );
        case "kernel":
            return _("The kernel keeps the order of the programs.");
        case "foreign":
            return _("Attached by others; not managed here.");
        default:
            return "";
    }
}

export function typeLabel(type: string): string {
    switch (type) {
        case "xdp":
            return _("XDP");
        case "tc":
            return _("TC");
        case "tcx":
            return _("TCX");
        default:
            return type;
    }
}

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** As Cockpit's own pages write it: in powers of 1000, with three digits. */
export function bytes(count: number): string {
    let value = count;
    let unit = 0;
    while (Math.round(value) >= 1000 && unit < byteUnits.length - 1) {
        value /= 1000;
        unit++;
    }
    const digits = { maximumSignificantDigits: 3, minimumSignificantDigits: 3 };
    const text = Number.isInteger(value) ? String(value) : numbers(digits).format(value);
    return measure(`${text} ${byteUnits[unit]}`);
}

/** A number and its unit stay in this order where text runs from right to left. */
function measure(text: string): string {
    return cockpit.language_direction === "rtl" ? `\u2066${text}\u2069` : text;
}

// Making a formatter takes as long as a hundred uses of it; tables have thousands of cells.
const formatters = new Map<string, unknown>();

function kept<Formatter>(kind: string, options: object, make: () => Formatter): Formatter {
    const key = `${kind} ${JSON.stringify(options)}`;
    // the kind stands for the type
    const known = formatters.get(key) as Formatter | undefined;
    if (known !== undefined) return known;
    const made = make();
    formatters.set(key, made);
    return made;
}

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    return kept("number", options, () => new Intl.NumberFormat(pageLanguage(), options));
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return kept("date", options, () => new Intl.DateTimeFormat(pageLanguage(), options));
}

/** The first number and the first date take a browser tens of milliseconds: to be called while it waits anyway. */
export function prepareFormats(): void {
    bytes(1234);
    moment(new Date(0).toISOString());
}

/** RFC 3339 in the page's language, to the minute; empty stays empty. */
export function moment(time: string): string {
    return inTime(time, { dateStyle: "medium", timeStyle: "short" });
}

/** As moment, to the second: for what happens one after the other. */
export function instant(time: string): string {
    return inTime(time, { dateStyle: "medium", timeStyle: "medium" });
}

/** As instant, of today. */
export function clock(time: string): string {
    return inTime(time, { timeStyle: "medium" });
}

function inTime(time: string, form: Intl.DateTimeFormatOptions): string {
    const date = new Date(time);
    if (time === "" || Number.isNaN(date.getTime())) return time;
    return dates(form).format(date);
}

/** Where a link stands in its chain, as people count; the API counts from 0. */
export function place({ position }: { readonly position: number }): number {
    return position + 1;
}

/** An interface among those of several namespaces. */
export function interfaceLabel(name: string, netns: string): string {
    return netns === "" ? name : format(_("$0 in $1"), name, netns);
}

const units = [
    ["year", 365 * 86400],
    ["month", 30 * 86400],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
] as const;

/** How long ago, in the largest unit that it fills: "3 hours ago". */
export function age(time: string, nowMs = Date.now()): string {
    const seconds = (nowMs - new Date(time).getTime()) / 1000;
    if (time === "" || Number.isNaN(seconds)) return "";
    const options = { style: "short", numeric: "always" } as const;
    const words = kept("age", options, () => new Intl.RelativeTimeFormat(pageLanguage(), options));
    const [unit, length] = units.find(([, size]) => seconds >= size) ?? (["second", 1] as const);
    return words.format(-Math.max(0, Math.floor(seconds / length)), unit);
}

/** A count or a rate: all its digits below 1000, three of them above. */
export function figure(value: number): string {
    const isRound = Number.isInteger(value) && Math.abs(value) < 10_000;
    const options = isRound
        ? {}
        : ({ notation: "compact", maximumSignificantDigits: 3 } satisfies Intl.NumberFormatOptions);
    return numbers(options).format(value);
}

/** With all its digits, in groups; of small rates one after the point. */
export function whole(value: number): string {
    const maximumFractionDigits = value < 10 && value > 0 ? 1 : 0;
    return numbers({ maximumFractionDigits }).format(value);
}

const leastShare = 1e-5;

/** What is not nothing is never written as 0%. */
export function percent(share: number): string {
    const digits = share > 0 && share < 0.1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 1 };
    const shares = numbers({ style: "percent", ...digits });
    return share > 0 && share < leastShare ? `<${shares.format(leastShare)}` : shares.format(share);
}

/** Nanoseconds in the unit that keeps them short. */
export function duration(ns: number): string {
    const measured = (text: string, value: string) => measure(format(text, value));
    if (ns < 1000) return measured(_("$0 ns"), figure(ns < 10 ? Math.round(ns * 10) / 10 : Math.round(ns)));
    if (ns < 1e6) return measured(_("$0 µs"), figure(ns / 1e3));
    if (ns < 1e9) return measured(_("$0 ms"), figure(ns / 1e6));
    return measured(_("$0 s"), figure(ns / 1e9));
}
