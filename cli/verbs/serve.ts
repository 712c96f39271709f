// SPDX-License-Identifier: Apache-2.0
// serve: becomes the daemon.
import type { Verb } from "../host.ts";
import { serveArguments } from "../settings.ts";

const heapFlag = "--max-semi-space-size=1";

/** Returns when the daemon has ended. */
export const serve: Verb = async (args, { settings }) => {
    becomeSmall();
    const idle = args.value("idle-timeout");
    const daemon = await import("../../daemon/main.ts");
    return await daemon.serve([...serveArguments(settings), ...(idle === undefined ? [] : ["--idle-timeout", idle])]);
};

/**
 * A young generation of 1 MiB halves the daemon's memory under load; V8 takes its size at start alone. Replaces this
 * process, so its id stays. Not with sockets of the service manager: Node marks inherited descriptors close-on-exec
 * (node.cc, uv_disable_stdio_inheritance), so there the unit sets the flag by NODE_OPTIONS.
 */
function becomeSmall(): void {
    const flags = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ");
    const main = process.argv[1];
    if (flags.includes("--max-semi-space-size") || process.env["LISTEN_FDS"] !== undefined) return;
    if (main === undefined || process.execve === undefined) return;
    const command = [process.execPath, heapFlag, ...process.execArgv, main, ...process.argv.slice(2)];
    process.execve(process.execPath, command, process.env);
}
