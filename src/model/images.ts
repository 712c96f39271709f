// SPDX-License-Identifier: Apache-2.0
// The images of the cache with what the page knows of them.
import type { ImageJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Program } from "./model.ts";

export interface KeptImage {
    readonly reference: string;
    readonly digest: string;
    /** of its layers, or of the object where it tells none */
    readonly sizeBytes: number;
    /** programs that were loaded from it */
    readonly users: readonly Program[];
    readonly json: ImageJson;
}

export function keptImages(images: readonly ImageJson[], programs: readonly Program[]): KeptImage[] {
    const users = Map.groupBy(programs, program => program.json.record?.image?.digest ?? "");
    return images.map(json => {
        const digest = json.digest ?? "";
        const layers = (json.layers ?? []).reduce((sum, layer) => sum + Number(layer.size ?? 0), 0);
        return {
            reference: json.reference ?? "",
            digest,
            sizeBytes: layers === 0 ? Number(json.objectSize ?? 0) : layers,
            users: digest === "" ? [] : (users.get(digest) ?? []),
            json,
        };
    });
}
