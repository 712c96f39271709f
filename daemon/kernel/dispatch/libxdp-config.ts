// SPDX-License-Identifier: Apache-2.0
// The configuration of an XDP dispatcher in libxdp's layout, as bytes, and which layout the installed libxdp writes.
// No kernel here. Layout: headers/xdp/prog_dispatcher.h of xdp-tools.
import fs from "node:fs";
import { readElf } from "../elf/elf-file.ts";

/** Versions that this program reads and writes. Version 1 (before libxdp 1.3) knows no frags and is left alone. */
export const libxdpVersions = [2, 3] as const;
export type LibxdpVersion = (typeof libxdpVersions)[number];

export const DISPATCHER_MAGIC = 236;
const MAX_LINKS = 10;
const BPF_F_XDP_HAS_FRAGS = 32;
/** set in every mask: what a stub answers that nothing replaces */
export const stubBit = 0x80000000;
const sizeBytes: Readonly<Record<LibxdpVersion, number>> = { 2: 124, 3: 128 };

export interface LibxdpSlot {
    readonly priority: number;
    /** bit r: the chain goes on after return code r */
    readonly mask: number;
    readonly frags: boolean;
}

export interface LibxdpConfig {
    readonly version: LibxdpVersion;
    readonly frags: boolean;
    readonly deviceBound: boolean;
    readonly slots: readonly LibxdpSlot[];
}

/** What a dispatcher's map says, or why it cannot be read, as the end of a sentence. */
export function parseConfig(bytes: Uint8Array): LibxdpConfig | string {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 4 || view.getUint8(0) !== DISPATCHER_MAGIC) return "it is no dispatcher of libxdp 1.3 or newer";
    const found = view.getUint8(1);
    const version = libxdpVersions.find(known => known === found);
    if (version === undefined || bytes.length !== sizeBytes[version])
        return `its dispatcher has version ${found}, and this program knows ${libxdpVersions.join(" and ")}`;
    const count = view.getUint8(2);
    if (count > MAX_LINKS) return `its dispatcher counts ${count} programs`;
    return {
        version,
        frags: view.getUint8(3) !== 0,
        deviceBound: version >= 3 && view.getUint8(124) !== 0,
        slots: Array.from({ length: count }, (_, i) => ({
            mask: view.getUint32(4 + 4 * i, true),
            priority: view.getUint32(44 + 4 * i, true),
            frags: (view.getUint32(84 + 4 * i, true) & BPF_F_XDP_HAS_FRAGS) !== 0,
        })),
    };
}

/** The return codes of a mask, without the one that is always there. */
export function maskCodes(mask: number): number[] {
    return Array.from({ length: 31 }, (_, code) => code).filter(code => (mask & (1 << code)) !== 0);
}

const multiarch: Partial<Record<NodeJS.Architecture, string>> = {
    x64: "x86_64-linux-gnu",
    arm64: "aarch64-linux-gnu",
    riscv64: "riscv64-linux-gnu",
    loong64: "loongarch64-linux-gnu",
    ppc64: "powerpc64le-linux-gnu",
};

/** Where libxdp looks for its own objects: LIBXDP_OBJECT_PATH, else the folder that it was built with. */
function objectFolders(): string[] {
    const own = process.env["LIBXDP_OBJECT_PATH"];
    if (own !== undefined) return [own];
    return ["/usr/lib64/bpf", "/usr/lib/bpf", `/usr/lib/${multiarch[process.arch] ?? "none"}/bpf`];
}

/** The version that the installed libxdp writes: by the size of its dispatcher's `conf`. Without one: 2. */
export function installedVersion(): LibxdpVersion {
    for (const folder of objectFolders()) {
        try {
            const elf = readElf(fs.readFileSync(`${folder}/xdp-dispatcher.o`));
            const conf = elf.symbols.find(symbol => elf.symbolName(symbol) === "conf");
            const version = libxdpVersions.find(known => sizeBytes[known] === conf?.sizeBytes);
            if (version !== undefined) return version;
        } catch {
            // not installed there, or nothing that can be read
        }
    }
    return 2;
}
