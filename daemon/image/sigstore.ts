// SPDX-License-Identifier: Apache-2.0
// Whether a signature is one of that digest, and whose: by a key that the configuration names, or by a certificate of
// Sigstore's kind, its log entry and timestamp checked against the trusted root. The one file that imports @sigstore/*;
// it is imported when there is a signature to check.
import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { type SignedEntity, type TrustMaterial, toSignedEntity, Verifier } from "@sigstore/verify";
import { BpfmanError } from "../model/error.ts";
import type { SigningRules, TrustedIdentity } from "../model/images.ts";
import { matches } from "./bounded-match.ts";
import type { BundleSignature, CosignSignature, FoundSignature } from "./find-signatures.ts";
import { digestOf, isTable, type Table } from "./manifest.ts";

export interface Signer {
    /** a certificate's subject, or a key's file */
    readonly identity: string;
    /** empty for a key */
    readonly issuer: string;
}

/** Why a signature does not count. */
export class NotTrusted extends Error {}

export interface Trust {
    readonly rules: SigningRules;
    /** asked for where a certificate is to be checked */
    readonly root: () => Promise<TrustMaterial>;
}

// each entry costs a signature check, and they are compared with each other
const maxEntries = 8;
const maxCertificates = 16;

/** Throws NotTrusted with the reason; other errors are not the signature's fault. */
export async function verifySignature(found: FoundSignature, digest: string, trust: Trust): Promise<Signer> {
    const { entity, keyed, checked } = asked(() => (found.form === "cosign" ? cosign(found) : bundle(found)));
    asked(() => checked(digest));
    if (keyed) return byKey(entity, trust.rules.trustedKeys);
    return byCertificate(entity, trust);
}

interface Opened {
    readonly entity: SignedEntity;
    /** signed by a key rather than by a certificate's */
    readonly keyed: boolean;
    /** throws where what is signed is not that digest */
    readonly checked: (digest: string) => void;
}

/** What a signature holds is anybody's text: whatever reading it ends in is a reason not to trust it. */
function asked<T>(read: () => T): T {
    try {
        return read();
    } catch (error) {
        if (error instanceof NotTrusted || error instanceof BpfmanError) throw error;
        throw new NotTrusted(reason(error), { cause: error });
    }
}

function reason(error: unknown): string {
    if (!(error instanceof Error)) return "it can't be read";
    const inner = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return `${error.message}${inner}`.replace(/\s+/g, " ").slice(0, 200);
}

function parse(text: string, what: string): Table {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        throw new NotTrusted(`its ${what} is no JSON`);
    }
    if (!isTable(value)) throw new NotTrusted(`its ${what} is no JSON object`);
    return value;
}

const table = (value: unknown): Table => (isTable(value) ? value : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const count = (value: unknown): string => (typeof value === "number" && Number.isSafeInteger(value) ? `${value}` : "0");

/** As a bundle, which is the one form that the library checks. */
function cosign(found: CosignSignature): Opened {
    const { payload, signature, certificate, logEntry, timestamp } = found;
    const log = logEntry === undefined ? undefined : parse(logEntry, "log entry");
    const json = {
        mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2",
        verificationMaterial: {
            ...(certificate === undefined
                ? { publicKey: { hint: "" } }
                : { x509CertificateChain: { certificates: [{ rawBytes: derOf(certificate) }] } }),
            tlogEntries: log === undefined || certificate === undefined ? [] : [entryOf(log)],
            ...(timestamp !== undefined && {
                timestampVerificationData: {
                    rfc3161Timestamps: [
                        { signedTimestamp: text(parse(timestamp, "timestamp")["SignedRFC3161Timestamp"]) },
                    ],
                },
            }),
        },
        messageSignature: {
            messageDigest: {
                algorithm: "SHA2_256",
                digest: Buffer.from(digestOf(payload).replace("sha256:", ""), "hex").toString("base64"),
            },
            signature,
        },
    };
    return {
        // a log's promise is enough where there is one; version 0.2 would demand a proof of inclusion
        entity: toSignedEntity(bundleFromJSON({ ...json, mediaType: json.mediaType.replace("0.2", "0.1") }), payload),
        keyed: certificate === undefined,
        checked: digest => {
            const critical = table(parse(payload.toString(), "payload")["critical"]);
            if (critical["type"] !== "cosign container image signature")
                throw new NotTrusted("what is signed is no image's signature");
            const signed = table(critical["image"])["docker-manifest-digest"];
            if (signed !== digest) throw new NotTrusted("it is of another digest");
        },
    };
}

/** As cosign keeps it: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#properties */
function entryOf(log: Table): object {
    const { body, integratedTime, logIndex, logID } = table(log["Payload"]);
    const { kind, apiVersion } = parse(Buffer.from(text(body), "base64").toString(), "log entry");
    return {
        logIndex: count(logIndex),
        logId: { keyId: Buffer.from(text(logID), "hex").toString("base64") },
        kindVersion: { kind: text(kind), version: text(apiVersion) },
        integratedTime: count(integratedTime),
        inclusionPromise: { signedEntryTimestamp: text(log["SignedEntryTimestamp"]) },
        canonicalizedBody: text(body),
    };
}

function derOf(pem: string): string {
    const found = /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(pem)?.[1];
    if (found === undefined) throw new NotTrusted("its certificate can't be read");
    return found.replace(/\s+/g, "");
}

const inToto = "application/vnd.in-toto+json";
const signStatement = "https://sigstore.dev/cosign/sign/v1";

function bundle({ json }: BundleSignature): Opened {
    const value = parse(json.toString(), "bundle");
    const material = table(value["verificationMaterial"]);
    const lists = [
        material["tlogEntries"],
        table(material["timestampVerificationData"])["rfc3161Timestamps"],
        table(value["dsseEnvelope"])["signatures"],
    ];
    if (lists.some(entries => Array.isArray(entries) && entries.length > maxEntries))
        throw new NotTrusted(`it has more than ${maxEntries} log entries, timestamps or signatures`);
    const chain = table(material["x509CertificateChain"])["certificates"];
    if (Array.isArray(chain) && chain.length > maxCertificates)
        throw new NotTrusted(`it has more than ${maxCertificates} certificates`);
    const parsed = bundleFromJSON(value);
    const { content } = parsed;
    if (content.$case !== "dsseEnvelope") throw new NotTrusted("its bundle holds no statement");
    const { payload, payloadType, signatures } = content.dsseEnvelope;
    if (payloadType !== inToto || signatures.length !== 1) throw new NotTrusted("its bundle holds no statement");
    return {
        entity: toSignedEntity(parsed),
        keyed: parsed.verificationMaterial.content.$case === "publicKey",
        checked: digest => {
            const statement = parse(Buffer.from(payload).toString(), "statement");
            if (statement["predicateType"] !== signStatement)
                throw new NotTrusted("what is signed is no image's signature");
            const { subject } = statement;
            const named = Array.isArray(subject)
                ? subject.some(one => `sha256:${text(table(table(one)["digest"])["sha256"])}` === digest)
                : false;
            if (!named) throw new NotTrusted("it is of another digest");
        },
    };
}

/** The key is enough: neither a log nor a time is asked for, as for policy.json's keys. */
function byKey(entity: SignedEntity, files: readonly string[]): Signer {
    if (files.length === 0) throw new NotTrusted("it is signed by a key, and signing.trusted_keys names none");
    for (const file of files) {
        const key = publicKey(file);
        if (asked(() => entity.signature.verifySignature(key))) return { identity: file, issuer: "" };
    }
    throw new NotTrusted("it is signed by none of signing.trusted_keys, or changed since");
}

function publicKey(file: string): KeyObject {
    try {
        return createPublicKey(readFileSync(file));
    } catch (error) {
        throw new BpfmanError("FAILED_PRECONDITION", `signing.trusted_keys: ${file} is no public key in PEM`, {
            cause: error,
        });
    }
}

async function byCertificate(entity: SignedEntity, { rules, root }: Trust): Promise<Signer> {
    const material = await root();
    const signer = asked(() => new Verifier(material).verify(entity));
    const identity = signer.identity?.subjectAlternativeName ?? "";
    const issuer = signer.identity?.extensions?.issuer ?? "";
    const { trustedIdentities } = rules;
    if (trustedIdentities.length > 0 && !trustedIdentities.some(one => isTrusted(one, identity, issuer)))
        throw new NotTrusted(`it is signed by ${identity} (${issuer}), whom signing.trusted_identities does not name`);
    return { identity, issuer };
}

function isTrusted(trusted: TrustedIdentity, identity: string, issuer: string): boolean {
    const fits = (exact: string | undefined, pattern: RegExp | undefined, given: string) => {
        if (given === "" || exact !== undefined || pattern === undefined) return given !== "" && exact === given;
        const does = matches(pattern, given);
        if (does === undefined) throw new NotTrusted(`a pattern takes too long to tell whether it fits ${given}`);
        return does;
    };
    return (
        fits(trusted.certificateIdentity, trusted.certificateIdentityRegexp, identity) &&
        fits(trusted.certificateOidcIssuer, trusted.certificateOidcIssuerRegexp, issuer)
    );
}
