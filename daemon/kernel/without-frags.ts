// SPDX-License-Identifier: Apache-2.0
// The same object with its xdp.frags sections called xdp. libbpf sets BPF_F_XDP_HAS_FRAGS by the section's name, and
// before 1.3 nothing else takes the flag away again.
import { readElf } from "./elf-file.ts";

const nameTables = [".strtab", ".shstrtab", ".BTF"];
const name = Buffer.from("xdp.frags");

/** A copy of the object; throws as readElf does. */
export function withoutFrags(object: Uint8Array): Buffer {
    const copy = Buffer.from(object);
    for (const section of readElf(object).sections) {
        if (!nameTables.includes(section.name)) continue;
        const end = section.offset + section.sizeBytes;
        // a name ends at its first NUL: xdp\0frags is xdp
        for (let at = copy.indexOf(name, section.offset); at >= 0 && at < end; at = copy.indexOf(name, at + 1))
            copy[at + 3] = 0;
    }
    return copy;
}
