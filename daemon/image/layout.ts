// SPDX-License-Identifier: Apache-2.0
// An image made of objects, as an OCI layout: the same objects give the same bytes, and so the same digest. Pure.
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
import { gzipSync } from "node:zlib";
import { digestOf } from "./manifest.ts";

export interface LayoutInput {
    /** as linux/amd64 */
    readonly platform: string;
    readonly fileName: string;
    readonly object: Uint8Array;
}

export interface Layout {
    /** of the manifest, or of the index */
    readonly digest: string;
    readonly mediaType: string;
    readonly sizeBytes: number;
    readonly blobs: ReadonlyMap<string, Uint8Array>;
}

const types = {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** One input: an image; several: an index of images. seconds: the time of everything in it, since the epoch. */
export function imageLayout(
    inputs: readonly LayoutInput[],
    labels: Readonly<Record<string, string>>,
    seconds: number,
): Layout {
    const blobs = new Map<string, Uint8Array>();
    const keep = (mediaType: string, bytes: Uint8Array) => {
        const digest = digestOf(bytes);
        blobs.set(digest, bytes);
        return { mediaType, digest, size: bytes.length };
    };
    const json = (value: object) => Buffer.from(JSON.stringify(value));
    const created = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const images = inputs.map(({ platform, fileName, object }) => {
        const [os = "", architecture = ""] = platform.split("/");
        const tar = archive(fileName, object, seconds);
        const config = json({
            created,
            architecture,
            os,
            config: { Labels: labels },
            rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
            history: [{ created, created_by: "bpfman image build" }],
        });
        const manifest = json({
            schemaVersion: 2,
            mediaType: types.manifest,
            config: keep(types.config, config),
            layers: [keep(types.layer, gzipSync(tar, { level: 9 }))],
        });
        return { ...keep(types.manifest, manifest), platform: { architecture, os } };
    });
    const [only] = images;
    if (images.length === 1 && only)
        return { digest: only.digest, mediaType: only.mediaType, sizeBytes: only.size, blobs };
    const index = keep(types.index, json({ schemaVersion: 2, mediaType: types.index, manifests: images }));
    return { digest: index.digest, mediaType: index.mediaType, sizeBytes: index.size, blobs };
}

/** What an OCI layout's index.json says of it. */
export function layoutIndex({ digest, mediaType, sizeBytes }: Layout, name: string): Uint8Array {
    const annotations = { "org.opencontainers.image.ref.name": name };
    const manifests = [{ mediaType, digest, size: sizeBytes, annotations }];
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }));
}

/** A ustar archive of one file, its owner and time fixed. */
function archive(fileName: string, data: Uint8Array, seconds: number): Buffer {
    const header = Buffer.alloc(512);
    const octal = (value: number, offset: number, digits: number) =>
        header.write(value.toString(8).padStart(digits, "0"), offset);
    header.write(fileName, 0, 100);
    octal(0o644, 100, 7);
    octal(0, 108, 7);
    octal(0, 116, 7);
    octal(data.length, 124, 11);
    octal(seconds, 136, 11);
    header.write("        ", 148);
    header.write("0", 156);
    header.write("ustar\x0000", 257);
    octal(
        header.reduce((sum, byte) => sum + byte, 0),
        148,
        6,
    );
    header[154] = 0;
    const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
    return Buffer.concat([header, data, padding, Buffer.alloc(1024)]);
}
