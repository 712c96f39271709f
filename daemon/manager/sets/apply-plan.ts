// SPDX-License-Identifier: Apache-2.0
// What it takes to get from what runs to what a set describes. Pure: rows and wishes in, a plan out.
//
// A set owns what carries its name in its metadata. A program stays while its bytecode, global variables, function and
// type are the same; a link stays, with its id, while its hook is the same. All else is made anew or goes.
import { compareLinks } from "../../chain/order.ts";
import { modeConflict } from "../../chain/plan.ts";
import { proceedOnOrDefault } from "../../chain/proceed-on.ts";
import type { ApplyBytecode, ApplyLink, ApplyProgram, ApplyRequest, ApplyStep } from "../../model/apply.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey, HookRequest, NetworkHookRequest, ProbeHook, ProbeHookRequest } from "../../model/hooks.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { ChainRecord, LinkRecord, ProgramRecord } from "../../model/records.ts";

export const setKey = "bpfman.io/apply";
export const nameKey = "bpfman.io/apply-name";

type Metadata = ReadonlyMap<string, string>;

export interface ApplyState {
    readonly programs: readonly ProgramRecord[];
    readonly links: readonly LinkRecord[];
    readonly chains: readonly ChainRecord[];
}

/** The request with what is found out of it: hashes and global variables by bytecode, hooks by link. */
export interface DesiredSet {
    readonly request: ApplyRequest;
    readonly sha256: ReadonlyMap<string, string>;
    readonly globals: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
    /** none for links that are in no chain */
    readonly hooks: ReadonlyMap<string, HookKey>;
}

export interface PlannedProgram {
    readonly desired: ApplyProgram;
    readonly metadata: Metadata;
    /** the loaded program, where it stays */
    readonly kept: ProgramRecord | undefined;
    /** the one whose place it takes */
    readonly previous: ProgramRecord | undefined;
    /** words for what differs from what is there */
    readonly changes: readonly string[];
}

export interface PlannedLoad {
    readonly bytecode: ApplyBytecode;
    readonly programs: readonly PlannedProgram[];
    /** a program of the same bytecode that stays: the new ones share its maps */
    readonly joins: ProgramRecord | undefined;
    /** where none stays: one whose maps are taken over as far as they are defined alike */
    readonly replaces: ProgramRecord | undefined;
}

export interface PlannedLink {
    /** place in the request */
    readonly index: number;
    readonly desired: ApplyLink;
    readonly metadata: Metadata;
    /** of a chain; undefined: the hook is none */
    readonly hook: HookKey | undefined;
    /** 0 where the hook is no chain */
    readonly priority: number;
    /** defaults filled in; empty but for xdp and tc */
    readonly proceedOn: readonly number[];
    /** the link that stays */
    readonly record: LinkRecord | undefined;
    /** whether it takes a new place among links of equal priority */
    readonly placed: boolean;
    readonly changes: readonly LinkChange[];
}

export type LinkChange = "program" | "priority" | "proceed-on" | "order" | "metadata";

export interface ApplyPlan {
    readonly programs: readonly PlannedProgram[];
    readonly loads: readonly PlannedLoad[];
    readonly links: readonly PlannedLink[];
    readonly unloads: readonly ProgramRecord[];
    readonly detaches: readonly LinkRecord[];
    readonly steps: readonly ApplyStep[];
    readonly changesNothing: boolean;
}

/** Names a request's own mistakes, before anything is looked up. */
export function checkSet({ set, bytecode, programs, links }: ApplyRequest): void {
    const invalid = (message: string) => new BpfmanError("INVALID_ARGUMENT", message);
    if (set === "") throw invalid("the set has no name");
    for (const [what, items] of [
        ["bytecode", bytecode],
        ["program", programs],
        ["link", links],
    ] as const) {
        const names = items.map(({ name }) => name);
        const twice = names.find((name, at) => names.indexOf(name) !== at);
        if (twice !== undefined) throw invalid(`two of the set's ${what}s are called ${twice}: give them names`);
    }
    for (const { name, bytecode: wanted, spec } of programs) {
        if (!bytecode.some(one => one.name === wanted))
            throw invalid(`program ${name} is of bytecode ${wanted}, which the set does not have`);
        const same = programs.find(
            other => other.name !== name && other.bytecode === wanted && other.spec.name === spec.name,
        );
        if (same !== undefined)
            throw invalid(
                `programs ${name} and ${same.name} are one function of bytecode ${wanted}: list the bytecode once more`,
            );
    }
    const idle = bytecode.find(({ name }) => !programs.some(program => program.bytecode === name));
    if (idle !== undefined) throw invalid(`the set has no program of bytecode ${idle.name}`);
    for (const { name, program, hook } of links) {
        const found = programs.find(one => one.name === program);
        if (found === undefined) throw invalid(`link ${name} is of program ${program}, which the set does not have`);
        // whether a probe fires at the return is the program's matter
        if (found.spec.type.replace(/^([ku])retprobe$/, "$1probe") !== hook.kind)
            throw invalid(
                `program ${program} is a ${found.spec.type} program; the ${hook.kind} attach accepts ${hook.kind}`,
            );
    }
    for (const { name, metadata } of [...programs, ...links])
        for (const key of [setKey, nameKey])
            if (metadata.has(key))
                throw invalid(`the metadata of ${name} has the key ${key}, which apply itself writes`);
}

export function planApply(desired: DesiredSet, state: ApplyState): ApplyPlan {
    const { request } = desired;
    const owns = ({ metadata }: { metadata: Metadata }) => metadata.get(setKey) === request.set;
    const programs = planPrograms(desired, state.programs.filter(owns));
    const ownLinks = state.links.filter(owns);
    const links = planLinks(desired, programs, ownLinks, state);
    const keptPrograms = new Set(programs.map(({ kept }) => kept?.id));
    const unloads = state.programs.filter(record => owns(record) && !keptPrograms.has(record.id));
    refuseStrangers(unloads, state.links, owns);
    const keptLinks = new Set(links.map(({ record }) => record?.id));
    const detaches = ownLinks.filter(({ id }) => !keptLinks.has(id));
    const steps = describe(programs, links, unloads, detaches);
    return {
        programs,
        loads: planLoads(request, programs),
        links,
        unloads,
        detaches,
        steps,
        changesNothing: steps.every(({ action }) => action === "keep"),
    };
}

const nameOf = ({ metadata }: { metadata: Metadata }): string => metadata.get(nameKey) ?? "";

function marked(metadata: Metadata, set: string, name: string): Metadata {
    return new Map([...metadata, [setKey, set], [nameKey, name]]);
}

function planPrograms({ request, sha256, globals }: DesiredSet, own: readonly ProgramRecord[]): PlannedProgram[] {
    const holders = new Map<number, string>();
    const mapSets = new Map<string, number>();
    return request.programs.map(desired => {
        const bytecode = request.bytecode.find(({ name }) => name === desired.bytecode);
        if (bytecode === undefined) throw new BpfmanError("INTERNAL", `no bytecode ${desired.bytecode}`);
        const metadata = marked(desired.metadata, request.set, desired.name);
        const record = own.find(one => nameOf(one) === desired.name);
        if (record === undefined) return { desired, metadata, kept: undefined, previous: undefined, changes: [] };
        const differs: string[] = [];
        if (record.objectSha256 !== sha256.get(bytecode.name)) differs.push("bytecode");
        if (!sameBytes(record.globalData, globals.get(bytecode.name) ?? new Map())) differs.push("global variables");
        if (record.name !== desired.spec.name) differs.push("function");
        if (record.type !== desired.spec.type) differs.push("type");
        if (record.attachFunction !== desired.spec.attachFunction) differs.push("kernel function");
        // one set of maps for each bytecode, or for each program
        const holder = bytecode.privateMaps ? `program ${desired.name}` : `bytecode ${bytecode.name}`;
        const claimed = holders.get(record.mapSet) ?? holder;
        const taken = mapSets.get(holder) ?? record.mapSet;
        if (differs.length === 0 && (claimed !== holder || taken !== record.mapSet)) differs.push("maps");
        if (differs.length > 0) return { desired, metadata, kept: undefined, previous: record, changes: differs };
        holders.set(record.mapSet, holder);
        mapSets.set(holder, record.mapSet);
        const changes = sameText(record.metadata, metadata) ? [] : ["metadata"];
        return { desired, metadata, kept: record, previous: undefined, changes };
    });
}

function planLoads({ bytecode }: ApplyRequest, programs: readonly PlannedProgram[]): PlannedLoad[] {
    return bytecode.flatMap(one => {
        const all = programs.filter(({ desired }) => desired.bytecode === one.name);
        const missing = all.filter(({ kept }) => kept === undefined);
        if (missing.length === 0) return [];
        const joins = one.privateMaps ? undefined : all.find(({ kept }) => kept !== undefined)?.kept;
        const previous = missing.flatMap(program => program.previous ?? []);
        const [replaces, ...others] = previous;
        // not where the maps are to be shared otherwise than before
        const alike = others.every(({ mapSet }) => mapSet === replaces?.mapSet) && !mapsDiffer(missing);
        const takesOver = joins === undefined && alike && (!one.privateMaps || missing.length === 1);
        return [{ bytecode: one, programs: missing, joins, replaces: takesOver ? replaces : undefined }];
    });
}

const mapsDiffer = (programs: readonly PlannedProgram[]): boolean =>
    programs.some(({ changes }) => changes.includes("maps"));

function planLinks(
    { request, hooks }: DesiredSet,
    programs: readonly PlannedProgram[],
    own: readonly LinkRecord[],
    { chains }: ApplyState,
): PlannedLink[] {
    const links = request.links.map((desired, index): PlannedLink => {
        const hook = hooks.get(desired.name);
        const priority = "priority" in desired.hook ? desired.hook.priority : 0;
        if (hook !== undefined) refuseOtherMode(desired.hook, hook, chains);
        const metadata = marked(desired.metadata, request.set, desired.name);
        const proceedOn = proceedOnOf(desired.hook);
        const named = own.find(record => nameOf(record) === desired.name);
        const record = named !== undefined && isAt(named, desired.hook, hook) ? named : undefined;
        const link = { index, desired, metadata, hook, priority, proceedOn, record };
        if (record === undefined) return { ...link, placed: true, changes: [] };
        const changes: LinkChange[] = [];
        const program = programs.find(one => one.desired.name === desired.program);
        if (program?.kept?.id !== record.programId) changes.push("program");
        if (record.priority !== priority) changes.push("priority");
        if (record.proceedOn.join() !== proceedOn.join()) changes.push("proceed-on");
        if (!sameText(record.metadata, metadata)) changes.push("metadata");
        return { ...link, placed: changes.includes("priority"), changes };
    });
    return groups(links)
        .flatMap(inFileOrder)
        .sort((a, b) => a.index - b.index);
}

/** Whether a link is where it is asked for. */
function isAt(record: LinkRecord, asked: HookRequest, hook: HookKey | undefined): boolean {
    if (hook !== undefined) return "ifindex" in record.hook && identity(record.hook) === identity(hook);
    if ("ifindex" in record.hook || record.hook.kind.replace(/^([ku])retprobe$/, "$1probe") !== asked.kind)
        return false;
    if (asked.kind === "cgroup" && record.hook.kind === "cgroup")
        return record.hook.path === asked.path || record.hook.path.endsWith(`/${asked.path.replace(/^\/+/, "")}`);
    // what was asked for is part of what was made of it
    const found: Readonly<Record<string, unknown>> = { ...record.hook };
    return Object.entries(asked).every(
        ([key, value]) => key === "kind" || JSON.stringify(found[key]) === JSON.stringify(value),
    );
}

/** Links of one hook and one priority, in the order of the request. */
function groups(links: readonly PlannedLink[]): PlannedLink[][] {
    const found = new Map<string, PlannedLink[]>();
    for (const link of links) {
        const key = link.hook === undefined ? `${link.index}` : `${identity(link.hook)} ${link.priority}`;
        found.set(key, [...(found.get(key) ?? []), link]);
    }
    return [...found.values()];
}

/** Of equal priority they run as listed: where those that stay would not, all of the group take new places. */
function inFileOrder(group: readonly PlannedLink[]): PlannedLink[] {
    const order = group.map(({ placed, record, index, priority }) =>
        placed || record === undefined
            ? { priority, request: Number.MAX_SAFE_INTEGER, requestIndex: index }
            : { priority, request: record.request, requestIndex: record.requestIndex },
    );
    const kind = group[0]?.hook?.kind ?? "xdp";
    const asListed = order.every((link, at) => {
        const next = order[at + 1];
        return next === undefined || compareLinks(kind, link, next) < 0;
    });
    if (asListed) return [...group];
    return group.map(link => ({
        ...link,
        placed: true,
        changes: link.record === undefined || link.placed ? link.changes : [...link.changes, "order"],
    }));
}

function refuseOtherMode(request: HookRequest, hook: HookKey, chains: readonly ChainRecord[]): void {
    if (request.kind !== "xdp") return;
    const running = chains.find(chain => identity(chain.hook) === identity(hook));
    const conflict = running === undefined ? undefined : modeConflict(request.mode, running, request.interface);
    if (conflict !== undefined) throw conflict;
}

/** A program that goes takes its links along: those that are not the set's must not go unasked. */
function refuseStrangers(
    unloads: readonly ProgramRecord[],
    links: readonly LinkRecord[],
    owns: (record: LinkRecord) => boolean,
): void {
    for (const { id, metadata } of unloads) {
        const stranger = links.find(link => link.programId === id && !owns(link));
        if (stranger !== undefined)
            throw new BpfmanError(
                "FAILED_PRECONDITION",
                `program ${metadata.get(nameKey) ?? ""} (id ${id}) would be unloaded, and link ${stranger.id} of it is not of this set`,
                { hint: `Detach it first: bpfman link detach ${stranger.id}` },
            );
    }
}

export function proceedOnOf(hook: HookRequest): number[] {
    return hook.kind === "xdp" || hook.kind === "tc" ? proceedOnOrDefault(hook.kind, hook.proceedOn) : [];
}

/** One text for each hook. */
export function identity(hook: HookKey): string {
    return `${hook.kind} ${hook.direction} ${hook.nsid} ${hook.netnsCookie} ${hook.ifindex}`;
}

function sameText(a: Metadata, b: Metadata): boolean {
    return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function sameBytes(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
    const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
    return a.size === b.size && [...a].every(([key, value]) => text(b.get(key)) === text(value));
}

// --- for people ------------------------------------------------------------------------------------------------

function describe(
    programs: readonly PlannedProgram[],
    links: readonly PlannedLink[],
    unloads: readonly ProgramRecord[],
    detaches: readonly LinkRecord[],
): ApplyStep[] {
    const replaced = new Set<ProgramId | undefined>(programs.map(({ previous }) => previous?.id));
    return [
        ...programs.map(programStep),
        ...links.map(linkStep),
        ...detaches.map(
            (record): ApplyStep => ({
                action: "detach",
                kind: "link",
                name: nameOf(record),
                id: record.id,
                detail:
                    "ifindex" in record.hook
                        ? placeText(record.hook, record.interface, record.netns)
                        : probeText(record.hook),
            }),
        ),
        ...unloads
            .filter(({ id }) => !replaced.has(id))
            .map(
                (record): ApplyStep => ({
                    action: "unload",
                    kind: "program",
                    name: nameOf(record),
                    id: record.id,
                    detail: `${record.type} ${record.name}`,
                }),
            ),
    ];
}

function programStep({ desired, kept, previous, changes }: PlannedProgram): ApplyStep {
    const what = `${desired.spec.type} ${desired.spec.name} of ${desired.bytecode}`;
    const step = { kind: "program", name: desired.name } as const;
    if (previous !== undefined)
        return {
            ...step,
            action: "replace",
            id: 0,
            detail: `${what}: other ${changes.join(", ")} (was ${previous.id})`,
        };
    if (kept === undefined) return { ...step, action: "load", id: 0, detail: what };
    if (changes.length > 0) return { ...step, action: "update", id: kept.id, detail: `${what}: ${changes.join(", ")}` };
    return { ...step, action: "keep", id: kept.id, detail: what };
}

function linkStep({ desired, record, changes, proceedOn, priority }: PlannedLink): ApplyStep {
    const { hook } = desired;
    const place = "interface" in hook ? placeText(hook, hook.interface, hook.netns) : probeText(hook);
    const step = { kind: "link", name: desired.name } as const;
    if (record === undefined) {
        const detail = "interface" in hook ? `${place} priority ${priority}` : place;
        return { ...step, action: "attach", id: 0, detail };
    }
    const { id } = record;
    if (changes.length === 0) return { ...step, action: "keep", id, detail: place };
    const told = changes.map(change => {
        if (change === "priority") return `priority ${record.priority} to ${priority}`;
        return change === "proceed-on" ? `proceed-on ${record.proceedOn.join(" ")} to ${proceedOn.join(" ")}` : change;
    });
    return { ...step, action: "update", id, detail: `${place}: ${told.join(", ")}` };
}

function placeText(hook: HookKey | NetworkHookRequest, interfaceName: string, netns: string): string {
    const direction = hook.kind === "xdp" || !("direction" in hook) ? "" : ` ${hook.direction}`;
    return `${hook.kind} ${interfaceName}${direction}${netns === "" ? "" : ` netns=${netns}`}`;
}

/** tracepoint sched sched_switch */
function probeText(hook: ProbeHookRequest | ProbeHook): string {
    const values: Readonly<Record<string, unknown>> = { ...hook };
    const words = ["group", "event", "name", "target", "function", "path"].map(key => values[key]);
    return [hook.kind, ...words.filter(word => typeof word === "string" && word !== "")].join(" ");
}
