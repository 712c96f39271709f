// SPDX-License-Identifier: Apache-2.0
// Several links changed in one request: one rebuild for each chain, all or none.
import assert from "node:assert/strict";
import { suite } from "node:test";
import * as bpf from "../../daemon/kernel/bpf.ts";
import type { KernelLinkId, ProgramId } from "../../daemon/model/ids.ts";
import { refusal, tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const names = (type: string, kind: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${type}:${kind}_sequence_${i}`);

async function chain(lab: Lab, type: string) {
    const { interfaces = [] } = await lab.client.listInterfaces();
    const found = interfaces.flatMap(one => one.chains ?? []).find(one => one.type === type);
    return {
        revision: found?.revision ?? 0,
        programId: found?.programId ?? 0,
        kernelLinkId: found?.kernelLinkId ?? 0,
        names: found?.members?.map(({ programName = "" }) => programName.replace(/^.*_/, "")).join("") ?? "",
    };
}

suite("update of several links", () => {
    const labTest = sharedLab();

    labTest("AnyOrderIsOneRebuild", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", names("xdp", "xdp", 5));
        const links = await lab.attach(...programs.map(({ id }, i) => xdpItem(wire, id, 10 * (i + 1))));
        const before = await chain(lab, "xdp");
        assert.equal(before.names, "01234");
        // equal priorities run in the order given
        const wanted = [3, 0, 4, 1, 2];
        const updates = wanted.map(i => ({ linkId: links[i]?.id ?? 0, priority: 50 }));
        const answer = await lab.client.updateLinks({ updates });
        assert.deepEqual(
            answer.links?.map(({ id, position = 0 }) => [id, position]),
            wanted.map((i, position) => [links[i]?.id, position]),
        );
        const after = await chain(lab, "xdp");
        assert.deepEqual([after.names, after.revision], ["30412", before.revision + 1]);
        // the same again changes nothing
        await lab.client.updateLinks({ updates });
        assert.equal((await chain(lab, "xdp")).revision, after.revision);
        assert.deepEqual(await wire.ping(5, { intervalSeconds: 0.01 }).result, { sent: 5, received: 5 });
        lab.assertNoDescriptors();
    });

    labTest("TcxLinksMoveToAnyOrder", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("tc_sequence", names("tcx", "tc", 4));
        const links = await lab.attach(...programs.map(({ id }, i) => tcxItem(wire, id, 10 * (i + 1))));
        assert.equal((await chain(lab, "tcx-ingress")).names, "0123");
        for (const wanted of [
            [3, 2, 1, 0],
            [1, 3, 0, 2],
        ]) {
            const updates = wanted.map((i, place) => ({ linkId: links[i]?.id ?? 0, priority: place }));
            await lab.client.updateLinks({ updates });
            assert.equal((await chain(lab, "tcx-ingress")).names, wanted.join(""));
        }
        lab.assertNoDescriptors();
    });

    labTest("WhatFailsAtOneHookChangesNoOther", async lab => {
        const wire = lab.wire();
        const xdp = await lab.load("xdp_sequence", names("xdp", "xdp", 2));
        const tc = await lab.load("tc_sequence", names("tc", "tc", 3));
        const links = await lab.attach(
            ...xdp.map(({ id }, i) => xdpItem(wire, id, 10 * (i + 1))),
            ...tc.slice(0, 2).map(({ id }, i) => tcItem(wire, id, 10 * (i + 1))),
        );
        const before = { xdp: await chain(lab, "xdp"), tc: await chain(lab, "tc-ingress") };
        const updates = links.map(({ id = 0 }, i) => ({ linkId: id, priority: 100 - i }));
        const missing = await refusal(
            lab.client.updateLinks({ updates: [...updates, { linkId: 99999, priority: 1 }] }),
        );
        assert.equal(missing.code, "NOT_FOUND");
        // somebody puts another program into the link of the TC chain: it can't be swapped any more
        const exchange = (from: number, to: number) => {
            using link = bpf.openLink(before.tc.kernelLinkId as KernelLinkId);
            using expected = bpf.openProgram(from as ProgramId);
            using program = bpf.openProgram(to as ProgramId);
            assert.ok(link && expected && program);
            assert.equal(bpf.updateLink(link.number, program.number, expected.number), 0);
        };
        exchange(before.tc.programId, tc[2]?.id ?? 0);
        const refused = await refusal(lab.client.updateLinks({ updates }));
        assert.match(refused.message, /another program was put in its place/);
        exchange(tc[2]?.id ?? 0, before.tc.programId);
        const after = { xdp: await chain(lab, "xdp"), tc: await chain(lab, "tc-ingress") };
        assert.deepEqual(after, before);
        const { links: rows = [] } = await lab.client.listLinks({});
        assert.deepEqual(
            rows.map(({ priority }) => priority),
            [10, 20, 10, 20],
        );
        await lab.client.updateLinks({ updates });
        assert.equal((await chain(lab, "xdp")).names, "10");
        assert.equal((await chain(lab, "tc-ingress")).names, "10");
        lab.assertNoDescriptors();
    });
});
