// SPDX-License-Identifier: Apache-2.0
// Whose something in the kernel is, in one word that groups a list. No I/O.
import type { OwnerProcess } from "../../model/inventory.ts";

/** of what this daemon loaded */
export const groupName = "bpfman";

/** Of several processes the first that is of a unit or a container speaks: a helper of it may hold descriptors too. */
export function ownerOf(processes: readonly OwnerProcess[], pinPaths: readonly string[]): string {
    const words = processes.map(processWord);
    const placed = processes.findIndex(({ unit, container }) => container !== "" || unit.endsWith(".service"));
    return words[placed] ?? words[0] ?? pinWord(pinPaths);
}

function processWord({ pid, name, unit, container, containerRuntime }: OwnerProcess): string {
    if (pid === 1) return name;
    if (container !== "") return `${containerRuntime}/${container}`;
    // of a session it is the program that tells more
    return unit.endsWith(".service") ? unit : name;
}

/** What is pinned by a tool lies in a folder of the tool's: /sys/fs/bpf/cilium/…, …/xdp/…; tc's globals are nobody's. */
function pinWord(paths: readonly string[]): string {
    for (const path of paths) {
        const inside = /^\/sys\/fs\/bpf\/(.+)$/.exec(path)?.[1]?.split("/") ?? [];
        const [first = "", second] = inside;
        if (second !== undefined && first !== "tc") return first === "xdp" ? "libxdp" : first;
    }
    return "";
}
