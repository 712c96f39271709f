// SPDX-License-Identifier: Apache-2.0
// Manifests, indexes and configurations of images: whatever a registry sends, checked before anything rests on it. Pure.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md, …/image-index.md, …/config.md
import { createHash } from "node:crypto";
import { BpfmanError } from "../model/error.ts";
import type { ImageLayer } from "../model/images.ts";
import { digestForm } from "./reference.ts";

export const limits = {
    manifestBytes: 1 << 20,
    configBytes: 1 << 20,
    layers: 16,
    platforms: 64,
    labels: 64,
    /** compressed, all layers together */
    layerBytes: 32 << 20,
} as const;

export interface Manifest {
    readonly kind: "manifest";
    readonly mediaType: string;
    readonly config: { readonly digest: string; readonly sizeBytes: number };
    readonly layers: readonly ImageLayer[];
}

export interface Index {
    readonly kind: "index";
    readonly mediaType: string;
    readonly manifests: readonly {
        readonly digest: string;
        /** as linux/amd64 */
        readonly platform: string;
    }[];
}

const manifestTypes = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const indexTypes = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export const broken = (what: string): BpfmanError =>
    new BpfmanError("FAILED_PRECONDITION", `the image is broken: ${what}`);

export type Table = Readonly<Record<string, unknown>>;

export const isTable = (value: unknown): value is Table =>
    typeof value === "object" && value !== null && !Array.isArray(value);

export function parseTable(bytes: Uint8Array, what: string): Table {
    let value: unknown;
    try {
        value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
        throw broken(`its ${what} is no JSON`);
    }
    if (!isTable(value)) throw broken(`its ${what} is no JSON object`);
    return value;
}

export function list(value: unknown, what: string, most: number): readonly Table[] {
    if (!Array.isArray(value)) throw broken(`it has no list of ${what}`);
    if (value.length > most) throw broken(`it has ${value.length} ${what}, at most ${most} are read`);
    if (!value.every(isTable)) throw broken(`its list of ${what} holds something else`);
    return value;
}

export function descriptor(table: Table, what: string): ImageLayer {
    const { digest, size, mediaType } = table;
    if (typeof digest !== "string" || !digestForm.test(digest)) throw broken(`${what} has no SHA-256 digest`);
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw broken(`${what} has no size`);
    return { digest, sizeBytes: size, mediaType: typeof mediaType === "string" ? mediaType : "" };
}

export function parseManifest(bytes: Uint8Array): Manifest | Index {
    const table = parseTable(bytes, "manifest");
    const given = typeof table["mediaType"] === "string" ? table["mediaType"] : "";
    if (table["schemaVersion"] !== 2) throw broken("its manifest is of a schema that is not read (only 2 is)");
    // an OCI manifest may leave its own media type out, so what it holds tells
    const isIndex = given === "" ? "manifests" in table : indexTypes.includes(given);
    if (given !== "" && !isIndex && !manifestTypes.includes(given))
        throw broken(`${JSON.stringify(given.slice(0, 100))} is no manifest of an image`);
    // a document that reads as both could be one thing to whoever signed it and another here
    if ("manifests" in table && "layers" in table) throw broken("its manifest is an index at once");
    if (isIndex) {
        const manifests = list(table["manifests"], "platforms", limits.platforms).flatMap(entry => {
            const { digest } = descriptor(entry, "a manifest of its index");
            const platform = isTable(entry["platform"]) ? entry["platform"] : {};
            const { os, architecture } = platform;
            if (typeof os !== "string" || typeof architecture !== "string") return [];
            return [{ digest, platform: `${os}/${architecture}` }];
        });
        return { kind: "index", mediaType: given || (indexTypes[0] ?? ""), manifests };
    }
    if (!isTable(table["config"])) throw broken("it has no configuration");
    const config = descriptor(table["config"], "its configuration");
    if (config.sizeBytes > limits.configBytes) throw tooLarge("configuration", config.sizeBytes, limits.configBytes);
    const layers = list(table["layers"], "layers", limits.layers).map(entry => descriptor(entry, "a layer"));
    if (layers.length === 0) throw broken("it has no layer");
    const total = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (total > limits.layerBytes) throw tooLarge("layers", total, limits.layerBytes);
    return { kind: "manifest", mediaType: given || (manifestTypes[0] ?? ""), config, layers };
}

export function tooLarge(what: string, sizeBytes: number, most: number): BpfmanError {
    return new BpfmanError("RESOURCE_EXHAUSTED", `the image's ${what}: ${sizeBytes} bytes, at most ${most} are read`);
}

export interface ImageConfig {
    readonly architecture: string;
    readonly labels: ReadonlyMap<string, string>;
}

export function parseConfig(bytes: Uint8Array): ImageConfig {
    const table = parseTable(bytes, "configuration");
    const config = isTable(table["config"]) ? table["config"] : {};
    const labels = isTable(config["Labels"]) ? config["Labels"] : {};
    const pairs = Object.entries(labels).filter((pair): pair is [string, string] => typeof pair[1] === "string");
    if (pairs.length > limits.labels) throw broken(`it has ${pairs.length} labels, at most ${limits.labels} are read`);
    const { architecture } = table;
    return { architecture: typeof architecture === "string" ? architecture : "", labels: new Map(pairs) };
}

// process.arch as Go, and so image indexes, call it; bpf objects differ by byte order alone, but may hold types of one machine
const architectures: Readonly<Record<string, string>> = {
    x64: "amd64",
    ia32: "386",
    loong64: "loong64",
    mipsel: "mipsle",
};

/** This machine as an index names it. */
export function hostPlatform(arch: string = process.arch, endianness: "LE" | "BE" = "LE"): string {
    if (arch === "ppc64") return endianness === "LE" ? "linux/ppc64le" : "linux/ppc64";
    return `linux/${architectures[arch] ?? arch}`;
}

/** The manifest of an index that is this machine's. */
export function choosePlatform(index: Index, platform: string): { digest: string } {
    const found = index.manifests.find(manifest => manifest.platform === platform);
    if (found === undefined) {
        const there = [...new Set(index.manifests.map(manifest => manifest.platform))].join(", ");
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `the image has nothing for ${platform}; it has: ${there || "nothing"}`,
        );
    }
    return found;
}
