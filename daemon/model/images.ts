// SPDX-License-Identifier: Apache-2.0
// Bytecode from images, and who signed it.

export const pullPolicies = ["Always", "IfNotPresent", "Never"] as const;

export type PullPolicy = (typeof pullPolicies)[number];

/** The image that a program was loaded from. */
export interface ImageOrigin {
    /** as it was asked for */
    readonly url: string;
    readonly digest: string;
    readonly pullPolicy: PullPolicy;
    /** as it was when the program was loaded; absent in rows of earlier releases */
    readonly signature?: SignatureState;
}

/** In no log, argument list or error. */
export type RegistryAuth =
    | { readonly kind: "password"; readonly username: string; readonly password: string }
    /** the text of an auth.json */
    | { readonly kind: "auth-file"; readonly text: string };

export interface ImageRequest {
    readonly url: string;
    readonly pullPolicy: PullPolicy;
    readonly auth: RegistryAuth | undefined;
}

export interface ImageLayer {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly mediaType: string;
}

/** Whose certificates count; each is given either exactly or as a pattern of the whole text. */
export interface TrustedIdentity {
    readonly certificateIdentity: string | undefined;
    readonly certificateIdentityRegexp: RegExp | undefined;
    readonly certificateOidcIssuer: string | undefined;
    readonly certificateOidcIssuerRegexp: RegExp | undefined;
}

/** What the configuration says of images' signatures, beside the host's policy.json. */
export interface SigningRules {
    /** images without a signature that counts are taken too */
    readonly allowUnsigned: boolean;
    readonly verifyEnabled: boolean;
    /** empty: a certificate of anybody counts */
    readonly trustedIdentities: readonly TrustedIdentity[];
    /** files of public keys */
    readonly trustedKeys: readonly string[];
    /** file of a Sigstore trusted root; undefined: that of Sigstore's public instance */
    readonly trustedRoot: string | undefined;
}

/** What one call demands instead. */
export interface SignatureDemand {
    readonly identity?: TrustedIdentity | undefined;
    readonly allowUnsigned?: boolean | undefined;
}

/** simple: GPG's, that policy.json demands; cosign: a tag sha256-….sig; bundle: Sigstore's, as a referrer */
export type SignatureForm = "simple" | "cosign" | "bundle";

export interface SignatureState {
    /**
     * verified: by who is trusted; untrusted: there are signatures, and none counts; unsigned: there is none;
     * unchecked: nobody looked
     */
    readonly state: "verified" | "untrusted" | "unsigned" | "unchecked";
    /** one sentence: which rule, whose key, or what is wrong */
    readonly detail: string;
    /** of a verified one: the certificate's subject, or the key's file; else empty */
    readonly identity: string;
    /** who vouched for the certificate's subject */
    readonly issuer: string;
    readonly form: SignatureForm | undefined;
}

/** What is known of an image in the cache. */
export interface ImageFacts {
    readonly reference: string;
    /** of the manifest or index that the reference stood for */
    readonly digest: string;
    readonly mediaType: string;
    readonly manifestDigest: string;
    readonly architecture: string;
    readonly platforms: readonly string[];
    readonly labels: ReadonlyMap<string, string>;
    readonly programs: readonly { readonly name: string; readonly type: string }[];
    readonly maps: readonly { readonly name: string; readonly type: string }[];
    readonly layers: readonly ImageLayer[];
    readonly objectName: string;
    readonly objectSha256: string;
    readonly objectSizeBytes: number;
    /** RFC 3339 */
    readonly pulledAt: string;
    readonly usedAt: string;
    readonly signature: SignatureState;
    /** what decided over its signature has changed since */
    readonly policyChanged: boolean;
}

export interface PullProgress {
    readonly phase: "RESOLVING" | "PULLING" | "CHECKING";
    readonly bytes: number;
    /** 0: not known yet */
    readonly totalBytes: number;
    readonly layers: number;
    readonly totalLayers: number;
}

export interface PulledImage {
    readonly facts: ImageFacts;
    readonly object: Uint8Array;
    /** it was in the cache already */
    readonly cached: boolean;
}
