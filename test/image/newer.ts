// SPDX-License-Identifier: Apache-2.0
// skopeo with Sigstore compiled in, and cosign: of a newer suite of Debian's archive (Debian 12's skopeo has it out),
// unpacked once into .cache/image-tools and run with that suite's own libraries.
import { execFileSync } from "node:child_process";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    globSync,
    mkdirSync,
    mkdtempSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DebianSuite } from "../vm/debian.ts";

const cache = join(import.meta.dirname, "../../.cache/image-tools");
const suite = "forky";
const packages = ["skopeo", "cosign", "libc6", "libgpgme45", "libassuan9", "libgpg-error0", "libsqlite3-0"];

export interface NewerTools {
    /** a command that any user may run */
    readonly skopeo: string;
    cosign(args: readonly string[], env?: NodeJS.ProcessEnv): string;
}

/** Fetches them where they are not kept yet (28 MB once). folder: anybody may go through it; the checkout may be closed. */
export function newerTools(folder: string): NewerTools {
    const kept = join(cache, suite);
    if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            renameSync(new DebianSuite(suite, work).unpack(...packages), kept);
        } finally {
            rmSync(work, { recursive: true, force: true });
        }
    }
    const [loader = ""] = globSync("usr/lib/*/ld-linux-*.so.*", { cwd: kept });
    const libraries = globSync(
        ["libc", "libm", "libpthread", "libresolv", "libgpgme", "libassuan", "libgpg-error", "libsqlite3"].map(
            name => `${dirname(loader)}/${name}.so.*`,
        ),
        { cwd: kept },
    );
    for (const file of [loader, ...libraries, "usr/bin/skopeo"]) {
        copyFileSync(join(kept, file), join(folder, basename(file)));
        chmodSync(join(folder, basename(file)), 0o755);
    }
    const program = join(folder, "run-skopeo");
    const line = `exec ${join(folder, basename(loader))} --library-path ${folder} ${join(folder, "skopeo")} "$@"`;
    writeFileSync(program, `#!/bin/sh\n${line}\n`);
    chmodSync(program, 0o755);
    return {
        skopeo: program,
        // linked without libraries of its own
        cosign: (args, env = {}) =>
            execFileSync(join(kept, "usr/bin/cosign"), args, {
                encoding: "utf8",
                env: { ...process.env, ...env },
                stdio: ["ignore", "pipe", "pipe"],
            }),
    };
}
