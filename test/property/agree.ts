// SPDX-License-Identifier: Apache-2.0
// Whether everybody says what the model says: the lists, `dispatcher get`, the pins and the kernel.
import assert from "node:assert/strict";
import path from "node:path";
import { attachType, linkInfo, openLink, openPin } from "../../daemon/kernel/bpf.ts";
import type { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import { lookup } from "../../daemon/kernel/objects/map-calls.ts";
import type { ChainJson, LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { assertChain, assertPins, chainFolder } from "../crash/assert-consistent.ts";
import type { Lab } from "../lab/lab.ts";
import { type Hook, hookName, type Kind, type Model } from "./model.ts";

const chainType = ({ kind, direction }: Hook) => (kind === "xdp" ? "xdp" : `${kind}-${direction}`);

const kernelTypes: Readonly<Record<Kind, string>> = { xdp: "xdp", tc: "sched_cls", tcx: "sched_cls" };

export async function assertAgree(lab: Lab, net: NetThread, model: Model): Promise<void> {
    const { programs = [] } = await lab.client.listPrograms({});
    assert.deepEqual(
        programs.map(({ id, record, kernel }) => [id, record?.name, record?.type, kernel?.id, kernel?.typeName]),
        model.programs
            .toSorted((a, b) => a.id - b.id)
            .map(({ id, name, kind }) => [id, name, kind, id, kernelTypes[kind]]),
        "the list of programs",
    );
    for (const { id, links = [] } of programs) {
        const theirs = model.hooks.flatMap(hook => model.chain(hook).filter(({ programId }) => programId === id));
        const ids = links.map(link => link.id ?? 0).toSorted();
        assert.deepEqual(ids, theirs.map(link => link.id).toSorted(), `links of program ${id}`);
    }
    const { links = [] } = await lab.client.listLinks({});
    assert.equal(links.length, model.hooks.flatMap(hook => model.chain(hook)).length, "the list of links");
    const { chains = [] } = await lab.client.listChains({});
    const { interfaces = [] } = await lab.client.listInterfaces({});
    // the kernel keeps the order of TCX links: they have no dispatcher to get, and stand with their interface
    const tcx = interfaces.flatMap(one => one.chains ?? []).filter(({ type }) => type?.startsWith("tcx"));
    const running: ChainJson[] = [];
    for (const hook of model.hooks) {
        assertLinks(links, hook, model);
        const chain = await chainAt(lab, [...chains, ...tcx], hook, model);
        if (chain !== undefined && hook.kind !== "tcx") running.push(chain);
    }
    assertPins(
        lab,
        model.programs.map(({ id }) => id),
        links,
        running,
    );
    for (const chain of running) assertChain(lab, chain);
    await assertHooks(net, model, links, running);
    lab.assertNoDescriptors();
}

/** `link list` */
function assertLinks(links: readonly LinkJson[], hook: Hook, model: Model): void {
    const here = links.filter(
        ({ netns, kind, direction }) =>
            netns === hook.netns && kind === hook.kind && (kind === "xdp" || direction === hook.direction),
    );
    here.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    assert.deepEqual(
        here.map(link => [link.id, link.programId, link.position ?? 0, link.priority ?? 0, link.proceedOn ?? []]),
        model.chain(hook).map((link, at) => [link.id, link.programId, at, link.priority, link.proceedOn]),
        `the links of ${hookName(hook)}`,
    );
    for (const { id, kernelSeen, pinPresent } of here) assert.ok(kernelSeen && pinPresent, `link ${id} does not run`);
}

/** `dispatcher get` (of TCX the interface), and what the dispatcher in the kernel holds. */
async function chainAt(
    lab: Lab,
    chains: readonly ChainJson[],
    hook: Hook,
    model: Model,
): Promise<ChainJson | undefined> {
    const listed = chains.filter(({ netns, type }) => netns === hook.netns && type === chainType(hook));
    const expected = model.chain(hook);
    assert.equal(listed.length, expected.length === 0 ? 0 : 1, `chains at ${hookName(hook)}`);
    const [one] = listed;
    if (one === undefined) return undefined;
    const { type = "", nsid = "0", ifindex = 0 } = one;
    const chain = hook.kind === "tcx" ? one : await lab.client.getChain({ type, nsid, ifindex });
    const members = chain.members ?? [];
    assert.deepEqual(
        members.map(({ position = 0, linkId, programId, priority = 0, proceedOn = [] }) => [
            ...[position, linkId, programId, priority, proceedOn],
        ]),
        expected.map(({ id, programId, priority, proceedOn }, at) => [at, id, programId, priority, proceedOn]),
        `the members of ${hookName(hook)}`,
    );
    const { backend, revision } = chain;
    const folder = path.join(lab.runtimeDir, "fs", chainFolder(type), `dispatcher_${nsid}_${ifindex}_${revision}`);
    if (backend === "tail-call") {
        using slots = openPin(path.join(folder, "slots"));
        // a PROG_ARRAY read from outside gives ids of programs
        const ids = expected.map((_, at) => lookup(slots, u32(at), 4)?.readUInt32LE(0));
        assert.deepEqual(
            ids,
            expected.map(({ programId }) => programId),
            `the slots of ${hookName(hook)}`,
        );
        assert.equal(expected.length < 10 && lookup(slots, u32(expected.length), 4) !== undefined, false);
    } else if (backend === "freplace") {
        for (const at of expected.keys()) {
            using link = openPin(path.join(folder, `link_${at}`));
            assert.equal(linkInfo(link).id, members[at]?.kernelLinkId, `slot ${at} of ${hookName(hook)}`);
        }
    } else if (backend === "direct") assert.equal(chain.programId, expected[0]?.programId);
    return chain;
}

function u32(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
}

/** What the kernel runs at each hook. */
async function assertHooks(
    net: NetThread,
    model: Model,
    links: readonly LinkJson[],
    chains: readonly ChainJson[],
): Promise<void> {
    const namespaces = new Set(model.hooks.map(({ netns }) => netns));
    for (const netns of namespaces) {
        const { interfaces } = await net.call(netns, { op: "interfaces" });
        const name = model.hooks.find(hook => hook.netns === netns)?.interface;
        const device = interfaces.find(one => one.name === name);
        assert.ok(device !== undefined);
        const { ifindex } = device;
        const chainOf = (type: string) => chains.find(chain => chain.netns === netns && chain.type === type);
        assert.equal(device.xdp?.programId, chainOf("xdp")?.programId, `XDP in ${netns}`);
        for (const direction of ["ingress", "egress"] as const) {
            const type: number = { ingress: attachType.tcxIngress, egress: attachType.tcxEgress }[direction];
            const query = { op: "query-tcx", ifindex, attachType: type } as const;
            const { entries } = await net.call(netns, query);
            const own = model.hooks
                .filter(hook => hook.netns === netns && hook.kind === "tcx" && hook.direction === direction)
                .flatMap(hook => model.chain(hook))
                .map(({ id, programId }) => [programId, links.find(link => link.id === id)?.kernelLinkId]);
            const tc = chainOf(`tc-${direction}`);
            assert.deepEqual(
                entries.map(({ programId, linkId }) => [programId, linkId]),
                [...own, ...(tc === undefined ? [] : [[tc.programId, tc.kernelLinkId]])],
                `TCX ${direction} in ${netns}`,
            );
        }
    }
    for (const { kernelLinkId = 0 } of chains) {
        using link = openLink(kernelLinkId as never);
        assert.ok(link !== undefined, `link ${kernelLinkId} of a chain is not in the kernel`);
    }
}
