// SPDX-License-Identifier: Apache-2.0
// Who may reach what: modes and owners of the socket, of folders and of pins, and what a member of the group can do with
// no capability at all. The group is made up for a daemon in a mount namespace of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { perCpuSum } from "../lab/maps.ts";
import { changedMachine } from "../lab/mount-namespace.ts";
import type { Wire } from "../lab/namespaces.ts";

const gid = 64_999;
const nobody = 65_534;

suite("members of the group bpfman", () => {
    let lab: Lab;
    let wire: Wire;
    let program = 0;
    let mapPin = "";
    before(async () => {
        lab = await Lab.start();
        await lab.stopDaemon();
        wire = lab.wire();
        // the folders above are the test's own
        fs.chmodSync(lab.dir, 0o711);
        await lab.startDaemon(changedMachine(lab, { groups: [`bpfman:x:${gid}:`], freshPins: true }));
        const [loaded] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        program = loaded?.id ?? 0;
        mapPin = path.join(loaded?.record?.mapPinPath ?? "", "packets");
        await lab.attach(xdpItem(wire, program, 1), xdpItem(wire, program, 2));
        assert.deepEqual(await wire.ping(3, { intervalSeconds: 0.01 }).result, { sent: 3, received: 3 });
    });
    after(async () => {
        // the pins go with the namespace
        await lab.stopDaemon();
        await lab[Symbol.asyncDispose]();
    });

    /** As the daemon sees it: its bpffs is mounted in its own namespace. */
    const seen = (file: string) => {
        const { mode, uid, gid: group } = fs.statSync(`/proc/${lab.pid}/root${file}`);
        return { mode: (mode & 0o777).toString(8), uid, group };
    };
    const shared = (mode: string) => ({ mode, uid: 0, group: gid });
    const closed = (mode: string) => ({ mode, uid: 0, group: 0 });

    test("have the socket, the way to the maps and the maps; the rest is root's alone", () => {
        const pins = path.join(lab.runtimeDir, "fs");
        assert.deepEqual(seen(lab.socketPath), shared("660"));
        for (const folder of [lab.runtimeDir, pins, path.join(pins, "maps"), path.dirname(mapPin)])
            assert.deepEqual(seen(folder), shared("750"), folder);
        assert.deepEqual(seen(mapPin), shared("660"));
        for (const name of fs.readdirSync(`/proc/${lab.pid}/root${pins}`)) {
            if (name === "maps" || name.endsWith(".debug")) continue;
            const { mode, uid, group } = seen(path.join(pins, name));
            assert.deepEqual({ uid, group, others: mode.slice(1) }, { uid: 0, group: 0, others: "00" }, name);
        }
        for (const folder of ["", "objects"]) assert.deepEqual(seen(path.join(lab.stateDir, folder)), closed("700"));
        for (const name of fs.readdirSync(lab.stateDir).filter(entry => entry.startsWith("store.db")))
            assert.deepEqual(seen(path.join(lab.stateDir, name)), closed("600"), name);
        for (const name of fs.readdirSync(path.join(lab.stateDir, "objects")))
            assert.deepEqual(seen(path.join(lab.stateDir, "objects", name)), closed("600"), name);
    });

    /** Runs code as nobody, with the groups given and no capability, where the daemon's mounts are; its output as JSON. */
    function asNobody(groups: readonly number[], code: string): Promise<unknown> {
        // rights are given up once everything is imported: the sources may lie where only root reads
        const module = `
            import fs from "node:fs";
            import * as bpf from "./daemon/kernel/bpf.ts";
            import { perCpuSum, updateElementRaw } from "./test/lab/maps.ts";
            import { dialSocket } from "./cli/dial.ts";
            import { HostClient } from "./client/host-client.ts";
            process.setgroups(${JSON.stringify(groups)});
            process.setgid(${nobody});
            process.setuid(${nobody});
            const mapPin = ${JSON.stringify(mapPin)};
            const attempt = work => {
                try {
                    return work() ?? "done";
                } catch (error) {
                    return error.errno ?? error.code;
                }
            };
            const client = new HostClient(() => dialSocket(${JSON.stringify(lab.socketPath)}));
            const capabilities = fs.readFileSync("/proc/self/status", "utf8").match(/CapEff:\\s*(\\S+)/)[1];
            console.log(JSON.stringify({ capabilities, ...(${code}) }));
            client.close();
        `;
        const root = path.resolve(import.meta.dirname, "../..");
        const node = [process.execPath, "--input-type=module-typescript", "-e", module];
        const namespace = [`--mount=/proc/${lab.pid}/ns/mnt`, `--wd=${root}`];
        return new Promise((resolve, reject) => {
            execFile("nsenter", [...namespace, ...node], (error, out) =>
                error ? reject(error) : resolve(JSON.parse(out)),
            );
        });
    }

    /** As distributions have it; where somebody forbade it for good (1), that forbids the same. */
    function unprivilegedBpfDisabled(): Disposable {
        const setting = "/proc/sys/kernel/unprivileged_bpf_disabled";
        const before = fs.readFileSync(setting, "utf8").trim();
        if (before === "0") fs.writeFileSync(setting, "2");
        assert.notEqual(fs.readFileSync(setting, "utf8").trim(), "0");
        return { [Symbol.dispose]: () => void (before === "0" && fs.writeFileSync(setting, before)) };
    }

    const none = "0000000000000000";
    const reads = `{
        count: attempt(() => perCpuSum(mapPin.slice(0, mapPin.lastIndexOf("/")), "packets")),
        program: attempt(() => void bpf.openPin(${JSON.stringify("PROGRAM")})),
        ids: attempt(() => bpf.programIds().length),
    }`;

    test("read their maps by the pins, with no capability and unprivileged bpf disabled", async () => {
        using _ = unprivilegedBpfDisabled();
        const code = reads.replace("PROGRAM", path.join(lab.runtimeDir, "fs", `prog_${program}`));
        assert.deepEqual(await asNobody([gid], code), {
            capabilities: none,
            // each packet met the program twice
            count: 6,
            program: "EACCES",
            ids: "EPERM",
        });
        assert.deepEqual(await asNobody([], code), {
            capabilities: none,
            count: "EACCES",
            program: "EACCES",
            ids: "EPERM",
        });
        assert.equal(perCpuSum(`/proc/${lab.pid}/root${path.dirname(mapPin)}`, "packets"), 6);
    });

    test("may use the daemon, which writes down who they are; nobody else gets in", async () => {
        const object = JSON.stringify(
            fs.readFileSync((await lab.client.getProgram(program)).record?.objectPath ?? "").toString("base64"),
        );
        const load = `await client
            .load({ object: ${object}, sourcePath: "/home/x.o", programs: [{ type: "xdp", name: "xdp_count" }] })
            .then(({ programs }) => ({ id: programs[0].id }), error => ({ refused: error.reason ?? error.code }))`;
        const { id } = (await asNobody([gid], load)) as { id: number };
        const { record } = await lab.client.getProgram(id);
        assert.equal(record?.createdBy, `uid ${nobody}`);
        assert.equal((await lab.client.getProgram(program)).record?.createdBy, "root");
        assert.match(
            lab.log,
            new RegExp(`^Load by uid ${nobody} \\(uid ${nobody}, loginuid \\S+, pid \\d+\\) .*done`, "m"),
        );
        assert.match(lab.log, /^Load by root \(uid 0, loginuid \S+, pid \d+\) /m);
        // a path is read by the daemon for root alone, also where the caller may do everything else
        const named = await asNobody(
            [gid],
            `await client
                .load({ file: "/etc/shadow", programs: [{ type: "xdp", name: "x" }] })
                .catch(error => ({ refused: error.code }))`,
        );
        assert.deepEqual(named, { capabilities: none, refused: "PERMISSION_DENIED" });
        assert.deepEqual(await asNobody([], load), { capabilities: none, refused: "denied" });
        await lab.client.unload({ programIds: [id] });
    });

    test("keep what they may after a restart", async () => {
        await lab.client.unload({ programIds: [program] });
        await lab.stopDaemon();
        await lab.startDaemon(changedMachine(lab, { groups: [`bpfman:x:${gid}:`], freshPins: true }));
        const [loaded] = await lab.load("xdp_count", ["xdp:xdp_count"]);
        const pin = path.join(loaded?.record?.mapPinPath ?? "", "packets");
        assert.deepEqual(seen(pin), shared("660"));
        assert.deepEqual(seen(lab.socketPath), shared("660"));
    });
});

test("Without the group everything is root's", async () => {
    await using lab = await Lab.start();
    const [loaded] = await lab.load("xdp_count", ["xdp:xdp_count"]);
    const groups = fs.readFileSync("/etc/group", "utf8");
    const expected = Number(/^bpfman:[^:]*:(\d+):/m.exec(groups)?.[1] ?? 0);
    for (const [file, mode] of [
        // connecting needs the group, so without one nobody but root may
        [lab.socketPath, expected === 0 ? 0o600 : 0o660],
        [lab.runtimeDir, 0o750],
        [path.join(lab.runtimeDir, "fs/maps"), 0o750],
        [path.join(loaded?.record?.mapPinPath ?? "", "packets"), 0o660],
    ] as const) {
        const stat = fs.statSync(file);
        assert.deepEqual([stat.mode & 0o777, stat.uid, stat.gid], [mode, 0, expected], file);
    }
});
