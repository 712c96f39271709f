// SPDX-License-Identifier: Apache-2.0
// What is attached to control groups, with links or without: each group is asked (BPF_PROG_QUERY). Bounded in time: a
// host with many containers has thousands of groups.
import fs from "node:fs";
import path from "node:path";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { ProgramId } from "../../model/ids.ts";
import { attachTypeName, attachTypes, programTypeNumbers as programs } from "../enums.ts";
import { address, libc } from "../ffi.ts";
import { cgroupRoot } from "./cgroup.ts";

const BPF_PROG_QUERY = 16;
const capacity = 64;

export interface CgroupGroup {
    /** the inode of its folder, which is what links name */
    readonly id: bigint;
    /** below the root, beginning with a slash */
    readonly path: string;
    readonly attached: readonly { readonly attachType: string; readonly programId: ProgramId }[];
}

const addressTypes = [
    ...(["cgroup_inet4_bind", "cgroup_inet6_bind", "cgroup_inet4_connect", "cgroup_inet6_connect"] as const),
    ...(["cgroup_udp4_sendmsg", "cgroup_udp6_sendmsg", "cgroup_udp4_recvmsg", "cgroup_udp6_recvmsg"] as const),
    ...(["cgroup_inet4_getpeername", "cgroup_inet6_getpeername", "cgroup_inet4_getsockname"] as const),
    ...(["cgroup_inet6_getsockname", "cgroup_unix_connect", "cgroup_unix_sendmsg", "cgroup_unix_recvmsg"] as const),
    ...(["cgroup_unix_getpeername", "cgroup_unix_getsockname"] as const),
] as const;

const attachTypesOf: ReadonlyMap<number, readonly (keyof typeof attachTypes)[]> = new Map([
    [programs.cgroup_skb, ["cgroup_inet_ingress", "cgroup_inet_egress"]],
    [
        programs.cgroup_sock,
        [
            "cgroup_inet_sock_create",
            "cgroup_inet4_post_bind",
            "cgroup_inet6_post_bind",
            "cgroup_inet_sock_release",
        ] as const,
    ],
    [programs.cgroup_sock_addr, addressTypes],
    [programs.sock_ops, ["cgroup_sock_ops"]],
    [programs.cgroup_device, ["cgroup_device"]],
    [programs.cgroup_sysctl, ["cgroup_sysctl"]],
    [programs.cgroup_sockopt, ["cgroup_getsockopt", "cgroup_setsockopt"]],
] as [number, readonly (keyof typeof attachTypes)[]][]);

/** Whether programs of this type are attached to control groups. */
export const isCgroupType = (programType: number): boolean => attachTypesOf.has(programType);

/** The groups, and what is attached to them of programs of these types. */
export async function cgroupGroups(programTypes: ReadonlySet<number>, maxMs: number): Promise<CgroupGroup[]> {
    const root = cgroupRoot();
    if (root === undefined) return [];
    const wanted = [...programTypes].flatMap(type => attachTypesOf.get(type) ?? []).map(name => attachTypes[name]);
    const found: CgroupGroup[] = [];
    const until = performance.now() + maxMs;
    const queue = ["/"];
    for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
        if (performance.now() > until) break;
        if (found.length % 64 === 63) await yieldToOthers();
        const place = path.join(root, folder);
        try {
            for (const entry of fs.readdirSync(place, { withFileTypes: true }))
                if (entry.isDirectory()) queue.push(path.join(folder, entry.name));
            found.push({ id: fs.statSync(place, { bigint: true }).ino, path: folder, attached: query(place, wanted) });
        } catch {
            // removed meanwhile
        }
    }
    return found;
}

const ids = Buffer.alloc(4 * capacity);

function query(place: string, wanted: readonly number[]): CgroupGroup["attached"] {
    if (wanted.length === 0) return [];
    const fd = fs.openSync(place, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
        return wanted.flatMap(type => queryPrograms(fd, type));
    } finally {
        fs.closeSync(fd);
    }
}

/** What is attached to a control group or a network namespace itself; a type that this kernel does not know has nothing. */
export function queryPrograms(fd: number, type: number): CgroupGroup["attached"] {
    const attr = Buffer.alloc(64);
    attr.writeUInt32LE(fd, 0);
    attr.writeUInt32LE(type, 4);
    attr.writeBigUInt64LE(address(ids), 16);
    attr.writeUInt32LE(capacity, 24);
    if (libc.bpf(BPF_PROG_QUERY, attr) < 0) return [];
    return Array.from({ length: Math.min(attr.readUInt32LE(24), capacity) }, (_, at) => ({
        attachType: attachTypeName(type),
        programId: ids.readUInt32LE(4 * at) as ProgramId,
    }));
}
