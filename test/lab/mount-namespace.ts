// SPDX-License-Identifier: Apache-2.0
// A daemon in a mount namespace of its own, where files of the machine are others: its boot id, its groups. What it
// mounts there goes with its last process.
import fs from "node:fs";
import path from "node:path";
import type { Lab } from "./lab.ts";

export interface Changes {
    readonly bootId?: string;
    /** lines added to /etc/group */
    readonly groups?: readonly string[];
    /** the pins of before are out of sight, as after a reboot */
    readonly freshPins?: boolean;
}

/** The wrapper for Lab.startDaemon(). Network namespaces made later are not seen inside. */
export function changedMachine(lab: Lab, { bootId, groups, freshPins = false }: Changes): string[] {
    const commands: string[] = [];
    const replace = (file: string, text: string) => {
        const copy = path.join(fs.mkdtempSync(path.join(lab.dir, "changed-")), path.basename(file));
        fs.writeFileSync(copy, text, { mode: 0o644 });
        commands.push(`mount --bind ${copy} ${file}`);
    };
    if (bootId !== undefined) replace("/proc/sys/kernel/random/boot_id", `${bootId}\n`);
    if (groups !== undefined)
        replace("/etc/group", [fs.readFileSync("/etc/group", "utf8").trimEnd(), ...groups, ""].join("\n"));
    if (freshPins) commands.push(`umount ${lab.runtimeDir}/fs`);
    return ["unshare", "--mount", "sh", "-c", `${commands.join(" && ")} && exec "$@"`, "sh"];
}
