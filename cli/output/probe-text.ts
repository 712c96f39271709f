// SPDX-License-Identifier: Apache-2.0
// What links show that are in no chain: one word or two in tables, labelled values, and the keys that scripts know. Pure.
import type { LinkJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";

const number = (value: string | number | undefined): number => Number(value ?? 0);
const after = (offset: number): string => (offset === 0 ? "" : `+${offset}`);
const numberText = (value: string | number | undefined): string => String(number(value));

/** Whether a link is of a hook that is no chain. */
export function isProbe(link: LinkJson): boolean {
    return link.kind !== "xdp" && link.kind !== "tc" && link.kind !== "tcx";
}

function rateText(sample: NonNullable<LinkJson["perfEvent"]>): string {
    return sample.frequencyHz ? `${sample.frequencyHz}Hz` : `every ${numberText(sample.period)}`;
}

/** sched/sched_switch, vfs_read+8, libc malloc, cpu-clock 99Hz cpu-1 */
export function probeAttachment(link: LinkJson): string {
    const { tracepoint, kprobe, uprobe, perfEvent, rawTracepoint, cgroup } = link;
    if (tracepoint) return `${tracepoint.group ?? ""}/${tracepoint.name ?? ""}`;
    if (kprobe) return `${kprobe.function ?? ""}${after(number(kprobe.offset))}`;
    if (uprobe) {
        const offset = number(uprobe.offset);
        const place = uprobe.function ? `${uprobe.function}${after(offset)}` : `+${offset}`;
        return `${uprobe.target ?? ""} ${place}`;
    }
    if (perfEvent) {
        const cpu = perfEvent.cpu === undefined ? "" : ` cpu-${perfEvent.cpu}`;
        return `${perfEvent.event ?? ""} ${rateText(perfEvent)}${cpu}`;
    }
    if (rawTracepoint) return rawTracepoint.name ?? "";
    if (cgroup) return `${cgroup.path ?? ""} ${cgroup.attachType ?? ""}`;
    return (link.fentry ?? link.fexit)?.function ?? link.lsm?.hook ?? "";
}

type Field = readonly [label: string, value: string];

/** Labels of `link get`. */
export function probeFields(link: LinkJson): Field[] {
    const { tracepoint, kprobe, uprobe, perfEvent, rawTracepoint, cgroup, lsm } = link;
    const bound = link.fentry ?? link.fexit;
    if (tracepoint) return [["Tracepoint", probeAttachment(link)]];
    if (kprobe)
        return [
            ["Attach Type", link.kind ?? ""],
            ["Target Function", kprobe.function ?? ""],
            ["Target Offset", numberText(kprobe.offset)],
        ];
    if (uprobe)
        return [
            ["Attach Type", link.kind ?? ""],
            ["Target", uprobe.target ?? ""],
            ...(uprobe.path && uprobe.path !== uprobe.target ? [["Target File", uprobe.path] as const] : []),
            ["Target Function", uprobe.function || "<none>"],
            ["Target Offset", numberText(uprobe.offset)],
            ["PID", uprobe.pid ? String(uprobe.pid) : "<none>"],
            ["Container PID", uprobe.containerPid ? String(uprobe.containerPid) : "<none>"],
        ];
    if (perfEvent)
        return [
            ["Event", perfEvent.event ?? ""],
            ["CPU", perfEvent.cpu === undefined ? "all" : String(perfEvent.cpu)],
            perfEvent.frequencyHz
                ? ["Frequency", `${perfEvent.frequencyHz}Hz`]
                : ["Period", numberText(perfEvent.period)],
            ["Kernel Link IDs", (link.kernelLinkIds ?? []).join(" ")],
        ];
    if (rawTracepoint) return [["Tracepoint", rawTracepoint.name ?? ""]];
    if (cgroup)
        return [
            ["Control Group", cgroup.path ?? ""],
            ["Attach Type", cgroup.attachType ?? ""],
        ];
    if (lsm) return [["LSM Hook", lsm.hook ?? ""]];
    return bound ? [["Target Function", bound.function ?? ""]] : [];
}

type Row = readonly [label: string, values: readonly string[]];
const one = (value: string | number | undefined): readonly string[] =>
    value === undefined || value === "" || value === 0 ? [] : [String(value)];

/** Rows of the released commands' table. */
export function probeRows(link: LinkJson): Row[] {
    const { tracepoint, kprobe, uprobe, lsm } = link;
    const bound = link.fentry ?? link.fexit;
    if (tracepoint) return [["Tracepoint", one(probeAttachment(link))]];
    if (kprobe)
        return [
            ["Attach Function", one(kprobe.function)],
            ["Offset", [numberText(kprobe.offset)]],
            ["Container PID", []],
        ];
    if (uprobe)
        return [
            ["Attach Function", one(uprobe.function)],
            ["Offset", [numberText(uprobe.offset)]],
            ["Target", one(uprobe.target)],
            ["PID", one(uprobe.pid)],
            ["Container PID", one(uprobe.containerPid)],
        ];
    if (bound) return [["Attach Function", one(bound.function)]];
    if (lsm) return [["LSM Hook", one(lsm.hook)]];
    return probeFields(link).map(([label, value]) => [label, one(value)]);
}

/** The details of a link's record in JSON. */
export function probeDetails(link: LinkJson): unknown {
    const { tracepoint, kprobe, uprobe, perfEvent, rawTracepoint, cgroup, lsm } = link;
    if (tracepoint) return { group: tracepoint.group ?? "", name: tracepoint.name ?? "" };
    if (kprobe)
        return {
            fn_name: kprobe.function ?? "",
            offset: number(kprobe.offset),
            retprobe: kprobe.retprobe ?? false,
        };
    if (uprobe)
        return {
            target: uprobe.target ?? "",
            fn_name: uprobe.function ?? "",
            offset: number(uprobe.offset),
            pid: uprobe.pid ?? 0,
            retprobe: uprobe.retprobe ?? false,
            container_pid: uprobe.containerPid ?? 0,
        };
    if (perfEvent)
        return {
            event: perfEvent.event ?? "",
            cpu: perfEvent.cpu ?? null,
            frequency: perfEvent.frequencyHz ?? 0,
            period: number(perfEvent.period),
            kernel_link_ids: link.kernelLinkIds ?? [],
        };
    if (rawTracepoint) return { name: rawTracepoint.name ?? "" };
    if (cgroup) return { path: cgroup.path ?? "", attach_type: cgroup.attachType ?? "" };
    if (lsm) return { hook_name: lsm.hook ?? "" };
    return { fn_name: (link.fentry ?? link.fexit)?.function ?? "" };
}
