// SPDX-License-Identifier: Apache-2.0
// The index of what refers to a digest, which newer registries keep themselves and skopeo does not ask for. One small
// answer, asked for as skopeo would ask: where registries.conf says, with the CA of certs.d, with the credentials of that
// registry. A registry that has no such thing, or answers anything else, has no referrers.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { limits } from "./manifest.ts";
import { type Endpoint, endpoints, readRegistries } from "./registries.ts";

export interface ReferrersQuestion {
    readonly repository: string;
    readonly digest: string;
    /** of an auth.json */
    readonly authText: string;
    readonly registriesConf: string | undefined;
    /** below it, a folder for each registry */
    readonly certsDir?: string | undefined;
    readonly signal: AbortSignal;
}

const timeoutMs = 10_000;
const artifactType = "application/vnd.dev.sigstore.bundle.v0.3+json";

export async function askReferrers(question: ReferrersQuestion): Promise<Buffer | undefined> {
    const { repository, registriesConf, signal } = question;
    const signals = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    for (const endpoint of endpoints({ repository }, await readRegistries(registriesConf)))
        try {
            const answer = await ask(endpoint, question, signals);
            if (answer !== undefined) return answer;
        } catch {
            // the pull itself tells what is wrong with a registry
            signal.throwIfAborted();
        }
    return undefined;
}

async function ask(endpoint: Endpoint, question: ReferrersQuestion, signal: AbortSignal): Promise<Buffer | undefined> {
    const [host = "", ...path] = endpoint.repository.split("/");
    // Docker Hub's registry has another name than its images
    const server = host === "docker.io" ? "registry-1.docker.io" : host;
    const target = `/v2/${path.join("/")}/referrers/${question.digest}?artifactType=${encodeURIComponent(artifactType)}`;
    const tls = tlsOptions(join(question.certsDir ?? "/etc/containers/certs.d", host), endpoint.insecure);
    const basic = credentials(question.authText, endpoint.repository);
    for (const scheme of endpoint.insecure ? ["https", "http"] : ["https"]) {
        const get = (url: string, authorization: string | undefined) => request(url, authorization, tls, signal);
        const url = `${scheme}://${server}${target}`;
        let answer: Answer;
        try {
            answer = await get(url, basic && `Basic ${basic}`);
        } catch (error) {
            if (scheme === "https" && endpoint.insecure) continue;
            throw error;
        }
        if (answer.status === 401) {
            const token = await bearer(answer.challenge, basic, scheme, get);
            if (token === undefined) return undefined;
            answer = await get(url, `Bearer ${token}`);
        }
        return answer.status === 200 && /image\.index/.test(answer.type) ? answer.body : undefined;
    }
    return undefined;
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
async function bearer(
    challenge: string,
    basic: string | undefined,
    scheme: string,
    get: (url: string, authorization: string | undefined) => Promise<Answer>,
): Promise<string | undefined> {
    if (!/^bearer /i.test(challenge)) return undefined;
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
    const realm = URL.parse(field("realm") ?? "");
    // credentials go in the clear only where the registry's own would
    if (realm === null || (realm.protocol !== "https:" && realm.protocol !== `${scheme}:`)) return undefined;
    for (const name of ["service", "scope"]) {
        const value = field(name);
        if (value !== undefined) realm.searchParams.set(name, value);
    }
    const answer = await get(realm.href, basic && `Basic ${basic}`);
    if (answer.status !== 200) return undefined;
    const { token, access_token: access } = JSON.parse(answer.body.toString());
    const found = token ?? access;
    return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
}

/** Of the longest key that names the repository or a part of it: base64 of USER:PASSWORD. */
function credentials(authText: string, repository: string): string | undefined {
    const { auths = {} } = JSON.parse(authText) as { auths?: Record<string, { auth?: unknown }> };
    const bare = (key: string) => key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
    const [found] = Object.entries(auths)
        .map(([key, entry]) => ({ key: bare(key).replace(/^index\.docker\.io/, "docker.io"), auth: entry?.auth }))
        .filter(({ key }) => key !== "" && (repository === key || repository.startsWith(`${key}/`)))
        .sort((a, b) => b.key.length - a.key.length);
    return typeof found?.auth === "string" && /^[A-Za-z0-9+/=]+$/.test(found.auth) ? found.auth : undefined;
}

/** containers-certs.d(5) */
function tlsOptions(folder: string, insecure: boolean): https.AgentOptions {
    let names: string[] = [];
    try {
        names = readdirSync(folder).sort();
    } catch {
        // most registries have certificates that everybody knows
    }
    const read = (ending: string) =>
        names.filter(name => name.endsWith(ending)).map(name => readFileSync(join(folder, name)));
    const [ca, cert, key] = [read(".crt"), read(".cert"), read(".key")];
    return {
        ...(ca.length > 0 && { ca }),
        ...(cert.length > 0 && key.length > 0 && { cert, key }),
        rejectUnauthorized: !insecure,
    };
}

interface Answer {
    readonly status: number;
    readonly type: string;
    readonly challenge: string;
    readonly body: Buffer;
}

/** One answer, no redirect followed. */
function request(
    url: string,
    authorization: string | undefined,
    tls: https.AgentOptions,
    signal: AbortSignal,
): Promise<Answer> {
    const secure = url.startsWith("https:");
    // a proxy is the host's business, as for skopeo
    const agent = secure
        ? new https.Agent({ ...tls, proxyEnv: process.env })
        : new http.Agent({ proxyEnv: process.env });
    return new Promise((resolve, reject) => {
        const headers = {
            accept: "application/vnd.oci.image.index.v1+json, application/json",
            "user-agent": "bpfman",
            ...(authorization && { authorization }),
        };
        const asked = (secure ? https : http).get(
            url,
            { headers, agent, signal, maxHeaderSize: 16 << 10 },
            response => {
                const chunks: Buffer[] = [];
                let bytes = 0;
                response.on("data", (chunk: Buffer) => {
                    bytes += chunk.length;
                    if (bytes > limits.manifestBytes) response.destroy(new Error("too much"));
                    else chunks.push(chunk);
                });
                response.on("error", reject);
                response.on("end", () =>
                    resolve({
                        status: response.statusCode ?? 0,
                        type: String(response.headers["content-type"] ?? ""),
                        challenge: String(response.headers["www-authenticate"] ?? ""),
                        body: Buffer.concat(chunks),
                    }),
                );
            },
        );
        asked.on("error", reject);
    }).finally(() => agent.destroy()) as Promise<Answer>;
}
