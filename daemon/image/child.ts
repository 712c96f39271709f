// SPDX-License-Identifier: Apache-2.0
// skopeo within one pull: its folder, its identity, its credentials; and what it wrote there, which is trusted in nothing.
import fs from "node:fs";
import path from "node:path";
import { BpfmanError } from "../model/error.ts";
import type { ImageLayer } from "../model/images.ts";
import * as manifests from "./manifest.ts";
import { type SkopeoOptions, skopeo } from "./skopeo.ts";

export interface Child {
    readonly skopeo: SkopeoOptions;
    /** the image, for errors */
    readonly subject: string;
    readonly folder: string;
    readonly uid: number;
    readonly secrets: readonly string[];
    /** the text of its auth.json */
    readonly authText: string;
    readonly reads: "nothing" | "files" | "store";
    readonly signal: AbortSignal;
}

export const run = (
    { skopeo: options, subject, folder, uid, secrets, reads, signal }: Child,
    args: readonly string[],
    { anyPolicy = false, maxFileBytes = manifests.limits.layerBytes as number } = {},
) =>
    skopeo(options, {
        args,
        folder,
        uid,
        reads,
        anyPolicy,
        maxFileBytes,
        maxOutputBytes: manifests.limits.manifestBytes,
        signal,
        secrets,
        subject,
    });

export const authFile = ({ folder }: Child) => ["--authfile", path.join(folder, "auth.json")];

/** A manifest, as the registry sent it. */
export const inspect = (child: Child, image: string) =>
    run(child, ["inspect", "--raw", ...authFile(child), `docker://${image}`]);

/** A blob as the manifest describes it: that size, that digest. */
export function readBlob(folder: string, { digest, sizeBytes }: ImageLayer): Buffer {
    const bytes = readFile(path.join(folder, digest.replace("sha256:", "")), manifests.limits.layerBytes);
    if (bytes.length !== sizeBytes)
        throw manifests.broken(`${digest} has ${bytes.length} bytes, its manifest says ${sizeBytes}`);
    if (manifests.digestOf(bytes) !== digest) throw manifests.broken(`${digest} came with other bytes`);
    return bytes;
}

/** Written by the child, so trusted in nothing: opened once, no link followed, a plain file, no longer than may be. */
export function readFile(file: string, maxBytes: number): Buffer {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    let fd: number;
    try {
        fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
        throw new BpfmanError("FAILED_PRECONDITION", "the image came without one of its files", { cause: error });
    }
    try {
        const stat = fs.fstatSync(fd);
        if (!stat.isFile()) throw manifests.broken("one of its files is no plain file");
        if (stat.size > maxBytes) throw manifests.tooLarge("file", stat.size, maxBytes);
        const bytes = Buffer.alloc(stat.size);
        for (let at = 0; at < bytes.length; ) {
            const count = fs.readSync(fd, bytes, at, bytes.length - at, at);
            if (count === 0) throw manifests.broken("one of its files became shorter");
            at += count;
        }
        return bytes;
    } finally {
        fs.closeSync(fd);
    }
}
