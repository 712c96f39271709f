// SPDX-License-Identifier: Apache-2.0
// The kept objects: every loaded object's bytes, in a file named by their SHA-256.
import { createHash } from "node:crypto";
import {
    closeSync,
    fsyncSync,
    mkdirSync,
    openSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BpfmanError } from "../model/error.ts";

const nameForm = /^([0-9a-f]{64})\.o$/;
const temporaryForm = /^[0-9a-f]{64}\.\d+\.tmp$/;

const sha256Hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export class ObjectFiles {
    readonly #directory: string;

    constructor(stateDir: string) {
        this.#directory = join(stateDir, "objects");
        mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    }

    path(sha256: string): string {
        // the hash becomes a path: nothing but a hash may pass
        if (!/^[0-9a-f]{64}$/.test(sha256)) throw new BpfmanError("INTERNAL", "not a SHA-256 in hex");
        return `${this.#directory}/${sha256}.o`;
    }

    /** Keeps the bytes durably and returns their SHA-256 in hex. */
    keep(bytes: Uint8Array): string {
        const sha256 = sha256Hex(bytes);
        const path = this.path(sha256);
        if (readWhole(path, sha256) !== undefined) return sha256;
        const temporary = join(this.#directory, `${sha256}.${process.pid}.tmp`);
        rmSync(temporary, { force: true });
        try {
            const fd = openSync(temporary, "wx", 0o600);
            try {
                writeFileSync(fd, bytes);
                fsyncSync(fd);
            } finally {
                closeSync(fd);
            }
            renameSync(temporary, path);
        } catch (error) {
            rmSync(temporary, { force: true });
            throw error;
        }
        // without this a power cut may take the new name with it
        const directory = openSync(this.#directory, "r");
        try {
            fsyncSync(directory);
        } finally {
            closeSync(directory);
        }
        return sha256;
    }

    /** The kept bytes, their hash checked again. */
    read(sha256: string): Uint8Array {
        const path = this.path(sha256);
        const bytes = readWhole(path, sha256);
        if (bytes === undefined)
            throw new BpfmanError("INTERNAL", `the kept object ${path} is missing or damaged`, {
                hint: "Load the program again from its source.",
            });
        return bytes;
    }

    /** Removes every object that is not in use, and what an interrupted write left. Returns how many files went. */
    collect(inUse: ReadonlySet<string>): number {
        let removed = 0;
        for (const name of readdirSync(this.#directory)) {
            const sha256 = nameForm.exec(name)?.[1];
            const stale = sha256 === undefined ? temporaryForm.test(name) : !inUse.has(sha256);
            if (!stale) continue;
            rmSync(join(this.#directory, name));
            removed++;
        }
        return removed;
    }
}

/** The file's bytes; undefined where there is no file or its bytes are others. */
function readWhole(path: string, sha256: string): Uint8Array | undefined {
    let bytes: Uint8Array;
    try {
        bytes = readFileSync(path);
    } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
    }
    return sha256Hex(bytes) === sha256 ? bytes : undefined;
}
