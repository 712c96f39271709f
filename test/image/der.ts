// SPDX-License-Identifier: Apache-2.0
// As much of DER and X.509 as a test's own certificate authority needs. https://www.rfc-editor.org/rfc/rfc5280
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
    const body = Buffer.concat(content);
    if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
    const length = Buffer.from(body.length.toString(16).padStart(body.length < 0x100 ? 2 : 4, "0"), "hex");
    return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...content: readonly Uint8Array[]) => der(0x30, ...content);
export const octets = (bytes: Uint8Array) => der(0x04, bytes);
const bits = (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes);
export const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const time = (date: Date) =>
    der(
        0x17,
        Buffer.from(
            date
                .toISOString()
                .slice(2)
                .replace(/[-:T]|\.\d+/g, ""),
        ),
    );
const name = (text: string) => sequence(der(0x31, sequence(oid("2.5.4.3"), utf8(text))));

export function oid(dotted: string): Buffer {
    const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
    const bytes = [first * 40 + second];
    for (const part of rest) {
        const groups = [part & 0x7f];
        for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
        bytes.push(...groups);
    }
    return der(0x06, Buffer.from(bytes));
}

export interface Extension {
    readonly oid: string;
    readonly critical?: boolean;
    readonly value: Uint8Array;
}

export const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
export const spki = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "der" });
export const signBytes = (bytes: Uint8Array, key: KeyObject) => sign("sha256", bytes, key);
export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

export interface CertificateFacts {
    readonly subject: string;
    readonly issuer: string;
    readonly key: KeyObject;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly extensions: readonly Extension[];
}

const ecdsaSha256 = sequence(oid("1.2.840.10045.4.3.2"));
let serial = 1;

export function tbsCertificate({ subject, issuer, key, notBefore, notAfter, extensions }: CertificateFacts): Buffer {
    const list = extensions.map(one =>
        sequence(oid(one.oid), ...(one.critical ? [der(0x01, Buffer.from([0xff]))] : []), octets(one.value)),
    );
    return sequence(
        der(0xa0, der(0x02, Buffer.from([2]))),
        der(0x02, Buffer.from([1, serial++ & 0x7f])),
        ecdsaSha256,
        name(issuer),
        sequence(time(notBefore), time(notAfter)),
        subject === "" ? sequence() : name(subject),
        spki(key),
        der(0xa3, sequence(...list)),
    );
}

export const signed = (tbs: Buffer, key: KeyObject) => sequence(tbs, ecdsaSha256, bits(signBytes(tbs, key)));

export const pem = (bytes: Uint8Array, label = "CERTIFICATE") =>
    `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString("base64").replace(/.{64}/g, "$&\n").trimEnd()}\n-----END ${label}-----\n`;

export const isAuthority: readonly Extension[] = [
    { oid: "2.5.29.19", critical: true, value: sequence(der(0x01, Buffer.from([0xff]))) },
    // keyCertSign, cRLSign
    { oid: "2.5.29.15", critical: true, value: der(0x03, Buffer.from([1, 0x06])) },
];

export const codeSigning: readonly Extension[] = [
    { oid: "2.5.29.15", critical: true, value: der(0x03, Buffer.from([7, 0x80])) },
    { oid: "2.5.29.37", value: sequence(oid("1.3.6.1.5.5.7.3.3")) },
];

/** Of a server at 127.0.0.1. */
export const loopbackName: Extension = { oid: "2.5.29.17", value: sequence(der(0x87, Buffer.from([127, 0, 0, 1]))) };

/** An e-mail address or a URI. */
export const alternativeName = (text: string): Extension => ({
    oid: "2.5.29.17",
    critical: true,
    value: sequence(der(text.includes("://") ? 0x86 : 0x81, Buffer.from(text))),
});

/** Of a server at 127.0.0.1, by an authority of its own. */
export function serverCertificate() {
    const authorityKey = newKey();
    const serverKey = newKey();
    const common = {
        issuer: "test ca",
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + 3_600_000),
    };
    const authority = signed(
        tbsCertificate({ ...common, subject: "test ca", key: authorityKey, extensions: isAuthority }),
        authorityKey,
    );
    const certificate = signed(
        tbsCertificate({ ...common, subject: "server", key: serverKey, extensions: [loopbackName] }),
        authorityKey,
    );
    return {
        certificate: Buffer.from(pem(certificate)),
        privateKey: serverKey.export({ type: "pkcs8", format: "pem" }).toString(),
        authority: pem(authority),
    };
}
