// SPDX-License-Identifier: Apache-2.0
// The programs of xdp-tools, each version with its own libxdp: the one of this system, and a newer one that writes the
// next version of the dispatcher, fetched once from another suite and run with that suite's C library.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installedVersion, type LibxdpVersion } from "../../daemon/kernel/libxdp-config.ts";
import { DebianSuite, osRelease } from "./debian.ts";

const cache = join(import.meta.dirname, "../../.cache/xdp-tools");
/** the first release with xdp-tools 1.6, whose dispatchers have version 3 */
const newerSuite = "forky";
/** what its programs and libraries need, down to the C library */
const packages = ["xdp-tools", "libxdp1", "libbpf1", "libelf1t64", "zlib1g", "libzstd1", "libc6"];

export interface XdpTools {
    /** of the dispatchers that it writes */
    readonly dispatcherVersion: LibxdpVersion;
    readonly name: string;
    /** Runs a program of it in the network namespace at a path; answers its output, throws with it where it fails. */
    run(netns: string, program: "xdp-loader" | "xdp-filter", ...args: string[]): string;
}

function tools(command: (program: string) => string[], environment: NodeJS.ProcessEnv): XdpTools["run"] {
    return (netns, program, ...args) => {
        // not "ip netns exec": it hides the bpffs of the host
        const line = [`--net=${netns}`, ...command(program), ...args];
        const { status, stdout, stderr } = spawnSync("nsenter", line, {
            encoding: "utf8",
            env: { ...process.env, ...environment },
        });
        if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
        return stdout;
    };
}

/** This system's own. */
export function installedTools(): XdpTools {
    return {
        name: "the installed xdp-tools",
        dispatcherVersion: installedVersion(),
        run: tools(program => [program], {}),
    };
}

/** Fetches the newer ones where they are not kept yet (3 MB once). A string: why there are none. */
export function newerTools(): XdpTools | string {
    if (osRelease().get("ID") !== "debian") return "newer xdp-tools are fetched from Debian's archive";
    const kept = join(cache, newerSuite);
    if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            renameSync(new DebianSuite(newerSuite, work).unpack(...packages), kept);
        } finally {
            rmSync(work, { recursive: true, force: true });
        }
    }
    const [loader = ""] = globSync("usr/lib/*/ld-linux-*.so.*", { cwd: kept });
    const libraries = join(kept, loader, "..");
    return {
        name: `xdp-tools of ${newerSuite}`,
        dispatcherVersion: 3,
        run: tools(program => [join(kept, loader), "--library-path", libraries, join(kept, "usr/sbin", program)], {
            LIBXDP_OBJECT_PATH: join(libraries, "bpf"),
        }),
    };
}
