// SPDX-License-Identifier: Apache-2.0
// Runs skopeo, which knows the host's registries, mirrors, policies and certificates, as a child without rights: a user
// of its own, no new privileges, files no larger than an image may be, killed when this process ends.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { BpfmanError } from "../model/error.ts";

export interface SkopeoOptions {
    /** tests: a registries.conf, policy.json and registries.d of their own instead of the host's */
    readonly registriesConf?: string;
    readonly policy?: string;
    readonly registriesDir?: string;
    readonly certsDir?: string;
    readonly command?: string;
}

export interface Run {
    readonly args: readonly string[];
    /** the child's own: its home, and where it may write */
    readonly folder: string;
    readonly uid: number;
    /** which of the host's images it may read: none, files, those of the containers' store */
    readonly reads?: "nothing" | "files" | "store";
    /** without the host's signature policy: what is fetched are the signatures themselves */
    readonly anyPolicy?: boolean;
    /** largest file it may write */
    readonly maxFileBytes: number;
    readonly maxOutputBytes: number;
    readonly signal: AbortSignal;
    /** what must not be seen in an error */
    readonly secrets: readonly string[];
    /** the image, for errors */
    readonly subject: string;
}

// what systemd gives to services with DynamicUser=: nobody else's (https://systemd.io/UIDS-GIDS/)
const firstUid = 61_184;
const lastUid = 65_519;

export const freshUid = (): number => randomInt(firstUid, lastUid + 1);

const maxErrorBytes = 64 << 10;

// how to reach the network is the host's business too
const inherited = [
    ...["PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
    ...["SSL_CERT_FILE", "SSL_CERT_DIR", "CONTAINERS_STORAGE_CONF"],
];

/** Its standard output. Whatever goes wrong is a BpfmanError of one sentence. */
export async function skopeo(options: SkopeoOptions, run: Run): Promise<Buffer> {
    run.signal.throwIfAborted();
    const [command = "", ...args] = [
        ...confined(run),
        options.command ?? "skopeo",
        ...(options.registriesConf === undefined ? [] : ["--registries-conf", options.registriesConf]),
        ...(options.policy === undefined ? [] : ["--policy", options.policy]),
        ...(options.registriesDir === undefined ? [] : ["--registries.d", options.registriesDir]),
        ...(run.anyPolicy ? ["--insecure-policy"] : []),
        ...["--tmpdir", run.folder],
        ...run.args,
    ];
    const env: NodeJS.ProcessEnv = { LANG: "C", HOME: `${run.folder}/home`, XDG_RUNTIME_DIR: `${run.folder}/run` };
    for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
    // a group of its own: what it starts goes with it
    const child = spawn(command, args, { cwd: "/", env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let outputBytes = 0;
    let errorBytes = 0;
    let tooMuch = false;
    const kill = () => {
        try {
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        } catch {
            // it is gone
        }
    };
    child.stdout.on("data", (chunk: Buffer) => {
        outputBytes += chunk.length;
        if (outputBytes <= run.maxOutputBytes) output.push(chunk);
        else {
            tooMuch = true;
            kill();
        }
    });
    child.stderr.on("data", (chunk: Buffer) => {
        errorBytes += chunk.length;
        // the last words tell; the first 64 KiB hold them in all but hostile cases
        if (errorBytes <= maxErrorBytes) errors.push(chunk);
    });
    run.signal.addEventListener("abort", kill, { once: true });
    try {
        const code = await new Promise<number>((resolve, reject) => {
            child.on("error", reject);
            child.on("close", status => resolve(status ?? -1));
        });
        run.signal.throwIfAborted();
        if (tooMuch)
            throw new BpfmanError(
                "RESOURCE_EXHAUSTED",
                `the manifest of ${run.subject} has more than ${run.maxOutputBytes} bytes`,
            );
        if (code === 0) return Buffer.concat(output);
        throw failure(Buffer.concat(errors).toString(), run);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT")
            throw new BpfmanError("FAILED_PRECONDITION", `images can't be pulled: ${command} is not installed`, {
                hint: "Install the packages skopeo and util-linux.",
            });
        throw error;
    } finally {
        run.signal.removeEventListener("abort", kill);
        kill();
    }
}

function confined({ uid, maxFileBytes, reads = "nothing" }: Run): string[] {
    const limits = ["prlimit", `--fsize=${maxFileBytes}`, "--core=0"];
    if (process.getuid?.() !== 0) return limits;
    const bound = ["--no-new-privs", "--pdeathsig=KILL", ...limits];
    // the store has locks that only its owner may take
    if (reads === "store") return ["setpriv", ...bound];
    const identity = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    // what root named is read with root's eyes and nobody's hands
    const caps =
        reads === "files"
            ? ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
            : ["--inh-caps=-all"];
    return ["setpriv", ...identity, ...caps, ...bound];
}

// the words of github.com/containers/image and of registries' error codes, to our codes
const causes: readonly (readonly [RegExp, ConstructorParameters<typeof BpfmanError>[0], string?])[] = [
    [
        /unauthorized|authentication required|invalid username\/password|access to the resource is denied|\b403\b|\b401\b/i,
        "PERMISSION_DENIED",
        "Give credentials by --registry-auth, or log in with podman login or skopeo login.",
    ],
    [/is blocked in|registry .* is blocked/i, "FAILED_PRECONDITION", "The host's registries.conf blocks it."],
    [
        /Source image rejected|rejected by policy|signature/i,
        "FAILED_PRECONDITION",
        "The host's /etc/containers/policy.json decides which images are accepted.",
    ],
    [
        /manifest unknown|name unknown|not found|\b404\b|no such file|does not resolve to an image|no descriptor found/i,
        "NOT_FOUND",
    ],
    [/x509|certificate/i, "FAILED_PRECONDITION", "Put the registry's CA below /etc/containers/certs.d/REGISTRY/."],
    [
        /server gave HTTP response to HTTPS client/i,
        "FAILED_PRECONDITION",
        "A registry without TLS has to be named in registries.conf with insecure = true.",
    ],
    [/file too large/i, "RESOURCE_EXHAUSTED"],
    [/digest|does not match|unexpected EOF|size mismatch/i, "FAILED_PRECONDITION"],
];

function failure(text: string, { subject, secrets }: Run): BpfmanError {
    const said = lastWords(text, secrets);
    const [, code, hint] = causes.find(([pattern]) => pattern.test(said)) ?? [undefined, "UNAVAILABLE" as const];
    return new BpfmanError(code, `${subject} can't be pulled: ${said}`, { hint });
}

/** The message of the last fatal line, without what repeats the image's name, and without anything secret. */
function lastWords(text: string, secrets: readonly string[]): string {
    const fatal = text.split("\n").findLast(line => line.includes("level=fatal"));
    const quoted = /msg=("(?:[^"\\]|\\.)*")/.exec(fatal ?? "")?.[1];
    let words = quoted === undefined ? (text.trim().split("\n").at(0) ?? "") : unquoted(quoted);
    words = words
        .replace(
            /^(?:Error )?(?:parsing image name|determining manifest MIME type for|initializing source|reading manifest from source) "?docker:\/\/[^\s"]+"?: /i,
            "",
        )
        .replace(/^(?:Error )?(?:initializing source|retrieving manifest for image|parsing image name) [^ ]+: /i, "");
    for (const secret of secrets) words = words.replaceAll(secret, "…");
    // an address may carry a token in its query or a password before its host
    words = words.replace(/(https?:\/\/)[^\s/@"]*@/g, "$1").replace(/(https?:\/\/[^\s"?]+)\?[^\s"]*/g, "$1");
    return words === "" ? "skopeo ended without a word" : words.slice(0, 500);
}

function unquoted(text: string): string {
    try {
        return JSON.parse(text);
    } catch {
        // Go quotes some characters in a way that JSON does not know
        return text.slice(1, -1).replaceAll('\\"', '"');
    }
}
