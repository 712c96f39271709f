// SPDX-License-Identifier: Apache-2.0
// The daemon's side of the loader process: one process a load, a spare one kept warm, limits on time and output.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BpfmanError } from "../../model/error.ts";
import { programTypeNumbers } from "../enums.ts";
import { kernelError } from "../errors.ts";
import { errnoName } from "../ffi.ts";
import { Turns } from "../turns.ts";
import type { LoaderAnswer, LoaderRequest, MapMismatch } from "./loader-protocol.ts";

export interface LoaderOptions {
    /** the program that the process runs; another one stands in for a loader that misbehaves, in tests */
    readonly script?: string;
    /** a verifier that takes longer is interrupted */
    readonly timeoutMs?: number;
}

const maxAnswerBytes = 64 << 20;
const maxMessageBytes = 64 << 10;
const defaultTimeoutMs = 60_000;
/** Each is a Node of some fifty megabytes, and all of them share the processors: more at once are not done sooner. */
const maxProcesses = 8;

export type LoaderSuccess = Extract<LoaderAnswer, { ok: true }>;

/** From source the loader is TypeScript, in a bundle it lies beside the daemon's. */
const ownScript = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "./loader-child.ts" : "./loader-child.js", import.meta.url),
);

export class Loader {
    readonly #script: string;
    readonly #timeoutMs: number;
    #spare: ChildProcess | undefined;
    #stopped = false;
    readonly #running = new Set<ChildProcess>();
    readonly #turns = new Turns(maxProcesses);

    constructor(options: LoaderOptions = {}) {
        this.#script = options.script ?? ownScript;
        this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    }

    /** Starts the spare process, so that the next load need not wait for Node. */
    warm(): void {
        if (this.#spare !== undefined || this.#stopped) return;
        const child = this.#spawn();
        this.#spare = child;
        // a spare that dies unused is replaced by the next load
        child.once("exit", () => {
            if (this.#spare === child) this.#spare = undefined;
        });
    }

    stop(): void {
        this.#stopped = true;
        this.#spare?.kill("SIGKILL");
        for (const child of this.#running) child.kill("SIGKILL");
    }

    #spawn(): ChildProcess {
        const child = spawn(process.execPath, ["--max-semi-space-size=1", this.#script], {
            cwd: "/",
            env: { LIBBPF: process.env["LIBBPF"] },
            stdio: ["pipe", "pipe", "pipe"],
        });
        // what goes wrong with the pipes shows in the exit status
        child.stdin?.on("error", () => {});
        child.on("error", () => {});
        return child;
    }

    /**
     * Opens, verifies and pins in a process of its own. Throws what was refused, with the verifier's log; after a
     * throw the stage folder may hold pins that the caller removes.
     */
    async load(request: LoaderRequest, object: Uint8Array): Promise<LoaderSuccess> {
        using _turn = await this.#turns.take();
        if (this.#stopped) throw new BpfmanError("UNAVAILABLE", "the daemon is stopping");
        const child = this.#spare ?? this.#spawn();
        this.#spare = undefined;
        this.#running.add(child);
        try {
            const end = this.#talk(child, request, object);
            // the next one starts beside this one: loads one after the other do not wait for Node either
            this.warm();
            return this.#judge(request, await end);
        } finally {
            this.#running.delete(child);
        }
    }

    #talk(child: ChildProcess, request: LoaderRequest, object: Uint8Array): Promise<End> {
        const header = Buffer.from(JSON.stringify(request));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(header.length);
        return new Promise(resolve => {
            const answer: Buffer[] = [];
            const messages: Buffer[] = [];
            let answerBytes = 0;
            let messageBytes = 0;
            let timedOut = false;
            const timer = setTimeout(() => {
                timedOut = true;
                child.kill("SIGKILL");
            }, this.#timeoutMs);
            child.stdout?.on("data", (bytes: Buffer) => {
                answerBytes += bytes.length;
                if (answerBytes > maxAnswerBytes) child.kill("SIGKILL");
                else answer.push(bytes);
            });
            child.stderr?.on("data", (bytes: Buffer) => {
                messageBytes += bytes.length;
                if (messageBytes <= maxMessageBytes) messages.push(bytes);
            });
            const finish = (status: number | null, signal: string | null) => {
                clearTimeout(timer);
                resolve({
                    status,
                    signal,
                    timedOut,
                    answer: Buffer.concat(answer).toString("utf8"),
                    messages: Buffer.concat(messages).toString("utf8"),
                });
            };
            if (child.exitCode !== null || child.signalCode !== null) finish(child.exitCode, child.signalCode);
            else child.once("close", finish);
            child.once("error", () => finish(null, null));
            child.stdin?.end(Buffer.concat([length, header, object]));
        });
    }

    #judge(request: LoaderRequest, end: End): LoaderSuccess {
        const names = request.programs.map(program => program.name).join(", ");
        if (end.timedOut)
            throw new BpfmanError(
                "DEADLINE_EXCEEDED",
                `load ${names}: not done after ${this.#timeoutMs / 1000} s, given up`,
                { hint: "The verifier may need less time for a program with fewer branches or loops." },
            );
        const answer = parse(end, request.programs.length);
        if (answer === undefined) {
            const how = end.signal ?? `exit status ${end.status}`;
            const memory = /out of memory|bad_alloc|ENOMEM/i.test(end.messages) || end.signal === "SIGABRT";
            throw new BpfmanError(
                memory ? "RESOURCE_EXHAUSTED" : "INVALID_ARGUMENT",
                `load ${names}: the loader process ${memory ? "ran out of memory" : "crashed"} on this object (${how})`,
                {
                    hint: "Nothing was loaded. The object is damaged, or made to harm the library that reads it.",
                    cause: end.messages,
                },
            );
        }
        if (answer.ok) return answer;
        throw refusal(answer, request, end.messages);
    }
}

interface End {
    readonly status: number | null;
    readonly signal: string | null;
    readonly timedOut: boolean;
    readonly answer: string;
    readonly messages: string;
}

/** The answer; undefined where it is none: an object may have done to the process whatever it likes. */
function parse(end: End, programs: number): LoaderAnswer | undefined {
    if (end.status !== 0 || end.signal !== null) return undefined;
    try {
        const answer: unknown = JSON.parse(end.answer);
        return isRefusal(answer) || (isSuccess(answer) && answer.programs.length === programs) ? answer : undefined;
    } catch {
        return undefined;
    }
}

type Fields<T> = { readonly [key in keyof T]?: unknown };

const isId = (id: unknown): boolean => Number.isInteger(id) && Number(id) > 0;

function isRefusal(answer: unknown): answer is Extract<LoaderAnswer, { ok: false }> {
    const { ok, step, errno, program, log, mismatch } = answer as Fields<Extract<LoaderAnswer, { ok: false }>>;
    const { map = "", wanted = "", found = "" } = (mismatch ?? {}) as Fields<MapMismatch>;
    const texts = [step, program, log, map, wanted, found];
    return ok === false && Number.isInteger(errno) && texts.every(text => typeof text === "string");
}

function isSuccess(answer: unknown): answer is LoaderSuccess {
    const { ok, programs, maps, log = "" } = answer as Fields<LoaderSuccess>;
    if (ok !== true || typeof log !== "string" || !Array.isArray(programs) || !Array.isArray(maps)) return false;
    return (
        programs.every(({ id, tag }) => isId(id) && /^[0-9a-f]{16}$/.test(tag)) &&
        maps.every(({ name, id, pin }) => typeof name === "string" && isId(id) && (pin ?? 0) >= 0)
    );
}

/** EXT, TRACING, LSM: what the kernel reaches by patching itself. */
const trampolineTypes: readonly number[] = [programTypeNumbers.ext, programTypeNumbers.tracing, programTypeNumbers.lsm];

function refusal(answer: Extract<LoaderAnswer, { ok: false }>, request: LoaderRequest, messages: string): BpfmanError {
    const names = request.programs.map(program => program.name).join(", ");
    const errno = errnoName(answer.errno);
    if (answer.mismatch !== undefined) {
        const { map, wanted, found } = answer.mismatch;
        return new BpfmanError(
            "FAILED_PRECONDITION",
            `load ${names}: the map ${map} that it is to share is another: the object defines ${wanted}; the map is ${found}`,
            { hint: "Programs share a map only where their objects define it alike." },
        );
    }
    if (answer.log !== "")
        return new BpfmanError("INVALID_ARGUMENT", `the verifier refused program ${answer.program}: ${errno}`, {
            errno,
            log: answer.log,
            hint: "The lines above say which instruction it refused and why.",
        });
    if (errno === "EPERM" && request.programs.some(({ progType }) => trampolineTypes.includes(progType)))
        return new BpfmanError("UNIMPLEMENTED", `load ${names}: EPERM with an empty verifier log`, {
            errno,
            hint: "This kernel forbids BPF trampolines: freplace, fentry, fexit and LSM programs cannot be loaded.",
        });
    const said = lastLine(messages);
    if (errno === "ENOMEM")
        return kernelError(`${answer.step} of ${names}${said === "" ? "" : ` (${said})`}`, answer.errno, {
            hint: "The object, or a map of it, needs more memory than a load may take or this machine has.",
            cause: messages,
        });
    return kernelError(`${answer.step} of ${names}${said === "" ? "" : ` (${said})`}`, answer.errno, {
        code: answer.errno === 1 ? "PERMISSION_DENIED" : "INVALID_ARGUMENT",
        cause: messages,
    });
}

/** libbpf's last telling words; its advice about ulimit is for kernels older than any that this daemon runs on. */
function lastLine(messages: string): string {
    const lines = messages
        .split("\n")
        .map(line => line.replace(/^libbpf: /, "").trim())
        .filter(line => line !== "" && !/ulimit|failed to load object|failed to initialize skeleton/.test(line));
    return lines.at(-1) ?? "";
}
