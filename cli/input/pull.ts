// SPDX-License-Identifier: Apache-2.0
// A pull with its progress on the terminal. Ctrl-C ends it, here and in the daemon.
import type { HostClient } from "../../client/host-client.ts";
import type { ImageSourceJson, PullProgressJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { printStatus } from "../output/print.ts";
import { sizeText } from "../output/size-text.ts";

/** What a shell reports of a command that SIGINT ended. */
const interrupted = 128 + 2;

/** The last record, which has the image. */
export async function pullWithProgress(client: HostClient, image: ImageSourceJson): Promise<PullProgressJson> {
    let last: PullProgressJson = {};
    const cancel = () => {
        printStatus("");
        // the daemon ends a pull that nobody waits for
        process.exit(interrupted);
    };
    process.once("SIGINT", cancel);
    try {
        for await (const progress of client.pullImage({ image })) {
            last = progress;
            if (progress.phase !== "DONE") printStatus(progressText(progress));
        }
    } finally {
        process.removeListener("SIGINT", cancel);
        printStatus("");
    }
    if (last.image === undefined) throw new Error("the daemon ended the pull without an image");
    return last;
}

const words: Readonly<Record<string, string>> = {
    RESOLVING: "asking the registry",
    PULLING: "pulling",
    CHECKING: "checking",
};

function progressText({
    phase = "RESOLVING",
    bytes,
    totalBytes,
    layers = 0,
    totalLayers = 0,
}: PullProgressJson): string {
    const word = words[phase] ?? phase;
    if (Number(totalBytes ?? 0) === 0) return `${word} …`;
    return `${word}: ${sizeText(bytes)} of ${sizeText(totalBytes)}, layer ${layers} of ${totalLayers}`;
}
