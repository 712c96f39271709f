// SPDX-License-Identifier: Apache-2.0
// Maps that objects ask to be shared by name (LIBBPF_PIN_BY_NAME), pinned under our own bpffs and nowhere else. Who uses
// one follows from the programs' rows; its pin goes with the last of them.
import * as bpf from "../../kernel/bpf.ts";
import type { ElfObject } from "../../kernel/elf/elf.ts";
import { mapDefinitions, objectBtf } from "../../kernel/elf/object-types.ts";
import { BpfmanError } from "../../model/error.ts";
import type { MapId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";
import type { Context } from "../context.ts";
import { sharedMapPin, sharedMaps } from "../pins.ts";
import type { Undo } from "../undo.ts";
import type { WriterScope } from "../writer-lock.ts";

/** The names under which an object wants maps to be shared. */
export function sharedNames(elf: ElfObject, object: Uint8Array): string[] {
    if (elf.maps.length === 0) return [];
    return mapDefinitions(elf, objectBtf(elf, object))
        .filter(({ pinnedByName, name }) => pinnedByName && !name.includes("."))
        .map(({ name }) => name);
}

/** undefined where no map is shared under this name. */
export function sharedMap({ bpffs }: Context, name: string): MapId | undefined {
    if (name === "" || name.includes(".") || !bpffs.exists(sharedMapPin(name))) return undefined;
    using fd = bpf.openMapPinReadOnly(bpffs.path(sharedMapPin(name)));
    return bpf.mapIdOf(fd);
}

/** Another program came to share a map of this name while this one was verified: its load begins again. */
export class SharedMapChanged extends BpfmanError {
    constructor(name: string) {
        super("ABORTED", `the map that is shared as ${name} has changed meanwhile`, { hint: "Try again." });
    }
}

/** Pins a map under its name for the programs that come later. pin: where it is pinned now. */
export function shareMap(
    _scope: WriterScope,
    context: Context,
    name: string,
    id: MapId,
    pin: string,
    undo: Undo,
): void {
    const { bpffs } = context;
    const found = sharedMap(context, name);
    if (found === id) return;
    if (found !== undefined) throw new SharedMapChanged(name);
    bpffs.makeFolder(sharedMaps, "group");
    using fd = bpf.openPin(bpffs.path(pin));
    undo.add(`share map ${name}`, () => dropUnshared(context));
    bpf.pin(fd, bpffs.path(sharedMapPin(name)));
    bpffs.shareWithGroup(sharedMapPin(name));
}

/** Removes the pins of shared maps that no program has. */
export function dropUnshared(context: Context): void {
    const { bpffs, store } = context;
    const names = bpffs.entries(sharedMaps);
    const uses = (program: ProgramRecord, name: string, id: MapId | undefined) => program.mapIds.get(name) === id;
    const programs = store.programs();
    const unused = names.filter(name => {
        const id = sharedMap(context, name);
        return !programs.some(program => uses(program, name, id));
    });
    for (const name of unused) bpffs.remove(sharedMapPin(name));
    if (unused.length === names.length) bpffs.remove(sharedMaps);
}
