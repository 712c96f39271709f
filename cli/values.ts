// SPDX-License-Identifier: Apache-2.0
// The values that users write: ids, priorities, proceed-on words, KEY=VALUE, NAME=HEX. Pure.
import { UsageError } from "./args.ts";
import { nearest } from "./nearest.ts";

const maxU32 = 0xffffffff;
const maxI32 = 0x7fffffff;

export function parseId(noun: "program" | "link" | "map", text: string): number {
    if (!/^[0-9]+$/.test(text)) throw new UsageError(`invalid ${noun} ID "${text}": must be a decimal number`);
    const id = Number(text);
    if (id === 0 || id > maxU32) throw new UsageError(`invalid ${noun} ID "${text}": must be from 1 to ${maxU32}`);
    return id;
}

export function parsePriority(text: string): number {
    if (/^-[0-9]+$/.test(text)) throw new UsageError("priority must be non-negative");
    if (!/^[0-9]+$/.test(text)) throw new UsageError(`invalid priority "${text}": must be a decimal number`);
    const priority = Number(text);
    if (priority > maxI32) throw new UsageError(`priority must be at most ${maxI32}`);
    return priority;
}

export function parseCount(name: string, text: string): number {
    if (!/^[0-9]{1,15}$/.test(text)) throw new UsageError(`invalid ${name} "${text}": must be a decimal number`);
    return Number(text);
}

const xdpActions: Readonly<Record<string, number>> = {
    aborted: 0,
    drop: 1,
    pass: 2,
    tx: 3,
    redirect: 4,
    dispatcher_return: 31,
};

const tcActions: Readonly<Record<string, number>> = {
    unspec: -1,
    ok: 0,
    reclassify: 1,
    shot: 2,
    pipe: 3,
    stolen: 4,
    queued: 5,
    repeat: 6,
    redirect: 7,
    trap: 8,
    dispatcher_return: 30,
};

const actionsOf = (kind: string) => (kind === "xdp" ? xdpActions : tcActions);

/** Words, each of them one action or several with commas between, to action codes. */
export function parseProceedOn(kind: "xdp" | "tc", words: readonly string[]): number[] {
    const actions = actionsOf(kind);
    const codes = splitCommas(words).map(word => {
        const code = actions[word.toLowerCase()];
        if (code === undefined) {
            const near = nearest(word.toLowerCase(), Object.keys(actions));
            const more = near ? `did you mean ${near}?` : `one of: ${Object.keys(actions).join(", ")}`;
            throw new UsageError(`error parsing proceed_on "${word}" (${kind}); ${more}`);
        }
        return code;
    });
    return [...new Set(codes)];
}

export function proceedOnWords(kind: string, codes: readonly number[]): string {
    const actions = Object.entries(actionsOf(kind));
    return codes.map(code => actions.find(([, value]) => value === code)?.[0] ?? String(code)).join(", ");
}

/** The bits of a dispatcher's configuration: 1 << action for XDP; one further for TC, whose actions begin at -1. */
export function proceedOnMask(kind: string, codes: readonly number[]): number {
    const shift = kind === "xdp" ? 0 : 1;
    return codes.reduce((mask, code) => (mask | (1 << (code + shift))) >>> 0, 0);
}

export function splitCommas(words: readonly string[]): string[] {
    return words.flatMap(word => word.split(",")).filter(word => word !== "");
}

export function parseMetadata(words: readonly string[]): Record<string, string> {
    const pairs = words.flatMap(splitPairs).map(word => {
        const equals = word.indexOf("=");
        if (equals < 1) throw new UsageError(`invalid metadata "${word}": must be KEY=VALUE`);
        return [word.slice(0, equals), word.slice(equals + 1)] as const;
    });
    return Object.fromEntries(pairs);
}

/** a=1,b=2 is two; a comma that no pair follows belongs to the value */
function splitPairs(word: string): string[] {
    return word.split(/,(?=[^,=]+=)/);
}

export const applicationKey = "bpfman.io/application";
export const olderApplicationKey = "bpfman_application";

/** An application that is named twice: the metadata's word counts. */
export function withApplication(
    metadata: Record<string, string>,
    application: string | undefined,
): { metadata: Record<string, string>; ignored: boolean } {
    if (application === undefined) return { metadata, ignored: false };
    if (applicationKey in metadata || olderApplicationKey in metadata) return { metadata, ignored: true };
    return { metadata: { ...metadata, [applicationKey]: application }, ignored: false };
}

/**
 * NAME=HEX, the bytes of a global variable, and NAME=VALUE, a value of its type: which it is the daemon knows, who knows
 * the variable. NAME:=VALUE is a value whatever it looks like.
 */
export function parseGlobals(words: readonly string[]): Record<string, { text: string; typed?: boolean }> {
    const pairs = words.map(word => {
        const [, name, colon, text = ""] = /^([^=:]+)(:?)=(.*)$/s.exec(word) ?? [];
        if (name === undefined)
            throw new UsageError(`invalid global "${word}": must be NAME=HEX, NAME=VALUE or NAME:=VALUE`);
        return [name, colon === ":" ? { text, typed: true } : { text }] as const;
    });
    return Object.fromEntries(pairs);
}

export const programTypes = [
    ...(["xdp", "tc", "tcx", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe"] as const),
    ...(["fentry", "fexit", "lsm", "perf_event", "raw_tracepoint", "cgroup"] as const),
] as const;
/** Types that are loaded for one function of the kernel, and what that is called in a message. */
const boundTypes: Readonly<Record<string, string>> = { fentry: "function", fexit: "function", lsm: "hook" };

/** perf-event and perf_event are one word. */
export const typeWord = (word: string): string => word.replaceAll("-", "_");

export function looksLikeProgram(word: string): boolean {
    return /^[a-z][a-z_-]*:[^/]/.test(word);
}

export interface NamedProgram {
    readonly type: string;
    readonly name: string;
    /** of types that are loaded for one place in the kernel */
    readonly attachFunction?: string;
}

export function parsePrograms(words: readonly string[]): NamedProgram[] {
    const programs = splitCommas(words).map(word => {
        const [written = "", name, attachFunction = "", ...rest] = word.split(":");
        const type = typeWord(written);
        checkType(type, written);
        const bound = boundTypes[type];
        const form = bound === undefined ? "TYPE:NAME" : `${type}:NAME:${bound.toUpperCase()}`;
        if (name === undefined || name === "") {
            throw new UsageError(`Missing program name in "${word}": must be ${form}, as in ${type}:my_function`);
        }
        if (bound !== undefined && attachFunction === "")
            throw new UsageError(`Missing ${bound} name for ${type} program "${word}": must be ${form}`);
        const extra = bound === undefined && attachFunction !== "" ? [attachFunction, ...rest] : rest;
        if (extra.length > 0) throw new UsageError(`unexpected "${extra.join(":")}" in "${word}": must be ${form}`);
        return { type, name, ...(bound === undefined ? {} : { attachFunction }) };
    });
    if (programs.length === 0) throw new UsageError("--programs names no program");
    return programs;
}

export function checkType(type: string, written: string): void {
    if ((programTypes as readonly string[]).includes(type)) return;
    const near = nearest(type, programTypes);
    const more = near ? `did you mean ${near}?` : `one of: ${programTypes.join(", ")}`;
    throw new UsageError(`Unknown program type: ${written}; ${more}`);
}

const durationUnits: Readonly<Record<string, number>> = {
    ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
};

/** 30s, 1m30s, 500ms, 0 (as Go writes durations) to milliseconds. */
export function parseDuration(flag: string, text: string): number {
    if (text === "0") return 0;
    if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text))
        throw new UsageError(`invalid ${flag} "${text}": must be a duration as 30s or 1m30s`);
    const parts = text.matchAll(/([\d.]+)([a-zµ]+)/g);
    return Array.from(parts).reduce(
        (sum, [, number, unit = ""]) => sum + Number(number) * (durationUnits[unit] ?? 0),
        0,
    );
}
