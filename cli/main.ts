// SPDX-License-Identifier: Apache-2.0
// The bpfman command: one file per verb under verbs/, this project's table of commands in commands.ts and the
// released one's in released-commands.ts. The daemon does everything; here is what people and scripts see of it.
import { parseArgs, UsageError } from "./args.ts";
import { root } from "./commands/commands.ts";
import { helpLines } from "./commands/help.ts";
import { openHost } from "./host.ts";
import { printLines } from "./output/print.ts";
import { reportError } from "./report-error.ts";

// a verb's code is a bundle of its own and takes these classes from here: there must not be two of them
export * from "../client/errors.ts";
export * from "./args.ts";

async function main(argv: readonly string[]): Promise<number> {
    if (argv[0] === "-V" || argv[0] === "--version") {
        const { shortVersion } = await import("./verbs/version.ts");
        shortVersion();
        return 0;
    }
    const { path, args, help } = parseArgs(root, rewritten(argv), process.env);
    if (help) {
        printLines(helpLines(path, help));
        return 0;
    }
    const load = path.findLast(({ run }) => run)?.run;
    if (!load) throw new Error(`no code for ${path.map(({ name }) => name).join(" ")}`);
    try {
        const host = openHost(args);
        const verb = await load();
        return await verb(args, host);
    } catch (error) {
        throw error instanceof UsageError ? error.at(path) : error;
    }
}

/** `help cmd` is `cmd --help`; the Kubernetes operator runs the image with --csi-support alone. */
function rewritten(argv: readonly string[]): readonly string[] {
    if (argv[0] === "help") return [...argv.slice(1), "--help"];
    return argv[0] === "--csi-support" ? ["serve", ...argv] : argv;
}

// output is written synchronously: nothing is left to flush, and an open connection need not be waited for
main(process.argv.slice(2)).then(
    status => process.exit(status),
    error => process.exit(reportError(error)),
);
