// SPDX-License-Identifier: Apache-2.0
// What a request for a change was about, read from the request itself: it may be any nonsense, and is told when it failed.
import type { Message } from "@bufbuild/protobuf";
import type { LinkId, MapId, ProgramId } from "../model/ids.ts";

/** As far as the request tells. */
export interface RefusedSubject {
    readonly programs: readonly ProgramId[];
    readonly links: readonly LinkId[];
    readonly maps: readonly MapId[];
    /** names of programs, hooks, images, maps and sets */
    readonly names: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const limits = { each: 64, nameLength: 200 } as const;
/** The fields of hooks that tell one from another, in the order of their words; by both services. */
const hookFields = [
    "interface",
    "iface",
    "direction",
    "tracepoint",
    "target",
    "path",
    "function",
    "fnName",
    "hook",
    "hookName",
    "event",
    "attachType",
];

export function refusedSubject(request: Message | undefined): RefusedSubject {
    const programs = new Set<ProgramId>();
    const links = new Set<LinkId>();
    const maps = new Set<MapId>();
    const names = new Set<string>();
    const add = <T>(to: Set<T>, value: T) => {
        if (to.size < limits.each) to.add(value);
    };
    const addName = (name: unknown) => {
        if (typeof name !== "string" || name === "") return;
        add(names, name.length > limits.nameLength ? `${name.slice(0, limits.nameLength)}…` : name);
    };
    const addIds = <Id extends number>(to: Set<Id>, value: unknown) => {
        const ids: unknown[] = Array.isArray(value) ? value : [value];
        for (const id of ids) if (typeof id === "number" && id > 0) add(to, id as Id);
    };
    const read = (message: Fields) => {
        const type = String(message["$typeName"] ?? "");
        if (type.endsWith(".MapSelector")) addIds(maps, message["id"]);
        else if (type.startsWith("bpfman.v1.")) addIds(programs, message["id"]);
        addIds(programs, message["programId"]);
        addIds(programs, message["programIds"]);
        addIds(links, message["linkId"]);
        addIds(links, message["linkIds"]);
        // a set stands for all that it holds
        if (type.endsWith(".ApplyRequest")) return addName(message["set"]);
        addName(message["programName"]);
        addName(message["name"]);
        addName(message["url"]);
        for (const [field, value] of Object.entries(message)) readField(field, value);
    };
    const readField = (field: string, value: unknown) => {
        if (field === "images" && Array.isArray(value)) value.forEach(addName);
        else if (Array.isArray(value)) value.filter(isFields).forEach(read);
        else if (isOneof(value)) {
            if (field === "hook" || value.case.endsWith("AttachInfo")) addName(hookWords(value.case, value.value));
            else read(value.value);
        } else if (isFields(value) && "$typeName" in value) read(value);
    };
    if (request !== undefined) read({ ...request });
    return { programs: [...programs], links: [...links], maps: [...maps], names: [...names] };
}

/** A hook as people write it: xdp eth0, tc eth0 ingress, tracepoint sched/sched_switch. */
function hookWords(field: string, hook: Fields): string {
    const kind = field.replace(/AttachInfo$/, "").replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
    const returns = hook["retprobe"] === true ? kind.replace("probe", "retprobe") : kind;
    const event = [hook["group"], hook["name"]].filter(isWord).join("/");
    const words = hookFields.map(name => hook[name]).filter(isWord);
    return [returns, event, ...words].filter(isWord).join(" ");
}

const isWord = (value: unknown): value is string => typeof value === "string" && value !== "";
const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !(value instanceof Uint8Array);
const isOneof = (value: unknown): value is { case: string; value: Fields } =>
    isFields(value) && !("$typeName" in value) && typeof value["case"] === "string" && isFields(value["value"]);
