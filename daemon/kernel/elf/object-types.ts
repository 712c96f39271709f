// SPDX-License-Identifier: Apache-2.0
// What an object's BTF says of its global variables and of the maps that it defines. Pure: no kernel is asked.
import type { ObjectFacts, ObjectGlobal, ObjectMap } from "../../model/object-facts.ts";
import { Btf, valueTypeName } from "../btf/btf.ts";
import { decode } from "../btf/btf-decode.ts";
import { mapTypeName } from "../enums.ts";
import { type ElfGlobal, type ElfObject, objectFacts } from "./elf.ts";
import { SHT_NOBITS } from "./elf-file.ts";

/** undefined where the object has none. */
export function objectBtf(elf: ElfObject, object: Uint8Array): Btf | undefined {
    const section = elf.sections.find(({ name, type }) => name === ".BTF" && type !== 0);
    if (section === undefined) return undefined;
    return Btf.parse(object.subarray(section.offset, section.offset + section.sizeBytes));
}

/** The type of a variable; undefined where BTF does not tell, or tells another size than the variable has. */
export function globalType(btf: Btf | undefined, global: ElfGlobal): number | undefined {
    const type = btf?.variable(global.section, global.name);
    if (btf === undefined || type === undefined) return undefined;
    return btf.size(type) === global.sizeBytes ? type : undefined;
}

/** Longer values are not worth showing. */
const shownBytes = 4096;

export function globalFacts(elf: ElfObject, object: Uint8Array, btf: Btf | undefined): ObjectGlobal[] {
    return elf.globals.map(global => {
        const { name, sizeBytes, section } = global;
        const type = globalType(btf, global);
        if (btf === undefined || type === undefined) return { name, sizeBytes, section, type: "", value: undefined };
        const value = sizeBytes > shownBytes ? undefined : decode(btf, type, initialBytes(elf, object, global));
        return { name, sizeBytes, section, type: valueTypeName(btf, type), value };
    });
}

function initialBytes(elf: ElfObject, object: Uint8Array, { section, offset, sizeBytes }: ElfGlobal): Uint8Array {
    const found = elf.sections.find(({ name }) => name === section);
    if (found === undefined || found.type === SHT_NOBITS) return new Uint8Array(sizeBytes);
    return object.subarray(found.offset + offset, found.offset + offset + sizeBytes);
}

const LIBBPF_PIN_BY_NAME = 1;

/** As libbpf reads .maps (parse_btf_map_def): `__uint` is the length of an array behind a pointer, `__type` a pointer. */
export function mapDefinitions(elf: ElfObject, btf: Btf | undefined): ObjectMap[] {
    return elf.maps.map(name => {
        const id = btf?.variable(".maps", name);
        const type = btf !== undefined && id !== undefined ? btf.resolve(id) : undefined;
        const members = type?.kind === "struct" ? type.members : [];
        const target = (member: string): number | undefined => {
            const found = members.find(one => one.name === member);
            const pointer = found === undefined ? undefined : btf?.resolve(found.type);
            return pointer?.kind === "pointer" ? pointer.type : undefined;
        };
        const number = (member: string): number => {
            const behind = target(member);
            const array = behind === undefined ? undefined : btf?.resolve(behind);
            return array?.kind === "array" ? array.count : 0;
        };
        const [key, value] = [target("key"), target("value")];
        const typeName = (of: number | undefined) => (of === undefined ? "" : (btf?.cName(of) ?? ""));
        return {
            name,
            typeName: members.length === 0 ? "" : mapTypeName(number("type")),
            keySize: key === undefined ? number("key_size") : (btf?.size(key) ?? 0),
            valueSize: value === undefined ? number("value_size") : (btf?.size(value) ?? 0),
            maxEntries: number("max_entries"),
            flags: number("map_flags"),
            keyType: typeName(key),
            valueType: typeName(value),
            pinnedByName: number("pinning") === LIBBPF_PIN_BY_NAME,
        };
    });
}

/** All that an object says of itself. */
export function typedObjectFacts(elf: ElfObject, object: Uint8Array): ObjectFacts {
    const btf = objectBtf(elf, object);
    return { ...objectFacts(elf), globals: globalFacts(elf, object, btf), mapDefinitions: mapDefinitions(elf, btf) };
}
