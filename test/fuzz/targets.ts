// SPDX-License-Identifier: Apache-2.0
// What reads foreign bytes, each with real samples. An input is read or refused in words; anything else is a finding.
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial } from "@sigstore/verify";
import { parseDocumentText } from "../../cli/input/apply-document.ts";
import { parseApplyFile } from "../../cli/input/apply-file.ts";
import { parseConfig } from "../../daemon/config.ts";
import type { FoundSignature } from "../../daemon/image/find-signatures.ts";
import { readLabels } from "../../daemon/image/labels.ts";
import { compressionOf, objectRank, readLayer } from "../../daemon/image/layer.ts";
import { parseConfig as parseImageConfig, parseManifest } from "../../daemon/image/manifest.ts";
import { parseReference } from "../../daemon/image/reference.ts";
import { defaultRules } from "../../daemon/image/signing.ts";
import { NotTrusted, verifySignature } from "../../daemon/image/sigstore.ts";
import { TarReader } from "../../daemon/image/tar.ts";
import { Btf } from "../../daemon/kernel/btf/btf.ts";
import { decode } from "../../daemon/kernel/btf/btf-decode.ts";
import { encode } from "../../daemon/kernel/btf/btf-encode.ts";
import { parseConfig as parseLibxdpConfig } from "../../daemon/kernel/dispatch/libxdp-config.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import { withoutFrags, withoutMapValues } from "../../daemon/kernel/elf/elf-edit.ts";
import { typedObjectFacts } from "../../daemon/kernel/elf/object-types.ts";
import { Executable } from "../../daemon/kernel/hooks/executable.ts";
import { readLinkerCache } from "../../daemon/kernel/hooks/library.ts";
import { BpfmanError } from "../../daemon/model/error.ts";
import type { Json } from "../../daemon/model/maps.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { newKey, pem, spki } from "../image/der.ts";
import {
    certifiedBundle,
    certifiedLayer,
    cosignPayload,
    keyedBundle,
    keyedLayer,
    SigstoreLab,
    signStatement,
} from "../image/sigstore-lab.ts";
import type { Random } from "../lab/random.ts";
import * as formats from "./formats.ts";
import type { Samples } from "./mutate.ts";

export interface Target extends Samples {
    readonly name: string;
    /** Throws for a finding only. */
    run(input: Buffer, random: Random): unknown;
    /** Called after the last input: what must not be left. */
    finish?(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");

/** A refusal in words is an answer. */
export function refusable<T>(read: () => T): T | undefined {
    try {
        return read();
    } catch (error) {
        if (error instanceof BpfmanError && error.code !== "INTERNAL") return undefined;
        throw error;
    }
}

export async function refusableLater<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
        return await read();
    } catch (error) {
        return refusable((): undefined => {
            throw error;
        });
    }
}

const objects = ["elf-sample", "hooks", "map_shapes", "odd_sections", "shared_map", "xdp_frags", "xdp_tail_call"];

const elf = (): Target => ({
    name: "elf",
    samples: objects.map(fixtureObject),
    own: formats.elf,
    run: input => {
        const read = refusable(() => checkObject(input));
        if (read === undefined) return;
        for (const { name, sizeBytes, instructions } of read.functions)
            if (name === "" || instructions * 8 !== sizeBytes) throw new Error(`function ${name} was let through`);
        // what is told of an object before it is loaded
        refusable(() => typedObjectFacts(read, input));
        // copies that libbpf gets instead pass the same check
        checkObject(withoutFrags(input));
        checkObject(withoutMapValues(input));
    },
});

function btfOf(object: Buffer): Buffer {
    const section = checkObject(object).sections.find(({ name }) => name === ".BTF");
    if (section === undefined) throw new Error("a sample without BTF");
    return object.subarray(section.offset, section.offset + section.sizeBytes);
}

function anyJson(random: Random, depth = 0): Json {
    const kind = random.below(depth > 3 ? 5 : 7);
    if (kind === 5) return Array.from({ length: random.below(4) }, () => anyJson(random, depth + 1));
    if (kind === 6) {
        const names = Array.from({ length: random.below(4) }, () => random.pick(["a", "key", "pid", "__proto__", ""]));
        return Object.fromEntries(names.map(name => [name, anyJson(random, depth + 1)]));
    }
    return random.pick<Json>([null, true, 1.5, -1, 2 ** 53, 1e300, "", "0x10", "-1", "ip", "18446744073709551616"]);
}

const btf = (): Target => ({
    name: "btf",
    samples: objects.map(name => btfOf(fixtureObject(name))),
    own: formats.btf,
    run: (input, random) => {
        const types = refusable(() => Btf.parse(input));
        if (types === undefined) return;
        const value = Buffer.alloc(64, random.below(256));
        // of many types, some: an object has thousands
        for (let picked = 0; picked < 24; picked++) {
            const id = random.below(types.count + 1);
            refusable(() => types.type(id));
            refusable(() => types.cName(id));
            refusable(() => decode(types, id, value));
            // an array of 4 GiB is asked for by its size alone
            if ((refusable(() => types.size(id)) ?? 0) < 1 << 20)
                refusable(() => encode(types, id, anyJson(random), "value"));
        }
    },
});

const executable = (): Target => {
    const dir = fs.mkdtempSync("/tmp/bpfman-fuzz-");
    const fd = fs.openSync(join(dir, "input"), "w+");
    fs.rmSync(dir, { recursive: true });
    return {
        name: "executable",
        samples: [fs.readFileSync("/usr/bin/env").subarray(0, 1 << 16), fs.readFileSync("/usr/bin/true")],
        own: formats.executable,
        run: (input, random) => {
            fs.ftruncateSync(fd, 0);
            fs.writeSync(fd, input, 0, input.length, 0);
            const file = refusable(() => new Executable(fd, "file"));
            if (file === undefined) return;
            refusable(() => file.find(random.pick(["main", "_start", "printf", ""]), true));
            refusable(() => file.isCode(random.below(1 << 20)));
        },
    };
};

const linkerCache = (): Target => ({
    name: "linker-cache",
    samples: [fs.readFileSync("/etc/ld.so.cache").subarray(0, 1 << 14), formats.smallLinkerCache()],
    run: input => readLinkerCache(input),
});

const libxdp = (): Target => ({
    name: "libxdp-config",
    samples: [124, 128].map((bytes, index) => {
        const config = Buffer.alloc(bytes);
        config.set([236, 2 + index, 3, 0]);
        return config;
    }),
    run: input => parseLibxdpConfig(input),
});

/** Examples of a page of the documentation. */
function examples(page: string, language: string): Buffer[] {
    const text = fs.readFileSync(join(root, "docs", page), "utf8");
    const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))];
    if (found.length === 0) throw new Error(`docs/${page} has no ${language}`);
    return found.map(([, code = ""]) => Buffer.from(code));
}

const config = (): Target => ({
    name: "config",
    samples: [...examples("config.md", "toml"), Buffer.from(formats.wholeConfig)],
    own: formats.toml,
    // as the file is read: what is no UTF-8 never comes so far
    run: input => refusableLater(() => parseConfig(input.toString("utf8"), "/etc/bpfman/bpfman.toml")),
});

const apply = (): Target => ({
    name: "apply",
    samples: [...examples("apply.md", "yaml"), ...formats.applyFiles.map(text => Buffer.from(text))],
    own: formats.yaml,
    run: async input => {
        try {
            parseApplyFile(await parseDocumentText(input.toString("utf8")));
        } catch (error) {
            // the command prints the message of a plain Error; other kinds are nobody's refusal
            const plain = error instanceof Error && error.constructor === Error && error.message !== "";
            // of the YAML library: an alias that stands for nothing, or for too much
            const alias = error instanceof ReferenceError && /alias/i.test(error.message);
            if (!plain && !alias) throw error;
        }
    },
});

const manifest = (): Target => ({
    name: "manifest",
    samples: formats.manifests.map(value => Buffer.from(JSON.stringify(value))),
    own: formats.json,
    run: input => {
        refusable(() => parseManifest(input));
        const read = refusable(() => parseImageConfig(input));
        if (read !== undefined) readLabels(read.labels);
        refusable(() => parseReference(input.toString("latin1")));
    },
});

const tar = (): Target => ({
    name: "tar",
    samples: formats.archives(),
    own: formats.tar,
    repair: formats.tarSums,
    run: (input, random) => {
        const reader = new TarReader(objectRank(undefined));
        refusable(() => {
            const piece = random.pick([1000, 512, 77, input.length + 1]);
            for (let at = 0; at < input.length; at += piece) reader.push(input.subarray(at, at + piece));
            reader.end();
        });
    },
});

const layer = (): Target => ({
    name: "layer",
    samples: formats.compressedLayers(),
    run: (input, random) => {
        const kind = random.pick(["tar", "tar+gzip", "tar+zstd"]);
        const mediaType = `application/vnd.oci.image.layer.v1.${kind}`;
        const compression = compressionOf({ digest: "", sizeBytes: input.length, mediaType });
        return refusableLater(() => readLayer(input, compression, objectRank(undefined), new AbortController().signal));
    },
});

/** Trusts a root and a key of its own, made anew in each run, so that whole signatures are checked as well as broken ones. */
const signature = (): Target => {
    const sigstore = new SigstoreLab();
    const key = newKey();
    const keyFile = join(fs.mkdtempSync(join(os.tmpdir(), "bpfman-fuzz-")), "key.pub");
    fs.writeFileSync(keyFile, pem(spki(key), "PUBLIC KEY"));
    const digest = `sha256:${"0".repeat(64)}`;
    const leaf = sigstore.certify({ identity: "me@example.com", issuer: "https://accounts.example.com" });
    const bundles = [
        certifiedBundle(sigstore, signStatement(digest), leaf),
        keyedBundle(signStatement(digest), key),
    ].map(bundle => Buffer.from(JSON.stringify(bundle)));
    const layers = [
        certifiedLayer(sigstore, cosignPayload("x", digest), leaf),
        keyedLayer(cosignPayload("x", digest), key),
    ].map(({ payload, annotations }) =>
        Buffer.from(JSON.stringify({ ...annotations, payload: payload.toString("base64") })),
    );
    const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRoot())), () => {
        throw new Error("no key");
    });
    const trust = { rules: { ...defaultRules, trustedKeys: [keyFile] }, root: async () => material };
    return {
        name: "signature",
        samples: [...bundles, ...layers],
        run: async input => {
            try {
                await verifySignature(asFound(input), digest, trust);
            } catch (error) {
                if (!(error instanceof NotTrusted)) throw error;
            }
        },
        finish: async () => fs.rmSync(join(keyFile, ".."), { recursive: true }),
    };
};

function asFound(input: Buffer): FoundSignature {
    let texts: Record<string, unknown> = {};
    try {
        texts = JSON.parse(input.toString()) ?? {};
    } catch {
        // a bundle that is no JSON
    }
    const text = (key: string) => (typeof texts[key] === "string" ? texts[key] : undefined);
    const payload = text("payload");
    if (payload === undefined) return { form: "bundle", json: input };
    return {
        form: "cosign",
        payload: Buffer.from(payload, "base64"),
        signature: text("dev.cosignproject.cosign/signature") ?? "",
        certificate: text("dev.sigstore.cosign/certificate"),
        logEntry: text("dev.sigstore.cosign/bundle"),
        timestamp: text("dev.sigstore.cosign/rfc3161timestamp"),
    };
}

/** By name; each is made when it is asked for, since some hold files and sockets. */
export const readerTargets = {
    elf,
    btf,
    executable,
    linkerCache,
    libxdp,
    config,
    apply,
    manifest,
    tar,
    layer,
    signature,
};
