// SPDX-License-Identifier: Apache-2.0
// The BTF objects of the kernel: its own, its modules', and those that came with programs and maps.
import { check } from "../errors.ts";
import { Fd } from "../fd.ts";
import { address, errno, libc } from "../ffi.ts";

const command = { infoByFd: 15, btfFdById: 19, btfNextId: 23 } as const;
const nameBytes = 64;

export interface BtfObject {
    readonly id: number;
    /** vmlinux, a module's name, or empty */
    readonly name: string;
    readonly sizeBytes: number;
    /** of the kernel or a module */
    readonly kernel: boolean;
}

export function btfIds(): number[] {
    const ids: number[] = [];
    const attr = Buffer.alloc(12);
    for (;;) {
        attr.writeUInt32LE(ids.at(-1) ?? 0, 0);
        const result = libc.bpf(command.btfNextId, attr);
        if (result === -(errno["ENOENT"] ?? 2)) return ids;
        check(result, "list the kernel's BTF objects");
        ids.push(attr.readUInt32LE(4));
    }
}

export function openBtf(id: number): Fd {
    const attr = Buffer.alloc(12);
    attr.writeUInt32LE(id, 0);
    return new Fd(check(libc.bpf(command.btfFdById, attr), `open BTF ${id}`));
}

/** undefined where the kernel has no BTF of that id. struct bpf_btf_info of include/uapi/linux/bpf.h. */
export function btfObject(id: number): BtfObject | undefined {
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(id, 0);
    const result = libc.bpf(command.btfFdById, attr);
    if (result === -(errno["ENOENT"] ?? 2)) return undefined;
    using fd = new Fd(check(result, `open BTF ${id}`));
    const name = Buffer.alloc(nameBytes);
    const info = Buffer.alloc(32);
    info.writeBigUInt64LE(address(name), 16);
    info.writeUInt32LE(name.length, 24);
    attr.fill(0);
    attr.writeUInt32LE(fd.number, 0);
    attr.writeUInt32LE(info.length, 4);
    attr.writeBigUInt64LE(address(info), 8);
    check(libc.bpf(command.infoByFd, attr), "read a BTF object's information");
    const end = name.indexOf(0);
    return {
        id,
        name: name.toString("utf8", 0, end < 0 ? name.length : end),
        sizeBytes: info.readUInt32LE(8),
        kernel: info.readUInt32LE(28) !== 0,
    };
}
