// SPDX-License-Identifier: Apache-2.0
// The join of program rows and kernel: what program list and program get show.
import { openPin, programIdentity } from "../../kernel/bpf.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { KernelProgram } from "../../model/kernel.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { LinkView, MapView, ProgramView } from "../../model/views.ts";
import type { Context } from "../context.ts";
import { hookText, mapFolder, programPin } from "../pins.ts";
import { linkViews } from "./link-view.ts";
import { refuseReplaced } from "./replaced.ts";

interface Seen {
    readonly isPinned: (name: string) => boolean;
    readonly isAlive: (id: ProgramId) => boolean;
}

// A list of thousands is mostly of programs that nothing happened to: their views are made once. A record and what is
// known of a kernel program stay the same object until one of them changes.
const unchanged = new WeakMap<ProgramRecord | KernelProgram, ProgramView>();

function view(
    context: Context,
    id: ProgramId,
    record: ProgramRecord | undefined,
    links: readonly LinkView[],
    partOf: string,
    { isPinned, isAlive }: Seen,
): ProgramView {
    const { bpffs, kernel: kernelView, store } = context;
    const pin = programPin(id);
    const pinPresent = record !== undefined && isPinned(pin);
    // what is pinned lives
    const found = pinPresent || isAlive(id) ? kernelView.program(id) : undefined;
    const kernel = record === undefined || found?.tag === record.tag ? found : undefined;
    // links differ from look to look
    const subject = links.length === 0 ? (record ?? kernel) : undefined;
    const before = subject && unchanged.get(subject);
    if (before && before.kernel === kernel && before.partOf === partOf && before.pinPresent === pinPresent)
        return before;
    const made: ProgramView = {
        id,
        record,
        kernel,
        links,
        maps: [],
        mapUsedBy: [],
        stats: undefined,
        partOf,
        pinPath: record === undefined ? "" : bpffs.path(pin),
        mapPinPath: record === undefined ? "" : bpffs.path(mapFolder(record.mapOwnerId ?? id)),
        objectPath: record === undefined ? "" : store.objectPath(record.objectSha256),
        pinPresent,
    };
    if (subject) unchanged.set(subject, made);
    return made;
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
    const { bpffs, kernel, store } = context;
    const links = new Map<ProgramId, LinkView[]>();
    for (const link of linkViews(context)) {
        const group = links.get(link.record.programId);
        if (group === undefined) links.set(link.record.programId, [link]);
        else group.push(link);
    }
    // one look at the folder instead of one at each pin
    const pinned = new Set(bpffs.entries(""));
    const isPinned = (name: string) => pinned.has(name);
    const none: readonly LinkView[] = [];
    const records = store.programs();
    if (!all) {
        const seen: Seen = { isPinned, isAlive: id => kernel.isAlive(id) };
        return records.map(record => view(context, record.id, record, links.get(record.id) ?? none, "", seen));
    }
    const parts = ownParts(context);
    const known = new Map(records.map(record => [record.id, record]));
    const alive = new Set(kernel.programIds());
    const seen: Seen = { isPinned, isAlive: id => alive.has(id) };
    return [...alive.union(known)]
        .sort((a, b) => a - b)
        .map(id => view(context, id, known.get(id), links.get(id) ?? none, parts.get(id) ?? "", seen))
        .filter(one => one.record !== undefined || one.kernel !== undefined); // unloaded since its id was listed
}

/** NOT_FOUND where the kernel has no such program. */
export function programView(context: Context, id: ProgramId): ProgramView {
    const { store, kernel, bpffs } = context;
    const record = store.program(id);
    if (record === undefined) refuseReplaced(context, id);
    const alive = kernel.isAlive(id);
    if (record === undefined && !alive) throw new BpfmanError("NOT_FOUND", `program ${id} does not exist`);
    const links = linkViews(context).filter(link => link.record.programId === id);
    const seen: Seen = { isPinned: name => bpffs.exists(name), isAlive: () => alive };
    const base = view(context, id, record, links, ownParts(context).get(id) ?? "", seen);
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
