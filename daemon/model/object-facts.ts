// SPDX-License-Identifier: Apache-2.0
// What an ELF object says of itself, without the kernel.
import type { ProgramType } from "./hooks.ts";
import type { Json } from "./maps.ts";

/** What an ELF object says of itself, without the kernel. */
export interface ObjectFacts {
    readonly programs: readonly ObjectProgram[];
    readonly maps: readonly string[];
    readonly globals: readonly ObjectGlobal[];
    /** what its maps are, in the order of maps */
    readonly mapDefinitions: readonly ObjectMap[];
    readonly license: string;
    readonly hasBtf: boolean;
}

export interface ObjectGlobal {
    readonly name: string;
    readonly sizeBytes: number;
    readonly section: string;
    /** C type; empty without BTF */
    readonly type: string;
    /** what the object sets it to */
    readonly value: Json | undefined;
}

export interface ObjectMap {
    readonly name: string;
    readonly typeName: string;
    readonly keySize: number;
    readonly valueSize: number;
    readonly maxEntries: number;
    readonly flags: number;
    /** C types; empty where the definition gives sizes only */
    readonly keyType: string;
    readonly valueType: string;
    /** LIBBPF_PIN_BY_NAME */
    readonly pinnedByName: boolean;
}

export interface ObjectProgram {
    readonly name: string;
    readonly section: string;
    /** undefined: the section name stands for nothing this daemon can load */
    readonly type: ProgramType | undefined;
    readonly otherTypes: readonly ProgramType[];
    readonly instructions: number;
    readonly frags: boolean;
}
