// SPDX-License-Identifier: Apache-2.0
// The commands that deal with images: program load image, image …
import type { Command, Option } from "./args.ts";
import type { Verb } from "./host.ts";
import { pullPolicy, registryAuth } from "./image-source.ts";

type BpfmanCommand = Command<Verb>;

const imageWord = { name: "IMAGE", help: "REGISTRY/REPOSITORY[:TAG], or …@DIGEST" };

const output: Option = {
    name: "output",
    short: "o",
    value: "text|json",
    choices: ["text", "json"],
    help: "text or json",
};

export const loadImageCommand = (loadOptions: readonly Option[]): BpfmanCommand => ({
    name: "image",
    summary: "Loads programs of an OCI image, and attaches them where asked: all of it or nothing",
    words: [imageWord],
    options: [pullPolicy, registryAuth, ...loadOptions],
    examples: [
        "bpfman program load image quay.io/bpfman-bytecode/xdp_pass:latest --programs xdp:pass",
        "bpfman program load image quay.io/me/mark --programs tc:mark --attach tc:eth0:ingress:prio=5 -p Always",
    ],
    run: () => import("./verbs/load.ts").then(verbs => verbs.programLoadImage),
});

export const imageCommand: BpfmanCommand = {
    name: "image",
    summary: "Pulls images, and shows and empties the cache",
    examples: ["bpfman image pull quay.io/bpfman-bytecode/xdp_pass:latest", "bpfman image list"],
    commands: [
        {
            name: "pull",
            summary: "Brings an image into the cache",
            words: [{ ...imageWord, optional: true }],
            options: [
                {
                    name: "image-url",
                    short: "i",
                    value: "IMAGE",
                    hidden: true,
                    help: "the image, in the released form",
                },
                pullPolicy,
                registryAuth,
                output,
            ],
            examples: [
                "bpfman image pull quay.io/bpfman-bytecode/xdp_pass:latest",
                "bpfman image pull quay.io/me/mark -p Always",
            ],
            run: () => import("./verbs/image.ts").then(verbs => verbs.imagePull),
        },
        {
            name: "list",
            summary: "Lists the cache",
            options: [{ name: "quiet", short: "q", help: "references alone, one a line" }, output],
            examples: ["bpfman image list", "bpfman image list -o json"],
            run: () => import("./verbs/image.ts").then(verbs => verbs.imageList),
        },
        {
            name: "inspect",
            summary: "Shows one image of the cache",
            words: [{ name: "IMAGE", help: "its reference, or its digest" }],
            options: [output],
            examples: ["bpfman image inspect quay.io/bpfman-bytecode/xdp_pass:latest"],
            run: () => import("./verbs/image.ts").then(verbs => verbs.imageInspect),
        },
        {
            name: "remove",
            summary: "Takes images out of the cache; loaded programs stay",
            words: [{ name: "IMAGE", list: true, help: "references or digests" }],
            options: [{ name: "ignore-missing", help: "an image that is not there is no error" }],
            examples: ["bpfman image remove quay.io/bpfman-bytecode/xdp_pass:latest"],
            run: () => import("./verbs/image.ts").then(verbs => verbs.imageRemove),
        },
        {
            name: "prune",
            summary: "Takes out of the cache what no loaded program came from",
            options: [{ name: "all", short: "a", help: "everything" }, output],
            examples: ["bpfman image prune", "bpfman image prune --all"],
            run: () => import("./verbs/image.ts").then(verbs => verbs.imagePrune),
        },
    ],
};
