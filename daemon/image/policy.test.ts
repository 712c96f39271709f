// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { policyVerdict } from "./policy.ts";
import { parseReference } from "./reference.ts";

const dir = mkdtempSync(join(tmpdir(), "policy-test-"));
after(() => rmSync(dir, { recursive: true }));
const paths = { policy: join(dir, "policy.json"), registriesDir: join(dir, "registries.d") };
const key = join(dir, "key.pub");
const accept = [{ type: "insecureAcceptAnything" }];
const reject = [{ type: "reject" }];
const signed = [{ type: "sigstoreSigned", keyPath: key }];

function verdict(image: string, policy: unknown) {
    writeFileSync(paths.policy, typeof policy === "string" ? policy : JSON.stringify(policy));
    return policyVerdict(parseReference(image), paths);
}

test("the most telling scope decides", () => {
    const docker = {
        "quay.io/a/b:v1": signed,
        "quay.io/a": accept,
        "quay.io": reject,
        "*.example.com": signed,
        "h:5000": accept,
    };
    const policy = { default: reject, transports: { docker } };
    for (const [image, state] of [
        ["quay.io/a/b:v1", "verified"],
        ["quay.io/a/b:v2", "unchecked"],
        ["quay.io/a/deep/er", "unchecked"],
        ["quay.io/ab/c", undefined],
        ["registry.example.com/x", "verified"],
        ["a.b.example.com:80/x", "verified"],
        ["example.com/x", undefined],
        ["h:5000/x", "unchecked"],
        ["elsewhere.io/x", undefined],
    ] as const)
        assert.equal(verdict(image, policy).signature?.state, state, image);
    assert.equal(
        verdict("elsewhere.io/x", { ...policy, transports: { docker: { "": accept } } }).signature?.state,
        "unchecked",
    );
    assert.equal(verdict("x.io/x", { default: [...accept, ...signed] }).signature?.state, "verified");
    assert.equal(verdict("x.io/x", {}).signature, undefined);
});

test("the state names the rule and the key, or who signed", () => {
    assert.match(
        verdict("x.io/x", { default: signed }).signature?.detail ?? "",
        new RegExp(`${key}.*default: sigstoreSigned`),
    );
    const fulcio = [{ type: "sigstoreSigned", fulcio: { oidcIssuer: "https://idp", subjectEmail: "me@x" } }];
    assert.match(verdict("x.io/x", { default: fulcio }).signature?.detail ?? "", /me@x \(https:\/\/idp\)/);
    assert.match(verdict("x.io/x", { default: accept }).signature?.detail ?? "", /no signature is demanded/);
});

test("a changed policy, key or place of signatures is another fingerprint", () => {
    const seen = new Set<string>();
    const changes: (() => void)[] = [
        () => {},
        () => writeFileSync(key, "one"),
        () => writeFileSync(key, "two"),
        () => mkdirSync(paths.registriesDir),
        () => writeFileSync(join(paths.registriesDir, "a.yaml"), "docker: {}"),
    ];
    for (const change of changes) {
        change();
        seen.add(verdict("x.io/x", { default: signed }).fingerprint);
    }
    seen.add(verdict("x.io/x", { default: accept }).fingerprint);
    // an empty folder is as good as none
    assert.equal(seen.size, changes.length);
    assert.equal(
        verdict("x.io/x", { default: signed }).fingerprint,
        verdict("y.io/y", { default: signed }).fingerprint,
    );
});

test("images of this host have scopes of their own", () => {
    const transports = { oci: { "/srv/images": accept, "/srv/images/a:v1": reject }, "docker-archive": { "": accept } };
    const policy = { default: reject, transports };
    for (const [image, state] of [
        ["oci:/srv/images/a", "unchecked"],
        ["oci:/srv/images/a:v1", undefined],
        ["oci:/srv/other", undefined],
        ["docker-archive:/x.tar", "unchecked"],
        ["containers-storage:x", undefined],
        ["quay.io/x/y", undefined],
    ] as const)
        assert.equal(verdict(image, policy).signature?.state, state, image);
});

test("a policy that is not there or can't be read is told", () => {
    assert.throws(() => verdict("x.io/x", "{"), { code: "FAILED_PRECONDITION", message: /no JSON/ });
    rmSync(paths.policy);
    assert.throws(() => policyVerdict(parseReference("x.io/x"), paths), { message: /no signature policy/ });
});
