// SPDX-License-Identifier: Apache-2.0
// Map elements for tests.
import path from "node:path";
import { openMapPinReadOnly, openPin } from "../../daemon/kernel/bpf.ts";
import { check } from "../../daemon/kernel/errors.ts";
import { address, libc } from "../../daemon/kernel/ffi.ts";
import { lookup } from "../../daemon/kernel/objects/map-calls.ts";

const BPF_MAP_UPDATE_ELEM = 2;

/** Sets an element of a pinned map. */
export function updateElementRaw(pin: string, key: Buffer, value: Buffer): void {
    using map = openPin(pin);
    const attr = Buffer.alloc(32);
    attr.writeInt32LE(map.number, 0);
    attr.writeBigUInt64LE(address(key), 8);
    attr.writeBigUInt64LE(address(value), 16);
    check(libc.bpf(BPF_MAP_UPDATE_ELEM, attr), `update ${pin}`);
}

/** The sum over all CPUs of a per-CPU array's element. */
export function perCpuSum(mapPinPath: string, map: string, index = 0): number {
    using fd = openMapPinReadOnly(path.join(mapPinPath, map));
    const key = Buffer.alloc(4);
    key.writeUInt32LE(index);
    // room for more CPUs than any machine of a test has
    const value = lookup(fd, key, 8 * 512) ?? Buffer.alloc(0);
    let sum = 0n;
    for (let at = 0; at < value.length; at += 8) sum += value.readBigUInt64LE(at);
    return Number(sum);
}
