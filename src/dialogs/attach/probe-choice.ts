// SPDX-License-Identifier: Apache-2.0
// Where a program attaches that is at no interface: what the fields hold, and the hook that they make.
import type { AttachItemJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import type { ProbeKind } from "../../text/words.ts";

/** What the fields hold, valid or not. Each kind uses some of them. */
export interface ProbeChoice {
    /** tracepoint: group/name; raw_tracepoint: name; kprobe: function; perf_event: event; cgroup: path */
    readonly target: string;
    /** uprobe: an absolute path or a library's name */
    readonly file: string;
    /** uprobe: empty where the offset alone tells */
    readonly symbol: string;
    /** kprobe, uprobe: decimal, or hexadecimal after 0x */
    readonly offset: string;
    /** uprobe: fires in this process only; empty: in all */
    readonly pid: string;
    /** uprobe: the file is looked up as this process sees it */
    readonly containerPid: string;
    /** perf_event: empty is every CPU */
    readonly cpu: string;
    readonly rateBy: "frequency" | "period";
    readonly rate: string;
}

/** The kernel's own word for the sections of probes: what follows the slash says where they belong. */
export function initialProbe(kind: ProbeKind | undefined, section: string): ProbeChoice {
    const rest = section.includes("/") ? section.slice(section.indexOf("/") + 1) : "";
    const empty: ProbeChoice = {
        target: "",
        file: "",
        symbol: "",
        offset: "",
        pid: "",
        containerPid: "",
        cpu: "",
        rateBy: "frequency",
        rate: "99",
    };
    switch (kind) {
        case "uprobe":
        case "uretprobe": {
            // PATH:FUNCTION+OFFSET, as libbpf reads it
            const [, file = "", symbol = "", offset = ""] = /^(.*):([^:+]*)(?:\+(.+))?$/.exec(rest) ?? [];
            return { ...empty, file, symbol, offset };
        }
        case "kprobe":
        case "kretprobe": {
            const [target = "", offset = ""] = rest.split("+");
            return { ...empty, target, offset };
        }
        case "perf_event":
            return { ...empty, target: "cpu-clock" };
        case "tracepoint":
        case "raw_tracepoint":
            return { ...empty, target: rest };
        default:
            return empty;
    }
}

/** The hook; undefined while the choice is not complete. */
export function probeHook(choice: ProbeChoice, kind: ProbeKind): AttachItemJson | undefined {
    const target = choice.target.trim();
    switch (kind) {
        case "tracepoint": {
            const [group = "", name = "", ...more] = target.split("/");
            return group !== "" && name !== "" && more.length === 0 ? { tracepoint: { group, name } } : undefined;
        }
        case "raw_tracepoint":
            return target === "" ? undefined : { rawTracepoint: { name: target } };
        case "kprobe":
        case "kretprobe": {
            const offset = offsetOf(choice.offset);
            return target === "" || offset === undefined ? undefined : { kprobe: { function: target, offset } };
        }
        case "uprobe":
        case "uretprobe":
            return uprobeHook(choice);
        case "fentry":
            return { fentry: {} };
        case "fexit":
            return { fexit: {} };
        case "lsm":
            return { lsm: {} };
        case "perf_event":
            return perfEventHook(choice, target);
        case "cgroup":
            return target === "" ? undefined : { cgroup: { path: target } };
    }
}

function uprobeHook(choice: ProbeChoice): AttachItemJson | undefined {
    const file = choice.file.trim();
    const symbol = choice.symbol.trim();
    const offset = offsetOf(choice.offset);
    const pid = wholeNumber(choice.pid, 2 ** 31 - 1);
    const containerPid = wholeNumber(choice.containerPid, 2 ** 31 - 1);
    const isPlaced = symbol !== "" || (offset !== undefined && offset !== "0");
    if (file === "" || !isPlaced || offset === undefined || pid === undefined || containerPid === undefined) return;
    return { uprobe: { target: file, function: symbol, offset, pid, containerPid } };
}

function perfEventHook(choice: ProbeChoice, event: string): AttachItemJson | undefined {
    const rate = wholeNumber(choice.rate, 2 ** 32 - 1);
    const cpu = wholeNumber(choice.cpu, 2 ** 16);
    if (event === "" || !rate || cpu === undefined) return undefined;
    return {
        perfEvent: {
            event,
            ...(choice.cpu.trim() === "" ? {} : { cpu }),
            ...(choice.rateBy === "frequency" ? { frequencyHz: rate } : { period: String(rate) }),
        },
    };
}

/** Undefined for what is no whole number up to the limit; an empty text is 0. */
export function wholeNumber(text: string, limit: number): number | undefined {
    const digits = text.trim();
    if (digits === "") return 0;
    const value = /^[0-9]{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
    return value <= limit ? value : undefined;
}

/** As the API writes 64-bit numbers; undefined for what is no offset. */
export function offsetOf(text: string): string | undefined {
    const digits = text.trim();
    if (digits === "") return "0";
    if (!/^(0x[0-9a-f]{1,16}|[0-9]{1,19})$/i.test(digits)) return undefined;
    return String(BigInt(digits));
}

/** fentry, fexit, lsm: what such a program is loaded for, as its section says; empty where it does not. */
export function sectionFunction(section: string): string {
    return /^(?:fentry|fexit|lsm)(?:\.s)?\/(\w+)$/.exec(section)?.[1] ?? "";
}
