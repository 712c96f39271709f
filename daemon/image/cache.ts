// SPDX-License-Identifier: Apache-2.0
// Images that were pulled: one file of facts for each reference, one file for each object, named by its SHA-256.
// Every file is written beside its place and renamed, so a reader or a later daemon meets whole files only.
import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { ImageFacts } from "../model/images.ts";

export interface CacheLimits {
    readonly bytes: number;
    readonly images: number;
}

export const usualCacheLimits: CacheLimits = { bytes: 512 << 20, images: 1000 };

/** Facts as they are kept: which policy the image came in by, and not what that means today. */
export type CachedFacts = Omit<ImageFacts, "usedAt" | "policyChanged"> & { readonly policyFingerprint: string };

export interface CachedImage {
    readonly facts: CachedFacts;
    readonly usedAt: string;
}

const version = 2;
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

export class ImageCache {
    readonly #refs: string;
    readonly #objects: string;
    readonly #limits: CacheLimits;

    constructor(cacheDir: string, limits: CacheLimits = usualCacheLimits) {
        this.#refs = path.join(cacheDir, "images", "references");
        this.#objects = path.join(cacheDir, "images", "objects");
        this.#limits = limits;
    }

    /** Undefined where it is not there, or damaged. */
    get(reference: string): CachedImage | undefined {
        return this.#read(this.#refPath(reference));
    }

    /** The object, checked against its hash; undefined where that fails. */
    object({ objectSha256 }: CachedFacts): Uint8Array | undefined {
        try {
            const bytes = fs.readFileSync(path.join(this.#objects, `${objectSha256}.o`));
            return sha256(bytes) === objectSha256 ? bytes : undefined;
        } catch {
            return undefined;
        }
    }

    /** Counts as a use, for what is removed first when the cache is full. */
    touch(reference: string): void {
        const now = new Date();
        try {
            fs.utimesSync(this.#refPath(reference), now, now);
        } catch {
            // removed meanwhile
        }
    }

    put(facts: CachedFacts, object: Uint8Array): CachedImage {
        for (const folder of [this.#refs, this.#objects]) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
        write(path.join(this.#objects, `${facts.objectSha256}.o`), object);
        const kept = { version, ...facts, labels: [...facts.labels] };
        write(this.#refPath(facts.reference), Buffer.from(JSON.stringify(kept)));
        this.#shrink(facts.reference);
        this.#collect();
        return { facts, usedAt: new Date().toISOString() };
    }

    /** Sorted by reference. */
    list(): CachedImage[] {
        let names: string[];
        try {
            names = fs.readdirSync(this.#refs).filter(name => name.endsWith(".json"));
        } catch {
            return [];
        }
        return names
            .flatMap(name => this.#read(path.join(this.#refs, name)) ?? [])
            .sort((a, b) => (a.facts.reference < b.facts.reference ? -1 : 1));
    }

    /** Returns the bytes that this made free. */
    remove(references: readonly string[]): number {
        for (const reference of references) fs.rmSync(this.#refPath(reference), { force: true });
        return this.#collect();
    }

    #refPath(reference: string): string {
        return path.join(this.#refs, `${sha256(reference)}.json`);
    }

    #read(file: string): CachedImage | undefined {
        try {
            const { version: written, labels, ...facts } = JSON.parse(fs.readFileSync(file, "utf8"));
            if (written !== version) return undefined;
            return { facts: { ...facts, labels: new Map(labels) }, usedAt: fs.statSync(file).mtime.toISOString() };
        } catch {
            return undefined;
        }
    }

    /** What was used longest ago goes first. */
    #shrink(keep: string): void {
        const byUse = this.list().sort((a, b) => (a.usedAt < b.usedAt ? -1 : 1));
        const sizes = new Map(byUse.map(({ facts }) => [facts.objectSha256, facts.objectSizeBytes]));
        let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
        let count = byUse.length;
        for (const { facts } of byUse) {
            if (bytes <= this.#limits.bytes && count <= this.#limits.images) return;
            if (facts.reference === keep) continue;
            fs.rmSync(this.#refPath(facts.reference), { force: true });
            count--;
            bytes -= facts.objectSizeBytes;
        }
    }

    /** Removes objects that no reference has. */
    #collect(): number {
        const used = new Set(this.list().map(({ facts }) => `${facts.objectSha256}.o`));
        let freed = 0;
        for (const name of fs.existsSync(this.#objects) ? fs.readdirSync(this.#objects) : []) {
            const file = path.join(this.#objects, name);
            const stat = fs.statSync(file, { throwIfNoEntry: false });
            // a file that is being written belongs to a put that has not come to its reference yet
            if (stat === undefined || used.has(name) || (name.includes(".new-") && Date.now() - stat.mtimeMs < 60_000))
                continue;
            freed += stat.size;
            fs.rmSync(file, { force: true });
        }
        return freed;
    }
}

function write(file: string, bytes: Uint8Array): void {
    const partial = `${file}.new-${randomUUID()}`;
    const fd = fs.openSync(partial, "wx", 0o600);
    try {
        fs.writeFileSync(fd, bytes);
        fs.fsyncSync(fd);
    } finally {
        fs.closeSync(fd);
    }
    fs.renameSync(partial, file);
}
