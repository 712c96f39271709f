// SPDX-License-Identifier: Apache-2.0
// Objects changed a little before libbpf sees them, where it offers no other way. Every function answers a copy.
import { readElf } from "./elf-file.ts";

const nameTables = [".strtab", ".shstrtab", ".BTF"];
const framed = Buffer.from("xdp.frags");

/**
 * The same object with its xdp.frags sections called xdp: libbpf sets BPF_F_XDP_HAS_FRAGS by the section's name, and
 * before 1.3 nothing else takes the flag away again.
 */
export function withoutFrags(object: Uint8Array): Buffer {
    const copy = Buffer.from(object);
    for (const section of readElf(object).sections) {
        if (!nameTables.includes(section.name)) continue;
        const end = section.offset + section.sizeBytes;
        // a name ends at its first NUL: xdp\0frags is xdp
        for (let at = copy.indexOf(framed, section.offset); at >= 0 && at < end; at = copy.indexOf(framed, at + 1))
            copy[at + 3] = 0;
    }
    return copy;
}

const E_SHOFF = 0x28;
const SECTION_HEADER_BYTES = 64;
const SH_TYPE = 4;
const SHT_NULL = 0;

/**
 * The same object without what its PROG_ARRAYs and maps of maps start with: libbpf fills them even where the map
 * exists already and somebody may have changed it since.
 */
export function withoutMapValues(object: Uint8Array): Buffer {
    const copy = Buffer.from(object);
    const headers = Number(copy.readBigUInt64LE(E_SHOFF));
    for (const { name, index } of readElf(object).sections)
        if (name === ".rel.maps") copy.writeUInt32LE(SHT_NULL, headers + SECTION_HEADER_BYTES * index + SH_TYPE);
    return copy;
}
