// SPDX-License-Identifier: Apache-2.0
// Interfaces and namespaces that go take their links along, at every hook: the next read shows none, says who took them,
// leaves no pin and no row, and the next attach starts clean. Namespaces in use can be deleted, and die.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachItemJson, EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import type { Wire } from "../lab/namespaces.ts";

interface Loaded {
    readonly xdp: number;
    readonly tc: number;
    readonly tcx: number;
}

async function loadAll(lab: Lab): Promise<Loaded> {
    const [xdp] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
    const [tc, tcx] = await lab.load("tc_sequence", ["tc:tc_sequence_0", "tcx:tc_sequence_1"]);
    return { xdp: xdp?.id ?? 0, tc: tc?.id ?? 0, tcx: tcx?.id ?? 0 };
}

type Place = Parameters<typeof xdpItem>[0];

/** A lone XDP program, chains of TC and links of TCX both ways. */
const everywhere = (wire: Place, { xdp, tc, tcx }: Loaded): AttachItemJson[] => [
    xdpItem(wire, xdp, 10),
    tcItem(wire, tc, 10),
    tcItem(wire, tc, 20, { direction: "egress" }),
    tcxItem(wire, tcx, 10),
    tcxItem(wire, tcx, 10, "egress"),
];

/** Whatever is seen of links. */
async function shown(lab: Lab) {
    const { links = [] } = await lab.client.listLinks({});
    const { programs = [] } = await lab.client.listPrograms({});
    const { chains = [] } = await lab.client.listChains({});
    return {
        links: links.map(({ id }) => id),
        ofPrograms: programs.flatMap(program => (program.links ?? []).map(({ id }) => id)),
        chains: chains.length,
        pins: ["xdp", "tc-ingress", "tc-egress", "links"].flatMap(folder => lab.pins(folder)),
    };
}

const nothing = { links: [], ofPrograms: [], chains: 0, pins: [] };

/** The events that come while work is done. */
async function eventsOf(lab: Lab, work: () => Promise<void>): Promise<EventJson[]> {
    const events: EventJson[] = [];
    const abort = new AbortController();
    const ready = Promise.withResolvers<void>();
    const watching = (async () => {
        try {
            for await (const event of lab.client.watch(abort.signal)) {
                events.push(event);
                if (event.kind === "READY") ready.resolve();
                if (event.kind === "LINK_LOST") return;
            }
        } catch (error) {
            if (!abort.signal.aborted) throw error;
        }
    })();
    await ready.promise;
    await work();
    await watching;
    abort.abort();
    return events;
}

suite("what goes takes its links along", () => {
    for (const [what, remove] of [
        ["an interface", (wire: Wire) => wire.deleteInterface()],
        ["a namespace", (wire: Wire) => wire.deleteReceiver()],
    ] as const)
        test(`${what}, seen by the next read`, async () => {
            await using lab = await Lab.start();
            const wire = lab.wire();
            const loaded = await loadAll(lab);
            const links = await lab.attach(...everywhere(wire, loaded));
            const events = await eventsOf(lab, async () => {
                remove(wire);
                // the kernel takes a namespace apart in its own time
                for (let waited = 0; wire.senderHasInterface() && waited < 500; waited++) await sleep(10);
                assert.equal(wire.senderHasInterface(), false, "the namespace died");
                assert.deepEqual(await shown(lab), nothing);
            });
            const gone = events.filter(({ kind }) => kind === "LINK_LOST");
            assert.deepEqual(
                gone.map(({ by, linkIds = [] }) => ({ by, linkIds: linkIds.toSorted((a, b) => a - b) })),
                [{ by: "kernel", linkIds: links.map(({ id }) => id) }],
            );
            // one link of these is answered as any that never was
            await assert.rejects(lab.client.getLink(links[0]?.id ?? 0), { code: "NOT_FOUND" });
            const other = lab.wire();
            const again = await lab.attach(...everywhere(other, loaded));
            assert.deepEqual(
                again.map(({ position = 0, kernelSeen }) => ({ position, kernelSeen })),
                again.map(() => ({ position: 0, kernelSeen: true })),
            );
        });

    test("an interface that comes again under its name and number starts clean", async () => {
        await using lab = await Lab.start();
        const wire = lab.wire();
        const loaded = await loadAll(lab);
        const inside = (...words: string[]) => void wire.inside("ip", ...words);
        const make = () => {
            inside("link", "add", "pair0", "index", "77", "type", "veth", "peer", "name", "pair1");
            for (const name of ["pair0", "pair1"]) inside("link", "set", name, "up");
        };
        const items = everywhere({ interface: "pair0", netns: wire.netns }, loaded);
        make();
        const first = await lab.attach(...items, ...items.slice(0, 1));
        inside("link", "del", "pair0");
        make();
        // no read in between
        const second = await lab.attach(...items);
        assert.deepEqual(
            (await shown(lab)).links,
            second.map(({ id }) => id),
        );
        assert.ok(second.every(({ id = 0, position = 0 }) => position === 0 && id > (first.at(-1)?.id ?? 0)));
        const { chains = [] } = await lab.client.listChains({ type: "xdp" });
        assert.deepEqual(
            chains.map(({ ifindex, members = [] }) => [ifindex, members.length]),
            [[77, 1]],
        );
    });

    test("the namespace of a process that ends, named by the process", async () => {
        await using lab = await Lab.start();
        const { xdp } = await loadAll(lab);
        const child = spawn("unshare", ["--net", "sh", "-c", "ip link set lo up && echo up && read x"], {
            stdio: ["pipe", "pipe", "inherit"],
        });
        await once(child.stdout, "data");
        const own = execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" });
        const theirs = execFileSync("readlink", [`/proc/${child.pid}/ns/net`], { encoding: "utf8" });
        assert.notEqual(theirs, own);
        const netns = `/proc/${child.pid}/ns/net`;
        const [link] = await lab.attach({ programId: xdp, xdp: { interface: "lo", netns, priority: 1 } });
        assert.equal(link?.kernelSeen, true);
        // as a container sees the host's processes: another mount of /proc, the same namespace and chain
        const hostProc = path.join(lab.dir, "host-proc");
        fs.mkdirSync(hostProc);
        execFileSync("mount", ["-t", "proc", "proc", hostProc]);
        const there = `${hostProc}/${child.pid}/ns/net`;
        const [second] = await lab.attach({ programId: xdp, xdp: { interface: "lo", netns: there, priority: 2 } });
        assert.equal(second?.position, 1);
        assert.equal((await lab.client.listChains({})).chains?.length, 1);
        execFileSync("umount", [hostProc]);
        await lab.client.listInterfaces({});
        child.stdin.end("\n");
        await once(child, "exit");
        for (let waited = 0; waited < 500; waited++) {
            const { links = [] } = await lab.client.listLinks({});
            if (links.length === 0) break;
            await sleep(10);
        }
        assert.deepEqual(await shown(lab), nothing);
        await assert.rejects(lab.attach({ programId: xdp, xdp: { interface: "lo", netns, priority: 1 } }), {
            code: "NOT_FOUND",
        });
    });

    test("in the daemon's own namespace at once, at every hook", async () => {
        const { lab, wire } = await Lab.startInside();
        await using _ = lab;
        const loaded = await loadAll(lab);
        const items = everywhere({ interface: wire.interface, netns: "" }, loaded);
        const links = await lab.attach(...items);
        const events = await eventsOf(lab, async () => wire.deleteInterface());
        const gone = events.find(({ kind }) => kind === "LINK_LOST");
        assert.deepEqual(
            gone?.linkIds?.toSorted((a, b) => a - b),
            links.map(({ id }) => id),
        );
        assert.equal(gone?.by, "kernel");
        assert.deepEqual(await shown(lab), nothing);
    });
});
