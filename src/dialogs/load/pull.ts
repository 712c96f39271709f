// SPDX-License-Identifier: Apache-2.0
// Brings an image into the daemon's cache, told step by step.
import type { HostClient } from "../../../client/host-client.ts";
import type { ImageJson, ImageSourceJson, PullProgressJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { _, format } from "../../text/i18n.ts";
import { bytes } from "../../text/words.ts";
import type { TaskOptions } from "../task.ts";

/** Throws what the daemon says, or the signal's reason: leaving it ends the pull. */
export async function pullImage(client: HostClient, source: ImageSourceJson, options: TaskOptions): Promise<ImageJson> {
    let image: ImageJson | undefined;
    for await (const progress of client.pullImage({ image: source }, options.signal)) {
        image = progress.image ?? image;
        options.onProgress(Number(progress.bytes ?? 0), Number(progress.totalBytes ?? 0), progressText(progress));
    }
    if (!image) throw new Error(_("The pull ended without an image"));
    return image;
}

function progressText(progress: PullProgressJson): string {
    switch (progress.phase) {
        case "RESOLVING":
            return _("Asking the registry");
        case "CHECKING":
            return _("Checking digests and signatures");
        case "PULLING": {
            const done = bytes(Number(progress.bytes ?? 0));
            if (!progress.totalLayers) return done;
            const total = bytes(Number(progress.totalBytes ?? 0));
            return format(_("$0 of $1, layer $2 of $3"), done, total, progress.layers ?? 0, progress.totalLayers);
        }
        default:
            return "";
    }
}
