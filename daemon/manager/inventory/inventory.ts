// SPDX-License-Identifier: Apache-2.0
// Everything of BPF in the kernel, whoever made it: one join of ids, processes, pins, hooks and our own rows. Nothing is
// held open afterwards; what can't change under an id is read once.
import { setImmediate as yieldToOthers } from "node:timers/promises";
import * as bpf from "../../kernel/bpf.ts";
import { KernelTypeNames } from "../../kernel/btf/btf-names.ts";
import { type BtfObject, btfIds, btfObject } from "../../kernel/btf/btf-objects.ts";
import { type HeldKind, type Holding, iterateOwners } from "../../kernel/holders/owner-iterator.ts";
import { type PinnedKind, PinWalk } from "../../kernel/holders/pin-walk.ts";
import { scanDescriptors } from "../../kernel/holders/process-descriptors.ts";
import { processFacts, userNames } from "../../kernel/holders/process-facts.ts";
import { linkPlace } from "../../kernel/hooks/link-detail.ts";
import { countsAlways } from "../../kernel/objects/run-statistics.ts";
import type { KernelLinkId, MapId } from "../../model/ids.ts";
import type {
    Inventory,
    InventoryBtf,
    InventoryLink,
    InventoryMap,
    InventoryProgram,
    OwnerProcess,
} from "../../model/inventory.ts";
import type { KernelLink, KernelMap, KernelProgram } from "../../model/kernel.ts";
import type { LinkView, ProgramView } from "../../model/views.ts";
import type { Context } from "../context.ts";
import { hookText } from "../pins.ts";
import { ProgramNames } from "../programs/function-names.ts";
import { applicationOf } from "../views/link-view.ts";
import { programViews } from "../views/program-view.ts";
import { type FoundHooks, findHooks, type PlacedLink } from "./inventory-hooks.ts";
import { groupName, ownerOf } from "./owner-word.ts";

const maxScanMs = 2000;
/** so many objects are read before others get a turn */
const batch = 200;

interface Facts {
    readonly views: readonly ProgramView[];
    readonly maps: ReadonlyMap<MapId, KernelMap>;
    readonly links: readonly (PlacedLink & { readonly kernel: KernelLink })[];
    readonly btf: readonly BtfObject[];
    /** by "kind id" */
    readonly holders: ReadonlyMap<string, readonly number[]>;
    readonly pins: ReadonlyMap<string, readonly string[]>;
    readonly processes: ReadonlyMap<number, OwnerProcess>;
    readonly hooks: FoundHooks;
    readonly ownersUnknown: string;
}

export class InventoryReader {
    readonly #pins = new PinWalk();
    readonly #names = new ProgramNames();
    readonly #typeNames = new KernelTypeNames();
    readonly #btf = new Map<number, BtfObject>();
    /** why this kernel refuses the iterator: it is not tried again */
    #noIterator: string | undefined;
    #running: Promise<Inventory> | undefined;

    /** Those who ask while one is being read wait for the next one: what they saw happen is in it. */
    async read(context: Context): Promise<Inventory> {
        const before = this.#running;
        if (before !== undefined) {
            await before.catch(() => {});
            // somebody else who waited has begun it
            if (this.#running !== undefined && this.#running !== before) return this.#running;
        }
        const running = this.#read(context).finally(() => {
            if (this.#running === running) this.#running = undefined;
        });
        this.#running = running;
        return running;
    }

    async #read(context: Context): Promise<Inventory> {
        const facts = await this.#facts(context);
        return join(context, facts, kernel => this.#names.of(kernel));
    }

    async #facts(context: Context): Promise<Facts> {
        // before the iterator, which would show itself
        const views = programViews(context, { all: true });
        const maps = new Map<MapId, KernelMap>();
        for await (const id of inTurns(bpf.mapIds())) {
            const map = context.kernel.map(id);
            if (map !== undefined) maps.set(id, map);
        }
        const links: (PlacedLink & { kernel: KernelLink })[] = [];
        for await (const id of inTurns(bpf.linkIds())) {
            using fd = bpf.openLink(id);
            if (fd === undefined) continue;
            const kernel = bpf.linkInfo(fd);
            links.push({ id, programId: kernel.programId, kernel, place: linkPlace(fd) });
        }
        const btf = this.#btfObjects();
        this.#names.forget(new Set(views.map(({ id }) => id)));
        const { holdings, ownersUnknown } = await this.#owners();
        const holders = grouped(
            holdings,
            ({ kind, id }) => keyOf(kind, id),
            ({ pid }) => pid,
        );
        const pins = grouped(
            this.#pins.pins(),
            ({ kind, id }) => keyOf(kind, id),
            ({ path }) => path,
        );
        const users = userNames();
        const processes = new Map<number, OwnerProcess>();
        for await (const pid of inTurns([...new Set(holdings.map(({ pid }) => pid))])) {
            const facts = processFacts(pid, users);
            if (facts !== undefined) processes.set(pid, facts);
        }
        const programs = views.flatMap(({ kernel }) => kernel ?? []);
        const pids = [...new Set(holdings.map(({ pid }) => pid))];
        const hooks = await findHooks(context, { programs, maps, links, pids, typeNames: this.#typeNames });
        return { views, maps, links, btf, holders, pins, processes, hooks, ownersUnknown };
    }

    #btfObjects(): BtfObject[] {
        const ids = btfIds();
        const found = ids.flatMap(id => this.#btf.get(id) ?? btfObject(id) ?? []);
        this.#btf.clear();
        for (const object of found) this.#btf.set(object.id, object);
        return found;
    }

    async #owners(): Promise<{ holdings: readonly Holding[]; ownersUnknown: string }> {
        if (this.#noIterator === undefined) {
            try {
                return { holdings: iterateOwners(), ownersUnknown: "" };
            } catch (error) {
                this.#noIterator = error instanceof Error ? error.message : String(error);
            }
        }
        const { holdings, cut } = await scanDescriptors(maxScanMs);
        const why = `${this.#noIterator}; and /proc has too many descriptors to look at all of them in ${maxScanMs / 1000} s`;
        return { holdings, ownersUnknown: cut ? why : "" };
    }
}

async function* inTurns<T>(items: readonly T[]): AsyncGenerator<T> {
    for (const [index, item] of items.entries()) {
        if (index % batch === batch - 1) await yieldToOthers();
        yield item;
    }
}

const keyOf = (kind: HeldKind | PinnedKind, id: number): string => `${kind} ${id}`;

function grouped<T, V>(items: readonly T[], key: (item: T) => string, value: (item: T) => V): Map<string, V[]> {
    const groups = new Map<string, V[]>();
    for (const item of items) {
        const group = groups.get(key(item));
        if (group === undefined) groups.set(key(item), [value(item)]);
        else group.push(value(item));
    }
    return groups;
}

const none: readonly never[] = [];

function join(context: Context, facts: Facts, nameOf: (kernel: KernelProgram) => string): Inventory {
    const { views, maps, links, holders, pins, processes, hooks } = facts;
    const owned = (kind: HeldKind, id: number) => holders.get(keyOf(kind, id)) ?? none;
    const pinned = (kind: PinnedKind, id: number) => pins.get(keyOf(kind, id)) ?? none;
    const linksOf = grouped(
        links,
        ({ programId }) => String(programId),
        ({ id }) => id,
    );
    const word = (pids: readonly number[], paths: readonly string[]) =>
        ownerOf(
            pids.flatMap(pid => processes.get(pid) ?? []),
            paths,
        );
    const own = ownLinks(context, views);
    const programs = views.flatMap((view): InventoryProgram[] => {
        const { id, kernel, record, partOf } = view;
        if (kernel === undefined) return [];
        const linkIds = linksOf.get(String(id)) ?? [];
        const managed = record !== undefined || partOf !== "";
        const pids = owned("program", id);
        const pinPaths = pinned("program", id);
        // whoever holds its links or its maps alone has it too
        const indirect = [
            ...linkIds.flatMap(link => owned("link", link)),
            ...(linkIds.length === 0 ? kernel.mapIds.flatMap(map => owned("map", map)) : none),
        ];
        const paths = [...pinPaths, ...linkIds.flatMap(link => pinned("link", link))];
        return [
            {
                kernel,
                name: record?.name ?? nameOf(kernel),
                managed,
                partOf,
                pids,
                pinPaths,
                hooks: record === undefined ? (hooks.ofProgram.get(id) ?? none) : view.links.map(ownHook),
                stats: undefined,
                application: applicationOf(record?.metadata),
                linkIds,
                owner: managed ? groupName : word(pids.length > 0 ? pids : indirect, paths),
            },
        ];
    });
    const byId = new Map(programs.map(program => [program.kernel.id, program]));
    return {
        programs: withStats(programs),
        maps: joinMaps(context, maps, programs, owned, pinned, word),
        links: links.map(({ id, programId, kernel }): InventoryLink => {
            const program = byId.get(programId);
            const managedLinkId = own.get(id);
            const pids = owned("link", id);
            const pinPaths = pinned("link", id);
            const ours = managedLinkId !== undefined || program?.managed === true;
            return {
                kernel,
                managedLinkId,
                pids,
                pinPaths,
                hook: hooks.ofLink.get(id) ?? "",
                owner: ours ? groupName : word(pids, pinPaths) || (program?.owner ?? ""),
                partOf: program?.partOf ?? "",
            };
        }),
        btf: facts.btf.map(
            (object): InventoryBtf => ({
                ...object,
                programIds: programs.flatMap(({ kernel }) => (kernel.btfId === object.id ? [kernel.id] : [])),
                mapIds: Array.from(maps.values()).flatMap(({ id, btfId }) => (btfId === object.id ? [id] : [])),
                pids: owned("btf", object.id),
            }),
        ),
        processes: [...processes.values()].sort((a, b) => a.pid - b.pid),
        ownersUnknown: facts.ownersUnknown,
    };
}

const ownHook = ({ record }: LinkView): string =>
    `${hookText(record)}${record.netns === "" ? "" : ` (netns ${record.netns.replace(/^(?:\/var)?\/run\/netns\//, "")})`}`;

/** Our link that a kernel link carries. */
function ownLinks({ store }: Context, views: readonly ProgramView[]): Map<KernelLinkId, LinkView["record"]["id"]> {
    const found = new Map<KernelLinkId, LinkView["record"]["id"]>();
    for (const { kernelLinkId, record } of views.flatMap(({ links }) => links))
        for (const id of [kernelLinkId, ...record.furtherKernelLinkIds]) if (id !== undefined) found.set(id, record.id);
    for (const { backend, kernelLinkId, members } of store.chains())
        if (backend === "direct" && members[0] !== undefined) found.set(kernelLinkId, members[0].linkId);
    return found;
}

/** Told only where the administrator has the kernel count all the time: figures of now and then mean nothing. */
function withStats(programs: readonly InventoryProgram[]): InventoryProgram[] {
    if (!countsAlways()) return [...programs];
    return programs.map(program => {
        using fd = bpf.openProgram(program.kernel.id);
        return fd === undefined ? program : { ...program, stats: bpf.programRunStats(fd) };
    });
}

function joinMaps(
    context: Context,
    maps: ReadonlyMap<MapId, KernelMap>,
    programs: readonly InventoryProgram[],
    owned: (kind: HeldKind, id: number) => readonly number[],
    pinned: (kind: PinnedKind, id: number) => readonly string[],
    word: (pids: readonly number[], paths: readonly string[]) => string,
): InventoryMap[] {
    const users = new Map<MapId, InventoryProgram[]>();
    for (const program of programs)
        for (const id of program.kernel.mapIds) {
            const list = users.get(id);
            if (list === undefined) users.set(id, [program]);
            else list.push(program);
        }
    // the kernel keeps 15 bytes of a name, our rows the whole
    const names = new Map(
        context.store.programs().flatMap(({ mapIds }) => Array.from(mapIds, ([name, id]) => [id, name])),
    );
    return Array.from(maps.values()).map(kernel => {
        const { id } = kernel;
        const whole = names.get(id) ?? "";
        const using = users.get(id) ?? [];
        const managed = using.some(program => program.managed);
        const pids = owned("map", id);
        const pinPaths = pinned("map", id);
        const ours = using.length > 0 && using.every(program => program.managed);
        return {
            kernel,
            name: whole.startsWith(kernel.name) ? whole : kernel.name,
            managed,
            partOf: using.every(({ partOf }) => partOf !== "") ? (using[0]?.partOf ?? "") : "",
            pids,
            pinPaths,
            programIds: using.map(program => program.kernel.id),
            owner: ours ? groupName : word(pids, pinPaths) || (using[0]?.owner ?? ""),
        };
    });
}
