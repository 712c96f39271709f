// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { BpfmanError } from "../model/error.ts";
import type { ImageRequest, SignatureDemand } from "../model/images.ts";
import { auditLine } from "./audit.ts";
import { fakeSettings, imageFacts } from "./fake-facts.ts";
import { FakeManager, member, root } from "./fake-manager.ts";
import { hostService } from "./host-v1.ts";

function setUp() {
    const manager = new FakeManager();
    const { methods } = hostService(manager, {
        runtimeDir: "/run/bpfman",
        libbpf: "1.5",
        startedAt: "",
        settings: fakeSettings,
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    const call = async (name: string, request: JsonValue = {}, caller = root): Promise<any> => {
        const method = methods.get(name);
        assert.ok(method?.kind === "unary");
        const answer = await method.handle(fromJson(method.descriptor.input, request), caller);
        fromJson(method.descriptor.output, answer);
        return answer;
    };
    /** the records of a stream, and how it ended */
    const stream = (name: string, request: JsonValue) => {
        const method = methods.get(name);
        assert.ok(method?.kind === "stream");
        // biome-ignore lint/suspicious/noExplicitAny: tests look into records of every shape
        const records: any[] = [];
        const ended = Promise.withResolvers<BpfmanError | undefined>();
        const leave = method.handle(fromJson(method.descriptor.input, request), root, {
            pendingBytes: 0,
            send: record => {
                fromJson(method.descriptor.output, record as JsonValue);
                records.push(record);
            },
            end: () => ended.resolve(undefined),
            fail: error => ended.resolve(error),
            cut: error => ended.resolve(error),
        });
        return { records, ended: ended.promise, leave };
    };
    return { manager, call, stream };
}

const url = "quay.io/bpfman-bytecode/xdp_pass:latest";

test("PullImage tells each phase, then the image", async () => {
    const { manager, stream } = setUp();
    const { records, ended } = stream("PullImage", { image: { url, pullPolicy: "Always" } });
    assert.equal(await ended, undefined);
    assert.deepEqual(
        records.map(({ phase }) => phase),
        ["RESOLVING", "PULLING", "CHECKING", "DONE"],
    );
    assert.deepEqual(records[1], { phase: "PULLING", bytes: "5", totalBytes: "10", layers: 1, totalLayers: 1 });
    assert.equal(records[3].image.reference, imageFacts.reference);
    assert.deepEqual(records[3].image.programs, [{ name: "pass", type: "xdp" }]);
    const { request } = manager.asked["getImage"] as { request: ImageRequest };
    assert.deepEqual(request, { url, pullPolicy: "Always", auth: undefined });
});

test("PullImage ends with the error, and a peer that leaves ends the pull", async () => {
    const { manager, stream } = setUp();
    manager.fails = new BpfmanError("NOT_FOUND", "no such image");
    const failed = stream("PullImage", { image: { url } });
    assert.equal((await failed.ended)?.code, "NOT_FOUND");

    const gate = Promise.withResolvers<void>();
    manager.gate = gate.promise;
    const left = stream("PullImage", { image: { url } });
    const { signal } = manager.asked["getImage"] as { signal: AbortSignal };
    assert.equal(signal.aborted, false);
    left.leave();
    assert.equal(signal.aborted, true);
    gate.resolve();
});

test("what names no image or no policy, and credentials given twice, are refused", () => {
    const { stream } = setUp();
    const refuses = (request: JsonValue, message: RegExp) =>
        assert.throws(() => stream("PullImage", request), { code: "INVALID_ARGUMENT", message });
    refuses({}, /image is missing/);
    refuses({ image: {} }, /name is missing/);
    refuses({ image: { url: "x".repeat(5000) } }, /longer than/);
    refuses({ image: { url, pullPolicy: "always" } }, /unknown pull policy "always"/);
    refuses({ image: { url, auth: { username: "a", authFile: "{}" } } }, /given twice/);
});

test("images of the cache are listed, shown, removed and pruned", async () => {
    const { manager, call } = setUp();
    const { images } = await call("ListImages");
    assert.equal(images.length, 1);
    assert.equal(images[0].objectSize, "4");
    assert.deepEqual(images[0].signature, imageFacts.signature);
    assert.equal((await call("InspectImage", { image: url })).digest, imageFacts.digest);
    await assert.rejects(call("InspectImage", { image: "quay.io/other" }), { code: "NOT_FOUND" });
    assert.deepEqual(await call("RemoveImage", { images: [url] }), { removed: [url], freedBytes: "17" });
    await assert.rejects(call("RemoveImage", {}), { message: "no image is named" });
    await call("PruneImages", { all: true });
    assert.deepEqual(manager.asked["pruneImages"], { all: true });
});

test("Load takes an image, and keeps where it came from", async () => {
    const { call } = setUp();
    const programs = [{ name: "pass", type: "xdp" }];
    const answer = await call("Load", { image: { url, pullPolicy: "Never" }, programs });
    const { record } = answer.programs[0];
    const { digest, signature } = imageFacts;
    assert.deepEqual(record.image, { url, digest, pullPolicy: "Never", signature });
    assert.equal(record.sourcePath, "");
});

test("VerifyImage asks the registry, unless it is told not to", async () => {
    const { manager, call } = setUp();
    const { signature } = await call("VerifyImage", { image: { url } });
    assert.deepEqual([signature.identity, signature.form], ["me@example.com", "bundle"]);
    const asked = () => (manager.asked["getImage"] as { request: ImageRequest }).request.pullPolicy;
    assert.equal(asked(), "Always");
    await call("VerifyImage", { image: { url, pullPolicy: "Never" } });
    assert.equal(asked(), "Never");
    await assert.rejects(call("VerifyImage", {}), { code: "INVALID_ARGUMENT", message: /image is missing/ });
});

test("VerifyImage takes whose certificate counts, and whether any has to", async () => {
    const { manager, call } = setUp();
    const demand = () => (manager.asked["getImage"] as { demand?: SignatureDemand }).demand;
    await call("VerifyImage", { image: { url } });
    assert.equal(demand(), undefined);
    await call("VerifyImage", { image: { url }, allowUnsigned: false });
    assert.deepEqual(demand(), { identity: undefined, allowUnsigned: false });
    await call("VerifyImage", { image: { url }, identity: { subjectRegexp: "me@.*", issuer: "https://x" } });
    const { identity } = demand() ?? {};
    assert.ok(identity?.certificateIdentityRegexp?.test("me@example.com"));
    assert.ok(!identity?.certificateIdentityRegexp?.test("not-me@example.com"), "a pattern is one of the whole");
    assert.deepEqual([identity?.certificateIdentity, identity?.certificateOidcIssuer], [undefined, "https://x"]);
    const wrong: [JsonValue, RegExp][] = [
        [{ subject: "me" }, /needs a subject and an issuer/],
        [{ subject: "me", subjectRegexp: "me", issuer: "x" }, /needs a subject and an issuer/],
        [{ subjectRegexp: "(", issuer: "x" }, /the subject's pattern is no regular expression/],
        [{ subject: "me", issuer: "x".repeat(5000) }, /the issuer is longer than 4096 bytes/],
    ];
    for (const [who, message] of wrong)
        await assert.rejects(call("VerifyImage", { image: { url }, identity: who }), {
            code: "INVALID_ARGUMENT",
            message,
        });
});

test("Inspect looks into an image's object, and tells of the image", async () => {
    const { manager, call } = setUp();
    const { image, maps } = await call("Inspect", { image: { url, pullPolicy: "Always" } });
    assert.deepEqual([image.reference, image.signature.state], [url, "verified"]);
    assert.equal(maps[0].name, "counts");
    const { request } = manager.asked["getImage"] as { request: ImageRequest };
    assert.deepEqual([request.url, request.pullPolicy], [url, "Always"]);
    await assert.rejects(call("Inspect", { image: {} }), { code: "INVALID_ARGUMENT", message: /name is missing/ });
    manager.fails = new BpfmanError("NOT_FOUND", "no such image");
    await assert.rejects(call("Inspect", { image: { url } }), { code: "NOT_FOUND" });
});

test("a set of many images asks for a few at once, and for no more after one that failed", async () => {
    const { manager, call } = setUp();
    const one = manager.getImage.bind(manager);
    let running = 0;
    let most = 0;
    const asked: string[] = [];
    manager.getImage = async (request, ...rest) => {
        asked.push(request.url);
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        if (request.url === "quay.io/a/6") throw new BpfmanError("NOT_FOUND", "no such image");
        return await one(request, ...rest);
    };
    const bytecode = (count: number) =>
        Array.from({ length: count }, (_, at) => ({ name: `b${at}`, image: { url: `quay.io/a/${at}` } }));
    await call("Apply", { set: "s", bytecode: bytecode(6) });
    assert.deepEqual([asked.length, most], [6, 4]);
    asked.length = 0;
    await assert.rejects(call("Apply", { set: "s", bytecode: bytecode(20) }), { code: "NOT_FOUND" });
    assert.equal(asked.length, 8);
});

test("an image of this host is opened for root alone", async () => {
    const { call } = setUp();
    for (const url of ["oci:/x", "docker-archive:/x.tar", "containers-storage:x"]) {
        await call("VerifyImage", { image: { url } });
        const programs = [{ name: "pass", type: "xdp" }];
        for (const [name, request] of [
            ["VerifyImage", { image: { url } }],
            ["Inspect", { image: { url } }],
            ["Load", { image: { url }, programs }],
        ] as const)
            await assert.rejects(call(name, request, member), { code: "PERMISSION_DENIED", message: /only root/ });
    }
});

test("credentials are not in the log", () => {
    const { methods } = hostService(new FakeManager(), {
        runtimeDir: "",
        libbpf: "",
        startedAt: "",
        settings: fakeSettings,
    });
    const method = methods.get("Load");
    assert.ok(method);
    for (const auth of [{ username: "user-secret", password: "pass-secret" }, { authFile: "file-secret" }]) {
        const request = fromJson(method.descriptor.input, { image: { url, auth } });
        const line = auditLine("Load", root, request, {});
        assert.match(line, /xdp_pass/);
        assert.doesNotMatch(line, /secret/);
    }
});
