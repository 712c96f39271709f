// SPDX-License-Identifier: Apache-2.0
// What certificates and log entries are checked against: the file that the configuration names, or the root of
// Sigstore's public instance, which The Update Framework brings and keeps below the cache: the network is asked when
// what is kept has expired, and not at all for images that nobody signed by a certificate.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { getTrustedRoot } from "@sigstore/tuf";
import { type TrustMaterial, toTrustMaterial } from "@sigstore/verify";
import { BpfmanError } from "../model/error.ts";

const maxBytes = 1 << 20;
const timeoutMs = 5000;

// keys are not the root's business: signing.trusted_keys are
const noKey = () => {
    throw new Error("signed by a key");
};

export async function trustMaterial(file: string | undefined, cacheDir: string): Promise<TrustMaterial> {
    return toTrustMaterial(file === undefined ? await publicRoot(cacheDir) : rootOf(file), noKey);
}

function rootOf(file: string): TrustedRoot {
    try {
        if (fs.statSync(file).size > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
        const root = TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(file, "utf8")));
        if (root.certificateAuthorities.length === 0) throw new Error("no certificate authority");
        return root;
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new BpfmanError("FAILED_PRECONDITION", `signing.trusted_root: ${file} is no trusted root: ${why}`, {
            cause: error,
        });
    }
}

async function publicRoot(cacheDir: string): Promise<TrustedRoot> {
    const cachePath = path.join(cacheDir, "tuf");
    let restore = () => {};
    try {
        fs.mkdirSync(cachePath, { recursive: true, mode: 0o700 });
        // how to reach the network is the host's business, as for skopeo
        restore = http.setGlobalProxyFromEnv();
        return await getTrustedRoot({ cachePath, forceCache: true, timeout: timeoutMs, retry: { retries: 1 } });
    } catch (error) {
        throw new BpfmanError("UNAVAILABLE", "Sigstore's root can't be fetched", {
            cause: error,
            hint: "Let this host reach https://tuf-repo-cdn.sigstore.dev, or name a file by signing.trusted_root.",
        });
    } finally {
        restore();
    }
}
