// SPDX-License-Identifier: Apache-2.0
// The newest Cockpit that Debian's archive serves, with all that it needs, unpacked once into .cache/cockpit.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DebianSuite } from "../vm/debian.ts";

const cache = join(import.meta.dirname, "../../.cache/cockpit");
const suite = "sid";
const versionFile = "etc/cockpit-version";

export interface NewestCockpit {
    readonly root: string;
    /** as 370.1-1 */
    readonly version: string;
}

/** Fetches it where it is not kept yet. */
export function newestCockpit(): NewestCockpit {
    const root = join(cache, suite);
    if (!existsSync(root)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            const archive = new DebianSuite(suite, work);
            const tree = archive.unpackSystem("cockpit-ws", "cockpit-bridge", "cockpit-system");
            const version = /^Version: (\S+)/m.exec(archive.show("cockpit-ws"))?.[1] ?? "";
            // nobody configured it: who is root it learns from this machine
            for (const file of ["passwd", "group", "nsswitch.conf"]) cpSync(`/etc/${file}`, join(tree, "etc", file));
            cpSync("/etc/machine-id", join(tree, "etc/machine-id"), { force: true });
            writeFileSync(join(tree, versionFile), version);
            renameSync(tree, root);
        } finally {
            rmSync(work, { recursive: true, force: true });
        }
    }
    return { root, version: readFileSync(join(root, versionFile), "utf8") };
}
