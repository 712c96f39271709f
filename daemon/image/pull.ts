// SPDX-License-Identifier: Apache-2.0
// One pull: skopeo fetches into a folder of its own below the cache; here every byte of it is checked against its digest
// and size, and the object is taken out of its layer in memory. The folder is gone afterwards, whatever happened.
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { BpfmanError } from "../model/error.ts";
import type { ImageFacts, PullProgress, RegistryAuth, SignatureState } from "../model/images.ts";
import { authFileText, secretsOf } from "./auth.ts";
import { authFile, type Child, inspect, readBlob, readFile, run } from "./child.ts";
import { readLabels } from "./labels.ts";
import { checkLayerTypes, compressionOf, objectRank, readLayer, seenCompression } from "./layer.ts";
import * as manifests from "./manifest.ts";
import type { Reference } from "./reference.ts";
import { freshUid, type SkopeoOptions } from "./skopeo.ts";

export interface PullLimits {
    /** for all of it */
    readonly totalMs: number;
    /** without a byte more */
    readonly stallMs: number;
}

export interface PullTask {
    readonly reference: Reference;
    readonly auth: RegistryAuth | undefined;
    readonly cacheDir: string;
    readonly skopeo: SkopeoOptions;
    readonly limits: PullLimits;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: PullProgress) => void;
    /** throws for what is no object */
    readonly checkObject: (object: Uint8Array) => void;
    /** the digest that the cache holds for this reference: where the registry says the same, no layer is fetched */
    readonly known: string | undefined;
    /** who signed it; throws where that is not enough, or ends otherwise than by the child's signal */
    readonly signatureOf: (child: Child, resolved: Resolved) => Promise<SignatureState>;
}

/** What a pull finds; what policy says of it is not its business. */
export type PulledFacts = Omit<ImageFacts, "usedAt" | "policyChanged" | "signature" | "pulledAt">;

export interface Resolved {
    readonly repository: string;
    /** of what the reference stands for: a manifest or an index */
    readonly digest: string;
    readonly mediaType: string;
    readonly platforms: readonly string[];
    readonly manifestDigest: string;
    readonly manifest: manifests.Manifest;
}

export interface Pulled {
    readonly signature: SignatureState;
    /** undefined: the registry still has what is known */
    readonly image: { readonly facts: PulledFacts; readonly object: Uint8Array } | undefined;
}

export async function pullImage(task: PullTask): Promise<Pulled> {
    const { reference, cacheDir, limits, signal } = task;
    checkReachable(cacheDir);
    const uid = freshUid();
    const folder = await mkdtemp(path.join(cacheDir, `pull-${process.pid}-`));
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(timeout(reference, limits.totalMs)), limits.totalMs);
    try {
        const isRoot = process.getuid?.() === 0;
        const authText = authFileText(task.auth, reference);
        fs.writeFileSync(path.join(folder, "auth.json"), authText, { mode: 0o600, flag: "wx" });
        if (isRoot) fs.chownSync(path.join(folder, "auth.json"), uid, uid);
        if (isRoot) fs.chownSync(folder, uid, uid);
        const child: Child = {
            skopeo: task.skopeo,
            subject: reference.text,
            folder,
            uid,
            secrets: secretsOf(authText),
            authText,
            reads: reads[reference.transport],
            signal: AbortSignal.any([signal, deadline.signal]),
        };
        if (reference.transport !== "docker") return await pullLocal(child, task, deadline);
        const resolved = await resolve(child, task);
        // side by side: each waits for the registry
        const signature = task.signatureOf(child, resolved);
        const image = resolved.digest === task.known ? undefined : fetchImage(child, resolved, task, deadline);
        const first = Promise.all([signature, image]);
        first.catch(error => deadline.abort(error));
        await Promise.allSettled([signature, image]);
        const [signed, fetched] = await first;
        return { signature: signed, image: fetched };
    } catch (error) {
        if (signal.aborted) throw new BpfmanError("CANCELLED", `the pull of ${reference.text} was cancelled`);
        throw error;
    } finally {
        clearTimeout(timer);
        await rm(folder, { recursive: true, force: true });
    }
}

const reads = {
    docker: "nothing",
    oci: "files",
    "docker-archive": "files",
    "containers-storage": "store",
} as const;

/** An image of this host is copied first: what its store would call its manifest is not always what comes out of it. */
async function pullLocal(child: Child, task: PullTask, deadline: AbortController): Promise<Pulled> {
    const { reference, onProgress } = task;
    onProgress({ phase: "RESOLVING", bytes: 0, totalBytes: 0, layers: 0, totalLayers: 0 });
    await copyImage(child, task, deadline, () => {});
    const raw = readFile(path.join(child.folder, "image/manifest.json"), manifests.limits.manifestBytes);
    const manifest = manifests.parseManifest(raw);
    if (manifest.kind === "index") throw manifests.broken("what came of it is an index");
    const digest = manifests.digestOf(raw);
    const { repository } = reference;
    const resolved = {
        ...{ repository, digest, mediaType: manifest.mediaType, platforms: [], manifestDigest: digest, manifest },
    };
    const signature = await task.signatureOf(child, resolved);
    onProgress(progress("CHECKING", resolved, manifest.layers.length));
    return { signature, image: await readImage(child, resolved, task) };
}

const timeout = ({ text }: Reference, ms: number) =>
    new BpfmanError("DEADLINE_EXCEEDED", `${text} was not pulled within ${Math.round(ms / 1000)} seconds`);

const progress = (phase: PullProgress["phase"], { manifest }: Resolved, layers = 0, bytes?: number): PullProgress => {
    const totalBytes = manifest.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, manifest.config.sizeBytes);
    return {
        phase,
        bytes: Math.min(bytes ?? totalBytes, totalBytes),
        totalBytes,
        layers,
        totalLayers: manifest.layers.length,
    };
};

/** What the reference stands for now, and this machine's manifest of it. */
async function resolve(child: Child, { reference, onProgress }: PullTask): Promise<Resolved> {
    const { repository } = reference;
    onProgress({ phase: "RESOLVING", bytes: 0, totalBytes: 0, layers: 0, totalLayers: 0 });
    const raw = await inspect(child, reference.text);
    const digest = manifests.digestOf(raw);
    if (reference.digest !== undefined && digest !== reference.digest)
        throw manifests.broken(`the registry sent ${digest} for ${reference.text}`);
    const top = manifests.parseManifest(raw);
    if (top.kind === "manifest")
        return { repository, digest, mediaType: top.mediaType, platforms: [], manifestDigest: digest, manifest: top };
    const chosen = manifests.choosePlatform(top, manifests.hostPlatform(process.arch, os.endianness()));
    const inner = await inspect(child, `${repository}@${chosen.digest}`);
    if (manifests.digestOf(inner) !== chosen.digest)
        throw manifests.broken(`the registry sent ${manifests.digestOf(inner)} for ${chosen.digest}`);
    const manifest = manifests.parseManifest(inner);
    if (manifest.kind === "index") throw manifests.broken("its index holds an index");
    const platforms = [...new Set(top.manifests.map(({ platform }) => platform))];
    return { repository, digest, mediaType: top.mediaType, platforms, manifestDigest: chosen.digest, manifest };
}

async function fetchImage(child: Child, resolved: Resolved, task: PullTask, deadline: AbortController) {
    await fetchLayers(child, resolved, task, deadline);
    task.onProgress(progress("CHECKING", resolved, resolved.manifest.layers.length));
    return await readImage(child, resolved, task);
}

const lookEveryMs = 100;

/** The copy is asked for by the name as it was given: policies speak of names. That it is what was resolved is checked after. */
async function fetchLayers(child: Child, resolved: Resolved, task: PullTask, deadline: AbortController): Promise<void> {
    const { onProgress } = task;
    checkLayerTypes(resolved.manifest.layers);
    onProgress(progress("PULLING", resolved, 0, 0));
    await copyImage(child, task, deadline, ({ bytes, files }) =>
        onProgress(progress("PULLING", resolved, Math.min(files, resolved.manifest.layers.length), bytes)),
    );
}

async function copyImage(
    child: Child,
    { reference, limits }: PullTask,
    deadline: AbortController,
    onBytes: (now: { bytes: number; files: number }) => void,
): Promise<void> {
    const { folder } = child;
    let bytes = 0;
    let since = Date.now();
    const watch = setInterval(() => {
        const now = bytesIn(path.join(folder, "image"));
        if (now.bytes !== bytes) {
            bytes = now.bytes;
            since = Date.now();
            onBytes(now);
        }
        if (bytes > manifests.limits.layerBytes + (4 << 20))
            deadline.abort(manifests.tooLarge("files", bytes, manifests.limits.layerBytes));
        else if (Date.now() - since > limits.stallMs)
            deadline.abort(
                new BpfmanError(
                    "DEADLINE_EXCEEDED",
                    `${reference.text}: nothing came for ${Math.round(limits.stallMs / 1000)} seconds`,
                ),
            );
    }, lookEveryMs);
    try {
        const architecture = manifests.hostPlatform(process.arch, os.endianness()).replace("linux/", "");
        await run(child, [
            ...["--override-os", "linux", "--override-arch", architecture, "copy", "--quiet"],
            ...[...authFile(child), reference.source, `dir:${path.join(folder, "image")}`],
        ]);
    } finally {
        clearInterval(watch);
    }
}

/** What has come so far; a layer that is still coming is a file with a temporary name. */
function bytesIn(folder: string): { bytes: number; files: number } {
    let bytes = 0;
    let files = 0;
    try {
        for (const name of fs.readdirSync(folder)) {
            bytes += fs.lstatSync(path.join(folder, name)).size;
            if (/^[0-9a-f]{64}$/.test(name)) files++;
        }
    } catch {
        // not there yet, or renamed between two looks
    }
    return { bytes, files };
}

async function readImage(
    child: Child,
    resolved: Resolved,
    { reference, checkObject }: PullTask,
): Promise<{ facts: PulledFacts; object: Uint8Array }> {
    const { manifest, manifestDigest } = resolved;
    const folder = path.join(child.folder, "image");
    const copied = readFile(path.join(folder, "manifest.json"), manifests.limits.manifestBytes);
    if (manifests.digestOf(copied) !== manifestDigest)
        throw new BpfmanError("ABORTED", `${reference.text} changed in the registry while it was pulled`, {
            hint: "Pull it again.",
        });
    const config = manifests.parseConfig(readBlob(folder, { ...manifest.config, mediaType: "" }));
    const labels = readLabels(config.labels);
    const rank = objectRank(labels.fileName);
    const seen: string[] = [];
    let member: { name: string; bytes: Uint8Array } | undefined;
    // what a later layer brings hides what is below; all are read, so that all are checked
    for (const layer of manifest.layers) {
        const bytes = readBlob(folder, layer);
        const as = reference.transport === "docker" ? compressionOf(layer) : seenCompression(bytes);
        const found = await readLayer(bytes, as, rank, child.signal);
        seen.push(...found.names);
        member = found.member ?? member;
    }
    if (member === undefined) {
        const names = seen
            .slice(0, 5)
            .map(name => JSON.stringify(name))
            .join(", ");
        throw manifests.broken(`it holds no object (a file *.o); it holds: ${names || "nothing"}`);
    }
    const objectName = member.name.slice(member.name.lastIndexOf("/") + 1);
    try {
        checkObject(member.bytes);
    } catch (error) {
        if (!(error instanceof BpfmanError)) throw error;
        throw manifests.broken(`${JSON.stringify(objectName.slice(0, 100))}: ${error.message}`);
    }
    const facts: PulledFacts = {
        reference: reference.text,
        digest: resolved.digest,
        mediaType: resolved.mediaType,
        manifestDigest,
        architecture: config.architecture,
        platforms: resolved.platforms,
        labels: config.labels,
        programs: labels.programs,
        maps: labels.maps,
        layers: manifest.layers,
        objectName,
        objectSha256: manifests.digestOf(member.bytes).replace("sha256:", ""),
        objectSizeBytes: member.bytes.length,
    };
    return { facts, object: member.bytes };
}

/** The child has no rights, so it needs a way through every folder above its own. */
function checkReachable(cacheDir: string): void {
    if (process.getuid?.() !== 0) return;
    const { mode } = fs.statSync(cacheDir);
    if ((mode & 0o001) === 0) fs.chmodSync(cacheDir, (mode & 0o7777) | 0o001);
    for (let folder = path.dirname(cacheDir); folder !== "/"; folder = path.dirname(folder))
        if ((fs.statSync(folder).mode & 0o001) === 0)
            throw new BpfmanError(
                "FAILED_PRECONDITION",
                `images can't be pulled into ${cacheDir}: ${folder} can't be entered without rights`,
                { hint: "Name another --image-cache-dir, or chmod o+x that folder." },
            );
}
