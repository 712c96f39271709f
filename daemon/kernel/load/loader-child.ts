// SPDX-License-Identifier: Apache-2.0
// The loader process: libbpf must not be fed a stranger's object inside the daemon, so it is opened and loaded here.
// One request, one answer, exit. Where libbpf crashes, this process is all that dies.
import fs from "node:fs";
import type { MapId } from "../../model/ids.ts";
import { mapIdOf, mapInfo, openMap, openPin, pin, programIdentity } from "../bpf.ts";
import { mapTypeName } from "../enums.ts";
import { Fd } from "../fd.ts";
import { address, CMemory, lastErrno, libbpf, libc, mapInitialValue, type Pointer } from "../ffi.ts";
import {
    internalMapSection,
    type LoaderAnswer,
    type LoaderProgram,
    type LoaderRequest,
    type MapMismatch,
    mapKey,
} from "./loader-protocol.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;
/** What an object of the largest size allowed needs, several times over. */
const dataLimitBytes = 1n << 30n;
/** The verifier's longest logs have some MiB; all buffers together stay far below the limit on data. */
const maxLogBytes = 16 << 20;
const allLogsBytes = 256 << 20;

/** BPF_LOG_LEVEL2, which alone keeps what led to success, and BPF_LOG_STATS: include/linux/bpf_verifier.h */
const logLevels = { whole: 6, summary: 4 } as const;
const shownLogLength = 1 << 20;

class StepError extends Error {
    readonly step: string;
    readonly errno: number;
    readonly mismatch: MapMismatch | undefined;
    constructor(step: string, errno: number, mismatch?: MapMismatch) {
        super(step);
        this.mismatch = mismatch;
        this.step = step;
        this.errno = Math.abs(errno);
    }
}

function must(result: number, step: string): number {
    if (result < 0) throw new StepError(step, result);
    return result;
}

function* each(object: Pointer, next: (object: Pointer, last: Pointer) => Pointer): Generator<Pointer> {
    for (let item = next(object, null); item !== null; item = next(object, item)) yield item;
}

function setLimit(resource: number, bytes: bigint): void {
    const limits = Buffer.alloc(16);
    limits.writeBigUInt64LE(bytes, 0);
    limits.writeBigUInt64LE(bytes, 8);
    must(libc.setrlimit(resource, limits), "limit the loader's memory");
}

/** bpf_object_open_opts: only its size and the object's name. */
function openObject(bytes: Uint8Array, name: string): Pointer {
    const cName = Buffer.from(`${name}\0`);
    const options = Buffer.alloc(16);
    options.writeBigUInt64LE(16n, 0);
    options.writeBigUInt64LE(address(cName), 8);
    const object = libbpf.openMem(bytes, bytes.length, options);
    if (object === null) throw new StepError("open the object", lastErrno());
    return object;
}

const BPF_F_RDONLY_PROG = 1 << 7;
/** of the descriptor that a map was made with, not of the map: kernel/bpf/syscall.c, bpf_map_flags_retain_permanent */
const descriptorFlags = (1 << 3) | (1 << 4);

/** What a definition says and what the map is, where they differ. */
function compare(map: Pointer, name: string, fd: Fd): MapMismatch | undefined {
    const found = mapInfo(fd);
    const type = libbpf.mapType(map);
    const typeName = mapTypeName(type);
    // the kernel makes these read-only for programs (kernel/bpf/devmap.c)
    const added = typeName.startsWith("devmap") ? BPF_F_RDONLY_PROG : 0;
    // as many entries as there are CPUs
    const sized = typeName !== "perf_event_array" || libbpf.mapMaxEntries(map) !== 0;
    const say = (word: string, key: number, value: number, entries: number, flags: number) =>
        `${word}, ${key} → ${value} bytes${sized ? `, ${entries} entries` : ""}, flags 0x${flags.toString(16)}`;
    const wantedFlags = libbpf.mapFlags(map) & ~descriptorFlags;
    const wanted = say(
        typeName,
        libbpf.mapKeySize(map),
        libbpf.mapValueSize(map),
        libbpf.mapMaxEntries(map),
        wantedFlags & ~added,
    );
    const is = say(found.typeName, found.keySize, found.valueSize, found.maxEntries, found.flags & ~added);
    return wanted === is ? undefined : { map: name, wanted, found: is };
}

function prepareMaps(object: Pointer, request: LoaderRequest): void {
    for (const map of each(object, libbpf.nextMap)) {
        const name = libbpf.mapName(map);
        // LIBBPF_PIN_BY_NAME would pin outside the daemon's own bpffs
        must(libbpf.mapSetPinPath(map, null), `take away the pin path of map ${name}`);
        const id = request.reuse[mapKey(name)];
        const rule = request.reuseIfSame?.[mapKey(name)];
        if (id !== undefined) {
            using fd = openMap(id as MapId) ?? new Fd(-1);
            const mismatch = rule === undefined ? undefined : compare(map, name, fd);
            if (mismatch !== undefined && rule === "or-fail") throw new StepError("use the existing map", 22, mismatch);
            if (mismatch !== undefined) continue;
            must(libbpf.mapReuseFd(map, fd.number), `use the existing map ${name} (id ${id})`);
            continue;
        }
        const globals = request.globals.filter(global => global.section === internalMapSection(name));
        if (globals.length === 0) continue;
        const value = mapInitialValue(map);
        if (value === undefined) throw new StepError(`set global variables in ${name}`, 2);
        for (const global of globals) value.set(Buffer.from(global.base64, "base64"), global.offset);
    }
}

function preparePrograms(
    object: Pointer,
    request: LoaderRequest,
    target: Fd | undefined,
    logs: Map<string, CMemory>,
): Map<string, Pointer> {
    const wanted = new Map<string, LoaderProgram>();
    for (const program of [...request.arrayMembers, ...request.programs]) wanted.set(program.name, program);
    const found = new Map<string, Pointer>();
    for (const program of each(object, libbpf.nextProgram)) {
        const name = libbpf.programName(program);
        const want = wanted.get(name);
        must(libbpf.setAutoload(program, want !== undefined), `choose program ${name}`);
        if (want === undefined) continue;
        must(libbpf.setType(program, want.progType), `set the type of ${name}`);
        must(libbpf.setExpectedAttachType(program, want.attachType), `set the attach type of ${name}`);
        must(libbpf.setFlags(program, want.flags), `set the flags of ${name}`);
        if (target !== undefined && request.target !== undefined) {
            must(
                libbpf.setAttachTarget(program, target.number, request.target.function),
                `aim ${name} at the dispatcher`,
            );
        }
        const { kernelFunction = "" } = want;
        if (kernelFunction !== "")
            must(
                libbpf.setAttachTarget(program, 0, kernelFunction),
                `find ${kernelFunction} for ${name} in the kernel`,
            );
        const log = new CMemory(Math.min(maxLogBytes, Math.floor(allLogsBytes / wanted.size)));
        logs.set(name, log);
        // level 0 at first: libbpf asks the kernel for a log only after a refusal
        must(libbpf.setLogBuf(program, log.pointer, log.size), `give ${name} a log`);
        if (request.log !== undefined)
            must(libbpf.setLogLevel(program, logLevels[request.log]), `ask for the log of ${name}`);
        found.set(name, program);
    }
    for (const name of wanted.keys()) if (!found.has(name)) throw new StepError(`find program ${name}`, 2);
    return found;
}

function load(request: LoaderRequest, bytes: Uint8Array): LoaderAnswer {
    const logs = new Map<string, CMemory>();
    try {
        const object = openObject(bytes, request.objectName);
        prepareMaps(object, request);
        // libbpf keeps the number until the load
        using target = request.target === undefined ? undefined : openPin(request.target.pin);
        const programs = preparePrograms(object, request, target, logs);
        must(libbpf.loadObject(object), "load");
        const loaded = request.programs.map(({ name }, index) => {
            // the descriptors are libbpf's, this process never closes them
            const fd = new Fd(must(libbpf.programFd(programs.get(name) ?? null), `load ${name}`));
            pin(fd, `${request.stage}/p${index}`);
            return programIdentity(fd);
        });
        const maps = [...each(object, libbpf.nextMap)].map((map, index) => {
            const fd = new Fd(must(libbpf.mapFd(map), "open a map"));
            const name = libbpf.mapName(map);
            const pinned = request.pinMaps && internalMapSection(name) === undefined && !name.includes(".");
            if (pinned) pin(fd, `${request.stage}/m${index}`);
            return { name, id: mapIdOf(fd), pin: pinned ? index : undefined };
        });
        const answer = { ok: true, programs: loaded.map(({ id, tag }) => ({ id, tag })), maps } as const;
        const memory = logs.get(request.programs[0]?.name ?? "");
        if (request.log === undefined || memory === undefined) return answer;
        const log = memory.text();
        // from Linux 6.4 on the kernel keeps the end of what does not fit (kernel/bpf/log.c)
        const full = Buffer.byteLength(log) >= memory.size - 1;
        return { ...answer, log: log.slice(-shownLogLength), logCut: full || log.length > shownLogLength };
    } catch (error) {
        if (!(error instanceof StepError)) throw error;
        const refused = [...logs].map(([name, memory]) => ({ name, log: memory.text() })).find(({ log }) => log !== "");
        return {
            ok: false,
            step: error.step,
            errno: error.errno,
            program: refused?.name ?? "",
            log: refused?.log ?? "",
            ...(error.mismatch && { mismatch: error.mismatch }),
        };
    }
}

function readRequest(): { request: LoaderRequest; bytes: Uint8Array } | undefined {
    const chunks: Buffer[] = [];
    const chunk = Buffer.alloc(1 << 18);
    for (let length = 1; length > 0; ) {
        length = fs.readSync(0, chunk);
        chunks.push(Buffer.from(chunk.subarray(0, length)));
    }
    const all = Buffer.concat(chunks);
    // a spare that was never needed
    if (all.length === 0) return undefined;
    const headerEnd = 4 + all.readUInt32LE(0);
    return {
        request: JSON.parse(all.toString("utf8", 4, headerEnd)) as LoaderRequest,
        bytes: all.subarray(headerEnd),
    };
}

process.title = "bpfman loader";
must(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "end with the daemon");
must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up new privileges");
setLimit(RLIMIT_CORE, 0n);
libbpf.versionString();
const work = readRequest();
if (work !== undefined) {
    setLimit(RLIMIT_DATA, dataLimitBytes);
    let answer = Buffer.from(JSON.stringify(load(work.request, work.bytes)));
    while (answer.length > 0) answer = answer.subarray(fs.writeSync(1, answer));
}
// what libbpf holds goes with the process; the pins stay
process.exit(0);
