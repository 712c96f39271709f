// SPDX-License-Identifier: Apache-2.0
// A real registry on loopback (docker-registry), and images pushed to it: by skopeo from what umoci makes, or byte by
// byte as a test wants them.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const ociConfig = "application/vnd.oci.image.config.v1+json";
export const ociLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
export const dockerConfig = "application/vnd.docker.container.image.v1+json";
export const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** One ustar member. */
export function tarMember(name: string, data: Uint8Array, type = "0", linkName = ""): Buffer {
    const header = Buffer.alloc(512);
    header.write(name.slice(0, 100), 0);
    header.write("0000644\0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(linkName, 157);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

export const tarEnd = Buffer.alloc(1024);
export const tarOf = (name: string, data: Uint8Array) => Buffer.concat([tarMember(name, data), tarEnd]);

export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise(resolve => server.close(resolve));
    return port;
}

/** A folder that a child without rights can pass through. */
export function openFolder(prefix: string): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
    fs.chmodSync(folder, 0o711);
    return folder;
}

export interface Pushed {
    readonly digest: string;
    readonly layerDigest: string;
}

export class Registry implements AsyncDisposable {
    readonly address: string;
    readonly dir: string;
    readonly #authorization: string | undefined;
    readonly #stop: () => Promise<void>;

    private constructor(address: string, dir: string, authorization: string | undefined, stop: () => Promise<void>) {
        this.address = address;
        this.dir = dir;
        this.#authorization = authorization;
        this.#stop = stop;
    }

    /** auth: a user name and password that it demands; tls: the paths of its certificate and key */
    static async start(
        auth?: { username: string; password: string },
        tls?: { certificate: string; key: string },
    ): Promise<Registry> {
        const dir = openFolder("bpfman-registry-");
        const address = `127.0.0.1:${await freePort()}`;
        let access = "";
        if (auth) {
            // only bcrypt is taken
            const lines = execFileSync("python3", ["-c", bcrypt, auth.username, auth.password], { encoding: "utf8" });
            fs.writeFileSync(path.join(dir, "htpasswd"), lines);
            access = `auth: {htpasswd: {realm: test, path: ${dir}/htpasswd}}\n`;
        }
        const config = `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${dir}/data}, delete: {enabled: true}}
http: {addr: "${address}"${tls ? `, tls: {certificate: "${tls.certificate}", key: "${tls.key}"}` : ""}}
${access}`;
        fs.writeFileSync(path.join(dir, "config.yml"), config);
        const child = spawn("docker-registry", ["serve", path.join(dir, "config.yml")], { stdio: "ignore" });
        const basic = auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
        const registry = new Registry(address, dir, basic, async () => {
            const ended = new Promise(resolve => child.once("exit", resolve));
            if (child.exitCode === null && child.signalCode === null) {
                child.kill();
                await ended;
            }
            fs.rmSync(dir, { recursive: true, force: true });
        });
        for (;;) {
            try {
                // a server with TLS answers plain requests too: with a refusal
                await fetch(`http://${address}/v2/`);
                return registry;
            } catch {
                if (child.exitCode !== null) throw new Error("docker-registry ended");
                await sleep(20);
            }
        }
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#stop();
    }

    /** A registries.conf that maps a prefix to a namespace here, without TLS. */
    registriesConf(mappings: Readonly<Record<string, string>>): string {
        const tables = Object.entries({ [this.address]: "", ...mappings }).map(
            ([prefix, namespace]) =>
                `[[registry]]\nprefix = "${prefix}"\nlocation = "${this.address}${namespace === "" ? "" : `/${namespace}`}"\ninsecure = true\n`,
        );
        const file = path.join(this.dir, "registries.conf");
        fs.writeFileSync(file, tables.join("\n"), { mode: 0o644 });
        return file;
    }

    async blob(repository: string, bytes: Uint8Array): Promise<string> {
        const digest = digestOf(bytes);
        const started = await this.#fetch(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
        const location = started.headers.get("location") ?? "";
        const target = new URL(location, `http://${this.address}`);
        target.searchParams.set("digest", digest);
        const headers = { "content-type": "application/octet-stream" };
        const done = await this.#fetch(target.pathname + target.search, {
            method: "PUT",
            body: new Uint8Array(bytes),
            headers,
        });
        if (done.status !== 201) throw new Error(`blob: ${done.status} ${await done.text()}`);
        return digest;
    }

    async manifest(repository: string, tag: string, manifest: object | Buffer, type: string): Promise<string> {
        const bytes = Buffer.isBuffer(manifest) ? manifest : Buffer.from(JSON.stringify(manifest));
        const headers = { "content-type": type };
        const done = await this.#fetch(`/v2/${repository}/manifests/${tag}`, {
            method: "PUT",
            body: new Uint8Array(bytes),
            headers,
        });
        if (done.status !== 201) throw new Error(`manifest: ${done.status} ${await done.text()}`);
        return digestOf(bytes);
    }

    /** An image of one layer. */
    async push(
        repository: string,
        tag: string,
        tar: Uint8Array,
        options: { labels?: Record<string, string>; docker?: boolean; architecture?: string; layerType?: string } = {},
    ): Promise<Pushed> {
        const { labels = {}, docker = false, architecture = "amd64" } = options;
        const layer = gzipSync(tar);
        const layerDigest = await this.blob(repository, layer);
        const config = Buffer.from(
            JSON.stringify({
                architecture,
                os: "linux",
                config: { Labels: labels },
                rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
            }),
        );
        const configDigest = await this.blob(repository, config);
        const mediaType = docker ? dockerManifest : ociManifest;
        const digest = await this.manifest(
            repository,
            tag,
            {
                schemaVersion: 2,
                mediaType,
                config: { mediaType: docker ? dockerConfig : ociConfig, digest: configDigest, size: config.length },
                layers: [
                    {
                        mediaType: options.layerType ?? (docker ? dockerLayer : ociLayer),
                        digest: layerDigest,
                        size: layer.length,
                    },
                ],
            },
            mediaType,
        );
        return { digest, layerDigest };
    }

    async #fetch(target: string, init: RequestInit): Promise<Response> {
        const headers = { ...init.headers, ...(this.#authorization && { authorization: this.#authorization }) };
        return await fetch(`http://${this.address}${target}`, { ...init, headers });
    }
}

const bcrypt = `import crypt, sys
print(sys.argv[1] + ":" + crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))`;
