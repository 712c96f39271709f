// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that tells of everything in the kernel.
import type { Host, InventoryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { Inventory, InventoryLink, InventoryMap, InventoryProgram } from "../model/inventory.ts";
import * as convert from "./convert.ts";
import type { Handlers } from "./service.ts";

export function inventoryHandlers(manager: Pick<Manager, "inventory">): Pick<Handlers<typeof Host>, "getInventory"> {
    return { getInventory: async () => inventoryJson(await manager.inventory()) };
}

/** Thousands of rows: what is default is left out. */
function item({ pids, pinPaths, owner, partOf }: Pick<InventoryMap, "pids" | "pinPaths" | "owner" | "partOf">) {
    return {
        ...(pids.length > 0 && { pids: [...pids] }),
        ...(pinPaths.length > 0 && { pinPaths: [...pinPaths] }),
        ...(owner !== "" && { owner }),
        ...(partOf !== "" && { partOf }),
    };
}

const program = (one: InventoryProgram) => ({
    kernel: convert.kernelProgram(one.kernel),
    name: one.name,
    ...(one.managed && { managed: true }),
    ...item(one),
    ...(one.hooks.length > 0 && { hooks: [...one.hooks] }),
    ...(one.stats && { stats: convert.runStats(one.stats) }),
    ...(one.application !== "" && { application: one.application }),
    ...(one.linkIds.length > 0 && { linkIds: [...one.linkIds] }),
});

const map = (one: InventoryMap) => ({
    map: convert.map({ kernel: one.kernel, pinPath: one.pinPaths[0] ?? "" }),
    name: one.name,
    ...(one.managed && { managed: true }),
    ...item(one),
    ...(one.programIds.length > 0 && { programIds: [...one.programIds] }),
});

const link = (one: InventoryLink) => ({
    kernel: convert.kernelLink(one.kernel),
    ...(one.managedLinkId !== undefined && { managedLinkId: one.managedLinkId }),
    hook: one.hook,
    ...item(one),
});

function inventoryJson({ programs, maps, links, btf, processes, ownersUnknown }: Inventory): InventoryJson {
    const sum = (numbers: readonly number[]) => String(numbers.reduce((total, one) => total + one, 0));
    return {
        programs: programs.map(program),
        maps: maps.map(map),
        links: links.map(link),
        btf: btf.map(({ pids, programIds, mapIds, ...one }) => ({
            ...one,
            ...(programIds.length > 0 && { programIds: [...programIds] }),
            ...(mapIds.length > 0 && { mapIds: [...mapIds] }),
            ...(pids.length > 0 && { pids: [...pids] }),
        })),
        processes: processes.map(process => ({ ...process })),
        totals: {
            programs: programs.length,
            maps: maps.length,
            links: links.length,
            btf: btf.length,
            programMemoryBytes: sum(programs.map(({ kernel }) => kernel.memlockBytes)),
            mapMemoryBytes: sum(maps.map(({ kernel }) => kernel.memlockBytes)),
            btfBytes: sum(btf.map(({ sizeBytes }) => sizeBytes)),
            managedPrograms: programs.filter(({ managed }) => managed).length,
        },
        ownersUnknown,
    };
}
