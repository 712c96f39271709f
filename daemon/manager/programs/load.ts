// SPDX-License-Identifier: Apache-2.0
// Load: fetch (bytes, checked as ELF), plan (which functions, as what), execute (verified and pinned by the loader
// process, then named, then committed). All or nothing, the links asked for in the same request included.
import { randomUUID } from "node:crypto";
import * as bpf from "../../kernel/bpf.ts";
import { checkObject, type ElfFunction, type ElfObject } from "../../kernel/elf/elf.ts";
import { withoutMapValues } from "../../kernel/elf/elf-edit.ts";
import { checkType, sectionFacts } from "../../kernel/elf/sections.ts";
import { btfFunction } from "../../kernel/hooks/kernel-functions.ts";
import { loaderProgram } from "../../kernel/load/copies.ts";
import type { LoaderSuccess } from "../../kernel/load/loader.ts";
import {
    internalMapSection,
    type LoaderProgram,
    type LoaderRequest,
    mapKey,
} from "../../kernel/load/loader-protocol.ts";
import { suggest } from "../../kernel/near-names.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId, ProgramId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { AttachItem, LoadRequest, ProgramSpec } from "../../model/requests.ts";
import type { LinkView, ProgramView } from "../../model/views.ts";
import type { Context } from "../context.ts";
import { attachItems } from "../links/attach.ts";
import { didYouMean } from "../links/probe-error.ts";
import { SharedMapChanged, sharedMap, sharedNames, shareMap } from "../maps/shared-maps.ts";
import { mapFolder, programPin } from "../pins.ts";
import { type Undo, withUndo } from "../undo.ts";
import { linkViews } from "../views/link-view.ts";
import { programView } from "../views/program-view.ts";
import type { WriterScope } from "../writer-lock.ts";
import { type PlannedGlobals, planGlobals } from "./globals.ts";
import { type MapOwner, mapOwner } from "./map-owner.ts";

interface PlannedProgram {
    readonly spec: ProgramSpec;
    readonly function: ElfFunction;
    readonly frags: boolean;
}

/** The program whose place the new one takes, and what of its maps it may take over, by mapKey(). */
export interface Replaced {
    readonly record: ProgramRecord;
    readonly maps: ReadonlyMap<string, MapId>;
}

interface LoadPlan {
    readonly elf: ElfObject;
    readonly programs: readonly PlannedProgram[];
    readonly globals: PlannedGlobals;
    readonly owner: MapOwner | undefined;
    /** a program of the same object and globals, whose map set the new ones join as if loaded with it */
    readonly joins: ProgramRecord | undefined;
    readonly replaces: Replaced | undefined;
    /** maps that the object wants to share with every program that has one of that name */
    readonly shared: readonly string[];
    /** programs of one group are loaded together and share their maps */
    readonly groups: readonly (readonly PlannedProgram[])[];
}

export async function load(
    context: Context,
    request: LoadRequest,
    caller: Caller,
): Promise<{ programs: ProgramView[]; links: LinkView[]; warnings: readonly string[] }> {
    const { records, links, warnings } = await withUndo(context.log, undo => execute(context, request, caller, undo));
    const by = context.describe(caller);
    const ids = records.map(({ id }) => id);
    context.events.emit("PROGRAM_LOADED", by, { programs: ids });
    if (links.length > 0) context.events.emit("LINK_ATTACHED", by, { links, programs: ids });
    return {
        programs: ids.map(id => programView(context, id)),
        links: linkViews(context).filter(({ record }) => links.includes(record.id)),
        warnings,
    };
}

/** Everything that can be refused without the kernel. */
export function planLoad(context: Context, request: LoadRequest, joins?: ProgramRecord, replaces?: Replaced): LoadPlan {
    const elf = checkObject(request.object);
    if (request.programs.length === 0) throw new BpfmanError("INVALID_ARGUMENT", "name at least one program to load");
    const programs = request.programs.map((spec, index) => {
        if (request.programs.findIndex(({ name }) => name === spec.name) !== index)
            throw new BpfmanError("INVALID_ARGUMENT", `program ${spec.name} is named twice`);
        return planProgram(elf, spec);
    });
    if (elf.btfNeededFor.length > 0 && !elf.hasBtf)
        throw new BpfmanError("INVALID_ARGUMENT", `the object has no BTF, and ${elf.btfNeededFor.join(", ")} need it`, {
            hint: "Compile it with clang -g.",
        });
    const owner = request.mapOwnerId === undefined ? undefined : mapOwner(context, request.mapOwnerId);
    if (request.mapOwnerId !== undefined && owner === undefined)
        throw new BpfmanError(
            "NOT_FOUND",
            `map_owner_id ${request.mapOwnerId} does not exist: no managed program has that id`,
        );
    for (const { programName } of request.attach)
        if (!request.programs.some(({ name }) => name === programName))
            throw new BpfmanError("INVALID_ARGUMENT", `${programName} is to be attached but not loaded`);
    return {
        elf,
        programs,
        globals: planGlobals(elf, request.object, request.globalData, request.globalValues ?? new Map()),
        owner,
        joins,
        replaces,
        shared: sharedNames(elf, request.object),
        groups: request.privateMaps ? programs.map(program => [program]) : [programs],
    };
}

function planProgram(elf: ElfObject, spec: ProgramSpec): PlannedProgram {
    const candidates = elf.functions.filter(({ program }) => program);
    const found = candidates.find(({ name }) => name === spec.name);
    if (found === undefined) {
        const names = candidates.map(({ name }) => name);
        const near = suggest(spec.name, names);
        const help = near.length > 0 ? `did you mean: ${near.join(", ")}?` : `it has: ${names.join(", ")}`;
        throw new BpfmanError("INVALID_ARGUMENT", `the object has no program ${JSON.stringify(spec.name)}; ${help}`);
    }
    const mismatch = checkType(found.section, spec.type);
    if (mismatch !== undefined) throw new BpfmanError("INVALID_ARGUMENT", mismatch);
    checkAttachFunction(spec);
    return { spec, function: found, frags: sectionFacts(found.section)?.frags === true };
}

/** Whether the kernel has the function or the hook that a program is loaded for. */
function checkAttachFunction({ type, name, attachFunction }: ProgramSpec): void {
    const bound = type === "fentry" || type === "fexit" || type === "lsm";
    if (!bound && attachFunction === "") return;
    if (!bound)
        throw new BpfmanError("INVALID_ARGUMENT", `${type} program ${name} is for no function until it is attached`);
    const what = type === "lsm" ? "LSM hook" : "kernel function";
    if (attachFunction === "")
        throw new BpfmanError("INVALID_ARGUMENT", `the ${what} of ${type} program ${name} is missing`);
    const lookup = btfFunction(attachFunction, type === "lsm" ? "bpf_lsm_" : "");
    if (lookup === undefined)
        throw new BpfmanError("UNIMPLEMENTED", `load ${name}: this kernel has no BTF, which ${type} programs need`, {
            errno: "ENOENT",
        });
    if (!lookup.found)
        throw new BpfmanError(
            "NOT_FOUND",
            `${what} ${JSON.stringify(attachFunction)} not found${didYouMean(lookup.near)}`,
            { errno: "ENOENT" },
        );
}

const BPF_F_SLEEPABLE = 16;

/** What runs at an interface is loaded with attach type 0; all else, xdp/devmap too, with that of its section. */
export function loaderProgramOf(
    { name, type, attachFunction }: ProgramSpec,
    section: string,
    frags: boolean,
): LoaderProgram {
    const facts = sectionFacts(section);
    if (type === "xdp" || type === "tc" || type === "tcx") {
        const program = loaderProgram(name, type === "xdp" ? "xdp" : "tc", frags);
        return facts?.onInterface === false ? { ...program, attachType: facts.attachType } : program;
    }
    return {
        name,
        progType: facts?.progType ?? 0,
        attachType: facts?.attachType ?? 0,
        flags: facts?.sleepable === true ? BPF_F_SLEEPABLE : 0,
        kernelFunction: attachFunction,
    };
}

/** Functions that the object's PROG_ARRAYs start with must be loaded along, or libbpf has nothing to put there. */
function arrayMembers(elf: ElfObject): LoaderProgram[] {
    return elf.neededByProgArrays.flatMap(name => {
        const found = elf.functions.find(candidate => candidate.name === name);
        const facts = found === undefined ? undefined : sectionFacts(found.section);
        if (found === undefined || facts?.type === undefined) return [];
        return [loaderProgramOf({ name, type: facts.type, attachFunction: "" }, found.section, facts.frags)];
    });
}

interface Staged {
    readonly group: readonly PlannedProgram[];
    readonly stage: string;
    readonly loaded: LoaderSuccess;
}

/** Programs that the verifier took, pinned in folders of their own until they are kept or dropped. */
export interface PreparedLoad {
    readonly request: LoadRequest;
    readonly plan: LoadPlan;
    readonly staged: readonly Staged[];
}

/** To be called outside the lock. Undone, or dropped by dropStages, nothing of it is left. */
export async function prepareLoad(
    context: Context,
    request: LoadRequest,
    undo: Undo,
    joins?: ProgramRecord,
    replaces?: Replaced,
): Promise<PreparedLoad> {
    const plan = planLoad(context, request, joins, replaces);
    const staged: Staged[] = [];
    const shared = new Map(plan.shared.map(mapName => [mapName, sharedMap(context, mapName)]));
    for (const group of plan.groups) {
        const one = await stageGroup(context, request, plan, group, shared, undo);
        staged.push(one);
        // the groups of one load share such maps too
        for (const { name: mapName, id } of one.loaded.maps) if (shared.has(mapName)) shared.set(mapName, id as MapId);
    }
    return { request, plan, staged };
}

export function dropStages({ bpffs }: Context, { staged }: PreparedLoad): void {
    for (const { stage } of staged) bpffs.remove(stage);
}

/** The verifier's time is spent outside the lock: a slow program holds up nobody. */
async function stageGroup(
    context: Context,
    request: LoadRequest,
    plan: LoadPlan,
    group: readonly PlannedProgram[],
    shared: ReadonlyMap<string, MapId | undefined>,
    undo: Undo,
): Promise<Staged> {
    const stage = `staging/load_${randomUUID()}`;
    context.bpffs.makeFolder(stage);
    undo.add("load", () => context.bpffs.remove(stage));
    const loaderRequest: LoaderRequest = {
        objectName: objectName(request.sourcePath),
        programs: group.map(({ spec, function: { section }, frags }) => loaderProgramOf(spec, section, frags)),
        // a PROG_ARRAY that is joined has its members
        arrayMembers:
            plan.joins === undefined
                ? arrayMembers(plan.elf).filter(({ name }) => !group.some(({ spec }) => spec.name === name))
                : [],
        target: undefined,
        ...(plan.joins === undefined ? reusedMaps(plan, shared) : { reuse: joinedMaps(plan.joins) }),
        globals: plan.globals.loader,
        stage: context.bpffs.path(stage),
        pinMaps: true,
    };
    const object = plan.joins === undefined ? request.object : withoutMapValues(request.object);
    return { group, stage, loaded: await context.loader.load(loaderRequest, object) };
}

/** Maps are shared by name; .rodata and its like belong to an object, and are shared only through one load. */
function reusedMaps(
    { elf, owner, replaces }: LoadPlan,
    shared: ReadonlyMap<string, MapId | undefined>,
): Pick<LoaderRequest, "reuse" | "reuseIfSame"> {
    const found = new Map<string, MapId>();
    for (const [mapName, id] of shared) if (id !== undefined) found.set(mapName, id);
    for (const [mapName, id] of owner?.maps ?? []) if (elf.maps.includes(mapName)) found.set(mapName, id);
    const kept = [...(replaces?.maps ?? [])].filter(([mapName]) => !found.has(mapName));
    return {
        reuse: Object.fromEntries([...found, ...kept]),
        reuseIfSame: Object.fromEntries([
            ...[...found.keys()].map(mapName => [mapName, "or-fail"] as const),
            ...kept.map(([mapName]) => [mapName, "or-make"] as const),
        ]),
    };
}

const joinedMaps = ({ mapIds }: ProgramRecord): Record<string, number> =>
    Object.fromEntries([...mapIds].map(([name, id]) => [mapKey(name), id]));

/** The file's name without what a kernel object name cannot hold. */
function objectName(sourcePath: string): string {
    const base = sourcePath.slice(sourcePath.lastIndexOf("/") + 1).replace(/(\.bpf)?\.o$/, "");
    return base.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 15) || "bpfman";
}

async function execute(context: Context, request: LoadRequest, caller: Caller, stageUndo: Undo) {
    for (let attempt = 1; ; attempt++) {
        const prepared = await prepareLoad(context, request, stageUndo);
        try {
            const result = await context.lock.run(
                scope => withUndo(context.log, undo => keep(scope, context, prepared, caller, undo)),
                caller.patience,
            );
            return { ...result, warnings: prepared.plan.globals.warnings };
        } catch (error) {
            if (!(error instanceof SharedMapChanged) || attempt === sharedAttempts) throw error;
        } finally {
            dropStages(context, prepared);
        }
    }
}

const sharedAttempts = 5;

/** From staged pins to named ones, and the rows that describe them, for the caller to write. */
export function keepPrograms(
    scope: WriterScope,
    context: Context,
    { request, plan, staged }: PreparedLoad,
    caller: Caller,
    undo: Undo,
): ProgramRecord[] {
    if (plan.owner !== undefined && mapOwner(context, plan.owner.id) === undefined)
        throw new BpfmanError("ABORTED", `map_owner_id ${plan.owner.id} was unloaded meanwhile`);
    for (const { stage, loaded } of staged)
        for (const { name: mapName, id, pin } of loaded.maps)
            if (plan.shared.includes(mapName) && pin !== undefined && !plan.owner?.maps.has(mapName))
                shareMap(scope, context, mapName, id as MapId, `${stage}/m${pin}`, undo);
    const sha256 = context.store.keepObject(request.object);
    undo.add("keep the object", () => void context.store.collectObjects());
    return staged.flatMap(one => name(context, request, plan, one, sha256, caller, undo));
}

/** From staged pins to programs with names, rows and links. */
async function keep(scope: WriterScope, context: Context, prepared: PreparedLoad, caller: Caller, undo: Undo) {
    const { request } = prepared;
    const records = keepPrograms(scope, context, prepared, caller, undo);
    const items: AttachItem[] = request.attach.map(({ programName, hook, metadata }) => ({
        programId: records.find(record => record.name === programName)?.id ?? (0 as ProgramId),
        hook,
        metadata,
    }));
    const programOf = (id: ProgramId) => records.find(record => record.id === id) ?? context.store.program(id);
    const attached = items.length === 0 ? undefined : await attachItems(scope, context, items, programOf, caller, undo);
    const links = context.store.transaction(() => {
        for (const record of records) context.store.insertProgram(record);
        return attached?.commit() ?? [];
    });
    undo.done();
    await attached?.finish();
    return { records, links: links.map(({ id }) => id) };
}

/** Gives staged pins their names; the rows that describe them. */
function name(
    context: Context,
    request: LoadRequest,
    plan: LoadPlan,
    { group, stage, loaded }: Staged,
    sha256: string,
    caller: Caller,
    undo: Undo,
): ProgramRecord[] {
    const { bpffs } = context;
    const mapSet = (plan.owner ?? plan.joins ?? plan.replaces?.record)?.mapSet ?? context.store.nextMapSet();
    const mapIds = new Map(loaded.maps.map(({ name: mapName, id }) => [mapName, id as MapId]));
    const createdAt = new Date().toISOString();
    return group.map(({ spec, function: { section }, frags }, index) => {
        const { id: number, tag } = loaded.programs[index] ?? { id: 0, tag: "" };
        const id = number as ProgramId;
        bpffs.rename(`${stage}/p${index}`, programPin(id));
        undo.add(`pin program ${id}`, () => bpffs.remove(programPin(id)));
        if (plan.owner === undefined && plan.replaces?.record.mapOwnerId === undefined) {
            undo.add(`pin the maps of program ${id}`, () => bpffs.remove(mapFolder(id)));
            pinMaps(context, stage, loaded, id);
        }
        return {
            id,
            bootId: context.bootId,
            tag,
            name: spec.name,
            type: spec.type,
            section,
            frags,
            attachFunction: spec.attachFunction,
            sourcePath: request.sourcePath,
            image: request.image,
            objectSha256: sha256,
            globalData: plan.globals.data,
            metadata: request.metadata,
            mapOwnerId: plan.replaces?.record.mapOwnerId ?? request.mapOwnerId,
            mapSet,
            mapIds,
            license: plan.elf.license,
            gplCompatible: gplCompatible(plan.elf.license),
            createdAt,
            createdBy: context.describe(caller),
        };
    });
}

/** Every program of a load has all maps of its set in a folder of its own, for members of the group to open. */
function pinMaps({ bpffs }: Context, stage: string, loaded: LoaderSuccess, id: ProgramId): void {
    bpffs.makeFolder(mapFolder(id), "group");
    for (const { name: mapName, pin } of loaded.maps) {
        if (pin === undefined || internalMapSection(mapName) !== undefined) continue;
        using fd = bpf.openPin(bpffs.path(`${stage}/m${pin}`));
        const target = `${mapFolder(id)}/${mapName}`;
        bpf.pin(fd, bpffs.path(target));
        bpffs.shareWithGroup(target);
    }
}

/** include/linux/license.h */
function gplCompatible(license: string): boolean {
    const compatible = ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"];
    return compatible.includes(license);
}
