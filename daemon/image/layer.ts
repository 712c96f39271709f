// SPDX-License-Identifier: Apache-2.0
// The object in a layer: decompressed in pieces, counted while it grows, read as tar in memory.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { BpfmanError } from "../model/error.ts";
import type { ImageLayer } from "../model/images.ts";
import { broken } from "./manifest.ts";
import { type Member, type Rank, TarReader } from "./tar.ts";

/** expanded; an object has 16 MiB at most, and few images have more than one */
export const maxExpandedBytes = 64 << 20;

type Compression = "none" | "gzip" | "zstd";

const compressions: Readonly<Record<string, Compression>> = {
    "application/vnd.oci.image.layer.v1.tar": "none",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "none",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
};

/** Before anything is pulled. */
export function checkLayerTypes(layers: readonly ImageLayer[]): void {
    for (const { mediaType } of layers)
        if (!Object.hasOwn(compressions, mediaType))
            throw broken(`a layer is ${JSON.stringify(mediaType.slice(0, 100))}, which is not read`);
}

export const compressionOf = ({ mediaType }: ImageLayer): Compression => compressions[mediaType] ?? "none";

/** By its first bytes: an archive of docker save calls its plain layers compressed. */
export function seenCompression(bytes: Uint8Array): Compression {
    const starts = (...magic: readonly number[]) => magic.every((byte, at) => bytes[at] === byte);
    if (starts(0x1f, 0x8b)) return "gzip";
    return starts(0x28, 0xb5, 0x2f, 0xfd) ? "zstd" : "none";
}

/** The best member of a layer, and the names of its first members. */
export async function readLayer(
    bytes: Uint8Array,
    compression: Compression,
    rank: Rank,
    signal: AbortSignal,
): Promise<{ member: Member | undefined; names: readonly string[] }> {
    const reader = new TarReader(rank);
    let expanded = 0;
    const sink = async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) {
            expanded += chunk.length;
            if (expanded > maxExpandedBytes)
                throw new BpfmanError(
                    "RESOURCE_EXHAUSTED",
                    `a layer of the image expands to more than ${maxExpandedBytes >> 20} MiB`,
                );
            reader.push(chunk);
        }
        reader.end();
    };
    const input = Readable.from([bytes]);
    try {
        switch (compression) {
            case "gzip":
                await pipeline(input, createGunzip(), sink, { signal });
                break;
            case "zstd":
                await pipeline(input, createZstdDecompress(), sink, { signal });
                break;
            default:
                await pipeline(input, sink, { signal });
        }
    } catch (error) {
        if (error instanceof BpfmanError || signal.aborted) throw error;
        const { code = "" } = error as NodeJS.ErrnoException;
        if (/^Z_|^ERR_ZLIB|^ZSTD|^ERR_ZSTD/.test(code)) throw broken("a layer's compression is damaged");
        throw error;
    }
    return { member: reader.found, names: reader.names };
}

/** An object is a member called *.o; the one that the image's label names is better than others. */
export function objectRank(labelled: string | undefined): Rank {
    const base = (name: string) => name.slice(name.lastIndexOf("/") + 1);
    const wanted = labelled === undefined ? undefined : base(labelled);
    return name => {
        if (wanted !== undefined && base(name) === wanted) return 2;
        return /[^/]\.o$/.test(name) ? 1 : 0;
    };
}
