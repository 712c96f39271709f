// SPDX-License-Identifier: Apache-2.0
// What the host's signature policy says of an image. skopeo enforces it; here is read which rule that is, to tell it to
// people, and a fingerprint of all that decides, so that what the cache holds is checked again when it changes.
// Format: containers-policy.json(5), containers-registries.d(5)
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BpfmanError } from "../model/error.ts";
import type { SignatureState } from "../model/images.ts";
import type { Reference } from "./reference.ts";
import { unchecked } from "./signing.ts";

export const hostPolicy = { policy: "/etc/containers/policy.json", registriesDir: "/etc/containers/registries.d" };

type Requirement = Readonly<Record<string, unknown>>;

export interface PolicyVerdict {
    /** undefined: the policy refuses the image, whoever signed it */
    readonly signature: SignatureState | undefined;
    readonly fingerprint: string;
}

export function policyVerdict(reference: Reference, paths: { policy: string; registriesDir: string }): PolicyVerdict {
    const text = readText(paths.policy);
    if (text === undefined)
        throw new BpfmanError("FAILED_PRECONDITION", `no signature policy ${paths.policy}`, {
            hint: "The package containers-common brings one; containers-policy.json(5) tells the format.",
        });
    let policy: { default?: unknown; transports?: Record<string, Record<string, unknown>> };
    try {
        policy = JSON.parse(text);
    } catch {
        throw new BpfmanError("FAILED_PRECONDITION", `the signature policy ${paths.policy} is no JSON`);
    }
    const { scope, requirements } = ruleFor(reference, policy);
    return {
        signature: state(requirements, `${paths.policy}, ${scope}`),
        fingerprint: fingerprint(text, requirements, paths.registriesDir),
    };
}

function ruleFor(
    { text, repository, registry, transport }: Reference,
    policy: { default?: unknown; transports?: Record<string, Record<string, unknown>> },
): { scope: string; requirements: readonly Requirement[] } {
    const rules = policy.transports?.[transport] ?? {};
    // a local image is named by its path and, within an oci folder, its tag
    const scopes = [transport === "docker" ? text : text.slice(transport.length + 1)];
    for (let path = repository; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf("/"))))
        scopes.push(path);
    const host = registry.replace(/:\d+$/, "");
    for (let at = host.indexOf("."); at >= 0; at = host.indexOf(".", at + 1)) scopes.push(`*${host.slice(at)}`);
    scopes.push("");
    const scope = scopes.find(one => Object.hasOwn(rules, one));
    const found = scope === undefined ? policy.default : rules[scope];
    return {
        scope: scope === undefined ? "default" : `${transport} ${scope === "" ? "(all)" : scope}`,
        requirements: Array.isArray(found) ? found : [],
    };
}

/** All requirements must hold, so one that wants a signature is enough to have it. */
function state(requirements: readonly Requirement[], where: string): SignatureState | undefined {
    if (requirements.length === 0 || requirements.some(({ type }) => type === "reject")) return undefined;
    const signed = requirements.find(({ type }) => type === "signedBy" || type === "sigstoreSigned");
    if (signed === undefined) return unchecked(`no signature is demanded (${where}: insecureAcceptAnything)`);
    const { identity, issuer } = signer(signed);
    const by = issuer === "" ? identity : `${identity} (${issuer})`;
    return {
        state: "verified",
        detail: `signed by ${by || "the key in the policy"} (${where}: ${String(signed["type"])})`,
        identity,
        issuer,
        form: signed["type"] === "signedBy" ? "simple" : "cosign",
    };
}

function signer(requirement: Requirement): { identity: string; issuer: string } {
    const fulcio = requirement["fulcio"] as Requirement | undefined;
    if (fulcio !== undefined)
        return { identity: String(fulcio["subjectEmail"] ?? ""), issuer: String(fulcio["oidcIssuer"] ?? "") };
    return { identity: keyPaths(requirement).join(", "), issuer: "" };
}

function keyPaths(requirement: Requirement): string[] {
    return ["keyPath", "keyPaths"].flatMap(key => requirement[key] ?? []).filter(path => typeof path === "string");
}

/** Of the policy, the keys that its rule names, and where signatures are looked for. */
function fingerprint(policy: string, requirements: readonly Requirement[], registriesDir: string): string {
    const hash = createHash("sha256").update(policy);
    for (const path of JSON.stringify(requirements).matchAll(/"(\/[^"\\]+)"/g))
        hash.update(`\0${path[1] ?? ""}\0${readText(path[1] ?? "") ?? ""}`);
    let names: string[] = [];
    try {
        names = readdirSync(registriesDir).sort();
    } catch {
        // most hosts of today have one; none is as good as an empty one
    }
    for (const name of names.filter(one => one.endsWith(".yaml")))
        hash.update(`\0${name}\0${readText(join(registriesDir, name)) ?? ""}`);
    return hash.digest("hex");
}

function readText(path: string): string | undefined {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return undefined;
    }
}
