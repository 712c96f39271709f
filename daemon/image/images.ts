// SPDX-License-Identifier: Apache-2.0
// Bytecode from OCI images: what is asked for comes from the cache or from a registry, as the pull policy says. One pull
// at a time for each image: whoever asks for the same one while it runs waits for it.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { BpfmanError } from "../model/error.ts";
import type {
    ImageFacts,
    ImageRequest,
    PulledImage,
    PullProgress,
    RegistryAuth,
    SignatureDemand,
    SignatureState,
    SigningRules,
} from "../model/images.ts";
import { type CachedImage, type CacheLimits, ImageCache } from "./cache.ts";
import { hostPolicy, type PolicyVerdict, policyVerdict } from "./policy.ts";
import { type PullLimits, type PullTask, pullImage } from "./pull.ts";
import { isShortName, parseReference, type Reference } from "./reference.ts";
import { defaultRules, lookForSignature, rulesFingerprint, unsigned } from "./signing.ts";
import type { SkopeoOptions } from "./skopeo.ts";

export interface ImagesOptions {
    readonly cacheDir: string;
    readonly log: (line: string) => void;
    /** throws a BpfmanError for what is no object */
    readonly checkObject: (object: Uint8Array) => void;
    readonly signing?: SigningRules;
    readonly skopeo?: SkopeoOptions;
    readonly limits?: PullLimits;
    readonly cacheLimits?: CacheLimits;
}

export interface GetOptions {
    readonly onProgress?: (progress: PullProgress) => void;
    readonly signal?: AbortSignal;
    /** the registry is asked, and what it has is not kept: another call demands something else */
    readonly demand?: SignatureDemand;
}

const maxPulls = 8;
const defaultLimits: PullLimits = { totalMs: 600_000, stallMs: 60_000 };

interface PullOptions {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: PullProgress) => void;
    readonly demand: SignatureDemand | undefined;
}

interface Running {
    readonly result: Promise<PulledImage>;
    readonly abort: AbortController;
    readonly listeners: Set<(progress: PullProgress) => void>;
    last: PullProgress | undefined;
    waiting: number;
}

export class Images {
    readonly #options: ImagesOptions;
    readonly #cache: ImageCache;
    readonly #running = new Map<string, Running>();
    #swept = false;

    constructor(options: ImagesOptions) {
        this.#options = options;
        this.#cache = new ImageCache(options.cacheDir, options.cacheLimits);
    }

    /** The object of an image, and what is known of it. */
    async get(request: ImageRequest, options: GetOptions = {}): Promise<PulledImage> {
        const reference = parseReference(await this.#inFull(request.url));
        const verdict = this.#verdict(reference);
        if (options.demand !== undefined) {
            if (request.pullPolicy === "Never")
                throw new BpfmanError(
                    "INVALID_ARGUMENT",
                    "who else may sign is asked of the registry, not of the cache",
                );
            return await this.#join(reference, request.auth, verdict, options);
        }
        // a file of this host may be another one now, and costs no network to look at
        const asks =
            reference.transport === "docker" ? request.pullPolicy === "Always" : request.pullPolicy !== "Never";
        const cached = asks ? undefined : this.#cached(reference, verdict);
        if (cached !== undefined) return cached;
        if (request.pullPolicy === "Never") throw this.#absent(reference);
        return await this.#join(reference, request.auth, verdict, options);
    }

    list(): ImageFacts[] {
        return this.#cache.list().map(image => this.#facts(image));
    }

    /** By reference or by digest. */
    async inspect(name: string): Promise<ImageFacts> {
        const [found] = await this.#find(name);
        if (found === undefined) throw notCached(name);
        return this.#facts(found);
    }

    async remove(
        names: readonly string[],
        options: { ignoreMissing: boolean },
    ): Promise<{ removed: string[]; freedBytes: number }> {
        const found: CachedImage[] = [];
        for (const name of names) {
            const images = await this.#find(name);
            if (images.length === 0 && !options.ignoreMissing) throw notCached(name);
            found.push(...images);
        }
        return this.#remove(found);
    }

    /** keep: digests whose images stay */
    prune(keep: ReadonlySet<string>): { removed: string[]; freedBytes: number } {
        return this.#remove(this.#cache.list().filter(({ facts }) => !keep.has(facts.digest)));
    }

    /** Ends what is being pulled. */
    async stop(): Promise<void> {
        const all = [...this.#running.values()];
        for (const { abort } of all) abort.abort();
        await Promise.allSettled(all.map(({ result }) => result));
    }

    #remove(images: readonly CachedImage[]): { removed: string[]; freedBytes: number } {
        const removed = [...new Set(images.map(({ facts }) => facts.reference))];
        return { removed, freedBytes: this.#cache.remove(removed) };
    }

    async #inFull(name: string): Promise<string> {
        if (!isShortName(name)) return name;
        const { fullName, readRegistries } = await import("./registries.ts");
        return fullName(name, await readRegistries(this.#options.skopeo?.registriesConf));
    }

    async #find(name: string): Promise<CachedImage[]> {
        if (/^sha256:[0-9a-f]{64}$/.test(name)) return this.#cache.list().filter(({ facts }) => facts.digest === name);
        const found = this.#cache.get(parseReference(await this.#inFull(name)).text);
        return found === undefined ? [] : [found];
    }

    /** From the cache, where what admitted it still holds. */
    #cached(reference: Reference, verdict: PolicyVerdict): PulledImage | undefined {
        if (this.#cache.get(reference.text)?.facts.policyFingerprint !== verdict.fingerprint) return undefined;
        const kept = this.#kept(reference);
        if (kept !== undefined) this.#cache.touch(reference.text);
        return kept;
    }

    /** What the cache has, whatever admitted it. */
    #kept(reference: Reference): PulledImage | undefined {
        const image = this.#cache.get(reference.text);
        const object = image && this.#cache.object(image.facts);
        return object && { facts: this.#facts(image), object, cached: true };
    }

    #absent(reference: Reference): BpfmanError {
        const image = this.#cache.get(reference.text);
        if (image === undefined || !this.#facts(image).policyChanged) return notCached(reference.text);
        const why = "the signature policy has changed since it was pulled, so it has to be checked again";
        return new BpfmanError("FAILED_PRECONDITION", `${reference.text}: ${why}`, {
            hint: "Pull it again, or load it with another pull policy than Never.",
        });
    }

    #facts({ facts, usedAt }: CachedImage): ImageFacts {
        const { policyFingerprint, ...kept } = facts;
        let policyChanged = true;
        try {
            policyChanged = this.#verdict(parseReference(facts.reference)).fingerprint !== policyFingerprint;
        } catch {
            // refused today
        }
        return { ...kept, usedAt, policyChanged };
    }

    /** What policy says, before anything is fetched; throws for what it refuses. */
    #verdict(reference: Reference): PolicyVerdict & { signature: SignatureState } {
        const { skopeo = {}, signing = defaultRules } = this.#options;
        const paths = {
            policy: skopeo.policy ?? hostPolicy.policy,
            registriesDir: skopeo.registriesDir ?? hostPolicy.registriesDir,
        };
        const { signature, fingerprint } = policyVerdict(reference, paths);
        if (signature === undefined)
            throw new BpfmanError("FAILED_PRECONDITION", `${reference.text} is refused by ${paths.policy}`);
        return { signature, fingerprint: `${fingerprint} ${rulesFingerprint(signing)}` };
    }

    /** What skopeo does not see to; throws where the image is not signed as it has to be. */
    #signatureOf(
        reference: Reference,
        verdict: SignatureState,
        demand: SignatureDemand | undefined,
    ): PullTask["signatureOf"] {
        const { cacheDir } = this.#options;
        const signing = demandedRules(this.#options.signing ?? defaultRules, demand);
        return async (child, resolved) => {
            const enough = verdict.state === "verified" && demand?.identity === undefined;
            if (enough || !signing.verifyEnabled) return verdict;
            const signature =
                reference.transport === "docker"
                    ? await lookForSignature(child, resolved, signing, cacheDir)
                    : unsigned("it has no registry that could hold a signature");
            if (signature.state !== "verified" && !signing.allowUnsigned)
                throw new BpfmanError(
                    "FAILED_PRECONDITION",
                    `${reference.text} is refused: ${demand?.allowUnsigned === false ? "a signature is demanded" : "signing.allow_unsigned is false"}, and ${signature.detail}`,
                    { hint: refusedHint },
                );
            return signature;
        };
    }

    async #join(
        reference: Reference,
        auth: RegistryAuth | undefined,
        verdict: PolicyVerdict,
        { onProgress, signal, demand }: GetOptions,
    ): Promise<PulledImage> {
        const rules = rulesFingerprint(demandedRules(this.#options.signing ?? defaultRules, demand));
        // who has other credentials must show them to the registry
        const key = `${reference.text}\0${verdict.fingerprint}\0${rules}\0${demand !== undefined}\0${createHash(
            "sha256",
        )
            .update(JSON.stringify(auth ?? ""))
            .digest("hex")}`;
        const running = this.#running.get(key) ?? this.#start(key, reference, auth, demand);
        running.waiting++;
        if (onProgress) {
            if (running.last) onProgress(running.last);
            running.listeners.add(onProgress);
        }
        const left = Promise.withResolvers<never>();
        const leave = () => left.reject(new BpfmanError("CANCELLED", `the pull of ${reference.text} was cancelled`));
        if (signal?.aborted) leave();
        signal?.addEventListener("abort", leave, { once: true });
        try {
            return await Promise.race([running.result, left.promise]);
        } finally {
            signal?.removeEventListener("abort", leave);
            if (onProgress) running.listeners.delete(onProgress);
            running.waiting--;
            // the last one who waited turns off the light
            if (running.waiting === 0) running.abort.abort();
        }
    }

    #start(
        key: string,
        reference: Reference,
        auth: RegistryAuth | undefined,
        demand: SignatureDemand | undefined,
    ): Running {
        if (this.#running.size >= maxPulls)
            throw new BpfmanError("RESOURCE_EXHAUSTED", `${maxPulls} images are being pulled already`);
        const abort = new AbortController();
        const listeners: Running["listeners"] = new Set();
        const started = performance.now();
        const onProgress = (progress: PullProgress) => {
            running.last = progress;
            for (const listener of listeners) listener(progress);
        };
        const result = this.#pull(reference, auth, { signal: abort.signal, onProgress, demand });
        const running: Running = { result, abort, listeners, last: undefined, waiting: 0 };
        this.#running.set(key, running);
        const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
        result
            .then(
                ({ facts }) => this.#options.log(`pulled ${reference.text}: ${facts.digest} in ${seconds()} s`),
                (error: unknown) => {
                    const why = error instanceof BpfmanError ? error.message : String(error);
                    this.#options.log(`pull of ${reference.text} failed after ${seconds()} s: ${why}`);
                },
            )
            .finally(() => this.#running.delete(key));
        return running;
    }

    async #pull(
        reference: Reference,
        auth: RegistryAuth | undefined,
        { signal, onProgress, demand }: PullOptions,
    ): Promise<PulledImage> {
        const { cacheDir, skopeo = {}, limits = defaultLimits, checkObject } = this.#options;
        // the first listener joins in the same turn; it is to see the first step
        await Promise.resolve();
        this.#sweep();
        const verdict = this.#verdict(reference);
        // whoever else may sign, its bytes are what they were
        const before = demand === undefined ? this.#cached(reference, verdict) : this.#kept(reference);
        const known = before?.facts.digest;
        const pulled = await pullImage({
            reference,
            auth,
            cacheDir,
            skopeo,
            limits,
            signal,
            onProgress,
            checkObject,
            known,
            signatureOf: this.#signatureOf(reference, verdict.signature, demand),
        });
        const { fingerprint } = this.#verdict(reference);
        if (fingerprint !== verdict.fingerprint)
            throw new BpfmanError("ABORTED", "the signature policy changed while the image was pulled", {
                hint: "Pull it again.",
            });
        const { signature, image = before } = pulled;
        if (image === undefined) throw new Error("unchanged, and nothing was there");
        if (image === before && isDeepStrictEqual(signature, before.facts.signature)) return before;
        const pulledAt = image === before ? before.facts.pulledAt : new Date().toISOString();
        if (demand !== undefined) {
            const told = { ...image.facts, pulledAt, usedAt: pulledAt, signature, policyChanged: false };
            return { facts: told, object: image.object, cached: image === before };
        }
        const facts = { ...image.facts, pulledAt, signature, policyFingerprint: fingerprint };
        const kept = this.#cache.put(facts, image.object);
        return { facts: this.#facts(kept), object: image.object, cached: image === before };
    }

    /** Folders of pulls whose process was killed. */
    #sweep(): void {
        const { cacheDir } = this.#options;
        fs.mkdirSync(cacheDir, { recursive: true, mode: 0o711 });
        if (this.#swept) return;
        this.#swept = true;
        for (const name of fs.readdirSync(cacheDir)) {
            const pid = /^pull-(\d+)-/.exec(name)?.[1];
            // another daemon may share the cache
            if (pid === undefined || (pid !== String(process.pid) && fs.existsSync(`/proc/${pid}`))) continue;
            fs.rmSync(path.join(cacheDir, name), { recursive: true, force: true });
        }
    }
}

/** Who is named must have signed by a certificate: neither other identities nor keys are enough. */
const demandedRules = (rules: SigningRules, { identity, allowUnsigned }: SignatureDemand = {}): SigningRules => ({
    ...rules,
    allowUnsigned: allowUnsigned ?? rules.allowUnsigned,
    ...(identity && { verifyEnabled: true, trustedIdentities: [identity], trustedKeys: [] }),
});

const refusedHint =
    "Name who signs it by signing.trusted_keys or signing.trusted_identities in bpfman.toml, or demand a signature in policy.json (containers-policy.json(5)).";

const notCached = (name: string) =>
    new BpfmanError("NOT_FOUND", `${name} is not in the cache`, {
        hint: "bpfman image list shows what is; bpfman image pull brings it.",
    });
