// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { parseArgs, UsageError } from "../args.ts";
import { root } from "../commands/commands.ts";
import { linkJson } from "../output/json.ts";
import { linkState } from "../output/state-text.ts";
import { attachment, linkText } from "../output/text.ts";
import { parseAttach } from "./hook.ts";
import { probeFromArgs, probeFromReleased } from "./probe-args.ts";
import { isProbeKind, type ProbeJson } from "./probe-hook.ts";

function hookOf(line: string): ProbeJson {
    const { args, path } = parseArgs(root, line.split(" "), {});
    const kind = args.command;
    if (!isProbeKind(kind)) throw new Error(`${kind} is no probe`);
    return path[1]?.name === "link" ? probeFromArgs(kind, args) : probeFromReleased(kind, args);
}

const refused = (work: () => unknown, message: RegExp): void => {
    assert.throws(work, (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
    });
};

test("both grammars make the same hooks", () => {
    const cases: [string, string, ProbeJson][] = [
        [
            "link attach tracepoint 7 sched/sched_switch",
            "attach 7 tracepoint -t sched/sched_switch",
            { tracepoint: { group: "sched", name: "sched_switch" } },
        ],
        [
            "link attach kprobe 7 vfs_read --offset 0x10",
            "attach 7 kprobe --fn-name vfs_read -o 16",
            { kprobe: { function: "vfs_read", offset: "16" } },
        ],
        [
            "link attach uprobe 7 libc -f malloc --pid 12 --container-pid 13",
            "attach 7 uprobe -t libc -f malloc -p 12 -c 13",
            { uprobe: { target: "libc", function: "malloc", offset: "0", pid: 12, containerPid: 13 } },
        ],
        [
            "link attach uprobe 7 /bin/x --offset 4096",
            "attach 7 uprobe --target /bin/x --offset 4096",
            { uprobe: { target: "/bin/x", function: "", offset: "4096", pid: 0, containerPid: 0 } },
        ],
        ["link attach fentry 7", "attach 7 fentry", { fentry: {} }],
        ["link attach fexit 7", "attach 7 fexit -m a=b", { fexit: {} }],
        ["link attach lsm 7", "attach 7 lsm", { lsm: {} }],
        [
            "link attach perf-event 7 --cpu 0 --period 1000 --event page-faults",
            "attach 7 perf-event --cpu 0 --period 1000 --event page-faults",
            { perfEvent: { event: "page-faults", cpu: 0, period: "1000" } },
        ],
        [
            "link attach perf_event 7 --cpu all --freq 49",
            "attach 7 perf-event --freq 49",
            { perfEvent: { event: "cpu-clock", frequencyHz: 49 } },
        ],
        [
            "link attach raw-tracepoint 7 sched_switch",
            "attach 7 raw-tracepoint -t sched_switch",
            { rawTracepoint: { name: "sched_switch" } },
        ],
        [
            "link attach cgroup 7 system.slice/x.service",
            "attach 7 cgroup --path system.slice/x.service",
            { cgroup: { path: "system.slice/x.service" } },
        ],
    ];
    for (const [line, released, hook] of cases) {
        assert.deepEqual(hookOf(line), hook, line);
        assert.deepEqual(hookOf(released), hook, released);
    }
});

test("--attach says them in one word", () => {
    const cases: [string, string | undefined, ProbeJson][] = [
        ["tracepoint:sched/sched_switch", undefined, { tracepoint: { group: "sched", name: "sched_switch" } }],
        ["a=kprobe:vfs_read:offset=4", "a", { kprobe: { function: "vfs_read", offset: "4" } }],
        [
            "uprobe:/bin/x:fn=main::run:pid=3",
            undefined,
            { uprobe: { target: "/bin/x", function: "main::run", offset: "0", pid: 3, containerPid: 0 } },
        ],
        ["b=fentry", "b", { fentry: {} }],
        ["perf-event:freq=9:cpu=1", undefined, { perfEvent: { event: "cpu-clock", cpu: 1, frequencyHz: 9 } }],
        ["perf_event", undefined, { perfEvent: { event: "cpu-clock" } }],
        ["cgroup:/sys/fs/cgroup/a:b", undefined, { cgroup: { path: "/sys/fs/cgroup/a:b" } }],
    ];
    for (const [word, programName, hook] of cases) assert.deepEqual(parseAttach(word), { programName, hook }, word);
    refused(() => parseAttach("tracepoint"), /does not say where: write tracepoint:GROUP\/NAME/);
    refused(() => parseAttach("perf-event:frec=9"), /unknown setting "frec=9".*did you mean freq=\?/);
    refused(() => parseAttach("fentry:vfs_read"), /unknown setting "vfs_read"/);
    refused(() => parseAttach("xpd:eth0"), /can't read --attach/);
});

test("what can't be is one sentence", () => {
    refused(
        () => hookOf("link attach tracepoint 7 sched_switch"),
        /^invalid tracepoint "sched_switch": must be GROUP\/NAME/,
    );
    refused(() => hookOf("link attach kprobe 7 f --offset -1"), /^invalid offset "-1"/);
    refused(() => hookOf("link attach uprobe 7 libc --pid 0"), /^invalid pid "0"/);
    refused(() => hookOf("attach 7 kprobe -f f -c 12"), /^kprobe container option not supported yet$/);
    refused(() => hookOf("link attach perf-event 7 --freq 1 --period 1"), /exclude each other/);
    refused(() => hookOf("link attach perf-event 7 --freq 0"), /must be at least 1/);
    refused(() => hookOf("link attach kprobe 7"), /^missing argument (PROG|TARGET)/);
});

const link = (kind: string, rest: Partial<LinkJson>): LinkJson => ({
    id: 3,
    programId: 7,
    kind,
    programName: "f",
    kernelLinkId: 9,
    kernelLinkIds: [9],
    ...rest,
});

test("details have the keys that scripts know", () => {
    const cases: [LinkJson, unknown, string][] = [
        [
            link("tracepoint", { tracepoint: { group: "sched", name: "sched_switch" } }),
            { group: "sched", name: "sched_switch" },
            "sched/sched_switch",
        ],
        [
            link("kretprobe", { kprobe: { function: "vfs_read", offset: "0", retprobe: true } }),
            { fn_name: "vfs_read", offset: 0, retprobe: true },
            "vfs_read",
        ],
        [
            link("kprobe", { kprobe: { function: "vfs_read", offset: "8" } }),
            { fn_name: "vfs_read", offset: 8, retprobe: false },
            "vfs_read+8",
        ],
        [
            link("uprobe", { uprobe: { target: "libc", function: "malloc", containerPid: 5 } }),
            { target: "libc", fn_name: "malloc", offset: 0, pid: 0, retprobe: false, container_pid: 5 },
            "libc malloc",
        ],
        [
            link("uretprobe", { uprobe: { target: "/bin/x", offset: "4096", pid: 4, retprobe: true } }),
            { target: "/bin/x", fn_name: "", offset: 4096, pid: 4, retprobe: true, container_pid: 0 },
            "/bin/x +4096",
        ],
        [link("fentry", { fentry: { function: "vfs_read" } }), { fn_name: "vfs_read" }, "vfs_read"],
        [link("fexit", { fexit: { function: "vfs_read" } }), { fn_name: "vfs_read" }, "vfs_read"],
        [link("lsm", { lsm: { hook: "file_open" } }), { hook_name: "file_open" }, "file_open"],
        [
            link("perf_event", { perfEvent: { event: "cpu-clock", frequencyHz: 99 }, kernelLinkIds: [9, 10] }),
            { event: "cpu-clock", cpu: null, frequency: 99, period: 0, kernel_link_ids: [9, 10] },
            "cpu-clock 99Hz",
        ],
        [link("raw_tracepoint", { rawTracepoint: { name: "sched_switch" } }), { name: "sched_switch" }, "sched_switch"],
        [
            link("cgroup", { cgroup: { path: "/sys/fs/cgroup/a", attachType: "cgroup_device" } }),
            { path: "/sys/fs/cgroup/a", attach_type: "cgroup_device" },
            "/sys/fs/cgroup/a cgroup_device",
        ],
    ];
    for (const [one, details, shown] of cases) {
        const json = linkJson(one) as { record: { details: unknown; kind: string; kernel_link_id: number } };
        assert.deepEqual(json.record.details, details, one.kind);
        assert.equal(json.record.kind, one.kind);
        assert.equal(json.record.kernel_link_id, 9);
        assert.equal(attachment(one), shown);
    }
});

test("text tells what a link is attached to, and nothing of chains", () => {
    const uprobe = link("uretprobe", {
        uprobe: { target: "libc", function: "malloc", path: "/lib/libc.so.6", pid: 4, retprobe: true },
    });
    const text = linkText(uprobe).join("\n");
    for (const line of [
        /Attach Type: +uretprobe/,
        /Container PID: +<none>/,
        /PID: +4/,
        /Target: +libc/,
        /Target File: +\/lib\/libc\.so\.6/,
        /Target Function: +malloc/,
        /Target Offset: +0/,
    ])
        assert.match(text, line);
    assert.doesNotMatch(text, /Priority|Position|Interface|Backend|Proceed/);
    const released = linkState(uprobe).join("\n");
    for (const line of [/Attach Function: +malloc/, /Offset: +0/, /Target: +libc/, /PID: +4/, /Container PID: +None/])
        assert.match(released, line);
    const samples = link("perf_event", { perfEvent: { event: "cycles", period: "1000", cpu: 2 } });
    assert.match(linkText(samples).join("\n"), /CPU: +2\n.*Event: +cycles/s);
});
