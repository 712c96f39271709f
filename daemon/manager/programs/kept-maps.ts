// SPDX-License-Identifier: Apache-2.0
// Which maps of a program its replacement takes over: those that its object defines alike. What they hold stays.
import type { ElfObject } from "../../kernel/elf/elf.ts";
import { mapDefinitions, objectBtf } from "../../kernel/elf/object-types.ts";
import { internalMapSection } from "../../kernel/load/loader-protocol.ts";
import type { MapId } from "../../model/ids.ts";
import type { ProgramRecord } from "../../model/records.ts";

const holdsCode = ["prog_array", "array_of_maps", "hash_of_maps"];

/** By mapKey(). The loader takes each only where type, sizes, entries and flags are the same. */
export function keptMaps(
    old: ProgramRecord,
    oldElf: ElfObject,
    elf: ElfObject,
    object: Uint8Array,
    given: ReadonlySet<string>,
): Map<string, MapId> {
    const definitions = new Map(mapDefinitions(elf, objectBtf(elf, object)).map(one => [one.name, one]));
    // what an object fills with its own programs and maps is filled anew: the running program must not call the new one
    const filled = elf.sections.some(({ name }) => name === ".rel.maps");
    const kept = new Map<string, MapId>();
    for (const [name, id] of old.mapIds) {
        const section = internalMapSection(name);
        if (section === undefined) {
            const definition = definitions.get(name);
            if (definition === undefined || (filled && holdsCode.includes(definition.typeName))) continue;
            kept.set(name, id);
        } else if (/^\.(?:data|bss)/.test(section) && sameVariables(oldElf, elf, section, given)) kept.set(section, id);
    }
    return kept;
}

/** Variables at the same places, none of them given a new value. .rodata is never kept: it was frozen with its values. */
function sameVariables(oldElf: ElfObject, elf: ElfObject, section: string, given: ReadonlySet<string>): boolean {
    const layout = ({ globals }: ElfObject) =>
        globals
            .filter(one => one.section === section)
            .map(({ name, offset, sizeBytes }) => `${name} ${offset} ${sizeBytes}`)
            .sort()
            .join("\n");
    return layout(oldElf) === layout(elf) && !elf.globals.some(one => one.section === section && given.has(one.name));
}
