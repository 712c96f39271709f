// SPDX-License-Identifier: Apache-2.0
// image pull, list, inspect, verify, remove, prune
import { CallError } from "../../client/errors.ts";
import type { ImageJson, VerifyImageRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Host, type Verb, wantsJson } from "../host.ts";
import { absoluteImage, imageSource } from "../input/image-source.ts";
import { pullWithProgress } from "../input/pull.ts";
import { integer } from "../output/json.ts";
import { printHeadedTable, printJson, printLine, printLines, table } from "../output/print.ts";
import { signatureJson } from "../output/signature-text.ts";
import { sizeText } from "../output/size-text.ts";

/** `image pull IMAGE`; the released form says --image-url. */
export const imagePull: Verb = async (args, { client }) => {
    const url = args.value("IMAGE") ?? args.value("image-url");
    if (url === undefined) throw new UsageError("missing argument IMAGE: REGISTRY/REPOSITORY[:TAG]");
    const { image = {}, cached = false } = await pullWithProgress(client, imageSource(args, url));
    if (wantsJson(args)) printJson({ ...imageJson(image), cached });
    // the released command says nothing when all is well
    else if (args.value("image-url") === undefined) printLine(`${image.reference ?? ""}@${image.digest ?? ""}`);
    return 0;
};

export const imageList: Verb = async (args, { client }) => {
    const { images = [] } = await client.listImages();
    if (wantsJson(args)) printJson({ images: images.map(imageJson) });
    else if (args.flag("quiet")) printLines(images.map(({ reference = "" }) => reference));
    else if (images.length > 0)
        printHeadedTable([
            ["IMAGE", "DIGEST", "PROGRAMS", "SIZE", "SIGNATURE", "PULLED AT"],
            ...images.map(image => [
                image.reference ?? "",
                (image.digest ?? "").replace(/^sha256:(.{12}).*/, "sha256:$1"),
                (image.programs ?? []).map(({ name, type }) => `${type ?? ""}:${name ?? ""}`).join(", "),
                sizeText(image.objectSize),
                signatureWord(image),
                image.pulledAt ?? "",
            ]),
        ]);
    return 0;
};

const forms: Readonly<Record<string, string>> = {
    simple: "simple signing",
    cosign: "cosign",
    bundle: "Sigstore bundle",
};

function signatureRows(image: ImageJson): string[][] {
    const { detail = "", identity = "", issuer = "", form = "" } = image.signature ?? {};
    return [
        ["Signature:", `${signatureWord(image)}: ${detail}`],
        ...(identity === "" ? [] : [["Signed By:", identity]]),
        ...(issuer === "" ? [] : [["Issuer:", issuer]]),
        ...(form === "" ? [] : [["Form:", forms[form] ?? form]]),
    ];
}

const signatureWord = ({ signature, policyChanged }: ImageJson) =>
    policyChanged ? "to be checked again" : (signature?.state ?? "");

/** Answers 1 where no signature counts, as scripts expect of a check. */
export const imageVerify: Verb = async (args, { client }) => {
    const url = args.required("IMAGE");
    const allowed = args.value("allow-unsigned");
    const image = await client.verifyImage({
        image: { ...imageSource(args, url), pullPolicy: args.value("pull-policy") ?? "Always" },
        ...identityOf(args),
        ...(allowed === undefined ? {} : { allowUnsigned: allowed === "true" }),
    });
    const { reference = "", digest = "" } = image;
    const state = image.signature?.state ?? "";
    // signatures of which none counts are worse than none
    const accepted = allowed === "true" && (state === "unsigned" || state === "unchecked");
    if (wantsJson(args)) printJson({ reference, digest, signature: signatureJson(image.signature) });
    else {
        printLine(`Image ${reference}: ${accepted ? "unsigned image accepted by policy" : (verdicts[state] ?? state)}`);
        printLines(table([["Digest:", digest], ...signatureRows(image)]));
    }
    return state === "verified" || accepted ? 0 : 1;
};

/** Scripts look for these sentences. */
const verdicts: Readonly<Record<string, string>> = {
    verified: "signature verified",
    untrusted: "no signature of it counts",
    unsigned: "it has no signature",
    unchecked: "signature verification disabled",
};

function identityOf(args: Args): Pick<VerifyImageRequestJson, "identity"> {
    const value = (name: string) => args.value(`certificate-${name}`) ?? "";
    const identity = {
        ...{ subject: value("identity"), subjectRegexp: value("identity-regexp") },
        ...{ issuer: value("oidc-issuer"), issuerRegexp: value("oidc-issuer-regexp") },
    };
    if (Object.values(identity).every(text => text === "")) return {};
    for (const [name, exact, pattern] of [
        ["identity", identity.subject, identity.subjectRegexp],
        ["oidc-issuer", identity.issuer, identity.issuerRegexp],
    ] as const)
        if ((exact === "") === (pattern === ""))
            throw new UsageError(`give either --certificate-${name} or --certificate-${name}-regexp`);
    return { identity };
}

/** The one in the cache, or, as the pull policy says, the registry's, which is in the cache then. */
async function inspected(args: Args, { client }: Host): Promise<ImageJson> {
    const name = args.required("IMAGE");
    const policy = args.value("pull-policy") ?? "IfNotPresent";
    if (policy !== "Always")
        try {
            return await client.inspectImage(absoluteImage(name));
        } catch (error) {
            const isAbsent = error instanceof CallError && error.code === "NOT_FOUND";
            if (!isAbsent || policy === "Never" || /^sha256:/.test(name)) throw error;
        }
    return (await pullWithProgress(client, imageSource(args, name))).image ?? {};
}

export const imageInspect: Verb = async (args, host) => {
    const image = await inspected(args, host);
    if (wantsJson(args)) {
        printJson(imageJson(image));
        return 0;
    }
    const pairs = (list: readonly { name?: string; type?: string }[] = []) =>
        list.map(({ name = "", type = "" }) => `${name} (${type})`).join(", ") || "not told by its labels";
    const rows = [
        ["Image:", image.reference ?? ""],
        ["Digest:", image.digest ?? ""],
        ...(image.manifestDigest === image.digest ? [] : [["Manifest:", image.manifestDigest ?? ""]]),
        ["Media Type:", image.mediaType ?? ""],
        ["Architecture:", image.architecture ?? ""],
        ...(image.platforms?.length ? [["Platforms:", image.platforms.join(", ")]] : []),
        ["Programs:", pairs(image.programs)],
        ["Maps:", pairs(image.maps)],
        ...(image.layers ?? []).map(({ digest = "", size }) => ["Layer:", `${digest} (${sizeText(size)})`]),
        ["Object:", `${image.objectName ?? ""} (${sizeText(image.objectSize)}, sha256 ${image.objectSha256 ?? ""})`],
        ...signatureRows(image),
        ["Pulled At:", image.pulledAt ?? ""],
        ["Used At:", image.usedAt ?? ""],
    ];
    printLines(table(rows));
    return 0;
};

export const imageRemove: Verb = async (args, { client }) => {
    const { removed = [], freedBytes } = await client.removeImage({
        images: args.values("IMAGE").map(name => absoluteImage(name)),
        ignoreMissing: args.flag("ignore-missing"),
    });
    if (wantsJson(args)) printJson({ removed, freed_bytes: integer(freedBytes) });
    return 0;
};

export const imagePrune: Verb = async (args, { client }) => {
    const { removed = [], freedBytes } = await client.pruneImages({ all: args.flag("all") });
    if (wantsJson(args)) printJson({ removed, freed_bytes: integer(freedBytes) });
    else printLines([...removed, `${removed.length} removed, ${sizeText(freedBytes)} freed`]);
    return 0;
};

const named = (list: readonly { name?: string; type?: string }[] = []) =>
    Object.fromEntries(list.map(({ name = "", type = "" }) => [name, type]));

function imageJson(image: ImageJson): object {
    return {
        reference: image.reference ?? "",
        digest: image.digest ?? "",
        media_type: image.mediaType ?? "",
        programs: named(image.programs),
        maps: named(image.maps),
        layers: (image.layers ?? []).map(({ digest = "", size, mediaType = "" }) => ({
            digest,
            size: integer(size),
            media_type: mediaType,
        })),
        manifests: (image.platforms ?? []).map(platform => ({ platform })),
        manifest_digest: image.manifestDigest ?? "",
        architecture: image.architecture ?? "",
        labels: image.labels ?? {},
        object: {
            name: image.objectName ?? "",
            sha256: image.objectSha256 ?? "",
            size: integer(image.objectSize),
        },
        signature: signatureJson(image.signature),
        policy_changed: image.policyChanged ?? false,
        pulled_at: image.pulledAt ?? "",
        used_at: image.usedAt ?? "",
    };
}
