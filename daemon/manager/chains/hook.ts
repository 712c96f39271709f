// SPDX-License-Identifier: Apache-2.0
// From what an administrator names (interface, namespace path) to what the kernel knows (ifindex, inode and cookie).
import { suggest } from "../../kernel/near-names.ts";
import type { NetResults } from "../../kernel/net/net-protocol.ts";
import type { LinkInterface } from "../../kernel/net/netlink.ts";
import { BpfmanError } from "../../model/error.ts";
import type { HookKey, NetworkHookRequest } from "../../model/hooks.ts";
import type { Context } from "../context.ts";

export interface ResolvedHook {
    readonly hook: HookKey;
    readonly interface: LinkInterface;
    readonly netns: string;
}

/**
 * Resolves the hooks of one request: each namespace is read once, however many links go to it. The function throws
 * NOT_FOUND for a namespace or an interface that is not there, with near names.
 */
export function hookResolver(context: Context): (request: NetworkHookRequest) => Promise<ResolvedHook> {
    const read = new Map<string, Promise<NetResults["interfaces"]>>();
    return async request => {
        const found = read.get(request.netns) ?? context.net.call(request.netns, { op: "interfaces" });
        read.set(request.netns, found);
        return resolve(request, await found);
    };
}

function resolve(request: NetworkHookRequest, { namespace, interfaces }: NetResults["interfaces"]): ResolvedHook {
    const found = interfaces.find(({ name }) => name === request.interface);
    if (found === undefined) {
        const where = request.netns === "" ? "" : ` in the network namespace ${request.netns}`;
        const near = suggest(
            request.interface,
            interfaces.map(({ name }) => name),
        );
        throw new BpfmanError(
            "NOT_FOUND",
            `interface ${JSON.stringify(request.interface)} not found${where}${near.length === 0 ? "" : `; did you mean: ${near.join(", ")}?`}`,
            { errno: "ENODEV" },
        );
    }
    return {
        hook: {
            kind: request.kind,
            direction: request.kind === "xdp" ? "ingress" : request.direction,
            nsid: namespace.nsid,
            netnsCookie: namespace.cookie,
            ifindex: found.ifindex,
        },
        interface: found,
        netns: request.netns,
    };
}

export const namespaceOf = (hook: HookKey): { nsid: bigint; cookie: bigint } => ({
    nsid: hook.nsid,
    cookie: hook.netnsCookie,
});
