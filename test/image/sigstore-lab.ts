// SPDX-License-Identifier: Apache-2.0
// A Sigstore of the test's own, without a network: a certificate authority as Fulcio is one, a log of certificates, a
// log of signatures as Rekor is one; and signatures made with them, pushed to a registry in both of cosign's forms.
// Formats: RFC 6962, https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md,
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
import type { KeyObject } from "node:crypto";
import * as x509 from "./der.ts";
import { digestOf, ociConfig, ociIndex, ociManifest, type Registry } from "./registry.ts";

export interface SignerFacts {
    readonly identity: string;
    readonly issuer: string;
    readonly notAfter?: Date;
}

export interface Leaf {
    readonly certificate: Buffer;
    readonly key: KeyObject;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const number64 = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
};
const minute = 60_000;
const logName = "log.example.com";

export class SigstoreLab {
    readonly #authority = x509.newKey();
    readonly #certificateLog = x509.newKey();
    readonly #log = x509.newKey();
    readonly authority: Buffer;

    constructor() {
        const facts = {
            subject: "test authority",
            issuer: "test authority",
            key: this.#authority,
            notBefore: new Date(Date.now() - 60 * minute),
            notAfter: new Date(Date.now() + 24 * 60 * minute),
            extensions: x509.isAuthority,
        };
        this.authority = x509.signed(x509.tbsCertificate(facts), this.#authority);
    }

    /** What signing.trusted_root names. */
    trustedRoot(): string {
        const start = new Date(Date.now() - 60 * minute).toISOString();
        const log = (key: KeyObject, baseUrl: string) => ({
            baseUrl,
            hashAlgorithm: "SHA2_256",
            publicKey: {
                rawBytes: base64(x509.spki(key)),
                keyDetails: "PKIX_ECDSA_P256_SHA_256",
                validFor: { start },
            },
            logId: { keyId: base64(x509.sha256(x509.spki(key))) },
        });
        return JSON.stringify({
            mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            tlogs: [log(this.#log, `https://${logName}`)],
            certificateAuthorities: [
                {
                    subject: { organization: "test", commonName: "test authority" },
                    uri: "https://ca.example.com",
                    certChain: { certificates: [{ rawBytes: base64(this.authority) }] },
                    validFor: { start },
                },
            ],
            ctlogs: [log(this.#certificateLog, "https://ct.example.com")],
            timestampAuthorities: [],
        });
    }

    /** The log's key, as policy.json's rekorPublicKeyPath takes it. */
    logKey(): string {
        return x509.pem(x509.spki(this.#log), "PUBLIC KEY");
    }

    /** A certificate for ten minutes. */
    certify({ identity, issuer, notAfter = new Date(Date.now() + 10 * minute) }: SignerFacts): Leaf {
        const key = x509.newKey();
        const facts = {
            subject: "",
            issuer: "test authority",
            key,
            notBefore: new Date(Date.now() - 30 * minute),
            notAfter,
            extensions: [
                ...x509.codeSigning,
                x509.alternativeName(identity),
                { oid: "1.3.6.1.4.1.57264.1.1", value: Buffer.from(issuer) },
                { oid: "1.3.6.1.4.1.57264.1.8", value: x509.utf8(issuer) },
            ],
        };
        // the log signs what the certificate will be without the log's signature, of the same serial number
        const tbs = x509.tbsCertificate(facts);
        const certificate = x509.signed(this.#withLogged(tbs), this.#authority);
        return { certificate, key };
    }

    /** RFC 6962 §3.2 and §3.3: a precertificate's timestamp, put into its last extension. */
    #withLogged(tbs: Buffer): Buffer {
        const when = number64(Date.now());
        const issuerHash = x509.sha256(x509.spki(this.#authority));
        const length = Buffer.from([0, tbs.length >> 8, tbs.length & 0xff]);
        const covered = Buffer.concat([
            Buffer.from([0, 0]),
            when,
            ...[Buffer.from([0, 1]), issuerHash, length, tbs, Buffer.from([0, 0])],
        ]);
        const signature = x509.signBytes(covered, this.#certificateLog);
        const timestamp = Buffer.concat([
            Buffer.from([0]),
            ...[x509.sha256(x509.spki(this.#certificateLog)), when, Buffer.from([0, 0])],
            ...[Buffer.from([4, 3, 0, signature.length]), signature],
        ]);
        const size = (bytes: number) => Buffer.from([bytes >> 8, bytes & 0xff]);
        const list = Buffer.concat([size(timestamp.length + 2), size(timestamp.length), timestamp]);
        const extension = x509.der(0x30, x509.oid("1.3.6.1.4.1.11129.2.4.2"), x509.octets(x509.octets(list)));
        return addExtension(tbs, extension);
    }

    /** What the log says of an entry: its promise, and its place in a tree of one leaf. */
    logged(body: object) {
        const bytes = Buffer.from(JSON.stringify(body));
        const integratedTime = Math.floor(Date.now() / 1000);
        const keyId = x509.sha256(x509.spki(this.#log));
        const promise = { body: base64(bytes), integratedTime, logID: keyId.toString("hex"), logIndex: 0 };
        const leaf = x509.sha256(Buffer.concat([Buffer.from([0]), bytes]));
        const note = `${logName}\n1\n${base64(leaf)}\n`;
        const noted = Buffer.concat([keyId.subarray(0, 4), x509.signBytes(Buffer.from(note), this.#log)]);
        return {
            promise,
            signedEntryTimestamp: base64(x509.signBytes(Buffer.from(JSON.stringify(promise)), this.#log)),
            keyId: base64(keyId),
            rootHash: base64(leaf),
            checkpoint: `${note}\n— ${logName} ${base64(noted)}\n`,
        };
    }
}

/** Opens the certificate's outer sequence, its [3] and its list of extensions, and closes them anew. */
function addExtension(tbs: Buffer, extension: Buffer): Buffer {
    const content = (bytes: Buffer) => bytes.subarray((bytes[1] ?? 0) < 0x80 ? 2 : 2 + ((bytes[1] ?? 0) & 0x7f));
    const body = content(tbs);
    // the extensions are the last field
    let at = 0;
    let last = at;
    while (at < body.length) {
        last = at;
        const first = body[at + 1] ?? 0;
        const header = first < 0x80 ? 2 : 2 + (first & 0x7f);
        const length = first < 0x80 ? first : Number.parseInt(body.toString("hex", at + 2, at + header), 16);
        at += header + length;
    }
    const list = content(content(body.subarray(last)));
    return x509.der(0x30, body.subarray(0, last), x509.der(0xa3, x509.der(0x30, list, extension)));
}

// --- signatures ----------------------------------------------------------------------------------------------

export interface CosignLayer {
    readonly payload: Buffer;
    readonly annotations: Record<string, string>;
}

export const cosignPayload = (reference: string, digest: string) =>
    Buffer.from(
        JSON.stringify({
            critical: {
                identity: { "docker-reference": reference },
                image: { "docker-manifest-digest": digest },
                type: "cosign container image signature",
            },
            optional: null,
        }),
    );

export function keyedLayer(payload: Buffer, key: KeyObject): CosignLayer {
    return { payload, annotations: { "dev.cosignproject.cosign/signature": base64(x509.signBytes(payload, key)) } };
}

export function certifiedLayer(lab: SigstoreLab, payload: Buffer, { certificate, key }: Leaf): CosignLayer {
    const signature = base64(x509.signBytes(payload, key));
    const { promise, signedEntryTimestamp } = lab.logged({
        apiVersion: "0.0.1",
        kind: "hashedrekord",
        spec: {
            data: { hash: { algorithm: "sha256", value: x509.sha256(payload).toString("hex") } },
            signature: { content: signature, publicKey: { content: base64(Buffer.from(x509.pem(certificate))) } },
        },
    });
    return {
        payload,
        annotations: {
            "dev.cosignproject.cosign/signature": signature,
            "dev.sigstore.cosign/certificate": x509.pem(certificate),
            "dev.sigstore.cosign/chain": x509.pem(lab.authority),
            "dev.sigstore.cosign/bundle": JSON.stringify({
                SignedEntryTimestamp: signedEntryTimestamp,
                Payload: promise,
            }),
        },
    };
}

/** As the tag sha256-….sig. */
export async function pushCosign(
    registry: Registry,
    repository: string,
    digest: string,
    layers: readonly CosignLayer[],
): Promise<void> {
    const config = Buffer.from(
        JSON.stringify({
            architecture: "",
            os: "",
            config: {},
            rootfs: { type: "layers", diff_ids: layers.map(({ payload }) => digestOf(payload)) },
        }),
    );
    for (const payload of new Set(layers.map(layer => layer.payload))) await registry.blob(repository, payload);
    const described = layers.map(({ payload, annotations }) => ({
        mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
        digest: digestOf(payload),
        size: payload.length,
        annotations,
    }));
    const manifest = {
        schemaVersion: 2,
        mediaType: ociManifest,
        config: { mediaType: ociConfig, digest: await registry.blob(repository, config), size: config.length },
        layers: described,
    };
    await registry.manifest(repository, `${digest.replace(":", "-")}.sig`, manifest, ociManifest);
}

const payloadType = "application/vnd.in-toto+json";

export const signStatement = (digest: string, predicateType = "https://sigstore.dev/cosign/sign/v1") =>
    Buffer.from(
        JSON.stringify({
            _type: "https://in-toto.io/Statement/v1",
            subject: [{ digest: { sha256: digest.replace("sha256:", "") } }],
            predicateType,
            predicate: {},
        }),
    );

function envelope(statement: Buffer, key: KeyObject) {
    const covered = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} ${statement}`);
    return { payload: base64(statement), payloadType, signatures: [{ sig: base64(x509.signBytes(covered, key)) }] };
}

export const bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

export const keyedBundle = (statement: Buffer, key: KeyObject) => ({
    mediaType: bundleMediaType,
    verificationMaterial: { publicKey: { hint: base64(x509.sha256(x509.spki(key))) } },
    dsseEnvelope: envelope(statement, key),
});

export function certifiedBundle(lab: SigstoreLab, statement: Buffer, { certificate, key }: Leaf) {
    const dsseEnvelope = envelope(statement, key);
    const [signature] = dsseEnvelope.signatures;
    const { promise, signedEntryTimestamp, keyId, rootHash, checkpoint } = lab.logged({
        apiVersion: "0.0.1",
        kind: "dsse",
        spec: {
            envelopeHash: { algorithm: "sha256", value: digestOf(Buffer.from(JSON.stringify(dsseEnvelope))).slice(7) },
            payloadHash: { algorithm: "sha256", value: digestOf(statement).slice(7) },
            signatures: [{ signature: signature?.sig, verifier: base64(Buffer.from(x509.pem(certificate))) }],
        },
    });
    const entry = {
        logIndex: "0",
        logId: { keyId },
        kindVersion: { kind: "dsse", version: "0.0.1" },
        integratedTime: String(promise.integratedTime),
        inclusionPromise: { signedEntryTimestamp },
        inclusionProof: { logIndex: "0", rootHash, treeSize: "1", hashes: [], checkpoint: { envelope: checkpoint } },
        canonicalizedBody: promise.body,
    };
    return {
        mediaType: bundleMediaType,
        verificationMaterial: { certificate: { rawBytes: base64(certificate) }, tlogEntries: [entry] },
        dsseEnvelope,
    };
}

/** As what the index tagged sha256-… names, where it is tagged; answers the index. */
export async function pushBundles(
    registry: Registry,
    repository: string,
    digest: string,
    bundles: readonly (object | Buffer)[],
    { tagged = true } = {},
): Promise<object> {
    const empty = Buffer.from("{}");
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(empty), size: empty.length };
    await registry.blob(repository, empty);
    const manifests = [];
    for (const bundle of bundles) {
        const bytes = Buffer.isBuffer(bundle) ? bundle : Buffer.from(JSON.stringify(bundle));
        const manifest = Buffer.from(
            JSON.stringify({
                schemaVersion: 2,
                mediaType: ociManifest,
                artifactType: bundleMediaType,
                config,
                layers: [
                    { mediaType: bundleMediaType, digest: await registry.blob(repository, bytes), size: bytes.length },
                ],
            }),
        );
        const named = digestOf(manifest);
        await registry.manifest(repository, named, manifest, ociManifest);
        manifests.push({
            mediaType: ociManifest,
            digest: named,
            size: manifest.length,
            artifactType: bundleMediaType,
        });
    }
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests };
    if (tagged) await registry.manifest(repository, digest.replace(":", "-"), index, ociIndex);
    return index;
}
