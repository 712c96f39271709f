// SPDX-License-Identifier: Apache-2.0
// What a process is, for people: its name, its user, and the unit and container that its control group tells.
import fs from "node:fs";
import type { OwnerProcess } from "../../model/inventory.ts";

export interface Place {
    /** as sshd.service; empty where it is none */
    readonly unit: string;
    /** id or name; empty where it is none */
    readonly container: string;
    readonly runtime: string;
}

const hexId = "[0-9a-f]{64}";
const shownIdLength = 12;

/** Where the engines put their containers: the name of the group, and what its id or name is. */
const containers: readonly { readonly runtime: string; readonly pattern: RegExp }[] = [
    { runtime: "podman", pattern: new RegExp(`libpod-(?:payload-)?(${hexId})`) },
    { runtime: "buildah", pattern: /(?:^|\/)buildah-([^/]+?)(?:\.scope)?(?:\/|$)/ },
    { runtime: "cri-o", pattern: new RegExp(`crio-(${hexId})`) },
    { runtime: "containerd", pattern: new RegExp(`cri-containerd[-:](${hexId})`) },
    { runtime: "docker", pattern: new RegExp(`docker[-/](${hexId})`) },
    { runtime: "kubernetes", pattern: new RegExp(`kubepods[^:]*?/(?:[a-z]+-)?(${hexId})`) },
    { runtime: "nspawn", pattern: /systemd-nspawn@([^/]+)\.service/ },
    { runtime: "machine", pattern: /(?:^|\/)machine-([^/]+)\.scope/ },
    { runtime: "lxc", pattern: /(?:^|\/)lxc\.payload\.([^/]+)/ },
    { runtime: "lxc", pattern: /(?:^|\/)lxc\/([^/]+)/ },
];

/** systemd escapes what a unit's name may not hold: \x2d is a hyphen (systemd-escape(1)). */
const unescaped = (name: string): string =>
    name.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** What /proc/PID/cgroup says: the group of version 2, or on hosts with version 1 the one that systemd keeps. */
export function placeOf(cgroups: string): Place {
    const groups = cgroups.split("\n").map(line => /^(\d+):([^:]*):(.*)$/.exec(line));
    const path = (pick: (id: string, controllers: string) => boolean) =>
        groups.find(group => group !== null && pick(group[1] ?? "", group[2] ?? ""))?.[3];
    const unified = path(id => id === "0") ?? "/";
    const systemd = path((_, controllers) => controllers === "name=systemd");
    const group = unified !== "/" || systemd === undefined ? unified : systemd;
    let found = { container: "", runtime: "" };
    for (const { runtime, pattern } of containers) {
        const id = pattern.exec(group)?.[1];
        if (id === undefined) continue;
        const container = unescaped(new RegExp(`^${hexId}$`).test(id) ? id.slice(0, shownIdLength) : id);
        found = { container, runtime: group.includes("kubepods") ? "kubernetes" : runtime };
        break;
    }
    // the innermost unit: user@1000.service holds those of the user
    const unit = group.split("/").findLast(part => /\.(?:service|scope)$/.test(part)) ?? "";
    return { unit, ...found };
}

const maxCommandLength = 120;

/** Names of users, by number; read once a call: the file is small and changes. */
export function userNames(): ReadonlyMap<number, string> {
    try {
        const lines = fs.readFileSync("/etc/passwd", "utf8").split("\n");
        return new Map(
            lines.map(line => line.split(":")).map(([name = "", , uid = ""]) => [Number(uid || Number.NaN), name]),
        );
    } catch {
        return new Map();
    }
}

/** undefined where the process is gone. */
export function processFacts(pid: number, users: ReadonlyMap<number, string>): OwnerProcess | undefined {
    try {
        const read = (name: string) => fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
        const status = read("status");
        const uid = Number(/^Uid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
        const { unit, container, runtime } = placeOf(read("cgroup"));
        const command = read("cmdline").split("\0").join(" ").trim();
        return {
            pid,
            name: read("comm").trim(),
            command: command.length > maxCommandLength ? `${command.slice(0, maxCommandLength)}…` : command,
            uid,
            user: users.get(uid) ?? "",
            unit,
            container,
            containerRuntime: runtime,
        };
    } catch {
        return undefined;
    }
}
