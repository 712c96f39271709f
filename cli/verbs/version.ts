// SPDX-License-Identifier: Apache-2.0
// version: this command's, and the daemon's where one runs. Starts none, needs no rights.
import { HostClient } from "../../client/host-client.ts";
import type { VersionResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { buildCommit, buildFacts, buildVersion } from "../build-info.ts";
import { dialSocket } from "../dial.ts";
import { type Verb, wantsJson } from "../host.ts";
import { printJson, printLine, printLines, table } from "../output/print.ts";

const daemonTimeoutMs = 2000;

export const version: Verb = async (args, { settings }) => {
    const daemon = await daemonVersion(settings.socketPath);
    const platform = `${process.platform}/${process.arch}`;
    const { branch, state, date } = buildFacts();
    if (wantsJson(args)) {
        printJson({
            version: buildVersion(),
            git_commit: buildCommit(),
            git_branch: branch,
            git_state: state,
            build_date: date,
            node_version: process.version,
            platform,
            daemon: daemon ? daemonJson(daemon) : null,
        });
        return 0;
    }
    const rows = [
        ["Version:", buildVersion()],
        ["Git commit:", buildCommit()],
        ["Git branch:", branch],
        ["Git state:", state],
        ["Build date:", date],
        ["Node version:", process.version],
        ["Platform:", platform],
    ];
    if (daemon) {
        rows.push(["Daemon:", `${daemon.version ?? ""} (pid ${daemon.pid ?? 0}, since ${daemon.startedAt ?? ""})`]);
        rows.push(["Kernel:", daemon.kernel ?? ""], ["libbpf:", daemon.libbpf ?? ""]);
    } else {
        rows.push(["Daemon:", "no answer"]);
    }
    printLines(table(rows));
    return 0;
};

export const shortVersion = (): void => printLine(`bpfman ${buildVersion()}`);

async function daemonVersion(socketPath: string): Promise<VersionResponseJson | undefined> {
    const client = new HostClient(() => dialSocket(socketPath));
    try {
        return await client.version({ signal: AbortSignal.timeout(daemonTimeoutMs) });
    } catch {
        return undefined;
    } finally {
        client.close();
    }
}

function daemonJson(daemon: VersionResponseJson): unknown {
    return {
        version: daemon.version ?? "",
        git_commit: daemon.commit ?? "",
        node_version: daemon.node ?? "",
        kernel: daemon.kernel ?? "",
        libbpf: daemon.libbpf ?? "",
        runtime_dir: daemon.runtimeDir ?? "",
        started_at: daemon.startedAt ?? "",
        pid: daemon.pid ?? 0,
    };
}
