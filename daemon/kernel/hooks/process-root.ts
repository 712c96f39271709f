// SPDX-License-Identifier: Apache-2.0
// Files as another process sees them: paths are walked below its root, symbolic links too, and never out of it. The
// daemon enters no mount namespace for that, so nothing of it stays in one.
import fs from "node:fs";
import { BpfmanError } from "../../model/error.ts";
import { kernelError } from "../errors.ts";
import { Fd } from "../fd.ts";
import { errnoName, libc } from "../ffi.ts";

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_IN_ROOT = 16;

/** A daemon in a container finds the host's processes where its image has them mounted. */
const procFolder = (): string => (fs.existsSync("/host/proc/1/root") ? "/host/proc" : "/proc");

export class ProcessRoot implements Disposable {
    readonly #root: Fd | undefined;
    /** "of process 123", empty for the daemon's own */
    readonly whose: string;
    readonly #pid: number | undefined;
    private constructor(root: Fd | undefined, pid: number | undefined) {
        this.#root = root;
        this.#pid = pid;
        this.whose = pid === undefined ? "" : ` of process ${pid}`;
    }

    /** undefined: the daemon's own root. NOT_FOUND where there is no such process. */
    static open(pid: number | undefined): ProcessRoot {
        if (pid === undefined) return new ProcessRoot(undefined, undefined);
        try {
            const { O_RDONLY, O_DIRECTORY } = fs.constants;
            const fd = fs.openSync(`${procFolder()}/${pid}/root`, O_RDONLY | O_DIRECTORY);
            return new ProcessRoot(new Fd(fd), pid);
        } catch (error) {
            const { code = "" } = error as NodeJS.ErrnoException;
            if (code === "ENOENT")
                throw new BpfmanError("NOT_FOUND", `process ${pid} does not exist`, { errno: "ESRCH" });
            throw new BpfmanError("FAILED_PRECONDITION", `the files of process ${pid} can't be reached: ${code}`, {
                errno: code,
            });
        }
    }

    /** Opens a regular file to read; undefined where there is none. Anything else is refused, and not opened. */
    openFile(path: string): Fd | undefined {
        using found = this.#walk(path);
        if (found === undefined) return undefined;
        const place = `/proc/self/fd/${found.number}`;
        if (!fs.statSync(place).isFile())
            throw new BpfmanError("INVALID_ARGUMENT", `${path}${this.whose} is no regular file`);
        return new Fd(fs.openSync(place, "r"));
    }

    /** A file's bytes, if it has no more than that many; undefined where it can't be had. */
    readFile(path: string, maxBytes: number): Buffer | undefined {
        using file = this.openFile(path);
        if (file === undefined || fs.fstatSync(file.number).size > maxBytes) return undefined;
        return fs.readFileSync(file.number);
    }

    entries(path: string): string[] {
        using found = this.#walk(path);
        if (found === undefined) return [];
        try {
            return fs.readdirSync(`/proc/self/fd/${found.number}`);
        } catch {
            // no folder
            return [];
        }
    }

    /** Paths of the files that the process has mapped. */
    mappedFiles(pid: number): string[] {
        try {
            const lines = fs.readFileSync(`${procFolder()}/${pid}/maps`, "utf8").split("\n");
            return [
                ...new Set(
                    lines.map(line => /^(?:\S+\s+){5}(\/.*)$/.exec(line)?.[1] ?? "").filter(path => path !== ""),
                ),
            ];
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
            throw new BpfmanError("NOT_FOUND", `process ${pid} does not exist`, { errno: "ESRCH" });
        }
    }

    #walk(path: string): Fd | undefined {
        const how = Buffer.alloc(24);
        how.writeBigUInt64LE(BigInt(O_PATH | O_CLOEXEC), 0);
        // magic links (/proc/…/root, /dev/fd/…) would lead out of the root
        how.writeBigUInt64LE(BigInt(this.#root === undefined ? 0 : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
        const result = libc.openat2(this.#root?.number ?? -100, path, how);
        if (result >= 0) return new Fd(result);
        if (["ENOENT", "ENOTDIR"].includes(errnoName(result))) return undefined;
        throw kernelError(`open ${path}${this.whose}`, result, { code: "FAILED_PRECONDITION" });
    }

    get pid(): number | undefined {
        return this.#pid;
    }

    [Symbol.dispose](): void {
        this.#root?.[Symbol.dispose]();
    }
}
