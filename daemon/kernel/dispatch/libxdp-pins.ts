// SPDX-License-Identifier: Apache-2.0
// libxdp's folder of pins, and its lock. Nothing but the pins of one dispatcher's programs and links is made or removed
// here, by the names of libxdp's protocol (lib/libxdp/protocol.org of xdp-tools, "Locking and pinning").
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BpfmanError } from "../../model/error.ts";
import type { ProgramId } from "../../model/ids.ts";
import { openPin, programIdentity } from "../bpf.ts";
import { check } from "../errors.ts";
import { errno, libc } from "../ffi.ts";

const BPF_FS_MAGIC = 0xcafe4a11;
const LOCK_EX = 2;
const LOCK_NB = 4;
/** libxdp holds its lock for a few pins at a time */
const lockWithinMs = 10_000;
const lockStepMs = 5;

const isErrno = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

export class LibxdpPins {
    readonly #folder: string;
    readonly #root: string;
    constructor(root: string = process.env["LIBXDP_BPFFS"] ?? "/sys/fs/bpf") {
        this.#root = root;
        this.#folder = path.join(root, "xdp");
    }

    folder(ifindex: number, dispatcher: ProgramId): string {
        return path.join(this.#folder, `dispatch-${ifindex}-${dispatcher}`);
    }

    programPin(ifindex: number, dispatcher: ProgramId, position: number): string {
        return path.join(this.folder(ifindex, dispatcher), `prog${position}-prog`);
    }

    linkPin(ifindex: number, dispatcher: ProgramId, position: number): string {
        return path.join(this.folder(ifindex, dispatcher), `prog${position}-link`);
    }

    /** Runs work while no other tool changes pins. Work must not wait: others wait for it. */
    async locked<T>(work: () => T): Promise<T> {
        this.#mustBeBpffs(this.#root);
        // what is there may be a link to another folder of the bpffs (tc of iproute2 makes one), and libxdp follows it
        if (!fs.existsSync(this.#folder)) this.#makeFolder(this.#folder);
        const fd = fs.openSync(this.#folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
        try {
            this.#mustBeBpffs(this.#folder);
            await this.#lock(fd);
            return work();
        } finally {
            fs.closeSync(fd);
        }
    }

    async #lock(fd: number): Promise<void> {
        for (let waitedMs = 0; waitedMs < lockWithinMs; waitedMs += lockStepMs) {
            const result = libc.flock(fd, LOCK_EX | LOCK_NB);
            if (result !== -(errno["EWOULDBLOCK"] ?? errno["EAGAIN"] ?? 11)) {
                check(result, `lock ${this.#folder}`);
                return;
            }
            await sleep(lockStepMs);
        }
        throw new BpfmanError("DEADLINE_EXCEEDED", `another process holds the lock of ${this.#folder}`, {
            hint: "Some tool that uses libxdp is at work or stuck; try again when it has ended.",
        });
    }

    #mustBeBpffs(folder: string): void {
        if (fs.statfsSync(folder).type !== BPF_FS_MAGIC)
            throw new BpfmanError("FAILED_PRECONDITION", `${folder} is not in a bpffs, where libxdp keeps its pins`, {
                hint: "Mount one: mount -t bpf bpf /sys/fs/bpf",
            });
    }

    #makeFolder(folder: string): void {
        try {
            fs.mkdirSync(folder, { mode: 0o700 });
        } catch (error) {
            if (!isErrno(error, "EEXIST")) throw error;
        }
    }

    /** Makes a dispatcher's folder. To be called under the lock. */
    make(ifindex: number, dispatcher: ProgramId): void {
        fs.mkdirSync(this.folder(ifindex, dispatcher), { mode: 0o700 });
    }

    /** Removes a dispatcher's pins and folder; what is not there is no error. To be called under the lock. */
    remove(ifindex: number, dispatcher: ProgramId): void {
        const folder = this.folder(ifindex, dispatcher);
        let names: string[];
        try {
            names = fs.readdirSync(folder);
        } catch (error) {
            if (isErrno(error, "ENOENT")) return;
            throw error;
        }
        for (const name of names) if (/^prog[0-9]-(prog|link)$/.test(name)) fs.unlinkSync(path.join(folder, name));
        fs.rmdirSync(folder);
    }

    /** The programs that a dispatcher's folder holds. To be called under the lock. */
    members(ifindex: number, dispatcher: ProgramId): ProgramId[] {
        const folder = this.folder(ifindex, dispatcher);
        return fs.readdirSync(folder).flatMap(name => {
            if (!/^prog[0-9]-prog$/.test(name)) return [];
            using fd = openPin(path.join(folder, name));
            return [programIdentity(fd).id];
        });
    }

    /** The dispatchers of interfaces of this number, in any namespace, that have pins. */
    dispatchers(ifindex: number): ProgramId[] {
        try {
            return fs.readdirSync(this.#folder).flatMap(name => {
                const match = /^dispatch-(\d+)-(\d+)$/.exec(name);
                return match !== null && Number(match[1]) === ifindex ? [Number(match[2]) as ProgramId] : [];
            });
        } catch (error) {
            if (isErrno(error, "ENOENT")) return [];
            throw error;
        }
    }
}
