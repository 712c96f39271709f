// SPDX-License-Identifier: Apache-2.0
// What this kernel and this libbpf can do, each by trying the smallest case, with the errno where they can't. Nothing
// is attached and nothing stays.
import fs from "node:fs";
import os from "node:os";
import type { Feature } from "../../model/kernel.ts";
import { KernelBtf, kernelBtfPath } from "../btf/vmlinux-btf.ts";
import { Fd } from "../fd.ts";
import { libbpf, libbpfHas } from "../ffi.ts";
import { pmuType } from "../hooks/perf-event.ts";
import { activeLsms } from "../hooks/tracing-files.ts";
import { createToken, loadProbeBtf } from "./probe.ts";
import { answer, type Bench, is, no, type Probe, yes } from "./probe-answer.ts";
import { linkProbes } from "./probe-links.ts";
import { mapProbes } from "./probe-maps.ts";
import { helperProbes, kernelTargets, programProbes } from "./probe-programs.ts";

const tokenProbe: Probe = {
    name: "token/create",
    since: "6.9",
    run() {
        const result = createToken();
        return is(result, "EBADF") ? yes : answer(result);
    },
};

/** All that is probed by bpf(2). */
export const kernelProbes: readonly Probe[] = [
    ...programProbes,
    ...mapProbes,
    ...helperProbes,
    ...linkProbes,
    tokenProbe,
];

/** One symbol or more for each libbpf since 1.1, the oldest that this program runs on. */
const libbpfSymbols: Readonly<Record<string, readonly string[]>> = {
    "1.2": ["bpf_prog_get_info_by_fd", "bpf_link__update_map"],
    "1.3": ["bpf_program__attach_tcx", "bpf_program__attach_netkit", "bpf_program__attach_uprobe_multi"],
    "1.4": ["bpf_token_create", "btf__new_split"],
    "1.5": ["btf__distill_base", "btf__relocate"],
    "1.6": ["bpf_object__prepare", "bpf_prog_stream_read"],
    "1.7": ["bpf_map__exclusive_program"],
    "1.8": ["bpf_program__clone"],
};

function libbpfFeatures(): Feature[] {
    return Object.entries(libbpfSymbols).flatMap(([version, symbols]) =>
        symbols.map(symbol => ({
            name: `libbpf/${symbol}`,
            supported: libbpfHas(symbol),
            errno: "",
            note: `Came with libbpf ${version}.`,
        })),
    );
}

/** File systems that programs of some types need. */
const fileSystems = [
    { type: "bpf", name: "mount/bpffs", note: "Pins of others live there." },
    { type: "cgroup2", name: "mount/cgroup2", note: "Programs for control groups attach there." },
    { type: "tracefs", name: "mount/tracefs", note: "Tracepoints can't be attached without it." },
];

function mountFeatures(): Feature[] {
    // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE OPTIONS
    const mounts = fs
        .readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .map(line => ({ point: line.split(" ", 5)[4], type: /^.* - (\S+)/.exec(line)?.[1] }));
    return fileSystems.map(({ type, name, note }) => {
        const point = mounts.find(mount => mount.type === type)?.point;
        return point === undefined
            ? { name, ...no("ENOENT", `Not mounted. ${note}`) }
            : { name, supported: true, errno: "", note: `Mounted on ${point}.` };
    });
}

/** What attaching needs beside the program type. */
function hookFeatures(): Feature[] {
    const events = (["kprobe", "uprobe"] as const).map(name => {
        const option = `CONFIG_${name.toUpperCase()}_EVENTS`;
        const answered = pmuType(name) === undefined ? no("ENOENT", `Needs a kernel built with ${option}.`) : yes;
        return { name: `event/${name}`, ...answered };
    });
    const lsms = activeLsms();
    const note = lsms === undefined ? "The kernel does not tell." : `Running: ${lsms.join(", ")}.`;
    const running = lsms?.includes("bpf") === true;
    return [...events, { name: "lsm/bpf", supported: running, errno: running ? "" : "ENOENT", note }];
}

function sysctl(name: string): number | undefined {
    try {
        return Number(fs.readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
    } catch {
        // not in this kernel, or hidden from this process
        return undefined;
    }
}

function settingFeatures(): Feature[] {
    return ["net.core.bpf_jit_enable", "kernel.unprivileged_bpf_disabled", "kernel.bpf_stats_enabled"].map(name => {
        const value = sysctl(name);
        const note = value === undefined ? "This kernel does not show it." : `${name} is ${value}.`;
        return { name: `sysctl/${name}`, supported: (value ?? 0) > 0, errno: "", note };
    });
}

export function runProbes(probes: readonly Probe[]): Feature[] {
    const kernelBtf = KernelBtf.read();
    const loaded = loadProbeBtf();
    using btf = loaded < 0 ? undefined : new Fd(loaded);
    const bench: Bench = { btf, kernelBtf, ids: kernelBtf?.ids(kernelTargets) ?? new Map() };
    const features = probes.map(({ name, option, run }) => {
        const found = run(bench);
        const missing = !found.supported && found.note === "" && option !== undefined;
        return { name, ...found, ...(missing ? { note: `Needs a kernel built with ${option}.` } : {}) };
    });
    const btfAnswer = kernelBtf === undefined ? no("ENOENT", `No ${kernelBtfPath}: no CO-RE, fentry, LSM.`) : yes;
    return [...features, { name: "kernel/btf", ...btfAnswer }];
}

/** Sorted by kind as in the tables; takes some tens of milliseconds. */
export function probeFeatures(): { kernel: string; libbpf: string; features: Feature[] } {
    return {
        kernel: os.release(),
        libbpf: libbpf.versionString().replace(/^v/, ""),
        features: [
            ...runProbes(kernelProbes),
            ...hookFeatures(),
            ...mountFeatures(),
            ...settingFeatures(),
            ...libbpfFeatures(),
        ],
    };
}
