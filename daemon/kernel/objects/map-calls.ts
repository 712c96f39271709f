// SPDX-License-Identifier: Apache-2.0
// bpf(2) for the elements of maps, and for the BTF that tells what they look like. Offsets are those of union bpf_attr
// and struct bpf_btf_info in include/uapi/linux/bpf.h.
import fs from "node:fs";
import type { MapId } from "../../model/ids.ts";
import { Btf } from "../btf/btf.ts";
import { check, kernelError } from "../errors.ts";
import { Fd } from "../fd.ts";
import { address, errno, libc } from "../ffi.ts";

const command = {
    lookup: 1,
    update: 2,
    delete: 3,
    nextKey: 4,
    mapFdById: 14,
    infoByFd: 15,
    btfFdById: 19,
    lookupBatch: 24,
} as const;
const BPF_F_RDONLY = 8;

/** Flags of BPF_MAP_UPDATE_ELEM. */
export const updateMode = { any: 0, noexist: 1, exist: 2 } as const;

const failed = (result: number, name: string): boolean => result === -(errno[name] ?? 0);

/** undefined where the kernel has no such map. EPERM: a map that only programs may read (BPF_F_WRONLY). */
export function openMapReadOnly(id: MapId): Fd | undefined {
    const attr = Buffer.alloc(12);
    attr.writeUInt32LE(id, 0);
    attr.writeUInt32LE(BPF_F_RDONLY, 8);
    const result = libc.bpf(command.mapFdById, attr);
    if (failed(result, "ENOENT")) return undefined;
    return new Fd(check(result, `open map ${id} for reading`));
}

export interface MapBtfIds {
    readonly btfId: number;
    readonly keyType: number;
    readonly valueType: number;
}

export function mapBtfIds(map: Fd): MapBtfIds {
    const info = Buffer.alloc(88);
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(map.number, 0);
    attr.writeUInt32LE(info.length, 4);
    attr.writeBigUInt64LE(address(info), 8);
    check(libc.bpf(command.infoByFd, attr), "read a map's information");
    return { btfId: info.readUInt32LE(64), keyType: info.readUInt32LE(68), valueType: info.readUInt32LE(72) };
}

/** BTF of the kernel by its id; undefined where there is none of that id. */
export function readBtf(id: number): Btf | undefined {
    const attr = Buffer.alloc(12);
    attr.writeUInt32LE(id, 0);
    const result = libc.bpf(command.btfFdById, attr);
    if (failed(result, "ENOENT")) return undefined;
    using fd = new Fd(check(result, `open BTF ${id}`));
    // asked twice: how long it is, then for the bytes
    const size = btfInfo(fd, Buffer.alloc(0));
    const bytes = Buffer.alloc(size);
    btfInfo(fd, bytes);
    return Btf.parse(bytes);
}

function btfInfo(fd: Fd, bytes: Buffer): number {
    const info = Buffer.alloc(16);
    info.writeBigUInt64LE(bytes.length === 0 ? 0n : address(bytes), 0);
    info.writeUInt32LE(bytes.length, 8);
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(fd.number, 0);
    attr.writeUInt32LE(info.length, 4);
    attr.writeBigUInt64LE(address(info), 8);
    check(libc.bpf(command.infoByFd, attr), "read BTF");
    return info.readUInt32LE(8);
}

/** null: a map without keys (queue, stack, bloom filter). */
function elementAttr(map: Fd, key: Uint8Array | null, value: Uint8Array, flags: number): Buffer {
    const attr = Buffer.alloc(32);
    attr.writeInt32LE(map.number, 0);
    attr.writeBigUInt64LE(address(key), 8);
    attr.writeBigUInt64LE(address(value), 16);
    attr.writeBigUInt64LE(BigInt(flags), 24);
    return attr;
}

/** The value under a key; undefined where there is none. Of a per-CPU map valueSize covers every possible CPU. */
export function lookup(map: Fd, key: Uint8Array | null, valueSize: number): Buffer | undefined {
    const value = Buffer.alloc(valueSize);
    const result = libc.bpf(command.lookup, elementAttr(map, key, value, 0));
    if (failed(result, "ENOENT")) return undefined;
    check(result, "look up a map element");
    return value;
}

/** 0 or -errno. */
export function update(map: Fd, key: Uint8Array | null, value: Uint8Array, flags: number): number {
    return libc.bpf(command.update, elementAttr(map, key, value, flags));
}

/** 0 or -errno. */
export function remove(map: Fd, key: Uint8Array): number {
    return libc.bpf(command.delete, elementAttr(map, key, Buffer.alloc(0), 0));
}

/** The key after this one, or the first; undefined after the last. */
export function nextKey(map: Fd, key: Uint8Array | null, keySize: number): Buffer | undefined {
    const next = Buffer.alloc(keySize);
    const result = libc.bpf(command.nextKey, elementAttr(map, key, next, 0));
    if (failed(result, "ENOENT")) return undefined;
    check(result, "read a map's next key");
    return next;
}

export interface Batch {
    readonly count: number;
    readonly keys: Buffer;
    readonly values: Buffer;
    /** where the next batch goes on; undefined after the last */
    readonly next: Buffer | undefined;
}

/**
 * BPF_MAP_LOOKUP_BATCH: up to count elements from a place on. "unsupported" where the map or the kernel has none;
 * "small" where a bucket of a hash holds more than count (kernel/bpf/hashtab.c answers ENOSPC).
 */
export function lookupBatch(
    map: Fd,
    from: Uint8Array | null,
    count: number,
    keySize: number,
    valueSize: number,
): Batch | "unsupported" | "small" {
    const keys = Buffer.alloc(count * keySize);
    const values = Buffer.alloc(count * valueSize);
    // a bucket's number for hashes, a key for others
    const next = Buffer.alloc(Math.max(4, keySize));
    const attr = Buffer.alloc(56);
    attr.writeBigUInt64LE(address(from), 0);
    attr.writeBigUInt64LE(address(next), 8);
    attr.writeBigUInt64LE(address(keys), 16);
    attr.writeBigUInt64LE(address(values), 24);
    attr.writeUInt32LE(count, 32);
    attr.writeInt32LE(map.number, 36);
    const result = libc.bpf(command.lookupBatch, attr);
    if (["EINVAL", "ENOTSUPP", "EOPNOTSUPP"].some(name => failed(result, name)) || result === -524)
        return "unsupported";
    if (failed(result, "ENOSPC")) return "small";
    const last = failed(result, "ENOENT");
    if (result < 0 && !last) throw kernelError("look up map elements", result);
    // the kernel set the count to what it read, also with ENOENT
    return { count: attr.readUInt32LE(32), keys, values, next: last ? undefined : next };
}

let cpus: number | undefined;

/** CPUs that may ever come online: as many values has an element of a per-CPU map. */
export function possibleCpus(): number {
    if (cpus === undefined) {
        const text = fs.readFileSync("/sys/devices/system/cpu/possible", "latin1").trim();
        cpus = Math.max(...text.split(/[,-]/).map(Number)) + 1;
    }
    return cpus;
}
