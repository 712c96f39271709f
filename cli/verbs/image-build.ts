// SPDX-License-Identifier: Apache-2.0
// image build, image generate-build-args: neither needs a daemon or root
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Args } from "../args.ts";
import { UsageError } from "../args.ts";
import { type Verb, wantsJson } from "../host.ts";
import { type BuildInput, buildArguments, buildInputs, fileName } from "../input/build-inputs.ts";
import { basicAuth } from "../input/image-source.ts";
import { printJson, printLine, printLines } from "../output/print.ts";

const code = () => import("../../daemon/build-image.ts");

const layoutInputs = (inputs: readonly BuildInput[], anywhere: string) =>
    inputs.map(input => {
        const name = fileName(input);
        // the archive's header has room for so much
        if (Buffer.byteLength(name) > 99) throw new Error(`${name}: a file's name in an image has at most 99 bytes`);
        return { platform: input.platform ?? anywhere, fileName: name, object: input.bytes };
    });

export const imageBuild: Verb = async args => {
    const { buildLayout, hostPlatform, layoutIndex, parseReference } = await code();
    const [image, words] = imageAndWords(args);
    const inputs = layoutInputs(buildInputs(args, words), hostPlatform());
    const layout = buildLayout(inputs, epochSeconds());
    const local = /^oci:([^:]+)(?::([A-Za-z0-9_][A-Za-z0-9_.-]*))?$/.exec(image);
    const write = (folder: string, name: string) => {
        mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
        for (const [digest, bytes] of layout.blobs)
            writeFileSync(join(folder, "blobs/sha256", digest.replace("sha256:", "")), bytes);
        writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
        writeFileSync(join(folder, "index.json"), layoutIndex(layout, name));
    };
    if (local) {
        const [, folder = "", name = "latest"] = local;
        // what is there may hold images of others
        if (existsSync(join(folder, "index.json")))
            throw new Error(`${folder} is an OCI layout already; name a new folder`);
        write(folder, name);
        printLine(`written: ${folder}@${layout.digest}`);
        return 0;
    }
    const { text, repository, digest } = parseReference(image);
    if (digest !== undefined) throw new UsageError("an image is pushed by a tag, not by a digest");
    const folder = mkdtempSync(join(tmpdir(), "bpfman-build-"));
    try {
        write(join(folder, "image"), "latest");
        push(args, folder, text);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
    printLine(`published: ${repository}@${layout.digest}`);
    return 0;
};

/** `image build IMAGE FILE…`; the released form names the image by --tag. */
function imageAndWords(args: Args): [image: string, words: readonly string[]] {
    const words = args.values("IMAGE");
    const tag = args.value("tag");
    if (tag !== undefined) return [tag, words];
    const [image, ...rest] = words;
    if (image === undefined) throw new UsageError("missing argument IMAGE: where it is pushed to, or oci:FOLDER");
    return [image, rest];
}

/** As the caller, with the caller's own credentials; --registry-auth as a private file. */
function push(args: Args, folder: string, image: string): void {
    const auth = basicAuth(args.value("registry-auth"));
    const words = ["copy", "--quiet", "--all", "--preserve-digests"];
    if (auth !== undefined) {
        const [registry = ""] = image.split("/");
        const file = join(folder, "auth.json");
        writeFileSync(file, JSON.stringify({ auths: { [registry]: { auth } } }), { mode: 0o600 });
        words.push("--authfile", file);
    }
    // what was built here need not be signed to be sent away
    const all = ["--insecure-policy", ...words, `oci:${folder}/image:latest`, `docker://${image}`];
    const { status, stderr, error } = spawnSync("skopeo", all, {
        encoding: "utf8",
        stdio: ["ignore", "ignore", "pipe"],
    });
    if (error) throw new Error(`${image} can't be pushed: skopeo is not installed`, { cause: error });
    if (status === 0) return;
    const said = /level=fatal msg="((?:[^"\\]|\\.)*)"/.exec(stderr)?.[1] ?? stderr.trim();
    throw new Error(`${image} can't be pushed: ${said.replaceAll('\\"', '"')}`);
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function epochSeconds(): number {
    const text = process.env["SOURCE_DATE_EPOCH"] ?? "0";
    if (!/^[0-9]{1,10}$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${text}`);
    return Number(text);
}

export const generateBuildArgs: Verb = async args => {
    const { labelsOf, hostPlatform } = await code();
    const inputs = buildInputs(args, args.values("BYTECODE"));
    const labels = labelsOf(layoutInputs(inputs, hostPlatform()));
    const named = Object.fromEntries(buildArguments(inputs));
    const all = { ...named, PROGRAMS: labels["io.ebpf.programs"] ?? "", MAPS: labels["io.ebpf.maps"] ?? "" };
    if (wantsJson(args))
        printJson({ platforms: inputs.flatMap(({ platform }) => platform ?? []), build_args: all, labels });
    else printLines(Object.entries(all).map(([name, value]) => `${name}=${value}`));
    return 0;
};
