// SPDX-License-Identifier: Apache-2.0
// The signatures that a registry holds of a digest, one after the other, in both forms of cosign: layers of the image
// tagged sha256-HEX.sig, and Sigstore bundles, each an artifact that an index names (a registry's referrers, or the tag
// sha256-HEX where it keeps none). Nothing that comes is trusted: it is counted, measured and checked against its digest.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, …/BUNDLE_SPEC.md
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
import { rm } from "node:fs/promises";
import path from "node:path";
import { BpfmanError } from "../model/error.ts";
import type { ImageLayer, SignatureForm } from "../model/images.ts";
import { authFile, type Child, inspect, readBlob, run } from "./child.ts";
import * as manifests from "./manifest.ts";
import { askReferrers } from "./referrers.ts";

export const signatureLimits = {
    /** in one image of them */
    signatures: 64,
    bundles: 16,
    /** of one payload, or bundle */
    bytes: 1 << 20,
    /** of all that one manifest lists */
    totalBytes: 4 << 20,
} as const;

export interface CosignSignature {
    readonly form: Extract<SignatureForm, "cosign">;
    readonly payload: Buffer;
    /** base64 */
    readonly signature: string;
    /** PEM */
    readonly certificate: string | undefined;
    /** what the log promised, JSON */
    readonly logEntry: string | undefined;
    /** JSON */
    readonly timestamp: string | undefined;
}

export interface BundleSignature {
    readonly form: Extract<SignatureForm, "bundle">;
    readonly json: Buffer;
}

export type FoundSignature = CosignSignature | BundleSignature;

const simpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json";
const bundleType = /^application\/vnd\.dev\.sigstore\.bundle(\.v0\.\d|\+json;version=0\.\d)/;
// cosign 3.1 writes the type of its empty configuration into the index
const maybeBundle = (type: unknown) =>
    type === undefined || type === "" || type === "application/vnd.oci.empty.v1+json" || bundleType.test(String(type));

/** In a child's folder only one search may run at a time. */
export async function* findSignatures(
    child: Child,
    repository: string,
    digest: string,
): AsyncGenerator<FoundSignature> {
    const tag = digest.replace(":", "-");
    const { authText, signal } = child;
    const { registriesConf, certsDir } = child.skopeo;
    const [classic, ...indexes] = await Promise.all([
        inspectIfThere(child, `${repository}:${tag}.sig`),
        inspectIfThere(child, `${repository}:${tag}`),
        askReferrers({ repository, digest, authText, registriesConf, certsDir, signal }),
    ]);
    const named = new Set(indexes.flatMap(index => (index === undefined ? [] : bundlesOf(index))));
    if (named.size > signatureLimits.bundles)
        throw manifests.broken(`it has ${named.size} bundles, at most ${signatureLimits.bundles} are read`);
    for (const bundle of named) yield* bundles(child, repository, bundle);
    if (classic !== undefined) yield* cosignSignatures(child, `${repository}:${tag}.sig`, classic);
}

async function inspectIfThere(child: Child, image: string): Promise<Buffer | undefined> {
    try {
        return await inspect(child, image);
    } catch (error) {
        if (error instanceof BpfmanError && error.code === "NOT_FOUND") return undefined;
        throw error;
    }
}

async function* cosignSignatures(child: Child, image: string, manifest: Buffer): AsyncGenerator<CosignSignature> {
    const layers = manifests
        .list(
            manifests.parseTable(manifest, "signatures' manifest")["layers"],
            "signatures",
            signatureLimits.signatures,
        )
        .filter(({ mediaType }) => mediaType === simpleSigning)
        .map(entry => ({ ...manifests.descriptor(entry, "a signature"), annotations: entry["annotations"] }));
    if (layers.length === 0) return;
    const folder = await fetch(child, image, layers);
    for (const layer of layers) {
        const texts = manifests.isTable(layer.annotations) ? layer.annotations : {};
        const text = (key: string) => (typeof texts[key] === "string" ? texts[key] : undefined);
        yield {
            form: "cosign",
            payload: readBlob(folder, layer),
            signature: text("dev.cosignproject.cosign/signature") ?? "",
            certificate: text("dev.sigstore.cosign/certificate"),
            logEntry: text("dev.sigstore.cosign/bundle"),
            timestamp: text("dev.sigstore.cosign/rfc3161timestamp"),
        };
    }
}

/** Digests. What has the tag of an index and is none, as an image of somebody's, names no bundle and hides none. */
function bundlesOf(index: Buffer): string[] {
    const { manifests: listed } = manifests.parseTable(index, "signatures' index");
    if (listed === undefined) return [];
    return manifests
        .list(listed, "referrers", 1024)
        .filter(({ artifactType }) => maybeBundle(artifactType))
        .map(entry => manifests.descriptor(entry, "a bundle").digest);
}

async function* bundles(child: Child, repository: string, digest: string): AsyncGenerator<BundleSignature> {
    const image = `${repository}@${digest}`;
    const manifest = await inspect(child, image);
    if (manifests.digestOf(manifest) !== digest)
        throw manifests.broken(`the registry sent ${manifests.digestOf(manifest)} for ${digest}`);
    const { layers } = manifests.parseTable(manifest, "bundle's manifest");
    const [layer] = manifests.list(layers, "layers of a bundle", 1).map(one => manifests.descriptor(one, "a bundle"));
    if (layer === undefined || !bundleType.test(layer.mediaType)) return;
    const folder = await fetch(child, image, [layer]);
    yield { form: "bundle", json: readBlob(folder, layer) };
}

/** Answers the folder that the blobs are in, until the next one is asked for. */
async function fetch(child: Child, image: string, layers: readonly ImageLayer[]): Promise<string> {
    const { bytes, totalBytes } = signatureLimits;
    const all = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const largest = Math.max(...layers.map(({ sizeBytes }) => sizeBytes));
    if (largest > bytes) throw manifests.tooLarge("signature", largest, bytes);
    if (all > totalBytes) throw manifests.tooLarge("signatures", all, totalBytes);
    const folder = path.join(child.folder, "signatures");
    await rm(folder, { recursive: true, force: true });
    const args = ["copy", "--quiet", ...authFile(child), `docker://${image}`, `dir:${folder}`];
    await run(child, args, { anyPolicy: true, maxFileBytes: bytes });
    return folder;
}
