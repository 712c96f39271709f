// SPDX-License-Identifier: Apache-2.0
// Every hook beyond XDP and TC: the program runs for real once attached, and not once more after the detach.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { type IncomingMessage, request } from "node:http";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { linkIds, openLink } from "../../daemon/kernel/bpf.ts";
import { cgroupRoot } from "../../daemon/kernel/hooks/cgroup.ts";
import { onlineCpus } from "../../daemon/kernel/hooks/perf-event.ts";
import type { KernelLinkId } from "../../daemon/model/ids.ts";
import type { AttachItemJson, LinkJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { fixtureObject, fixtureProgram } from "../fixtures/objects.ts";
import { refusal } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import { perCpuSum } from "../lab/maps.ts";
import { lacks } from "../lab/needs.ts";
import { Probed } from "../lab/probed.ts";

/** What each type needs of the kernel, by the names of `bpfman features`. */
const needed = {
    kprobe: ["event/kprobe"],
    fentry: ["program/fentry"],
    fexit: ["program/fexit"],
    lsm: ["program/lsm", "lsm/bpf"],
} as const;
const unable = (type: string): string | false => lacks(...(needed[type as keyof typeof needed] ?? []));

function skipUnable(t: TestContext, type: keyof typeof needed): boolean {
    const reason = unable(type);
    if (reason !== false) t.skip(reason);
    return reason !== false;
}

/** name: program, and what the counter of each is, as in hooks.bpf.c */
const programs = [
    ...["tracepoint:on_tracepoint", "kprobe:on_kprobe", "kretprobe:on_kretprobe", "uprobe:on_uprobe"],
    ...["uretprobe:on_uretprobe", "fentry:on_fentry:vfs_unlink", "fexit:on_fexit:vfs_unlink"],
    ...["lsm:on_lsm:inode_unlink", "perf_event:on_sample", "raw_tracepoint:on_raw_tracepoint"],
    ...["cgroup:on_cgroup_skb", "cgroup:on_cgroup_sock", "cgroup:on_cgroup_getsockopt", "cgroup:on_cgroup_device"],
    ...["cgroup:on_cgroup_sysctl", "cgroup:on_cgroup_connect", "cgroup:on_cgroup_sockops"],
    "uprobe:on_uprobe_sleepable",
];
const counterOf = new Map(programs.map((program, index) => [program.split(":")[1] ?? "", index]));

class Hooks implements AsyncDisposable {
    readonly lab: Lab;
    readonly probed: Probed;
    readonly #loaded = new Map<string, ProgramJson>();
    constructor(lab: Lab, probed: Probed) {
        this.lab = lab;
        this.probed = probed;
    }

    static async start(): Promise<Hooks> {
        const lab = await Lab.start();
        const hooks = new Hooks(lab, await Probed.start());
        const wanted = programs.filter(program => {
            const [type = ""] = program.split(":");
            return type === "kprobe" || unable(type) === false;
        });
        for (const program of await lab.load("hooks", wanted)) hooks.#loaded.set(program.record?.name ?? "", program);
        return hooks;
    }

    program(name: string): ProgramJson {
        const program = this.#loaded.get(name);
        assert.ok(program, `${name} is loaded`);
        return program;
    }

    item(name: string, hook: Partial<AttachItemJson>): AttachItemJson {
        return { programId: this.program(name).id ?? 0, ...hook };
    }

    count(name: string): number {
        return perCpuSum(this.program(name).record?.mapPinPath ?? "", "hits", counterOf.get(name) ?? 0);
    }

    /** Attaches, sees it run, detaches, sees it run no more. */
    async fires(name: string, hook: Partial<AttachItemJson>, trigger: () => unknown): Promise<LinkJson> {
        const { lab } = this;
        const before = this.count(name);
        await trigger();
        assert.equal(this.count(name), before, `${name} ran before it was attached`);
        const [link] = await lab.attach(this.item(name, hook));
        assert.ok(link);
        assert.equal(link.kind, this.program(name).record?.type);
        assert.equal(link.kernelSeen, true);
        assert.equal(link.pinPresent, true);
        lab.assertNoDescriptors();
        await trigger();
        for (let waited = 0; this.count(name) === before && waited < 2000; waited += 50) await sleep(50);
        assert.ok(this.count(name) > before, `${name} did not run`);
        const kernelLinks = link.kernelLinkIds ?? [];
        for (const id of kernelLinks) assert.ok(linkIds().includes(id as never), `kernel link ${id}`);
        await lab.detach(link.id);
        const after = this.count(name);
        for (const id of kernelLinks) assert.ok(!linkIds().includes(id as never), `kernel link ${id} is still there`);
        await trigger();
        assert.equal(this.count(name), after, `${name} ran after it was detached`);
        assert.deepEqual(lab.pins("links"), []);
        return link;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.probed[Symbol.asyncDispose]();
        await this.lab[Symbol.asyncDispose]();
    }
}

/** The kernel's own words for a link by trampoline: the program, and the function that it was loaded for. */
function assertTraces({ kernel }: LinkJson, program: ProgramJson, attachType: string): void {
    assert.deepEqual([kernel?.type, kernel?.attachType, kernel?.programId], ["tracing", attachType, program.id]);
    assert.ok((kernel?.targetBtfId ?? 0) > 0);
    assert.equal(kernel?.targetBtfId, program.kernel?.attachBtfId);
}

const exec = () => execFileSync("true");
const unlink = (lab: Lab) => () => {
    const file = path.join(lab.dir, "unlinked");
    fs.writeFileSync(file, "");
    fs.unlinkSync(file);
};

suite("hooks", () => {
    test("EachRunsItsProgramUntilItIsDetached", async t => {
        await using hooks = await Hooks.start();
        const { lab, probed } = hooks;
        const program = path.resolve(import.meta.dirname, "../../dist/test/probed");
        const step = () => probed.step();

        await t.test("tracepoint", async () => {
            const tracepoint = { group: "sched", name: "sched_process_exec" };
            const link = await hooks.fires("on_tracepoint", { tracepoint }, exec);
            assert.deepEqual(link.tracepoint, tracepoint);
            assert.equal(link.kernel?.type, "perf_event");
            const wrong = { tracepoint: { group: "sched", name: "sched_process_exce" } };
            const error = await refusal(lab.attach(hooks.item("on_tracepoint", wrong)));
            assert.equal(error.code, "NOT_FOUND");
            assert.match(
                error.message,
                /^tracepoint "sched\/sched_process_exce" not found; did you mean: sched\/sched_/,
            );
        });

        await t.test("kprobe and kretprobe", async here => {
            if (skipUnable(here, "kprobe")) {
                const kprobe = { function: "vfs_unlink" };
                const error = await refusal(lab.attach(hooks.item("on_kprobe", { kprobe })));
                assert.equal(error.code, "UNIMPLEMENTED");
                assert.match(error.message, /this kernel has no kprobes/);
                return;
            }
            for (const name of ["on_kprobe", "on_kretprobe"]) {
                const link = await hooks.fires(name, { kprobe: { function: "vfs_unlink" } }, unlink(lab));
                assert.deepEqual(link.kprobe, {
                    function: "vfs_unlink",
                    offset: "0",
                    retprobe: name === "on_kretprobe",
                });
                assert.deepEqual([link.kernel?.type, link.kernel?.programId], ["perf_event", hooks.program(name).id]);
            }
            const refused = (kprobe: object, name = "on_kprobe") =>
                refusal(lab.attach(hooks.item(name, { kprobe: { function: "vfs_unlink", ...kprobe } })));
            const near = await refused({ function: "vfs_unlnk" });
            assert.equal(near.message, 'kernel function "vfs_unlnk" not found; did you mean: vfs_unlink?');
            assert.equal((await refused({ offset: "1" })).code, "INVALID_ARGUMENT");
            assert.match((await refused({ offset: "4" }, "on_kretprobe")).message, /a kretprobe has no offset/);
        });

        await t.test("uprobe and uretprobe", async () => {
            const handle = { target: program, function: "main.(*Server).Handle" };
            for (const name of ["on_uprobe", "on_uretprobe", "on_uprobe_sleepable"]) {
                const link = await hooks.fires(name, { uprobe: handle }, step);
                assert.equal(link.uprobe?.retprobe, name === "on_uretprobe");
                assert.equal(link.uprobe?.path, program);
            }
            // the same place by its offset in the file
            const symbols = execFileSync("nm", [program], { encoding: "utf8" });
            const address = Number.parseInt(/^(\S+) T main\.\(\*Server\)/m.exec(symbols)?.[1] ?? "", 16);
            const [byName] = await lab.attach(hooks.item("on_uprobe", { uprobe: handle }));
            await lab.detach(byName?.id);
            const byOffset = { target: program, offset: byName?.uprobe?.fileOffset ?? "" };
            assert.ok(address > 0);
            await hooks.fires("on_uprobe", { uprobe: byOffset }, step);
            // a library by its name, in one process alone
            const other = await Probed.start();
            try {
                const uprobe = { target: "libc", function: "getenv", pid: probed.pid };
                const link = await hooks.fires("on_uprobe", { uprobe }, step);
                assert.match(link.uprobe?.path ?? "", /^\/.*\/libc\.so\.6$/);
                const [mine] = await lab.attach(hooks.item("on_uprobe", { uprobe }));
                const before = hooks.count("on_uprobe");
                for (let steps = 0; steps < 5; steps += 1) await other.step();
                assert.equal(hooks.count("on_uprobe"), before, "another process counts");
                for (let steps = 0; steps < 5; steps += 1) await probed.step();
                assert.equal(hooks.count("on_uprobe"), before + 5);
                await lab.detach(mine?.id);
            } finally {
                await other[Symbol.asyncDispose]();
            }
        });

        await t.test("uprobes that can't be", async () => {
            const refused = (uprobe: object) => refusal(lab.attach(hooks.item("on_uprobe", { uprobe })));
            const cases: [object, string, RegExp][] = [
                [
                    { target: program, function: "main.Handle" },
                    "NOT_FOUND",
                    /^function "main.Handle" not found in \/.*probed/,
                ],
                [{ target: "libc", function: "getenw" }, "NOT_FOUND", /did you mean: getenv/],
                [{ target: "libz_none", function: "f" }, "NOT_FOUND", /^library "libz_none" not found/],
                [{ target: `${program}d`, function: "f" }, "NOT_FOUND", /not found; did you mean: probed/],
                [{ target: "/proc/self/maps" }, "INVALID_ARGUMENT", /no ELF file|lies outside/],
                [{ target: "/tmp", function: "f" }, "INVALID_ARGUMENT", /is no regular file/],
                [{ target: program, offset: "3" }, "INVALID_ARGUMENT", /byte 3 of .* is no code/],
                [
                    { target: program, function: "main", offset: "9999" },
                    "INVALID_ARGUMENT",
                    /past the end of function main/,
                ],
                [
                    { target: "libc", function: "getenv", pid: 2 ** 30 },
                    "NOT_FOUND",
                    /^process 1073741824 does not exist/,
                ],
                [{ target: "libc", function: "getenv", containerPid: 2 ** 30 }, "NOT_FOUND", /does not exist/],
            ];
            for (const [uprobe, code, message] of cases) {
                const error = await refused(uprobe);
                assert.match(error.message, message);
                assert.equal(error.code, code, error.message);
            }
            assert.deepEqual(lab.pins("links"), []);
        });

        await t.test("uprobe in a container", async () => {
            await using container = await Probed.startContainer(lab.dir);
            const inside = () => container.step();
            const containerPid = container.pid;
            // nothing of this path is the host's
            const target = { target: "/app/probed", function: "main.(*Server).Handle" };
            assert.equal((await refusal(lab.attach(hooks.item("on_uprobe", { uprobe: target })))).code, "NOT_FOUND");
            await hooks.fires("on_uprobe", { uprobe: { ...target, containerPid } }, inside);
            // without a name, by the offset in the container's file
            const host = hooks.item("on_uprobe", { uprobe: { ...target, target: fixtureProgram("probed") } });
            const [named] = await lab.attach(host);
            await lab.detach(named?.id);
            const offset = named?.uprobe?.fileOffset ?? "";
            await hooks.fires("on_uprobe", { uprobe: { target: target.target, offset, containerPid } }, inside);
            const library = { target: "libc", function: "getenv" };
            const link = await hooks.fires("on_uretprobe", { uprobe: { ...library, containerPid } }, inside);
            assert.equal(link.uprobe?.path, "/container-lib/libc.so.6");
            const byPid = { uprobe: { ...library, pid: container.pid } };
            assert.equal((await hooks.fires("on_uprobe", byPid, inside)).uprobe?.path, "/container-lib/libc.so.6");
            // a link out of the container's root leads back into it
            fs.symlinkSync("/app/probed", `/proc/${container.pid}/root/etc/link`);
            const linked = { ...target, target: "/etc/link", containerPid };
            await hooks.fires("on_uprobe", { uprobe: linked }, inside);
            // and goes on with no daemon at all
            const [kept] = await lab.attach(hooks.item("on_uprobe", { uprobe: { ...target, containerPid } }));
            await lab.stopDaemon("SIGKILL");
            const before = hooks.count("on_uprobe");
            for (let steps = 0; steps < 3; steps += 1) await container.step();
            assert.equal(hooks.count("on_uprobe"), before + 3);
            await lab.startDaemon();
            const found = await lab.client.getLink(kept?.id ?? 0);
            assert.deepEqual(found.uprobe, kept?.uprobe);
            assert.equal(found.kernelSeen, true);
            await lab.detach(kept?.id);
            await container.step();
            assert.equal(hooks.count("on_uprobe"), before + 3);
        });

        await t.test("fentry and fexit", async here => {
            if (skipUnable(here, "fentry")) return;
            for (const [name, kind] of [
                ["on_fentry", "fentry"],
                ["on_fexit", "fexit"],
            ] as const) {
                const link = await hooks.fires(name, { [kind]: {} }, unlink(lab));
                assert.deepEqual(link[kind], { function: "vfs_unlink" });
                assertTraces(link, hooks.program(name), `trace_${kind}`);
            }
            const [once] = await lab.attach(hooks.item("on_fentry", { fentry: {} }));
            const twice = await refusal(lab.attach(hooks.item("on_fentry", { fentry: {} })));
            assert.equal(twice.code, "ALREADY_EXISTS");
            await lab.detach(once?.id);
            const wrong = await refusal(lab.attach(hooks.item("on_fentry", { fexit: {} })));
            assert.match(wrong.message, /is a fentry program; the fexit attach accepts fexit$/);
        });

        await t.test("lsm", async here => {
            if (skipUnable(here, "lsm")) return;
            const link = await hooks.fires("on_lsm", { lsm: {} }, unlink(lab));
            assert.deepEqual(link.lsm, { hook: "inode_unlink" });
            assertTraces(link, hooks.program("on_lsm"), "lsm_mac");
        });

        await t.test("functions and hooks that the kernel does not have", async () => {
            const fentry = await refusal(lab.load("hooks", ["fentry:on_fentry:vfs_unlnk"]));
            assert.equal(fentry.message, 'kernel function "vfs_unlnk" not found; did you mean: vfs_unlink?');
            const lsm = await refusal(lab.load("hooks", ["lsm:on_lsm:inode_unlnk"]));
            assert.match(lsm.message, /^LSM hook "inode_unlnk" not found; did you mean: inode_unlink/);
            assert.match((await refusal(lab.load("hooks", ["fentry:on_fentry"]))).message, /function .* is missing/);
            if (unable("fentry") === false) return;
            const forbidden = await refusal(lab.load("hooks", ["fentry:on_fentry:vfs_unlink"]));
            assert.equal(forbidden.code, "UNIMPLEMENTED");
            assert.match(forbidden.detail?.hint ?? "", /forbids BPF trampolines/);
        });

        await t.test("perf_event", async () => {
            const busy = () => sleep(200);
            const link = await hooks.fires("on_sample", { perfEvent: { frequencyHz: 200 } }, busy);
            assert.deepEqual(link.perfEvent, { event: "cpu-clock", frequencyHz: 200 });
            const cpus = onlineCpus();
            assert.equal(link.kernelLinkIds?.length, cpus.length);
            assert.equal(link.pinPaths?.length, cpus.length);
            const cpu = cpus[0] ?? 0;
            const period = { event: "page-faults", cpu, period: "1" };
            const faults = () => execFileSync("taskset", ["-c", String(cpu), "true"]);
            const one = await hooks.fires("on_sample", { perfEvent: period }, faults);
            assert.deepEqual(one.perfEvent, { event: "page-faults", cpu, period: "1" });
            assert.equal(one.kernelLinkIds?.length, 1);
            const refused = (perfEvent: object) => refusal(lab.attach(hooks.item("on_sample", { perfEvent })));
            assert.match((await refused({ event: "cpu-clok" })).message, /did you mean: cpu-clock/);
            assert.match((await refused({ cpu: 4000 })).message, /CPU 4000 is not online/);
            assert.match((await refused({ frequencyHz: 1, period: "1" })).message, /exclude each other/);
        });

        await t.test("raw_tracepoint", async () => {
            const name = "sched_process_exec";
            const link = await hooks.fires("on_raw_tracepoint", { rawTracepoint: { name } }, exec);
            assert.deepEqual(link.rawTracepoint, { name });
            const wrong = { rawTracepoint: { name: "sched_proces_exec" } };
            const error = await refusal(lab.attach(hooks.item("on_raw_tracepoint", wrong)));
            assert.match(
                error.message,
                /^raw tracepoint "sched_proces_exec" not found; did you mean: sched_process_exec/,
            );
        });

        await t.test("cgroup", async () => {
            const name = `bpfman-hooks-${process.pid}`;
            const group = path.join(cgroupRoot() ?? "", name);
            fs.mkdirSync(group);
            const inside = (script: string) => () =>
                execFileSync("bash", ["-c", `echo $$ > ${group}/cgroup.procs; ${script}; exit 0`], { stdio: "ignore" });
            try {
                const cases: [string, string, string][] = [
                    ["on_cgroup_skb", "ping -c 1 -W 1 127.0.0.1", "cgroup_inet_egress"],
                    ["on_cgroup_sock", "exec 3<>/dev/udp/127.0.0.1/9", "cgroup_inet_sock_create"],
                    ["on_cgroup_getsockopt", "ping -c 1 -W 1 127.0.0.1", "cgroup_getsockopt"],
                    ["on_cgroup_device", "cat /dev/zero | head -c 1", "cgroup_device"],
                    ["on_cgroup_sysctl", "cat /proc/sys/kernel/ostype", "cgroup_sysctl"],
                    ["on_cgroup_connect", "exec 3<>/dev/udp/127.0.0.1/9", "cgroup_inet4_connect"],
                    ["on_cgroup_sockops", "exec 3<>/dev/tcp/127.0.0.1/9", "cgroup_sock_ops"],
                ];
                for (const [program, script, attachType] of cases) {
                    const link = await hooks.fires(program, { cgroup: { path: name } }, inside(script));
                    assert.deepEqual(link.cgroup, { path: fs.realpathSync(group), attachType });
                    assert.equal(link.kernel?.attachType, attachType);
                }
                const refused = (path: string) =>
                    refusal(lab.attach(hooks.item("on_cgroup_skb", { cgroup: { path } })));
                assert.match((await refused(`${name}x`)).message, new RegExp(`not found; did you mean: .*${name}`));
                assert.match((await refused("/tmp")).message, /is in no cgroup2 file system; that is mounted on/);
                // a group that goes takes its links along
                const [link] = await lab.attach(hooks.item("on_cgroup_skb", { cgroup: { path: group } }));
                fs.rmdirSync(group);
                await lab.detach(link?.id);
                assert.deepEqual((await lab.client.listLinks({})).links ?? [], []);
            } finally {
                if (fs.existsSync(group)) fs.rmdirSync(group);
            }
        });

        await t.test("a link that somebody else took away is forgotten", async () => {
            const item = hooks.item("on_raw_tracepoint", { rawTracepoint: { name: "sched_switch" } });
            const [link] = await lab.attach(item);
            fs.unlinkSync(link?.pinPaths?.[0] ?? "");
            await lab.detach(link?.id);
            const [again] = await lab.attach(item);
            await lab.stopDaemon();
            fs.unlinkSync(again?.pinPaths?.[0] ?? "");
            await lab.startDaemon();
            assert.deepEqual((await lab.client.listLinks({})).links ?? [], []);
        });

        await t.test(
            "a detach returns when the program runs no more, also where another process holds the link",
            async () => {
                const [link] = await lab.attach(
                    hooks.item("on_raw_tracepoint", { rawTracepoint: { name: "sched_switch" } }),
                );
                const id = (link?.kernelLinkId ?? 0) as KernelLinkId;
                const heldMs = 300;
                const started = performance.now();
                const held = openLink(id);
                assert.ok(held);
                const detached = lab.detach(link?.id).then(() => performance.now() - started);
                await sleep(heldMs);
                held[Symbol.dispose]();
                assert.ok((await detached) >= heldMs);
                assert.ok(!linkIds().includes(id));
                const after = hooks.count("on_raw_tracepoint");
                await sleep(50);
                assert.equal(hooks.count("on_raw_tracepoint"), after);
            },
        );

        await t.test("what a kill left between the kernel and the store is removed at the next start", async () => {
            const [kept] = await lab.attach(hooks.item("on_sample", { perfEvent: {} }));
            const tracepoint = { group: "sched", name: "sched_process_exec" };
            const [lost] = await lab.attach(hooks.item("on_tracepoint", { tracepoint }));
            await lab.stopDaemon("SIGKILL");
            // as if the kill had come before the row was written
            const db = new DatabaseSync(path.join(lab.stateDir, "store.db"));
            db.prepare("DELETE FROM links WHERE id = ?").run(lost?.id ?? 0);
            db.close();
            await lab.startDaemon();
            const links = (await lab.client.listLinks({})).links ?? [];
            assert.deepEqual(
                links.map(({ id }) => id),
                [kept?.id],
            );
            assert.deepEqual(links[0]?.kernelLinkIds, kept?.kernelLinkIds);
            assert.equal(lab.pins("links").length, onlineCpus().length);
            assert.ok(!linkIds().includes(lost?.kernelLinkId as never));
            const before = hooks.count("on_tracepoint");
            exec();
            assert.equal(hooks.count("on_tracepoint"), before);
            await lab.detach(kept?.id);
        });

        await t.test("bpfman.v1: the section says whether a probe is at the return", async () => {
            const call = async (method: string, body: object): Promise<Record<string, unknown>> => {
                const outgoing = request({
                    socketPath: lab.socketPath,
                    path: `/bpfman.v1.Bpfman/${method}`,
                    method: "POST",
                });
                outgoing.setHeader("Content-Type", "application/json");
                outgoing.end(JSON.stringify(body));
                const [response] = (await once(outgoing, "response")) as [IncomingMessage];
                const answer = JSON.parse(await text(response)) as Record<string, unknown>;
                assert.equal(response.statusCode, 200, JSON.stringify(answer));
                return answer;
            };
            const object = path.join(lab.dir, "v1.o");
            fs.writeFileSync(object, fixtureObject("hooks"));
            const info = [
                { name: "on_uretprobe", programType: "UPROBE" },
                { name: "on_tracepoint", programType: "TRACEPOINT" },
            ];
            const loaded = await call("Load", { bytecode: { file: object }, info });
            const answered = loaded["programs"] as { kernelInfo: { id: number; programType: number } }[];
            assert.deepEqual(
                answered.map(({ kernelInfo }) => kernelInfo.programType),
                [2, 5],
            );
            const ids = answered.map(({ kernelInfo }) => kernelInfo.id);
            const uprobe = { target: program, fnName: "main.(*Server).Handle", containerPid: 0 };
            const { linkId } = await call("Attach", { id: ids[0], attach: { uprobeAttachInfo: uprobe } });
            const link = await lab.client.getLink(Number(linkId));
            assert.equal(link.kind, "uretprobe");
            const { mapPinPath = "" } = (await lab.client.getProgram(ids[0] ?? 0)).record ?? {};
            await probed.step();
            assert.equal(perCpuSum(mapPinPath, "hits", counterOf.get("on_uretprobe")), 1);
            const tracepoint = { tracepoint: "sched/sched_process_exec" };
            await call("Attach", { id: ids[1], attach: { tracepointAttachInfo: tracepoint } });
            const found = await call("Get", { id: ids[0] });
            assert.deepEqual((found["info"] as { links: number[] }).links, [linkId]);
            await call("Detach", { linkId });
            for (const id of ids) await call("Unload", { id });
            assert.deepEqual(lab.pins("links"), []);
        });

        const commandLine = async () => {
            const bpfman = (...words: string[]): string => {
                const all = [main, "--runtime-dir", lab.runtimeDir, ...words];
                return execFileSync(process.execPath, all, {
                    encoding: "utf8",
                    env: { BPFMAN_SOCKET_PATH: lab.socketPath },
                    cwd: "/",
                });
            };
            const id = String(hooks.program("on_uprobe").id);
            const words = [
                "link",
                "attach",
                "uprobe",
                id,
                program,
                "-f",
                "main.(*Server).Handle",
                "-m",
                "k=v",
                "-o",
                "json",
            ];
            const made = JSON.parse(bpfman(...words)) as {
                record: { id: number; kind: string; kernel_link_id: number; details: unknown; metadata: unknown };
                status: { kernel: { link_type: string }; kernel_seen: boolean; pin_present: boolean };
            };
            assert.deepEqual(made.record.details, {
                target: program,
                fn_name: "main.(*Server).Handle",
                offset: 0,
                pid: 0,
                retprobe: false,
                container_pid: 0,
            });
            assert.deepEqual(made.record.metadata, { k: "v" });
            assert.equal(made.status.kernel.link_type, "perf_event");
            assert.ok(linkIds().includes(made.record.kernel_link_id as never));
            const before = hooks.count("on_uprobe");
            for (let steps = 0; steps < 3; steps += 1) await probed.step();
            assert.equal(hooks.count("on_uprobe"), before + 3);
            const shown = bpfman("link", "list", "--kind", "uprobe");
            assert.match(shown, /uprobe +\d+ +on_uprobe +\/.*probed main\.\(\*Server\)\.Handle$/m);
            bpfman("link", "detach", String(made.record.id));
            const raw = String(hooks.program("on_tracepoint").id);
            const released = bpfman("attach", raw, "tracepoint", "-t", "sched/sched_process_exec");
            assert.match(released, /Tracepoint: +sched\/sched_process_exec/);
            const link = /Link ID: +(\d+)/.exec(released)?.[1] ?? "";
            assert.match(bpfman("get", "link", link), /Program Type: +tracepoint/);
            assert.match(bpfman("list", "links", "-p", "tracepoint"), /on_tracepoint +sched\/sched_process_exec/);
            bpfman("detach", link);
            // load and attach in one, by the released command
            const object = path.join(lab.dir, "hooks.o");
            fs.writeFileSync(object, fixtureObject("hooks"));
            const load = ["load", "file", "--path", object, "--programs", "raw_tracepoint:on_raw_tracepoint"];
            const both = bpfman(...load, "raw-tracepoint", "-t", "sched_process_exec");
            assert.match(both, /Program Type: +raw_tracepoint.*Tracepoint: +sched_process_exec/s);
            bpfman("unload", /Program ID: +(\d+)/.exec(both)?.[1] ?? "");
            assert.deepEqual(lab.pins("links"), []);
        };
        // the same command on every kernel, and Node takes seconds to start in an emulated machine
        if (process.env["GUEST_RELEASE"] === undefined)
            await t.test("the command, in both grammars; the probe fires when it has gone", commandLine);

        await t.test("all or nothing", async () => {
            const good = hooks.item("on_tracepoint", { tracepoint: { group: "sched", name: "sched_process_exec" } });
            const bad = hooks.item("on_raw_tracepoint", { rawTracepoint: { name: "none_such" } });
            assert.equal((await refusal(lab.attach(good, bad))).code, "NOT_FOUND");
            assert.deepEqual(lab.pins("links"), []);
            const before = hooks.count("on_tracepoint");
            exec();
            assert.equal(hooks.count("on_tracepoint"), before);
            const attach = [
                { programName: "on_tracepoint", tracepoint: { group: "sched", name: "sched_process_exec" } },
                { programName: "on_sample", perfEvent: { event: "none-such" } },
            ];
            const wanted = ["tracepoint:on_tracepoint", "perf_event:on_sample"];
            const loaded = (await lab.client.listPrograms({})).programs?.length;
            assert.equal((await refusal(lab.load("hooks", wanted, { attach }))).code, "INVALID_ARGUMENT");
            assert.equal((await lab.client.listPrograms({})).programs?.length, loaded);
            assert.deepEqual(lab.pins("links"), []);
            assert.deepEqual(lab.pins("staging"), []);
        });
    });
});
