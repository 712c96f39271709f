// SPDX-License-Identifier: Apache-2.0
// Whether an image is signed, and by whom: every signature that its registry holds is tried until one counts.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { BpfmanError } from "../model/error.ts";
import type { SignatureForm, SignatureState, SigningRules } from "../model/images.ts";
import type { Child } from "./child.ts";
import { findSignatures } from "./find-signatures.ts";
import type { Resolved } from "./pull.ts";
import type { Trust } from "./sigstore.ts";

/** As the configuration is where it says nothing. */
export const defaultRules: SigningRules = {
    allowUnsigned: true,
    verifyEnabled: true,
    trustedIdentities: [],
    trustedKeys: [],
    trustedRoot: undefined,
};

const state = (word: SignatureState["state"], detail: string): SignatureState => ({
    state: word,
    detail,
    identity: "",
    issuer: "",
    form: undefined,
});

export const unchecked = (detail: string): SignatureState => state("unchecked", detail);

export const unsigned = (detail: string): SignatureState => state("unsigned", detail);

const formWords: Readonly<Record<SignatureForm, string>> = {
    simple: "simple signing",
    cosign: "cosign",
    bundle: "Sigstore bundle",
};

/** Never rejects for what a signature or a registry of signatures is, but for what the child's signal ends with. */
export async function lookForSignature(
    child: Child,
    { repository, digest, manifestDigest }: Resolved,
    rules: SigningRules,
    cacheDir: string,
): Promise<SignatureState> {
    const reasons: string[] = [];
    // asked for once, however many signatures there are: it may come from the network, or not come
    let material: ReturnType<Trust["root"]> | undefined;
    // a signature of the index vouches for what it names; some sign each image of it instead
    for (const signed of new Set([digest, manifestDigest]))
        try {
            for await (const found of findSignatures(child, repository, signed)) {
                child.signal.throwIfAborted();
                // what checks them is large, and few hosts ever need it
                const [{ NotTrusted, verifySignature }, { trustMaterial }] = await Promise.all([
                    import("./sigstore.ts"),
                    import("./trust-root.ts"),
                ]);
                try {
                    const root = () => (material ??= trustMaterial(rules.trustedRoot, cacheDir));
                    const { identity, issuer } = await verifySignature(found, signed, { rules, root });
                    const by = issuer === "" ? identity : `${identity} (${issuer})`;
                    const detail = `signed by ${by} (${formWords[found.form]})`;
                    return { state: "verified", detail, identity, issuer, form: found.form };
                } catch (error) {
                    if (!(error instanceof NotTrusted || error instanceof BpfmanError)) throw error;
                    reasons.push(error.message);
                }
            }
        } catch (error) {
            child.signal.throwIfAborted();
            if (!(error instanceof BpfmanError)) throw error;
            reasons.push(error.message);
        }
    const [first, ...more] = [...new Set(reasons)];
    if (first === undefined) return unsigned("its registry has no signature of it");
    const others = more.length === 0 ? "" : `, and ${more.length} more`;
    return state("untrusted", `no signature of it counts: ${first}${others}`);
}

/** Of all that decides here, so that what the cache holds is checked again when it changes. */
export function rulesFingerprint(rules: SigningRules): string {
    const hash = createHash("sha256");
    const { trustedIdentities, trustedKeys, trustedRoot } = rules;
    const identities = trustedIdentities.map(one => [
        one.certificateIdentity,
        one.certificateIdentityRegexp?.source,
        one.certificateOidcIssuer,
        one.certificateOidcIssuerRegexp?.source,
    ]);
    hash.update(JSON.stringify([rules.verifyEnabled, rules.allowUnsigned, identities]));
    for (const file of [...trustedKeys, ...(trustedRoot === undefined ? [] : [trustedRoot])]) {
        let bytes: string | undefined;
        try {
            bytes = readFileSync(file, "utf8");
        } catch {
            // told when a signature needs it
        }
        hash.update(JSON.stringify([file, bytes]));
    }
    return hash.digest("hex");
}
