// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that completes the targets of hooks.
import type { Host } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { invalid } from "./errors.ts";
import type { Handlers } from "./service.ts";
import * as validate from "./validate.ts";

const kinds = [
    ...["tracepoint", "raw_tracepoint", "kprobe", "fentry", "lsm", "interface"],
    ...["symbol", "library", "cgroup", "netns", "perf_event", "file"],
];
const usualLimit = 50;
const maxLimit = 1000;

export function targetHandlers(manager: Pick<Manager, "listTargets">): Pick<Handlers<typeof Host>, "listTargets"> {
    return {
        listTargets: async ({ kind, query, limit, path, containerPid, netns }, caller) => {
            if (!kinds.includes(kind)) throw invalid(`unknown kind of target "${kind}": one of ${kinds.join(", ")}`);
            if (kind === "symbol") validate.checkTarget(path);
            if (kind === "file") validate.checkPath(path, "the folder's path");
            const request = {
                kind,
                query: validate.checkText(query, "the query", validate.limits.functionBytes),
                limit: Math.min(limit === 0 ? usualLimit : limit, maxLimit),
                path,
                containerPid: validate.checkPid(containerPid, "the container's process"),
                netns: validate.checkNetns(netns),
            };
            const { targets, ...rest } = await manager.listTargets(request, caller);
            return {
                ...rest,
                targets: targets.map(({ name, detail = "", folder = false, sizeBytes = 0 }) => ({
                    name,
                    ...(detail !== "" && { detail }),
                    ...(folder && { folder }),
                    ...(sizeBytes > 0 && { sizeBytes: String(sizeBytes) }),
                })),
            };
        },
    };
}
