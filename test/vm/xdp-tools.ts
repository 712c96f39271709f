// SPDX-License-Identifier: Apache-2.0
// The programs of xdp-tools in the two versions whose dispatchers differ, each with its own libxdp: fetched once from two
// suites of Debian's archive and run with that suite's C library.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installedVersion, type LibxdpVersion } from "../../daemon/kernel/dispatch/libxdp-config.ts";
import { DebianSuite, osRelease } from "./debian.ts";

const cache = join(import.meta.dirname, "../../.cache/xdp-tools");
/** Debian 12 has xdp-tools 1.3, which writes version 2; the development suite is the first with 1.6, which writes version 3. */
const suites = { bookworm: 2, sid: 3 } as const satisfies Record<string, LibxdpVersion>;
export type Suite = keyof typeof suites;
/** what its programs and libraries need, down to the C library */
const packages: Record<Suite, readonly string[]> = {
    bookworm: ["xdp-tools", "libxdp1", "libbpf1", "libelf1", "zlib1g", "libc6"],
    sid: ["xdp-tools", "libxdp1", "libbpf1", "libelf1t64", "zlib1g", "libzstd1", "libc6"],
};

export interface XdpTools {
    /** of the dispatchers that it writes */
    readonly dispatcherVersion: LibxdpVersion;
    readonly name: string;
    /** of Debian's archive; undefined: the system's own */
    readonly suite: Suite | undefined;
    /** the folder with its dispatcher, as LIBXDP_OBJECT_PATH says it; undefined: where the system has it */
    readonly objects: string | undefined;
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

/** Fetches what is not kept yet (3 MB each, once). Outside Debian there is the system's own alone. */
export function fetchTools(): XdpTools[] {
    if (osRelease().get("ID") !== "debian")
        return [
            {
                name: "the installed xdp-tools",
                dispatcherVersion: installedVersion(),
                suite: undefined,
                objects: undefined,
                run: tools(program => [program], {}),
            },
        ];
    return (Object.keys(suites) as Suite[]).map(debianTools);
}

function debianTools(suite: Suite): XdpTools {
    const kept = join(cache, suite);
    if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            const packaged = new DebianSuite(suite, work);
            const version = /^Version: (.*)$/m.exec(packaged.show("xdp-tools"))?.[1] ?? "?";
            const tree = packaged.unpack(...packages[suite]);
            writeFileSync(join(tree, "version"), `${version}\n`);
            renameSync(tree, kept);
        } finally {
            rmSync(work, { recursive: true, force: true });
        }
    }
    // Debian 12's C library is below /lib, a newer one below /usr/lib
    const [loader = ""] = globSync("{usr/,}lib/*/ld-linux-*.so.*", { cwd: kept });
    const libraries = [...globSync("{usr/,}lib/*-linux-gnu*", { cwd: kept })].map(folder => join(kept, folder));
    const [objects = ""] = globSync("usr/lib/*/bpf", { cwd: kept });
    const version = readFileSync(join(kept, "version"), "utf8").trim();
    return {
        name: `xdp-tools ${version}`,
        dispatcherVersion: suites[suite],
        suite,
        objects: join(kept, objects),
        run: tools(
            program => [join(kept, loader), "--library-path", libraries.join(":"), join(kept, "usr/sbin", program)],
            { LIBXDP_OBJECT_PATH: join(kept, objects) },
        ),
    };
}
