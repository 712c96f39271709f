// SPDX-License-Identifier: Apache-2.0
// Limits and ranges of what callers send, checked before anything else sees it.
import { BpfmanError } from "../model/error.ts";
import type { Direction, XdpModeWanted } from "../model/hooks.ts";
import type { LinkId, MapId, ProgramId } from "../model/ids.ts";
import type { GlobalText } from "../model/requests.ts";
import { invalid } from "./errors.ts";

export const limits = {
    objectBytes: 16 * 1024 * 1024,
    programs: 256,
    nameBytes: 255,
    functionBytes: 1023,
    metadataPairs: 64,
    metadataKeyBytes: 256,
    metadataValueBytes: 4096,
    globals: 256,
    globalBytes: 1024 * 1024,
    pathBytes: 4095,
    // IFNAMSIZ with its NUL: include/uapi/linux/if.h
    interfaceBytes: 15,
    attachItems: 64,
    ids: 1024,
    mapValueBytes: 1024 * 1024,
    testPacketBytes: 1024 * 1024,
    testRuns: 1_000_000_000,
} as const;

const maxUint32 = 0xffff_ffff;

export function checkText(text: string, what: string, maxBytes: number): string {
    if (text.includes("\0")) throw invalid(`${what} holds a NUL character`);
    if (Buffer.byteLength(text) > maxBytes) throw invalid(`${what} is longer than ${maxBytes} bytes`);
    return text;
}

function checkNeeded(text: string, what: string, maxBytes: number): string {
    if (text === "") throw invalid(`${what} is missing`);
    return checkText(text, what, maxBytes);
}

export const checkName = (name: string, what: string): string => checkNeeded(name, what, limits.nameBytes);

export function checkPath(path: string, what: string): string {
    checkNeeded(path, what, limits.pathBytes);
    if (!path.startsWith("/")) throw invalid(`${what} is not absolute: ${path}`);
    return path;
}

/** Empty: the daemon's own namespace. */
export const checkNetns = (path: string): string =>
    path === "" ? "" : checkPath(path, "the network namespace's path");

export function checkInterface(name: string): string {
    checkNeeded(name, "the interface's name", limits.interfaceBytes);
    // what dev_valid_name() of net/core/dev.c refuses
    if (name === "." || name === ".." || /[/:\s]/.test(name)) throw invalid(`not an interface name: ${name}`);
    return name;
}

export function checkObject(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) throw invalid("the object is empty");
    if (bytes.length > limits.objectBytes) throw objectTooLarge(bytes.length);
    return bytes;
}

function objectTooLarge(sizeBytes: number): BpfmanError {
    const most = `${limits.objectBytes / 1024 / 1024} MiB`;
    return new BpfmanError("RESOURCE_EXHAUSTED", `the object has ${sizeBytes} bytes, at most ${most} are read`);
}

function checkId(id: number, what: string): number {
    if (!Number.isInteger(id) || id < 1 || id > maxUint32) throw invalid(`${what} is missing`);
    return id;
}

export const checkProgramId = (id: number): ProgramId => checkId(id, "the program's id") as ProgramId;
export const checkLinkId = (id: number): LinkId => checkId(id, "the link's id") as LinkId;
export const checkMapId = (id: number): MapId => checkId(id, "the map's id") as MapId;

/** Each id once, in the order given. */
export function checkIds<Id>(ids: readonly number[], check: (id: number) => Id): Id[] {
    if (ids.length === 0) throw invalid("no id is given");
    if (ids.length > limits.ids) throw invalid(`more than ${limits.ids} ids in one request`);
    return [...new Set(ids.map(check))];
}

export function checkMetadata(metadata: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
    const pairs = Object.entries(metadata);
    if (pairs.length > limits.metadataPairs) throw invalid(`more than ${limits.metadataPairs} metadata pairs`);
    for (const [key, value] of pairs) {
        checkNeeded(key, "a metadata key", limits.metadataKeyBytes);
        checkText(value, `the metadata value of ${key}`, limits.metadataValueBytes);
    }
    return new Map(pairs);
}

export function checkGlobals(globals: Readonly<Record<string, Uint8Array>>): ReadonlyMap<string, Uint8Array> {
    const pairs = Object.entries(globals);
    if (pairs.length > limits.globals) throw invalid(`more than ${limits.globals} global variables`);
    for (const [name, bytes] of pairs) {
        checkName(name, "a global variable's name");
        if (bytes.length === 0) throw invalid(`the value of global variable ${name} is empty`);
        if (bytes.length > limits.globalBytes)
            throw invalid(`the value of global variable ${name} is longer than ${limits.globalBytes} bytes`);
    }
    return new Map(pairs);
}

export function checkGlobalValues(globals: Readonly<Record<string, GlobalText>>): ReadonlyMap<string, GlobalText> {
    const pairs = Object.entries(globals);
    if (pairs.length > limits.globals) throw invalid(`more than ${limits.globals} global variables`);
    return new Map(
        pairs.map(([name, { text, typed }]) => {
            checkName(name, "a global variable's name");
            return [name, { text: checkText(text, `the value of ${name}`, limits.globalBytes), typed }];
        }),
    );
}

export function checkPriority(priority: number): number {
    if (priority < 0) throw invalid(`priority must be non-negative, not ${priority}`);
    return priority;
}

export function checkDirection(direction: string): Direction {
    if (direction === "ingress" || direction === "egress") return direction;
    if (direction === "") throw invalid("the direction is missing: ingress or egress");
    throw invalid(`unknown direction ${direction}: ingress or egress`);
}

export function checkMode(mode: string): XdpModeWanted {
    if (mode === "" || mode === "auto") return "auto";
    if (mode === "native" || mode === "generic") return mode;
    throw invalid(`unknown XDP mode ${mode}: auto, native or generic`);
}

// enum xdp_action and TC_ACT_* of the kernel's uapi; 31 and 30 are what an empty slot of a dispatcher returns
const xdpActions: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 31]);
const tcActions: ReadonlySet<number> = new Set([-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 30]);

/** Each code once, in the order given; empty stays empty and means the default. */
export function checkProceedOn(kind: "xdp" | "tc", actions: readonly number[]): readonly number[] {
    const known = kind === "xdp" ? xdpActions : tcActions;
    for (const action of actions)
        if (!known.has(action)) throw invalid(`unknown proceed-on code ${action} for ${kind}`);
    return [...new Set(actions)];
}

/** Of an event in tracefs, whose names are those of folders there. */
export function checkEventName(name: string, what: string): string {
    checkName(name, what);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/.test(name)) throw invalid(`${what} cannot be ${JSON.stringify(name)}`);
    return name;
}

/** A symbol's name: in the kernel letters and digits, in programs whatever a compiler makes of it. */
export function checkFunction(name: string, what: string): string {
    checkNeeded(name, what, limits.functionBytes);
    if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) throw invalid(`${what} holds control characters`);
    return name;
}

export function checkOffset(offset: bigint, what: string): number {
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`${what} is too large: ${offset}`);
    return Number(offset);
}

/** 0 is none. */
export function checkPid(pid: number, what: string): number | undefined {
    if (pid < 0) throw invalid(`${what} is negative: ${pid}`);
    return pid === 0 ? undefined : pid;
}

export function checkTarget(target: string): string {
    checkNeeded(target, "the target", limits.pathBytes);
    if (!target.startsWith("/") && target.includes("/"))
        throw invalid(`the target is neither an absolute path nor the name of a library: ${target}`);
    return target;
}

export const checkCgroup = (path: string): string => checkNeeded(path, "the control group's path", limits.pathBytes);

export function checkCpu(cpu: number): number {
    // more than any kernel's CONFIG_NR_CPUS
    if (cpu > 65535) throw invalid(`there is no CPU ${cpu}`);
    return cpu;
}
