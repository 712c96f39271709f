// SPDX-License-Identifier: Apache-2.0
// --image-url, --pull-policy and --registry-auth, and the caller's own auth.json, as the daemon takes them.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { ImageSourceJson, RegistryAuthJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, type Option, UsageError } from "../args.ts";

export const pullPolicies = ["Always", "IfNotPresent", "Never"];

export const pullPolicy: Option = {
    name: "pull-policy",
    short: "p",
    value: pullPolicies.join("|"),
    choices: pullPolicies,
    help: "when to ask the registry (default IfNotPresent)",
};

export const registryAuth: Option = {
    name: "registry-auth",
    short: "r",
    value: "BASE64",
    env: "BPFMAN_REGISTRY_AUTH",
    help: "USER:PASSWORD in base64 (default: what auth.json holds)",
};

export function imageSource(args: Args, url: string): ImageSourceJson {
    const auth = registryAuthOf(args.value("registry-auth"));
    return whole({ url, pullPolicy: args.value("pull-policy") ?? "IfNotPresent", ...(auth && { auth }) });
}

/** With what the caller's own auth.json holds, where no credentials are given; folder: where relative paths count from. */
export function whole(source: ImageSourceJson, folder = "."): ImageSourceJson {
    const url = absoluteImage(source.url ?? "", folder);
    const auth = source.auth ?? ownAuth(url);
    return { ...source, url, ...(auth && { auth }) };
}

/** The daemon stands in another folder. */
export function absoluteImage(given: string, folder = "."): string {
    const [, transport, path, rest = ""] = /^(oci|docker-archive):([^:]+)(:.*)?$/s.exec(given) ?? [];
    return transport === undefined || path === undefined ? given : `${transport}:${resolve(folder, path)}${rest}`;
}

/** As an auth.json has it. */
export function basicAuth(given: string | undefined): string | undefined {
    const auth = registryAuthOf(given);
    return auth && Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
}

function registryAuthOf(given: string | undefined): RegistryAuthJson | undefined {
    if (given === undefined) return undefined;
    const text = Buffer.from(given, "base64").toString();
    const colon = text.indexOf(":");
    // nothing of it is repeated: it is a secret even when it is wrong
    if (colon < 1 || !/^[A-Za-z0-9+/]+=*$/.test(given))
        throw new UsageError("--registry-auth is not USER:PASSWORD in base64");
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** What podman, skopeo or docker kept for the caller: the entries of that image's registry, no others. */
function ownAuth(url: string): RegistryAuthJson | undefined {
    const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, DOCKER_CONFIG } = process.env;
    const home = homedir();
    const candidates = [
        REGISTRY_AUTH_FILE,
        XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, "containers/auth.json"),
        join(home, ".config/containers/auth.json"),
        DOCKER_CONFIG ? join(DOCKER_CONFIG, "config.json") : join(home, ".docker/config.json"),
    ];
    for (const file of candidates) {
        const auths = file ? authsIn(file) : undefined;
        const wanted = Object.entries(auths ?? {}).filter(([key]) => isFor(key, url));
        if (wanted.length > 0) return { authFile: JSON.stringify({ auths: Object.fromEntries(wanted) }) };
    }
    return undefined;
}

function authsIn(file: string): Record<string, unknown> | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")).auths;
    } catch {
        return undefined;
    }
}

/** Keys are a registry or a part of a repository's path; Docker's own is an address. */
function isFor(key: string, url: string): boolean {
    if (/^(oci|docker-archive|containers-storage):/.test(url)) return false;
    const [first = "", ...rest] = url.replace(/^docker:\/\//, "").split("/");
    const named = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
    const registry = named ? first : "docker.io";
    const host = key.replace(/^https?:\/\//, "").split("/")[0];
    return host === registry || (registry === "docker.io" && host === "index.docker.io");
}
