// SPDX-License-Identifier: Apache-2.0
// Images in bpfman.host.v1, and what both services say of where an object comes from.
import type {
    CertificateIdentity,
    Host,
    ImageJson,
    ImageSource,
    VerifyImageRequest,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager, RemovedImages } from "../manager/manager.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import {
    type ImageFacts,
    type ImageOrigin,
    type ImageRequest,
    type PullPolicy,
    pullPolicies,
    type RegistryAuth,
    type SignatureDemand,
    type TrustedIdentity,
} from "../model/images.ts";
import { wholePattern } from "../model/whole-pattern.ts";
import { signatureJson, textMap } from "./convert.ts";
import { invalid } from "./errors.ts";
import type { Handlers, Sink } from "./service.ts";
import { checkText } from "./validate.ts";

const limits = {
    ...{ nameBytes: 4200, credentialBytes: 64 << 10, authFileBytes: 1 << 20, names: 256 },
    identityBytes: 4096,
} as const;

type ImageMethods = "pullImage" | "verifyImage" | "listImages" | "inspectImage" | "removeImage" | "pruneImages";

export function imageHandlers(manager: Manager): Pick<Handlers<typeof Host>, ImageMethods> {
    return {
        pullImage: (request, caller, sink) => {
            if (request.image === undefined) throw invalid("the image is missing");
            return pull(manager, imageRequest(request.image, caller), caller, sink);
        },
        verifyImage: async (request, caller) => {
            if (request.image === undefined) throw invalid("the image is missing");
            const image = { ...request.image, pullPolicy: request.image.pullPolicy || "Always" };
            const demand = demandOf(request);
            return imageJson((await manager.getImage(imageRequest(image, caller), caller, demand && { demand })).facts);
        },
        listImages: async () => ({ images: manager.listImages().map(imageJson) }),
        inspectImage: async request => imageJson(await manager.inspectImage(checkImageName(request.image))),
        removeImage: async ({ images, ignoreMissing }, caller) => {
            if (images.length === 0) throw invalid("no image is named");
            if (images.length > limits.names) throw invalid(`more than ${limits.names} images in one request`);
            return removed(await manager.removeImages(images.map(checkImageName), { ignoreMissing }, caller));
        },
        pruneImages: async ({ all }, caller) => removed(manager.pruneImages({ all }, caller)),
    };
}

function demandOf({ identity, allowUnsigned }: VerifyImageRequest): SignatureDemand | undefined {
    if (identity === undefined && allowUnsigned === undefined) return undefined;
    return { identity: identity && identityOf(identity), allowUnsigned };
}

function identityOf({ subject, subjectRegexp, issuer, issuerRegexp }: CertificateIdentity): TrustedIdentity {
    if ((subject === "") === (subjectRegexp === "") || (issuer === "") === (issuerRegexp === ""))
        throw invalid("an identity needs a subject and an issuer, each exactly or as a pattern, not both");
    return {
        certificateIdentity: exact(subject, "the subject"),
        certificateIdentityRegexp: pattern(subjectRegexp, "the subject's pattern"),
        certificateOidcIssuer: exact(issuer, "the issuer"),
        certificateOidcIssuerRegexp: pattern(issuerRegexp, "the issuer's pattern"),
    };
}

const exact = (text: string, what: string) => (text === "" ? undefined : checkText(text, what, limits.identityBytes));

function pattern(text: string, what: string): RegExp | undefined {
    const source = exact(text, what);
    if (source === undefined) return undefined;
    try {
        return wholePattern(source);
    } catch {
        throw invalid(`${what} is no regular expression`);
    }
}

export function checkImageName(name: string): string {
    if (name === "") throw invalid("the image's name is missing");
    return checkText(name, "the image's name", limits.nameBytes);
}

/** An image of this host is a path, which the daemon opens for root alone. */
export function checkImageSource(url: string, caller: Caller): void {
    if (caller.uid !== 0 && /^(oci|docker-archive|containers-storage):/.test(url))
        throw new BpfmanError("PERMISSION_DENIED", "only root may let the daemon open an image of this host");
}

export function imageRequest({ url, pullPolicy, auth }: ImageSource, caller: Caller): ImageRequest {
    checkImageSource(url, caller);
    return { url: checkImageName(url), pullPolicy: policyOf(pullPolicy), auth: auth && authOf(auth) };
}

function policyOf(word: string): PullPolicy {
    const found = word === "" ? "IfNotPresent" : pullPolicies.find(policy => policy === word);
    if (found === undefined) throw invalid(`unknown pull policy "${word}": one of ${pullPolicies.join(", ")}`);
    return found;
}

function authOf({ username, password, authFile }: NonNullable<ImageSource["auth"]>): RegistryAuth | undefined {
    if (authFile === "") return passwordAuth(username, password);
    if (username !== "" || password !== "") throw invalid("credentials are given twice");
    return { kind: "auth-file", text: checkText(authFile, "the credentials' file", limits.authFileBytes) };
}

/** Clients that know no credentials send empty ones. */
export function passwordAuth(username: string, password: string): RegistryAuth | undefined {
    if (username === "" && password === "") return undefined;
    checkText(username, "the user's name", limits.credentialBytes);
    checkText(password, "the password", limits.credentialBytes);
    return { kind: "password", username, password };
}

export async function imageBytecode(request: ImageRequest, manager: Manager, caller: Caller) {
    const { facts, object } = await manager.getImage(request, caller);
    const { digest, signature } = facts;
    const origin: ImageOrigin = { url: request.url, digest, pullPolicy: request.pullPolicy, signature };
    return { object, origin, facts };
}

type PullRecord = Parameters<Parameters<Handlers<typeof Host>["pullImage"]>[2]["send"]>[0];

/** Progress at most ten times a second; a peer that goes leaves the pull. */
function pull(manager: Manager, request: ImageRequest, caller: Caller, sink: Sink<PullRecord>): () => void {
    const leaving = new AbortController();
    let lastAt = 0;
    let lastPhase = "";
    const onProgress: NonNullable<Parameters<Manager["getImage"]>[2]>["onProgress"] = progress => {
        const now = performance.now();
        if (progress.phase === lastPhase && now - lastAt < 100) return;
        lastAt = now;
        lastPhase = progress.phase;
        const { phase, bytes, totalBytes, layers, totalLayers } = progress;
        sink.send({ phase, bytes: String(bytes), totalBytes: String(totalBytes), layers, totalLayers });
    };
    manager.getImage(request, caller, { onProgress, signal: leaving.signal }).then(
        ({ facts, cached }) => {
            sink.send({ phase: "DONE", image: imageJson(facts), cached });
            sink.end();
        },
        (error: unknown) => {
            if (leaving.signal.aborted) return;
            sink.fail(
                error instanceof BpfmanError ? error : new BpfmanError("INTERNAL", "internal error", { cause: error }),
            );
        },
    );
    return () => leaving.abort();
}

const removed = ({ removed: references, freedBytes }: RemovedImages) => ({
    removed: [...references],
    freedBytes: String(freedBytes),
});

export function imageJson(facts: ImageFacts): ImageJson {
    return {
        reference: facts.reference,
        digest: facts.digest,
        mediaType: facts.mediaType,
        manifestDigest: facts.manifestDigest,
        architecture: facts.architecture,
        platforms: [...facts.platforms],
        labels: textMap(facts.labels),
        programs: facts.programs.map(program => ({ ...program })),
        maps: facts.maps.map(map => ({ ...map })),
        layers: facts.layers.map(({ digest, sizeBytes, mediaType }) => ({
            digest,
            size: String(sizeBytes),
            mediaType,
        })),
        objectName: facts.objectName,
        objectSha256: facts.objectSha256,
        objectSize: String(facts.objectSizeBytes),
        pulledAt: facts.pulledAt,
        usedAt: facts.usedAt,
        signature: signatureJson(facts.signature),
        policyChanged: facts.policyChanged,
    };
}
