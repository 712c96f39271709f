// SPDX-License-Identifier: Apache-2.0
// Whether rows, kernel and pins say the same of a daemon that was just started.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { attachType, linkInfo, openPin, programIdentity } from "../../daemon/kernel/bpf.ts";
import type { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import type { ChainJson, LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Lab } from "../lab/lab.ts";
import type { Hook } from "./hook.ts";

export const chainFolder = (type: string | undefined) => (type === "xdp" ? "xdp" : `tc-${type?.split("-")[1]}`);

/** Every pin there is, and every pin that the rows call for. */
export function assertPins(
    lab: Lab,
    programIds: readonly number[],
    links: readonly LinkJson[],
    chains: readonly ChainJson[],
) {
    const expected = new Map<string, string[]>(["xdp", "tc-ingress", "tc-egress", "links"].map(name => [name, []]));
    for (const { type, nsid, ifindex, revision, backend } of chains) {
        const pins = expected.get(chainFolder(type));
        const name = `dispatcher_${nsid}_${ifindex}`;
        pins?.push(`${name}_link`);
        if (backend !== "direct") pins?.push(`${name}_${revision}`);
    }
    for (const { kind, pinPath = "" } of links) if (kind === "tcx") expected.get("links")?.push(path.basename(pinPath));
    for (const [folder, pins] of expected) assert.deepEqual(lab.pins(folder).sort(), pins.sort(), `pins in ${folder}`);
    const ids = programIds.map(String).sort();
    assert.deepEqual(lab.pins("maps").sort(), ids);
    assert.deepEqual(
        lab
            .pins()
            .filter(name => name.startsWith("prog_"))
            .sort(),
        ids.map(id => `prog_${id}`).sort(),
    );
    assert.deepEqual(lab.pins("staging"), []);
    for (const name of lab.pins("copies")) {
        const [, id = ""] = /^(\d+)_(ext|plain)$/.exec(name) ?? [];
        assert.ok(ids.includes(id), `copies/${name} is of no program`);
    }
}

const pinned = (lab: Lab, name: string) => path.join(lab.runtimeDir, "fs", name);

export function assertChain(
    lab: Lab,
    { type, nsid, ifindex, revision, backend, programId, kernelLinkId }: ChainJson,
): void {
    const base = `${chainFolder(type)}/dispatcher_${nsid}_${ifindex}`;
    using link = openPin(pinned(lab, `${base}_link`));
    const info = linkInfo(link);
    assert.equal(info.id, kernelLinkId);
    assert.equal(info.programId, programId, "the link runs the program of the row");
    using entry = openPin(pinned(lab, backend === "direct" ? `prog_${programId}` : `${base}_${revision}/dispatcher`));
    assert.equal(programIdentity(entry).id, programId);
}

export async function assertConsistent(lab: Lab, net: NetThread, hooks: readonly Hook[]): Promise<void> {
    const { programs = [] } = await lab.client.listPrograms({});
    const { links = [] } = await lab.client.listLinks({});
    const { chains = [] } = await lab.client.listChains({});
    for (const { id, kernel, pinPresent, record } of programs) {
        assert.equal(kernel?.id, id, `program ${id} is not in the kernel`);
        assert.ok(pinPresent, `program ${id} has no pin`);
        assert.ok(fs.existsSync(record?.objectPath ?? ""), `the object of program ${id} is gone`);
    }
    for (const { id, kernelSeen, pinPresent } of links) {
        assert.ok(kernelSeen, `link ${id} is not in the kernel`);
        assert.ok(pinPresent, `link ${id} has no pin`);
    }
    for (const chain of chains) assertChain(lab, chain);
    assertPins(
        lab,
        programs.map(({ id = 0 }) => id),
        links,
        chains,
    );
    const kept = new Set(programs.map(({ record }) => path.basename(record?.objectPath ?? "")));
    assert.deepEqual(fs.readdirSync(path.join(lab.stateDir, "objects")).sort(), [...kept].sort(), "kept objects");
    for (const { wire, kind } of hooks) {
        const chain = chains.find(({ netns }) => netns === wire.netns);
        const { interfaces } = await net.call(wire.netns, { op: "interfaces" });
        const device = interfaces.find(({ name }) => name === wire.interface);
        const call = { op: "query-tcx", ifindex: device?.ifindex ?? 0, attachType: attachType.tcxIngress } as const;
        const { entries } = await net.call(wire.netns, call);
        const running = entries.map(({ programId, linkId }) => `program ${programId} by link ${linkId}`);
        const ours = links.filter(({ netns }) => netns === wire.netns);
        ours.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
        if (kind === "xdp") assert.equal(device?.xdp?.programId, chain?.programId);
        else if (kind === "tc")
            assert.deepEqual(running, [`program ${chain?.programId} by link ${chain?.kernelLinkId}`]);
        else
            assert.deepEqual(
                running,
                ours.map(({ programId, kernelLinkId }) => `program ${programId} by link ${kernelLinkId}`),
            );
    }
    lab.assertNoDescriptors();
}
