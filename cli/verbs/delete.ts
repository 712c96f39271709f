// SPDX-License-Identifier: Apache-2.0
// program delete, link delete, dispatcher delete: unload and detach, with what hangs on it
import type { ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { UsageError } from "../args.ts";
import type { Verb } from "../host.ts";
import { parseCount } from "../values.ts";
import { batchOutcome, idsOf } from "./batch.ts";
import { checkChainType } from "./dispatcher.ts";

/** Links go with their programs; --recursive: those that use their maps too; --all: every program. */
export const programDelete: Verb = async (args, { client }) => {
    const named = idsOf("program", args);
    const all = args.flag("all");
    if (named.length === 0 && !all) throw new UsageError("name programs by their ids, or give --all");
    if (named.length > 0 && all) throw new UsageError("ids and --all exclude each other");
    const programs = all || args.flag("recursive") ? ((await client.listPrograms({})).programs ?? []) : [];
    const programIds = all ? programs.map(({ id = 0 }) => id) : withDependants(named, programs);
    if (programIds.length === 0) return 0;
    return batchOutcome("program", "unload", programIds.length, await client.unload({ programIds }));
};

/** The programs that name one of these as the owner of their maps, and theirs. */
function withDependants(ids: readonly number[], programs: readonly ProgramJson[]): number[] {
    const found = new Set(ids);
    for (const id of found)
        for (const { id: other = 0, record } of programs) if (record?.mapOwnerId === id) found.add(other);
    return [...found];
}

/** A program whose last link goes is unloaded. */
export const linkDelete: Verb = async (args, { client }) => {
    const linkIds = idsOf("link", args);
    const { links = [] } = await client.listLinks({});
    const answer = await client.detach({ linkIds });
    const gone = new Set(answer.done ?? []);
    const holders = (wanted: boolean) =>
        new Set(links.filter(({ id = 0 }) => gone.has(id) === wanted).map(({ programId = 0 }) => programId));
    const orphans = [...holders(true).difference(holders(false))];
    const unloaded = orphans.length === 0 ? {} : await client.unload({ programIds: orphans, ignoreMissing: true });
    batchOutcome("link", "detach", linkIds.length, answer);
    return batchOutcome("program", "unload", orphans.length, unloaded);
};

export const dispatcherDelete: Verb = async (args, { client }) => {
    const chain = await client.getChain({
        type: checkChainType(args.required("TYPE")),
        nsid: String(parseCount("nsid", args.required("NSID"))),
        ifindex: parseCount("ifindex", args.required("IFINDEX")),
    });
    const linkIds = (chain.members ?? []).flatMap(({ linkId = 0 }) => (linkId === 0 ? [] : [linkId]));
    if (linkIds.length === 0) return 0;
    return batchOutcome("link", "detach", linkIds.length, await client.detach({ linkIds }));
};
