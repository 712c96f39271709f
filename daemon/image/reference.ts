// SPDX-License-Identifier: Apache-2.0
// The name of an image, written in full: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST. Pure.
// Grammar: https://pkg.go.dev/github.com/distribution/reference
import { BpfmanError } from "../model.ts";

export interface Reference {
    /** in full */
    readonly text: string;
    /** host, with its port where it has one */
    readonly registry: string;
    /** registry and path, without tag and digest */
    readonly repository: string;
    readonly tag: string | undefined;
    readonly digest: string | undefined;
}

const maxLength = 512;
const host = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
export const digestForm = /^sha256:[0-9a-f]{64}$/;

/** INVALID_ARGUMENT with the reason for what names no image of a registry. */
export function parseReference(given: string): Reference {
    const refuse = (why: string) =>
        new BpfmanError("INVALID_ARGUMENT", `${JSON.stringify(given.slice(0, maxLength))} names no image: ${why}`, {
            hint: "Write REGISTRY/REPOSITORY[:TAG], as quay.io/bpfman-bytecode/xdp_pass:latest.",
        });
    if (given.length > maxLength) throw refuse(`it is longer than ${maxLength} characters`);
    let rest = given.replace(/^docker:\/\//, "");
    const transport = /^([a-z][a-z-]*):(?=\/|\.|[a-z]+:)/.exec(rest)?.[1];
    if (transport !== undefined && rest.slice(transport.length + 1).startsWith("/"))
        throw refuse(`${transport}: is no registry; images are pulled from registries`);
    const at = rest.indexOf("@");
    const digest = at < 0 ? undefined : rest.slice(at + 1);
    if (digest !== undefined && !digestForm.test(digest)) throw refuse("its digest is not sha256: and 64 hex digits");
    if (at >= 0) rest = rest.slice(0, at);
    const colon = rest.lastIndexOf(":");
    const tag = colon > rest.lastIndexOf("/") ? rest.slice(colon + 1) : undefined;
    if (tag !== undefined) {
        if (!tagForm.test(tag)) throw refuse("its tag is not of letters, digits, _, . and -");
        rest = rest.slice(0, colon);
    }
    const [first = "", ...more] = rest.split("/");
    const named = more.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
    // what has no registry is Docker Hub's, as for every tool that pulls
    const registry = named ? first : "docker.io";
    const path = named ? more : [first, ...more];
    if (registry === "docker.io" && path.length === 1) path.unshift("library");
    if (!host.test(registry)) throw refuse(`${JSON.stringify(registry)} is no registry`);
    const wrong = path.find(part => !component.test(part));
    if (wrong !== undefined)
        throw refuse(wrong === "" ? "a part of its path is empty" : `${JSON.stringify(wrong)} can't be in its path`);
    const repository = [registry, ...path].join("/");
    // a digest says it all; the transport takes no tag beside it
    const text = digest === undefined ? `${repository}:${tag ?? "latest"}` : `${repository}@${digest}`;
    return { text, registry, repository, tag: digest === undefined ? (tag ?? "latest") : undefined, digest };
}
