// SPDX-License-Identifier: Apache-2.0
// The program that a map_owner_id names. Its maps may outlive it: they stay while others use them, and can be shared on.
import * as bpf from "../../kernel/bpf.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId, ProgramId } from "../../model/ids.ts";
import type { Context } from "../context.ts";
import { mapFolder } from "../pins.ts";
import { refuseReplaced } from "../views/replaced.ts";

export interface MapOwner {
    readonly id: ProgramId;
    readonly mapSet: number;
    readonly maps: ReadonlyMap<string, MapId>;
}

/** undefined where there is no such program, nor maps of one. */
export function mapOwner(context: Context, id: ProgramId): MapOwner | undefined {
    const { store, bpffs } = context;
    const record = store.program(id);
    if (record === undefined) refuseReplaced(context, id);
    if (record?.mapOwnerId !== undefined)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `program ${id} owns no maps: it uses those of program ${record.mapOwnerId}`,
            { hint: `Name ${record.mapOwnerId} as the owner instead.` },
        );
    if (record !== undefined) return { id, mapSet: record.mapSet, maps: record.mapIds };
    const user = store.programs().find(({ mapOwnerId }) => mapOwnerId === id);
    if (user === undefined) return undefined;
    const maps = new Map(
        bpffs.entries(mapFolder(id)).map(name => {
            using fd = bpf.openMapPinReadOnly(bpffs.path(`${mapFolder(id)}/${name}`));
            return [name, bpf.mapIdOf(fd)] as const;
        }),
    );
    return { id, mapSet: user.mapSet, maps };
}
