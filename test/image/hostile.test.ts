// SPDX-License-Identifier: Apache-2.0
// Registries and images that mean harm, or are broken: each one clear error, soon, and nothing is left or written elsewhere.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Images, type ImagesOptions } from "../../daemon/image/images.ts";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import { BpfmanError, type Code } from "../../daemon/model/error.ts";
import type { RegistryAuth } from "../../daemon/model/images.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import {
    digestOf,
    ociConfig,
    ociIndex,
    ociLayer,
    ociManifest,
    openFolder,
    tarEnd,
    tarMember,
    tarOf,
} from "./registry.ts";

const pass = fixtureObject("xdp_pass");
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server has: paths below /v2/x/ and what they answer with. */
const answers = new Map<string, Answer | Buffer>();
const asked: string[] = [];
let server: Server;
let address: string;
let folder: string;
let cacheDir: string;

before(async () => {
    server = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        const answer = answers.get((request.url ?? "").replace("/v2/x/", ""));
        if (request.url === "/v2/" && answer === undefined) response.end();
        else if (answer === undefined) response.writeHead(404).end();
        else if (typeof answer === "function") answer(request, response);
        else sendManifestOrBlob(request, response, answer);
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    address = `127.0.0.1:${port}`;
    folder = openFolder("bpfman-hostile-");
    fs.writeFileSync(path.join(folder, "registries.conf"), `[[registry]]\nlocation = "${address}"\ninsecure = true\n`);
    fs.chmodSync(path.join(folder, "registries.conf"), 0o644);
});
after(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
    answers.clear();
    asked.length = 0;
    cacheDir = openFolder("bpfman-cache-");
});
afterEach(() => {
    server.closeAllConnections();
    const left = fs.readdirSync(cacheDir);
    fs.rmSync(cacheDir, { recursive: true });
    assert.deepEqual(left, [], "a refused image left something");
});

function sendManifestOrBlob(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const isManifest = request.url?.includes("/manifests/");
    const isIndex = isManifest && bytes.includes('"manifests"');
    const type = isManifest ? (isIndex ? ociIndex : ociManifest) : "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": bytes.length }).end(bytes);
}

const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
});

interface Offer {
    readonly layer?: Buffer;
    /** what is said of the layer, true or not */
    readonly said?: object;
    readonly sent?: Answer | Buffer;
    readonly layers?: readonly object[];
}

/** An image x:v1 whose layer may be a lie. */
function offer({ layer = gzipSync(tarOf("a.o", pass)), said = {}, sent = layer, layers }: Offer = {}): string {
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers" } }));
    answers.set(`blobs/${digestOf(config)}`, config);
    const one = { ...descriptor(ociLayer, layer), ...said };
    answers.set(`blobs/${one.digest}`, sent);
    const manifest = Buffer.from(
        JSON.stringify({
            schemaVersion: 2,
            mediaType: ociManifest,
            config: descriptor(ociConfig, config),
            layers: layers ?? [one],
        }),
    );
    answers.set("manifests/v1", manifest);
    answers.set(`manifests/${digestOf(manifest)}`, manifest);
    return digestOf(manifest);
}

function imagesOf(options: Partial<ImagesOptions> = {}): Images {
    return new Images({
        cacheDir,
        log: () => {},
        checkObject: object => void checkObject(object),
        skopeo: { registriesConf: path.join(folder, "registries.conf") },
        limits: { totalMs: 20_000, stallMs: 10_000 },
        ...options,
    });
}

interface Expected {
    readonly code: Code | readonly Code[];
    readonly message: RegExp;
    readonly options?: Partial<ImagesOptions>;
    readonly reference?: string;
    readonly auth?: RegistryAuth;
}

async function refuses({ code, message, options, reference = "x:v1", auth }: Expected): Promise<void> {
    const url = `${address}/${reference}`;
    await assert.rejects(imagesOf(options).get({ url, pullPolicy: "Always", auth }), (error: unknown) => {
        assert.ok(error instanceof BpfmanError, String(error));
        assert.match(error.message, message);
        assert.ok([code].flat().includes(error.code), `${error.code}: ${error.message}`);
        assert.ok(error.message.length < 800, "a short message");
        return true;
    });
}

test("an honest image comes through this server", async () => {
    offer();
    const { object } = await imagesOf().get({ url: `${address}/x:v1`, pullPolicy: "Always", auth: undefined });
    assert.deepEqual(Buffer.from(object), pass);
    fs.rmSync(path.join(cacheDir, "images"), { recursive: true });
});

test("a manifest that is not what was asked for by digest", async () => {
    offer();
    const wanted = `sha256:${"0".repeat(64)}`;
    answers.set(`manifests/${wanted}`, answers.get("manifests/v1") as Buffer);
    await refuses({ code: "FAILED_PRECONDITION", message: /digest|sent sha256:/, reference: `x@${wanted}` });
});

test("a layer with other bytes, of the same length", async () => {
    const layer = gzipSync(tarOf("a.o", pass));
    const other = Buffer.from(layer);
    other[20] = (other[20] ?? 0) ^ 1;
    offer({ layer, sent: other });
    await refuses({ code: "FAILED_PRECONDITION", message: /digest|other bytes/i });
});

test("sizes that lie, in both directions", async () => {
    const layer = gzipSync(tarOf("a.o", pass));
    for (const size of [10, layer.length + 1]) {
        offer({ layer, said: { size } });
        await refuses({ code: "FAILED_PRECONDITION", message: /bytes, its manifest says|size/ });
    }
});

test("a layer that says it is too large is not even asked for", async () => {
    offer({ said: { size: 1 << 30 } });
    await refuses({ code: "RESOURCE_EXHAUSTED", message: /layers: 1073741824 bytes/ });
    assert.deepEqual(
        asked.filter(line => line.includes("/blobs/")),
        [],
    );
});

test("a layer without end", async () => {
    const chunk = Buffer.alloc(1 << 20, 0x55);
    offer({
        sent: (_request, response) => {
            response.writeHead(200);
            const more = () => {
                while (!response.destroyed && response.write(chunk));
                if (!response.destroyed) response.once("drain", more);
            };
            more();
        },
    });
    await refuses({ code: "RESOURCE_EXHAUSTED", message: /too large|at most/ });
});

test("a small layer that expands to a gigabyte", async () => {
    const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 1 });
    assert.ok(bomb.length < 4 << 20);
    // a member that is skipped, and one that would be kept
    for (const name of ["zeros", "a.o"]) {
        const header = tarMember(name, Buffer.alloc(0));
        header.write("01777777777\0", 124);
        header.write("        ", 148);
        const sum = header.reduce((total, byte) => total + byte, 0);
        header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
        offer({ layer: Buffer.concat([gzipSync(header), bomb]) });
        const before = process.memoryUsage().rss;
        await refuses({
            code: ["RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
            message: /expands to more than 64 MiB|an object may have/,
        });
        assert.ok(process.memoryUsage().rss - before < 150 << 20, "memory grew");
    }
});

test("ten thousand entries", async () => {
    const entries = Array.from({ length: 10_000 }, (_, at) => tarMember(`f${at}`, Buffer.alloc(0)));
    offer({ layer: gzipSync(Buffer.concat([...entries, tarMember("a.o", pass), tarEnd])) });
    await refuses({ code: "FAILED_PRECONDITION", message: /more than 1024 entries/ });
});

test("links, devices and names that climb", async () => {
    for (const [member, why] of [
        [tarMember("a.o", Buffer.alloc(0), "2", "/etc/shadow"), /is a symbolic link/],
        [tarMember("a.o", Buffer.alloc(0), "1", "/etc/shadow"), /is a hard link/],
        [tarMember("a.o", Buffer.alloc(0), "3"), /is a character device/],
        [tarMember("../../../etc/cron.d/a.o", pass), /has the name/],
    ] as const) {
        offer({ layer: gzipSync(Buffer.concat([member, tarEnd])) });
        await refuses({ code: "FAILED_PRECONDITION", message: why });
    }
});

test("what is no gzip, no tar, cut off within, or of another kind", async () => {
    const whole = gzipSync(tarOf("a.o", pass));
    for (const [layer, why, mediaType] of [
        [Buffer.from("hello"), /compression is damaged/, ociLayer],
        [gzipSync(Buffer.alloc(2000, 0x41)), /no tar archive/, ociLayer],
        [whole.subarray(0, whole.length - 100), /compression is damaged/, ociLayer],
        [gzipSync(tarOf("a.o", pass).subarray(0, 1000)), /breaks off/, ociLayer],
        [whole, /which is not read/, "application/x-executable"],
    ] as const) {
        offer({ layer, said: { mediaType } });
        await refuses({ code: "FAILED_PRECONDITION", message: why });
    }
});

test("huge manifests, and indexes of indexes", async () => {
    for (const size of [2 << 20, 16 << 20]) {
        offer();
        const manifest = JSON.parse(String(answers.get("manifests/v1")));
        answers.set("manifests/v1", Buffer.from(JSON.stringify({ ...manifest, filler: "x".repeat(size) })));
        await refuses({ code: ["RESOURCE_EXHAUSTED", "UNAVAILABLE"], message: /more than 1048576 bytes|exceed/ });
    }
    const platform = { os: "linux", architecture: "amd64" };
    const inner = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] }));
    const manifests = [{ ...descriptor(ociIndex, inner), platform }];
    answers.set(`manifests/${digestOf(inner)}`, inner);
    answers.set("manifests/v1", Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests })));
    if (process.arch === "x64") await refuses({ code: "FAILED_PRECONDITION", message: /index holds an index/ });
    offer({ layers: Array.from({ length: 5000 }, () => descriptor(ociLayer, pass)) });
    await refuses({ code: "FAILED_PRECONDITION", message: /5000 layers/ });
});

test("redirects without end", async () => {
    const around: Answer = (request, response) => response.writeHead(307, { location: request.url ?? "" }).end();
    offer({ sent: around });
    await refuses({ code: "UNAVAILABLE", message: /redirect/ });
    answers.set("manifests/v1", around);
    await refuses({ code: "UNAVAILABLE", message: /redirect/ });
});

test("a registry that drips, and one that says nothing more", async () => {
    const drip: Answer = (_request, response) => {
        response.writeHead(200, { "content-length": 1_000_000 });
        const timer = setInterval(() => response.write("x"), 50);
        response.on("close", () => clearInterval(timer));
    };
    offer({ sent: drip });
    const limits = { totalMs: 1500, stallMs: 10_000 };
    const late = { code: "DEADLINE_EXCEEDED" as const };
    await refuses({ ...late, message: /not pulled within 2 seconds/, options: { limits } });
    offer({ sent: (_request, response) => response.writeHead(200, { "content-length": 1000 }).write("x") });
    await refuses({
        ...late,
        message: /nothing came for 1 seconds/,
        options: { limits: { totalMs: 20_000, stallMs: 1000 } },
    });
    answers.set("manifests/v1", () => {});
    await refuses({ ...late, message: /not pulled within/, options: { limits } });
});

test("a registry that dies halfway", async () => {
    const layer = gzipSync(tarOf("a.o", pass));
    offer({
        layer,
        sent: (_request, response) => {
            response.writeHead(200, { "content-length": layer.length });
            response.write(layer.subarray(0, 100), () => response.destroy());
        },
    });
    await refuses({ code: ["UNAVAILABLE", "FAILED_PRECONDITION"], message: /can't be pulled/ });
});

test("credentials do not follow to another host, and do not come back in an error", async () => {
    const heard: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
        heard.push(request.headers.authorization);
        response.writeHead(403).end(`no: ${request.url}`);
    });
    await new Promise<void>(resolve => elsewhere.listen(0, "127.0.0.1", resolve));
    try {
        const { port } = elsewhere.address() as { port: number };
        offer({
            sent: (_request, response) =>
                response.writeHead(307, { location: `http://localhost:${port}/blob?token=query-secret` }).end(),
        });
        // clients send credentials where the first look was answered by a challenge
        answers.set("/v2/", (_request, response) =>
            response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end(),
        );
        const manifest = answers.get("manifests/v1") as Buffer;
        answers.set("manifests/v1", (request, response) => {
            if (request.headers.authorization === undefined)
                response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
            else sendManifestOrBlob(request, response, manifest);
        });
        const auth = { kind: "password", username: "user", password: "pass-secret" } as const;
        await assert.rejects(
            imagesOf().get({ url: `${address}/x:v1`, pullPolicy: "Always", auth }),
            (error: unknown) => error instanceof BpfmanError && !/secret/.test(error.message + String(error.hint)),
        );
        assert.ok(heard.length > 0, "the redirect was followed");
        assert.deepEqual([...new Set(heard)], [undefined]);

        // a registry that repeats what it was sent
        answers.set("manifests/v1", (request, response) => {
            const { authorization } = request.headers;
            if (authorization === undefined) {
                response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
                return;
            }
            const message = `${authorization} ${Buffer.from(authorization.slice(6), "base64")} \u001b[31m`;
            response.writeHead(400, { "content-type": "application/json" });
            response.end(JSON.stringify({ errors: [{ code: "DENIED", message }] }));
        });
        await assert.rejects(
            imagesOf().get({ url: `${address}/x:v1`, pullPolicy: "Always", auth }),
            (error: unknown) => {
                assert.ok(error instanceof BpfmanError);
                const basic = Buffer.from("user:pass-secret").toString("base64");
                return !error.message.includes("pass-secret") && !error.message.includes(basic);
            },
        );
    } finally {
        elsewhere.closeAllConnections();
        await new Promise(resolve => elsewhere.close(resolve));
    }
});
