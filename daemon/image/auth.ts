// SPDX-License-Identifier: Apache-2.0
// Credentials as the text of an auth.json: the one form in which they leave this process, and only as a private file.
// Format: containers-auth.json(5)
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { BpfmanError } from "../model/error.ts";
import type { RegistryAuth } from "../model/images.ts";
import type { Reference } from "./reference.ts";

const maxBytes = 1 << 20;

type Auths = Record<string, unknown>;

/** For a pull of that image; without credentials of the caller's: those that root has on this host. */
export function authFileText(auth: RegistryAuth | undefined, reference: Reference): string {
    if (auth === undefined) return JSON.stringify({ auths: hostAuths() });
    if (auth.kind === "auth-file") {
        const auths = authsOf(auth.text);
        if (auths === undefined)
            throw new BpfmanError("INVALID_ARGUMENT", "the registry's credentials are no auth.json", {
                hint: "containers-auth.json(5) tells the format.",
            });
        return JSON.stringify({ auths });
    }
    const { username, password } = auth;
    // RFC 7617: the first colon ends the name
    if (username.includes(":")) throw new BpfmanError("INVALID_ARGUMENT", "a registry's user name holds no colon");
    const basic = Buffer.from(`${username}:${password}`).toString("base64");
    return JSON.stringify({ auths: { [reference.registry]: { auth: basic } } });
}

/** What must not be seen in any text: passwords, and the forms they are sent in. */
export function secretsOf(authFile: string): string[] {
    const auths = authsOf(authFile) ?? {};
    return Object.values(auths).flatMap(entry => {
        if (typeof entry !== "object" || entry === null) return [];
        const words = Object.values(entry).filter(value => typeof value === "string" && value !== "") as string[];
        const basic = "auth" in entry && typeof entry.auth === "string" ? entry.auth : "";
        const decoded = Buffer.from(basic, "base64").toString();
        return [...words, decoded.slice(decoded.indexOf(":") + 1)].filter(word => word.length >= 4);
    });
}

/** Helpers that the file names are programs to run, so they are left out. */
function authsOf(text: string): Auths | undefined {
    if (text.length > maxBytes) return undefined;
    try {
        const { auths = {} } = JSON.parse(text) as { auths?: unknown };
        return typeof auths === "object" && auths !== null && !Array.isArray(auths) ? (auths as Auths) : undefined;
    } catch {
        return undefined;
    }
}

/** In the order that containers-auth.json(5) gives; an entry of an earlier file wins. */
function hostAuths(): Auths {
    const home = userInfo().homedir;
    const { REGISTRY_AUTH_FILE: named, XDG_RUNTIME_DIR: runtimeDir } = process.env;
    const paths = [
        ...(named ? [named] : []),
        join(
            runtimeDir ?? `/run/containers/${process.getuid?.() ?? 0}`,
            runtimeDir ? "containers/auth.json" : "auth.json",
        ),
        join(home, ".config/containers/auth.json"),
        join(home, ".docker/config.json"),
    ];
    const merged: Auths = {};
    for (const path of paths) {
        let text: string;
        try {
            text = readFileSync(path, "utf8");
        } catch {
            continue;
        }
        for (const [registry, entry] of Object.entries(authsOf(text) ?? {})) merged[registry] ??= entry;
    }
    return merged;
}
