// SPDX-License-Identifier: Apache-2.0
// All of the kernel's BPF, with owners, pins and hooks: checked against what was put there and against bpftool.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { suite } from "node:test";
import { iterateOwners } from "../../daemon/kernel/holders/owner-iterator.ts";
import { scanDescriptors } from "../../daemon/kernel/holders/process-descriptors.ts";
import { cgroupRoot } from "../../daemon/kernel/hooks/cgroup.ts";
import { Foreign } from "../lab/foreign.ts";
import { tcItem, tcxItem, xdpItem } from "../lab/items.ts";
import { type Lab, run } from "../lab/lab.ts";
import { holder } from "../lab/others.ts";
import { sharedLab } from "../lab/shared-lab.ts";

async function inventory(lab: Lab) {
    const { programs = [], maps = [], links = [], btf = [], ...rest } = await lab.client.getInventory();
    const program = (id: number | undefined) => programs.find(({ kernel }) => kernel?.id === id);
    return { programs, maps, links, btf, program, ...rest };
}

suite("inventory", () => {
    const labTest = sharedLab();

    labTest("OursAreOursWithTheirHooksAndParts", async lab => {
        const wire = lab.wire();
        const programs = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0", "xdp:xdp_sequence_1"]);
        const [tc] = await lab.load("tc_sequence", ["tc:tc_sequence_0"]);
        const [tcx] = await lab.load("tc_sequence", ["tcx:tc_sequence_1"]);
        const attached = await lab.attach(
            ...programs.map(({ id }, i) => xdpItem(wire, id, 10 * i)),
            tcItem(wire, tc?.id, 1),
            tcxItem(wire, tcx?.id, 1),
        );
        const found = await inventory(lab);
        const where = ` (netns ${path.basename(wire.netns)})`;
        const first = found.program(programs[0]?.id);
        assert.deepEqual(
            [first?.name, first?.managed, first?.owner, first?.hooks],
            ["xdp_sequence_0", true, "bpfman", [`xdp veth1${where}`]],
        );
        assert.ok(
            first?.pinPaths?.some(pin => pin.startsWith(lab.runtimeDir)),
            String(first?.pinPaths),
        );
        assert.deepEqual(found.program(tcx?.id)?.hooks, [`tcx veth1 ingress${where}`]);
        const parts = found.programs.flatMap(({ partOf = "", managed }) => (managed && partOf ? [partOf] : []));
        assert.ok(parts.includes("dispatcher of xdp veth1"), parts.join());
        const link = found.links.find(({ managedLinkId }) => managedLinkId === attached.at(-1)?.id);
        assert.deepEqual([link?.kernel?.programId, link?.hook], [tcx?.id, `tcx veth1 ingress${where}`]);
        const map = found.maps.find(({ programIds = [] }) => programIds.includes(tcx?.id ?? 0));
        assert.deepEqual([map?.managed, map?.owner], [true, "bpfman"]);
        assert.ok((found.totals?.managedPrograms ?? 0) >= 6);
        lab.assertNoDescriptors();
    });

    labTest("TheSameObjectsAsBpftoolSees", async lab => {
        await lab.load("xdp_count", ["xdp:xdp_count"]);
        // others may load something in between: what both times show must be here
        const listed = (what: string) =>
            (JSON.parse(run("bpftool", "-j", what, "list")) as { id: number; name?: string; tag?: string }[]).map(
                ({ id, name = "", tag = "" }) => ({ id, name, tag }),
            );
        const before = { prog: listed("prog"), map: listed("map"), link: listed("link"), btf: listed("btf") };
        const found = await inventory(lab);
        const after = { prog: listed("prog"), map: listed("map"), link: listed("link"), btf: listed("btf") };
        const both = (what: keyof typeof before) =>
            before[what].filter(({ id }) => after[what].some(other => other.id === id));
        for (const { id, name, tag } of both("prog")) {
            const one = found.program(id);
            assert.equal(one?.kernel?.tag, tag, `program ${id}`);
            assert.ok(one?.name?.startsWith(name.slice(0, 15)), `${one?.name} is not ${name}`);
        }
        const ids = {
            map: found.maps.map(({ map }) => map?.id),
            link: found.links.map(({ kernel }) => kernel?.id),
            btf: found.btf.map(({ id }) => id),
        };
        for (const what of ["map", "link", "btf"] as const)
            for (const { id } of both(what)) assert.ok(ids[what].includes(id), `${what} ${id} is missing`);
        assert.equal(
            found.btf.find(({ name }) => name === "vmlinux")?.kernel,
            fs.existsSync("/sys/kernel/btf/vmlinux") || undefined,
        );
    });

    labTest("WhoHoldsWhatAndWhereItIsPinned", async lab => {
        const wire = lab.wire();
        using foreign = new Foreign("xdp_sequence", "xdp");
        const link = await foreign.attach(wire, "xdp");
        await using child = await holder(foreign.program.pin);
        const found = await inventory(lab);
        const program = found.program(foreign.program.id);
        assert.deepEqual(program?.pids, [child.pid]);
        assert.deepEqual(program?.pinPaths, [foreign.program.pin]);
        assert.equal(program?.managed ?? false, false);
        assert.deepEqual(program?.hooks, [`xdp veth1 (netns ${path.basename(wire.netns)})`]);
        assert.deepEqual(program?.linkIds, [link.id]);
        assert.ok(program?.owner !== "" && program?.owner !== "bpfman", program?.owner);
        const process = found.processes?.find(({ pid }) => pid === child.pid);
        assert.match(process?.command ?? "", /node/);
        assert.equal(process?.user, "root");
        const pinned = found.links.find(({ kernel }) => kernel?.id === link.id);
        assert.deepEqual(pinned?.pinPaths, [link.pin]);
        // by /proc the same is found as by the iterator, where the kernel lets that run
        const scanned = await scanDescriptors(10_000);
        const expected = { kind: "program", id: foreign.program.id, pid: child.pid };
        const isExpected = (one: object) => JSON.stringify(one) === JSON.stringify(expected);
        assert.ok(scanned.holdings.some(isExpected));
        if (found.ownersUnknown === "" && !scanned.cut) {
            const iterated = iterateOwners();
            assert.ok(iterated.some(isExpected), JSON.stringify(iterated));
        }
        lab.assertNoDescriptors();
    });

    labTest("FiltersOfTcAndControlGroupsWithoutLinks", async lab => {
        const wire = lab.wire();
        using filter = new Foreign("tc_return_0", "classifier");
        wire.inside("tc", "qdisc", "add", "dev", wire.interface, "clsact");
        const place = ["dev", wire.interface, "egress", "bpf", "da", "object-pinned", filter.program.pin];
        wire.inside("tc", "filter", "add", ...place);
        const { id } = filter.program;
        assert.deepEqual((await inventory(lab)).program(id)?.hooks, [
            `tc veth1 egress (netns ${path.basename(wire.netns)})`,
        ]);
        wire.inside("tc", "qdisc", "del", "dev", wire.interface, "clsact");
        const root = cgroupRoot();
        assert.ok(root !== undefined, "control groups of version 2 are mounted");
        const group = path.join(root, `bpfman-inventory-${process.pid}`);
        fs.mkdirSync(group);
        try {
            using device = new Foreign("cgroup_connect", "cgroup/connect4");
            execFileSync("bpftool", ["cgroup", "attach", group, "connect4", "pinned", device.program.pin]);
            assert.deepEqual((await inventory(lab)).program(device.program.id)?.hooks, [
                `cgroup_inet4_connect /${path.basename(group)}`,
            ]);
        } finally {
            fs.rmdirSync(group);
        }
        lab.assertNoDescriptors();
    });
});
