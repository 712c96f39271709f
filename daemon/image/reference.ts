// SPDX-License-Identifier: Apache-2.0
// The name of an image, written in full: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST, or of one on this host:
// oci:PATH[:TAG], docker-archive:PATH[:NAME], containers-storage:NAME. Pure.
// Grammar: https://pkg.go.dev/github.com/distribution/reference, containers-transports(5)
import { BpfmanError } from "../model/error.ts";

export type Transport = "docker" | "oci" | "docker-archive" | "containers-storage";

export interface Reference {
    /** docker: a registry; the others are on this host */
    readonly transport: Transport;
    /** in full */
    readonly text: string;
    /** as skopeo takes it */
    readonly source: string;
    /** host, with its port where it has one; empty on this host */
    readonly registry: string;
    /** registry and path, without tag and digest; on this host the path of the file or folder */
    readonly repository: string;
    readonly tag: string | undefined;
    readonly digest: string | undefined;
}

const maxLength = 512;
// PATH_MAX of linux/limits.h
const maxPathLength = 4096;
const host = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
export const digestForm = /^sha256:[0-9a-f]{64}$/;

const namesRegistry = (first: string) => /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();

/** Without a registry: the host's registries.conf says whose it is. */
export function isShortName(given: string): boolean {
    const [first = "", ...more] = given.split("/");
    return (
        !/^(oci|docker-archive|containers-storage|docker):/.test(given) && (more.length === 0 || !namesRegistry(first))
    );
}

/** INVALID_ARGUMENT with the reason for what names no image. */
export function parseReference(given: string): Reference {
    const local = /^(oci|docker-archive|containers-storage):(.*)$/s.exec(given);
    if (local !== null) return localReference(local[1] as Exclude<Transport, "docker">, local[2] ?? "");
    const refuse = (why: string) =>
        new BpfmanError("INVALID_ARGUMENT", `${JSON.stringify(given.slice(0, maxLength))} names no image: ${why}`, {
            hint: "Write REGISTRY/REPOSITORY[:TAG], as quay.io/bpfman-bytecode/xdp_pass:latest.",
        });
    if (given.length > maxLength) throw refuse(`it is longer than ${maxLength} characters`);
    let rest = given.replace(/^docker:\/\//, "");
    const transport = /^([a-z][a-z-]*):(?=\/|\.|[a-z]+:)/.exec(rest)?.[1];
    if (transport !== undefined && rest.slice(transport.length + 1).startsWith("/"))
        throw refuse(`${transport}: is not read`);
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
    const named = more.length > 0 && namesRegistry(first);
    // what has no registry, and of which the host says nothing, is Docker Hub's, as for every tool that pulls
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
    return {
        transport: "docker",
        source: `docker://${text}`,
        ...{ text, registry, repository, tag: digest === undefined ? (tag ?? "latest") : undefined, digest },
    };
}

function localReference(transport: Exclude<Transport, "docker">, rest: string): Reference {
    if (transport === "containers-storage") {
        // a name in brackets would choose another store
        const { text, tag, digest } = parseReference(rest);
        const full = `${transport}:${text}`;
        return { transport, text: full, source: full, registry: "", repository: "", tag, digest };
    }
    const refuse = (why: string) =>
        new BpfmanError("INVALID_ARGUMENT", `${JSON.stringify(`${transport}:${rest}`.slice(0, maxLength))}: ${why}`, {
            hint: `Write ${transport}:PATH, or ${transport}:PATH:${transport === "oci" ? "TAG" : "NAME"}.`,
        });
    const [path = "", ...more] = rest.split(":");
    if (rest.length > maxPathLength) throw refuse(`it is longer than ${maxPathLength} characters`);
    if (!path.startsWith("/")) throw refuse("the path is not absolute");
    if (rest.includes("\0") || rest.includes(",")) throw refuse("no such path is read");
    const name = more.length === 0 ? undefined : more.join(":");
    if (name !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_./:@-]*$/.test(name)) throw refuse("its name can't be read");
    const text = `${transport}:${rest}`;
    return { transport, text, source: text, registry: "", repository: path, tag: name, digest: undefined };
}
