// SPDX-License-Identifier: Apache-2.0
// Apply: makes what runs match a set, whole or not at all. What the verifier must see is loaded first, outside the lock.
// Then, under the lock, every chain is changed once, all rows are written in one transaction, and what is no longer
// wanted goes last.
import { createHash } from "node:crypto";
import { checkObject } from "../../kernel/elf/elf.ts";
import type { ApplyRequest, ApplyResult, ApplyStep } from "../../model/apply.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey } from "../../model/hooks.ts";
import type { LinkId, ProgramId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { LoadRequest } from "../../model/requests.ts";
import { hookResolver, type ResolvedHook } from "../chains/hook.ts";
import type { Context } from "../context.ts";
import { isNetwork } from "../links/attach.ts";
import { dropDeadLinks } from "../links/dead-links.ts";
import { SharedMapChanged } from "../maps/shared-maps.ts";
import { planGlobals } from "../programs/globals.ts";
import { keptMaps } from "../programs/kept-maps.ts";
import { dropStages, keepPrograms, type PreparedLoad, planLoad, prepareLoad } from "../programs/load.ts";
import { forgetPrograms } from "../programs/unload.ts";
import { type Undo, withUndo } from "../undo.ts";
import { linkViews } from "../views/link-view.ts";
import { programView } from "../views/program-view.ts";
import type { WriterScope } from "../writer-lock.ts";
import { changeHooks } from "./apply-hooks.ts";
import { type ApplyPlan, checkSet, type DesiredSet, type PlannedLoad, planApply, setKey } from "./apply-plan.ts";

interface Planned {
    readonly plan: ApplyPlan;
    /** by the name of the link */
    readonly resolved: ReadonlyMap<string, ResolvedHook>;
}

interface Made {
    readonly programs: readonly ProgramId[];
    readonly links: readonly LinkId[];
}

export async function apply(context: Context, request: ApplyRequest, caller: Caller): Promise<ApplyResult> {
    checkSet(request);
    const { wanted, warnings } = readObjects(request);
    if (request.dryRun) {
        // reads wait for nobody
        const { plan } = await planAll(context, wanted);
        for (const load of plan.loads) planLoad(context, loadRequest(load), load.joins);
        return { steps: plan.steps, warnings, programs: [], links: [] };
    }
    const first = await context.lock.run(scope => planNow(scope, context, wanted), caller.patience);
    const { steps } = first.plan;
    const made = first.plan.changesNothing ? madeOf(first.plan) : await carryOutAgain(context, wanted, first, caller);
    const links = linkViews(context);
    const idOf = ({ kind, name, id }: ApplyStep): number => {
        const items = kind === "program" ? request.programs : request.links;
        const at = items.findIndex(item => item.name === name);
        return id !== 0 ? id : ((kind === "program" ? made.programs[at] : made.links[at]) ?? 0);
    };
    return {
        steps: steps.map(step => ({ ...step, id: idOf(step) })),
        warnings,
        programs: made.programs.map(id => programView(context, id)),
        links: made.links.flatMap(id => links.filter(({ record }) => record.id === id)),
    };
}

type Wanted = Omit<DesiredSet, "hooks">;

function readObjects(request: ApplyRequest): { wanted: Wanted; warnings: string[] } {
    const warnings: string[] = [];
    const sha256 = new Map<string, string>();
    const globals = new Map<string, ReadonlyMap<string, Uint8Array>>();
    for (const { name, object, globalData, globalValues } of request.bytecode) {
        sha256.set(name, createHash("sha256").update(object).digest("hex"));
        const planned = planGlobals(checkObject(object), object, globalData, globalValues);
        globals.set(name, planned.data);
        warnings.push(...planned.warnings);
    }
    return { wanted: { request, sha256, globals }, warnings };
}

async function planNow(scope: WriterScope, context: Context, wanted: Wanted): Promise<Planned> {
    await dropDeadLinks(scope, context);
    return await planAll(context, wanted);
}

async function planAll(context: Context, wanted: Wanted): Promise<Planned> {
    const resolveHook = hookResolver(context);
    const resolved = new Map<string, ResolvedHook>();
    for (const { name, hook } of wanted.request.links) if (isNetwork(hook)) resolved.set(name, await resolveHook(hook));
    const hooks = new Map<string, HookKey>(Array.from(resolved, ([name, { hook }]) => [name, hook]));
    const { store } = context;
    const state = { programs: store.programs(), links: store.links(), chains: store.chains() };
    return { plan: planApply({ ...wanted, hooks }, state), resolved };
}

function loadRequest({ bytecode, programs }: PlannedLoad): LoadRequest {
    return {
        object: bytecode.object,
        sourcePath: bytecode.sourcePath,
        image: bytecode.image,
        programs: programs.map(({ desired }) => desired.spec),
        globalData: bytecode.globalData,
        globalValues: bytecode.globalValues,
        metadata: new Map(),
        mapOwnerId: undefined,
        privateMaps: bytecode.privateMaps,
        attach: [],
    };
}

/** What the maps hold stays, but for variables that are or were given a value. */
function takenOver(context: Context, { bytecode, replaces }: PlannedLoad) {
    if (replaces === undefined) return undefined;
    const elf = checkObject(bytecode.object);
    const oldElf = checkObject(context.store.readObject(replaces.objectSha256));
    const given = new Set([
        ...bytecode.globalData.keys(),
        ...bytecode.globalValues.keys(),
        ...replaces.globalData.keys(),
    ]);
    return { record: replaces, maps: keptMaps(replaces, oldElf, elf, bytecode.object, given) };
}

/** Tells whether what was loaded for one plan serves another. */
const loadKey = ({ bytecode, programs, joins, replaces }: PlannedLoad): string =>
    JSON.stringify([bytecode.name, programs.map(({ desired }) => desired.name), joins?.id ?? 0, replaces?.id ?? 0]);

const attempts = 5;

/** A map that is shared by name may change hands while the verifier works. */
async function carryOutAgain(context: Context, wanted: Wanted, first: Planned, caller: Caller): Promise<Made> {
    for (let attempt = 1; ; attempt++)
        try {
            return await carryOut(context, wanted, first, caller);
        } catch (error) {
            if (!(error instanceof SharedMapChanged) || attempt === attempts) throw error;
        }
}

async function carryOut(context: Context, wanted: Wanted, first: Planned, caller: Caller): Promise<Made> {
    return await withUndo(context.log, async stageUndo => {
        const prepared = new Map<string, PreparedLoad>();
        for (const load of first.plan.loads)
            prepared.set(
                loadKey(load),
                await prepareLoad(context, loadRequest(load), stageUndo, load.joins, takenOver(context, load)),
            );
        const made = await context.lock.run(async scope => {
            // others may have changed something while the verifier worked
            const now = await planNow(scope, context, wanted);
            return await withUndo(context.log, undo => execute(scope, context, now, prepared, caller, undo));
        }, caller.patience);
        for (const load of prepared.values()) dropStages(context, load);
        return made;
    });
}

async function execute(
    scope: WriterScope,
    context: Context,
    { plan, resolved }: Planned,
    prepared: ReadonlyMap<string, PreparedLoad>,
    caller: Caller,
    undo: Undo,
): Promise<Made> {
    const { store } = context;
    const records = new Map<string, ProgramRecord>();
    const fresh: ProgramRecord[] = [];
    for (const load of plan.loads) {
        const loaded = prepared.get(loadKey(load));
        if (loaded === undefined)
            throw new BpfmanError("ABORTED", "programs of this set were changed meanwhile; nothing was changed", {
                hint: "Apply it again.",
            });
        const kept = keepPrograms(scope, context, loaded, caller, undo);
        for (const { desired, metadata } of load.programs) {
            const found = kept.find(({ name }) => name === desired.spec.name);
            if (found === undefined) throw new BpfmanError("INTERNAL", `${desired.spec.name} was not loaded`);
            const record = { ...found, metadata };
            records.set(desired.name, record);
            fresh.push(record);
        }
    }
    const relabelled: ProgramRecord[] = [];
    for (const { desired, kept, metadata, changes } of plan.programs) {
        if (kept === undefined) continue;
        const record = { ...kept, metadata };
        records.set(desired.name, record);
        if (changes.length > 0) relabelled.push(record);
    }
    const hooks = await changeHooks(scope, context, plan, records, resolved, caller, undo);
    const made = store.transaction(() => {
        for (const record of [...fresh, ...relabelled]) store.putProgram(record);
        const links = hooks.commit();
        for (const { id } of plan.unloads) store.deleteProgram(id);
        for (const { desired, previous } of plan.programs) {
            const now = records.get(desired.name);
            if (previous !== undefined && now !== undefined) store.insertReplaced(previous.id, now.id);
        }
        return { programs: plan.programs.map(({ desired }) => records.get(desired.name)?.id), links };
    });
    undo.done();
    await hooks.finish();
    forgetPrograms(scope, context, plan.unloads);
    tell(context, plan, fresh, made.links, caller);
    return { programs: made.programs.filter(id => id !== undefined), links: made.links };
}

function madeOf({ programs, links }: ApplyPlan): Made {
    return {
        programs: programs.flatMap(({ kept }) => (kept === undefined ? [] : [kept.id])),
        links: links.flatMap(({ record }) => (record === undefined ? [] : [record.id])),
    };
}

/** links: the ids of the plan's links, in their order. */
function tell(
    context: Context,
    plan: ApplyPlan,
    fresh: readonly ProgramRecord[],
    links: readonly LinkId[],
    caller: Caller,
): void {
    const by = context.describe(caller);
    const of = (wanted: (link: ApplyPlan["links"][number]) => boolean) =>
        plan.links.flatMap((link, at) => {
            const id = links[at];
            return id !== undefined && wanted(link) ? [id] : [];
        });
    const emit = (
        kind: Parameters<typeof context.events.emit>[0],
        ids: { programs?: ProgramId[]; links?: LinkId[] },
    ) => {
        if ([...(ids.programs ?? []), ...(ids.links ?? [])].length > 0) context.events.emit(kind, by, ids);
    };
    const owned = [...plan.programs, ...plan.links, ...plan.unloads, ...plan.detaches];
    const set = owned.map(({ metadata }) => metadata.get(setKey)).find(name => name !== undefined);
    context.events.emit("SET_APPLIED", by, { subjects: set === undefined ? [] : [set] });
    emit("PROGRAM_LOADED", { programs: fresh.map(({ id }) => id) });
    emit("LINK_ATTACHED", { links: of(({ record }) => record === undefined) });
    emit("LINK_UPDATED", { links: of(({ record, changes }) => record !== undefined && changes.length > 0) });
    emit("LINK_DETACHED", { links: plan.detaches.map(({ id }) => id) });
    emit("PROGRAM_UNLOADED", { programs: plan.unloads.map(({ id }) => id) });
}
