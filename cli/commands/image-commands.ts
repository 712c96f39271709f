// SPDX-License-Identifier: Apache-2.0
// The commands that deal with images: program load image, image …
import type { Command, Option } from "../args.ts";
import type { Verb } from "../host.ts";
import { buildOptions } from "../input/build-inputs.ts";
import { pullPolicy, registryAuth } from "../input/image-source.ts";
import { output } from "./options.ts";

type BpfmanCommand = Command<Verb>;

const imageWord = {
    name: "IMAGE",
    help: "REGISTRY/REPOSITORY[:TAG], …@DIGEST; of this host oci:PATH[:TAG], docker-archive:PATH, containers-storage:NAME",
};

// -r is the released build's --runtime
const { short: _, ...registryAuthLong } = registryAuth;

export const loadImageCommand = (loadOptions: readonly Option[]): BpfmanCommand => ({
    name: "image",
    summary: "Loads programs of an OCI image, and attaches them where asked: all of it or nothing",
    words: [imageWord],
    options: [pullPolicy, registryAuth, ...loadOptions],
    examples: [
        "bpfman program load image quay.io/bpfman-bytecode/xdp_pass:latest --programs xdp:pass",
        "bpfman program load image quay.io/me/mark --programs tc:mark --attach tc:eth0:ingress:prio=5 -p Always",
    ],
    run: () => import("../verbs/load.ts").then(verbs => verbs.programLoadImage),
});

/** What `image verify` demands instead of what the configuration does. */
const demandOptions: readonly Option[] = [
    {
        name: "allow-unsigned",
        value: "true|false",
        alone: "true",
        choices: ["true", "false"],
        help: "an image without a signature is fine (default: it is told, and answered with 1)",
    },
    { name: "certificate-identity", value: "SUBJECT", help: "whose certificate counts, and no other" },
    { name: "certificate-identity-regexp", value: "PATTERN", help: "the same, as a pattern of the whole" },
    { name: "certificate-oidc-issuer", value: "ISSUER", help: "who vouches for that identity" },
    { name: "certificate-oidc-issuer-regexp", value: "PATTERN", help: "the same, as a pattern of the whole" },
];

export const imageCommand: BpfmanCommand = {
    name: "image",
    summary: "Pulls and builds images, shows and empties the cache",
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
            run: () => import("../verbs/image.ts").then(verbs => verbs.imagePull),
        },
        {
            name: "build",
            summary: "Builds an image of objects, and pushes it or writes it to a folder",
            words: [
                {
                    name: "IMAGE",
                    list: true,
                    optional: true,
                    help: "where it goes, or oci:FOLDER; then FILE, or linux/ARCH=FILE…",
                },
            ],
            options: [
                { name: "tag", short: "t", value: "IMAGE", hidden: true, help: "the image, in the released form" },
                ...buildOptions,
                { name: "container-file", short: "f", value: "FILE", hidden: true, help: "accepted: none is needed" },
                { name: "runtime", short: "r", value: "NAME", hidden: true, help: "accepted: none is needed" },
                registryAuthLong,
            ],
            examples: [
                "bpfman image build quay.io/me/pass:v1 pass.o",
                "bpfman image build quay.io/me/pass:v1 linux/amd64=pass_x86.o linux/arm64=pass_arm64.o",
                "bpfman image build oci:pass-image -c cmd/pass",
            ],
            run: () => import("../verbs/image-build.ts").then(verbs => verbs.imageBuild),
        },
        {
            name: "generate-build-args",
            summary: "Tells the build arguments and labels of objects, for a Containerfile",
            words: [{ name: "BYTECODE", list: true, optional: true, help: "FILE, or linux/ARCH=FILE…" }],
            options: [...buildOptions, output],
            examples: [
                "bpfman image generate-build-args -b pass.o",
                "bpfman image generate-build-args -c cmd/pass -o json",
            ],
            run: () => import("../verbs/image-build.ts").then(verbs => verbs.generateBuildArgs),
        },
        {
            name: "list",
            summary: "Lists the cache",
            options: [{ name: "quiet", short: "q", help: "references alone, one a line" }, output],
            examples: ["bpfman image list", "bpfman image list -o json"],
            run: () => import("../verbs/image.ts").then(verbs => verbs.imageList),
        },
        {
            name: "inspect",
            summary: "Shows one image; one that the cache does not have is pulled",
            words: [{ name: "IMAGE", help: "its reference, or the digest of one in the cache" }],
            options: [pullPolicy, registryAuth, output],
            examples: [
                "bpfman image inspect quay.io/bpfman-bytecode/xdp_pass:latest",
                "bpfman image inspect quay.io/bpfman-bytecode/xdp_pass:latest -p Never -o json",
            ],
            run: () => import("../verbs/image.ts").then(verbs => verbs.imageInspect),
        },
        {
            name: "verify",
            summary: "Tells whether an image is signed, and by whom; answers 1 where no signature counts",
            words: [imageWord],
            options: [
                { ...pullPolicy, help: "when to ask the registry (default Always)" },
                registryAuth,
                ...demandOptions,
                output,
            ],
            examples: [
                "bpfman image verify quay.io/bpfman-bytecode/xdp_pass:latest",
                "bpfman image verify quay.io/me/mark --certificate-identity me@example.com --certificate-oidc-issuer https://accounts.example.com",
            ],
            run: () => import("../verbs/image.ts").then(verbs => verbs.imageVerify),
        },
        {
            name: "remove",
            summary: "Takes images out of the cache; loaded programs stay",
            words: [{ name: "IMAGE", list: true, help: "references or digests" }],
            options: [{ name: "ignore-missing", help: "an image that is not there is no error" }, output],
            examples: ["bpfman image remove quay.io/bpfman-bytecode/xdp_pass:latest"],
            run: () => import("../verbs/image.ts").then(verbs => verbs.imageRemove),
        },
        {
            name: "prune",
            summary: "Takes out of the cache what no loaded program came from",
            options: [{ name: "all", short: "a", help: "everything" }, output],
            examples: ["bpfman image prune", "bpfman image prune --all"],
            run: () => import("../verbs/image.ts").then(verbs => verbs.imagePrune),
        },
    ],
};
