// SPDX-License-Identifier: Apache-2.0
// The names among which completion looks: read when first asked for, kept for a while, since a person types on.
import fs from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Fd } from "../../kernel/fd.ts";
import { cgroupRoot } from "../../kernel/hooks/cgroup.ts";
import { Executable } from "../../kernel/hooks/executable.ts";
import { btfFunctions, kernelFunctions, rawTracepoints } from "../../kernel/hooks/kernel-functions.ts";
import { libraryPaths, readLinkerCache } from "../../kernel/hooks/library.ts";
import { sampleEvents } from "../../kernel/hooks/perf-event.ts";
import { ProcessRoot } from "../../kernel/hooks/process-root.ts";
import { tracepoints } from "../../kernel/hooks/tracing-files.ts";
import type { Caller } from "../../model/caller.ts";
import { BpfmanError } from "../../model/error.ts";
import type { Target } from "../../model/hooks.ts";
import type { Context } from "../context.ts";
import { findTarget } from "./target-search.ts";

export interface TargetRequest {
    readonly kind: string;
    readonly query: string;
    readonly limit: number;
    readonly path: string;
    readonly containerPid: number | undefined;
    readonly netns: string;
}

export interface TargetList {
    readonly targets: readonly Target[];
    readonly total: number;
    readonly unavailable: string;
}

/** What a reader of names found: the names, or why there are none to tell. */
type Names = readonly Target[] | { readonly unavailable: string };

const keptMs = 60_000;
const maxCgroups = 10_000;
const maxFiles = 50_000;
const maxLinkerCacheBytes = 16 << 20;
/** Whose names are at hand at once: those of a large program take megabytes, and a caller may ask for any number. */
const maxSymbolTables = 8;
const symbolTable = "symbol ";
const isSymbolTable = (key: string): boolean => key.startsWith(symbolTable);

const named = (names: Iterable<string>): Target[] => Array.from(names, name => ({ name }));

export class TargetNames {
    readonly #kept = new Map<string, { readonly names: Promise<Names>; timer: NodeJS.Timeout }>();

    /**
     * Those that fit the query, the best first. INVALID_ARGUMENT, NOT_FOUND or PERMISSION_DENIED for a file or a process
     * that can't be looked into; what this kernel or host has none of says why (unavailable).
     */
    async list(context: Context, request: TargetRequest, caller: Caller): Promise<TargetList> {
        const names = await this.#names(context, request, caller);
        if ("unavailable" in names) return { targets: [], total: 0, unavailable: names.unavailable };
        return { ...findTarget(names, request.query, request.limit), unavailable: "" };
    }

    #names(context: Context, request: TargetRequest, caller: Caller): Promise<Names> | Names {
        switch (request.kind) {
            case "tracepoint":
                return this.#keep("tracepoint", async () => named(tracepoints()));
            case "raw_tracepoint":
                return this.#keep("raw_tracepoint", async () => ofBtf(rawTracepoints()));
            case "kprobe":
                return this.#keep("kprobe", async () => named(await kernelFunctions()));
            case "fentry":
                return this.#keep("fentry", async () => ofBtf(btfFunctions("")));
            case "lsm":
                return this.#keep("lsm", async () => ofBtf(btfFunctions("bpf_lsm_")));
            case "library":
                return libraries(request.containerPid);
            case "symbol":
                return this.#symbols(request, caller);
            case "interface":
                return interfaceNames(context, request.netns);
            case "cgroup":
                return cgroups();
            case "netns":
                return namespaces();
            case "perf_event":
                return Object.entries(sampleEvents).map(([name, { type }]) => ({
                    name,
                    detail: type === 0 ? "hardware" : "software",
                }));
            case "file":
                return files(request.path, caller);
            default:
                throw new BpfmanError("INVALID_ARGUMENT", `unknown kind of target "${request.kind}"`);
        }
    }

    /** Two who ask at once wait for one reading; what failed is not kept. */
    #keep(key: string, read: () => Promise<Names>): Promise<Names> {
        const known = this.#kept.get(key);
        if (known !== undefined) {
            known.timer.refresh();
            return known.names;
        }
        const names = read();
        const timer = setTimeout(() => this.#kept.delete(key), keptMs).unref();
        this.#kept.set(key, { names, timer });
        names.catch(() => this.#forget(key));
        const [oldest, ...others] = [...this.#kept.keys()].filter(isSymbolTable);
        if (oldest !== undefined && others.length >= maxSymbolTables) this.#forget(oldest);
        return names;
    }

    #forget(key: string): void {
        clearTimeout(this.#kept.get(key)?.timer);
        this.#kept.delete(key);
    }

    #symbols({ path: target, containerPid }: TargetRequest, caller: Caller): Promise<Names> {
        if (target === "") throw new BpfmanError("INVALID_ARGUMENT", "the file whose symbols are wanted is missing");
        using root = ProcessRoot.open(containerPid);
        const candidates = target.startsWith("/") ? [target] : libraryPaths(root, target, containerPid);
        let refused: unknown;
        for (const candidate of candidates) {
            using file = root.openFile(candidate);
            if (file === undefined) continue;
            const { dev, ino, size, mtimeMs } = fs.fstatSync(file.number);
            // what a file holds is told to root, and to others where they could read it themselves
            if (caller.uid !== 0 && !isForEverybody(file, containerPid === undefined))
                throw new BpfmanError("PERMISSION_DENIED", `${candidate} can't be read by everybody`, {
                    hint: "Ask as root, or name the function in full.",
                });
            try {
                const executable = new Executable(file.number, `${candidate}${root.whose}`);
                // an async function runs at once up to its first wait: the file is read while it is open
                return this.#keep(`${symbolTable}${dev} ${ino} ${size} ${mtimeMs}`, async () => executable.functions());
            } catch (error) {
                refused ??= error;
            }
        }
        throw refused ?? new BpfmanError("NOT_FOUND", `file ${JSON.stringify(target)} not found${root.whose}`);
    }
}

/**
 * Whether modes let everybody read an open file; inOwnRoot: its folders are looked at too, which in the root of another
 * process have no name here.
 */
export function isForEverybody({ number }: Pick<Fd, "number">, inOwnRoot: boolean): boolean {
    if ((fs.fstatSync(number).mode & 0o004) === 0) return false;
    if (!inOwnRoot) return true;
    // where it really is: no link is left in this name
    const place = fs.readlinkSync(`/proc/self/fd/${number}`);
    for (let folder = path.dirname(place); ; folder = path.dirname(folder)) {
        const mode = fs.statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
        if ((mode & 0o001) === 0) return false;
        if (folder === "/") return true;
    }
}

function ofBtf(names: readonly string[] | undefined): Names {
    return names === undefined ? { unavailable: "this kernel has no BTF, which names them" } : named(names);
}

function libraries(containerPid: number | undefined): Names {
    using root = ProcessRoot.open(containerPid);
    const cache = root.readFile("/etc/ld.so.cache", maxLinkerCacheBytes);
    if (cache === undefined) return { unavailable: `there is no /etc/ld.so.cache${root.whose}` };
    const byName = new Map<string, Target>();
    for (const { name, path: file } of readLinkerCache(cache))
        if (!byName.has(name)) byName.set(name, { name, detail: file });
    return [...byName.values()];
}

async function interfaceNames({ net }: Context, netns: string): Promise<Names> {
    const { interfaces } = await net.call(netns, { op: "interfaces" });
    return interfaces.map(({ name, kind, mac, up }) => ({
        name,
        detail: [kind, mac, up ? "" : "down"].filter(part => part !== "").join(" "),
    }));
}

/** Every group of version 2, as a path below its root, which is what a hook takes; the root itself by its own path. */
async function cgroups(): Promise<Names> {
    const root = cgroupRoot();
    if (root === undefined) return { unavailable: "no cgroup2 file system is mounted" };
    const found: Target[] = [{ name: root, detail: "the root" }];
    const queue = [""];
    for (let folder = queue.shift(); folder !== undefined && found.length < maxCgroups; folder = queue.shift()) {
        // a group that went meanwhile has none below
        const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => []);
        for (const entry of entries) {
            if (!entry.isDirectory()) continue;
            const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
            found.push({ name });
            queue.push(name);
        }
    }
    return found;
}

/** Namespaces with a name, then those that only processes hold, by one of these. The daemon's own is no target. */
async function namespaces(): Promise<Names> {
    const seen = new Set<bigint>([fs.statSync("/proc/self/ns/net", { bigint: true }).ino]);
    const found: Target[] = [];
    const add = (name: string, detail: string) => {
        try {
            const { ino } = fs.statSync(name, { bigint: true });
            if (seen.has(ino)) return;
            seen.add(ino);
            found.push({ name, detail });
        } catch {
            // gone meanwhile, or a zombie's
        }
    };
    for (const name of await readdir("/run/netns").catch((): string[] => [])) add(`/run/netns/${name}`, "");
    const processes = (await readdir("/proc")).filter(name => /^\d+$/.test(name));
    for (const pid of processes) {
        const comm = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
        add(`/proc/${pid}/ns/net`, `of process ${pid}${comm === "" ? "" : ` (${comm.trim()})`}`);
    }
    return found;
}

async function files(folder: string, caller: Caller): Promise<Names> {
    if (caller.uid !== 0)
        throw new BpfmanError("PERMISSION_DENIED", "only root may list folders of the host", {
            hint: "Upload the file instead.",
        });
    const absolute = path.resolve("/", folder);
    try {
        const entries = (await readdir(absolute, { withFileTypes: true })).slice(0, maxFiles);
        const targets = entries.map(async (entry): Promise<Target> => {
            // what a link leads to decides; one that leads nowhere is shown as what it is
            const info = await fs.promises.stat(path.join(absolute, entry.name)).catch(() => undefined);
            const isFolder = info?.isDirectory() ?? false;
            return { name: entry.name, folder: isFolder, sizeBytes: info?.isFile() ? info.size : 0 };
        });
        const all = await Promise.all(targets);
        return all.sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name, "en"));
    } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code === "") throw error;
        const missing = code === "ENOENT" || code === "ENOTDIR";
        throw new BpfmanError(
            missing ? "NOT_FOUND" : "FAILED_PRECONDITION",
            `folder ${JSON.stringify(absolute)} ${missing ? "does not exist" : `can't be listed: ${code}`}`,
            { errno: code },
        );
    }
}
