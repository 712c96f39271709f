// SPDX-License-Identifier: Apache-2.0
// The join of program rows and kernel: what program list and program get show.
import { openPin, programIdentity } from "../kernel/bpf.ts";
import { BpfmanError } from "../model/error.ts";
import type { ProgramId } from "../model/ids.ts";
import type { ProgramRecord } from "../model/records.ts";
import type { LinkView, MapView, ProgramView } from "../model/views.ts";
import type { Context } from "./context.ts";
import { linkViews } from "./link-view.ts";
import { hookText, mapFolder, programPin } from "./pins.ts";
import { refuseReplaced } from "./replaced.ts";

function view(
    context: Context,
    id: ProgramId,
    record: ProgramRecord | undefined,
    links: readonly LinkView[],
    partOf: string,
    alive: boolean,
    isPinned: (name: string) => boolean,
): ProgramView {
    const { bpffs, kernel, store } = context;
    const kernelProgram = alive ? kernel.program(id) : undefined;
    const pin = programPin(id);
    return {
        id,
        record,
        kernel: record === undefined || kernelProgram?.tag === record.tag ? kernelProgram : undefined,
        links,
        maps: [],
        mapUsedBy: [],
        stats: undefined,
        partOf,
        pinPath: record === undefined ? "" : bpffs.path(pin),
        mapPinPath: record === undefined ? "" : bpffs.path(mapFolder(record.mapOwnerId ?? id)),
        objectPath: record === undefined ? "" : store.objectPath(record.objectSha256),
        pinPresent: record !== undefined && isPinned(pin),
    };
}

/** What the daemon made for itself, by program id: dispatchers of chains, and copies in them. */
export function ownParts(context: Context): Map<ProgramId, string> {
    const parts = new Map<ProgramId, string>();
    for (const chain of context.store.chains())
        if (chain.backend !== "direct") {
            const now = context.libxdp.state(chain.hook)?.dispatcher.programId;
            parts.set(now ?? chain.programId, `dispatcher of ${hookText(chain)}`);
        }
    for (const entry of context.bpffs.entries("copies")) {
        const match = /^(\d+)_/.exec(entry);
        if (match === null) continue;
        using fd = openPin(context.bpffs.path(`copies/${entry}`));
        parts.set(programIdentity(fd).id, `copy of program ${match[1]}`);
    }
    return parts;
}

/** Sorted by id; with all, also what others loaded. Maps, users and statistics are left to programView. */
export function programViews(context: Context, { all }: { all: boolean }): ProgramView[] {
    const records = new Map(context.store.programs().map(record => [record.id, record]));
    const links = new Map<ProgramId, LinkView[]>();
    for (const link of linkViews(context)) {
        const group = links.get(link.record.programId);
        if (group === undefined) links.set(link.record.programId, [link]);
        else group.push(link);
    }
    const parts = all ? ownParts(context) : new Map<ProgramId, string>();
    const alive = new Set(context.kernel.programIds());
    // one look at the folder instead of one at each pin
    const pinned = new Set(context.bpffs.entries(""));
    const isPinned = (name: string) => pinned.has(name);
    const ids = all ? new Set([...records.keys(), ...alive]) : records.keys();
    const views: ProgramView[] = [];
    for (const id of [...ids].sort((a, b) => a - b)) {
        const one = view(
            context,
            id,
            records.get(id),
            links.get(id) ?? [],
            parts.get(id) ?? "",
            alive.has(id),
            isPinned,
        );
        // unloaded between the list of ids and the look at it
        if (one.record !== undefined || one.kernel !== undefined) views.push(one);
    }
    return views;
}

/** NOT_FOUND where the kernel has no such program. */
export function programView(context: Context, id: ProgramId): ProgramView {
    const { store, kernel, bpffs } = context;
    const record = store.program(id);
    if (record === undefined) refuseReplaced(context, id);
    const alive = kernel.isAlive(id);
    if (record === undefined && !alive) throw new BpfmanError("NOT_FOUND", `program ${id} does not exist`);
    const links = linkViews(context).filter(link => link.record.programId === id);
    const base = view(context, id, record, links, ownParts(context).get(id) ?? "", alive, name => bpffs.exists(name));
    const folder = record === undefined ? "" : mapFolder(record.mapOwnerId ?? id);
    const pinned = new Set(folder === "" ? [] : bpffs.entries(folder));
    const names = new Map([...(record?.mapIds ?? [])].map(([name, mapId]) => [mapId, name]));
    const ids = new Set([...(base.kernel?.mapIds ?? []), ...(record?.mapIds.values() ?? [])]);
    const maps = [...ids].flatMap((mapId): MapView[] => {
        const map = kernel.map(mapId);
        if (map === undefined) return [];
        const name = names.get(mapId);
        return [
            { kernel: map, pinPath: name !== undefined && pinned.has(name) ? bpffs.path(`${folder}/${name}`) : "" },
        ];
    });
    const mapUsedBy =
        record === undefined
            ? []
            : store
                  .programs()
                  .filter(other => other.mapSet === record.mapSet && other.id !== id)
                  .map(other => other.id);
    return { ...base, maps, mapUsedBy, stats: kernel.runStats(id) };
}
