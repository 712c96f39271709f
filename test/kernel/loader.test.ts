// SPDX-License-Identifier: Apache-2.0
// The loader process from the daemon's side: what happens when it hangs, eats, crashes, lies, or never stops talking.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { openPin, programIdentity } from "../../daemon/kernel/bpf.ts";
import { BpfFs } from "../../daemon/kernel/bpffs.ts";
import { libc } from "../../daemon/kernel/ffi.ts";
import { loaderProgram } from "../../daemon/kernel/load/copies.ts";
import { Loader, type LoaderOptions } from "../../daemon/kernel/load/loader.ts";
import type { LoaderRequest } from "../../daemon/kernel/load/loader-protocol.ts";
import { BpfmanError } from "../../daemon/model/error.ts";
import { craftCrashingObject } from "../fixtures/crash-object.ts";
import { craftHungryObject } from "../fixtures/hungry-object.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import { assertNothingLeft, bpfDescriptors, snapshot } from "../lab/leaks.ts";

const before = snapshot();
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-loader-"));
const bpffs = BpfFs.open(path.join(dir, "fs"));

after(async () => {
    assert.equal(libc.umount(path.join(dir, "fs"), 0), 0);
    fs.rmSync(dir, { recursive: true });
    await assertNothingLeft(before);
});

const ffi = JSON.stringify(pathToFileURL(`${import.meta.dirname}/../../daemon/kernel/ffi.ts`).href);

/** A program that stands in for the loader; it leaves its process id in a file of its own. */
function script(body: string): string {
    const folder = fs.mkdtempSync(path.join(dir, "script-"));
    const file = path.join(folder, "loader.ts");
    const head = `import fs from "node:fs";\nfs.writeFileSync(import.meta.dirname + "/pid-" + process.pid, "");\n`;
    fs.writeFileSync(file, head + body);
    return file;
}

/** Process ids of all that ran a script. */
const ran = (file: string): number[] =>
    fs
        .readdirSync(path.dirname(file))
        .flatMap(name => (name.startsWith("pid-") ? [Number(name.slice("pid-".length))] : []));

async function assertGone(pids: readonly number[]): Promise<void> {
    assert.notEqual(pids.length, 0, "no process ran the script");
    for (const pid of pids)
        for (let waited = 0; fs.existsSync(`/proc/${pid}`); waited += 10) {
            assert.ok(waited < 2000, `process ${pid} is still there`);
            await sleep(10);
        }
}

let stages = 0;

function request(...names: string[]): LoaderRequest & { folder: string } {
    const folder = `staging/test_${++stages}`;
    return {
        objectName: "test",
        programs: names.map(name => loaderProgram(name, "xdp", false)),
        arrayMembers: [],
        target: undefined,
        reuse: {},
        globals: [],
        stage: bpffs.makeFolder(folder),
        pinMaps: true,
        folder,
    };
}

/** What a loader says of an object; nothing of it is left afterwards, no process and no descriptor. */
async function refusal(options: LoaderOptions, object: Uint8Array, ...names: string[]): Promise<BpfmanError> {
    const loader = new Loader(options);
    const asked = request(...names);
    try {
        await loader.load(asked, object);
    } catch (error) {
        assert.ok(error instanceof BpfmanError, String(error));
        assert.deepEqual(bpffs.entries(asked.folder), []);
        return error;
    } finally {
        loader.stop();
        if (options.script !== undefined) await assertGone(ran(options.script));
        assert.deepEqual(bpfDescriptors(process.pid), []);
        bpffs.remove(asked.folder);
    }
    return assert.fail("the load succeeded");
}

const sound = fixtureObject("xdp_pass");

test("ASoundObjectIsLoadedAndPinned", async () => {
    const loader = new Loader();
    const asked = request("xdp_count");
    try {
        const answer = await loader.load(asked, fixtureObject("xdp_count"));
        assert.deepEqual(bpffs.entries(asked.folder), ["m0", "p0"]);
        using program = openPin(bpffs.path(`${asked.folder}/p0`));
        const { id, tag } = programIdentity(program);
        assert.deepEqual(answer.programs, [{ id, tag }]);
        assert.deepEqual(
            answer.maps.map(({ name, pin }) => [name, pin]),
            [
                ["packets", 0],
                ["test.rodata", undefined],
            ],
        );
    } finally {
        loader.stop();
        bpffs.remove(asked.folder);
    }
});

test("OneThatHangsIsKilledAtItsTimeLimit", async () => {
    const hanging = script(`setInterval(() => {}, 1000);`);
    const error = await refusal({ script: hanging, timeoutMs: 1500 }, sound, "xdp_pass");
    assert.equal(error.code, "DEADLINE_EXCEEDED");
    assert.match(error.message, /^load xdp_pass: not done after 1\.5 s/);
});

test("OneThatIgnoresItsInputAndHangsOnIsKilledToo", async () => {
    const deaf = script(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);`);
    // more than a pipe holds
    const error = await refusal({ script: deaf, timeoutMs: 1500 }, Buffer.alloc(8 << 20), "xdp_pass");
    assert.equal(error.code, "DEADLINE_EXCEEDED");
});

test("OneThatCrashesIsAnErrorThatNamesTheSignal", async () => {
    const crashing = script(`process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000);`);
    const error = await refusal({ script: crashing }, sound, "xdp_pass");
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.equal(error.message, "load xdp_pass: the loader process crashed on this object (SIGSEGV)");
});

test("OneThatExitsWithAStatusIsAnErrorThatNamesIt", async () => {
    const failing = script(`process.stderr.write("secret words\\n"); process.exitCode = 3;`);
    const error = await refusal({ script: failing }, sound, "xdp_pass");
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.match(error.message, /crashed on this object \(exit status 3\)/);
    assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/, "what it wrote stays in the journal");
    assert.match(String(error.cause), /secret/);
});

for (const [what, answer] of [
    ["garbage", "}{ no JSON"],
    ["nothing", ""],
    ["JSON that is no answer", "[1, 2]"],
    ["an answer without its programs", `{"ok":true}`],
] as const)
    test(`OneThatAnswers ${what} is an error`, async () => {
        const lying = script(`fs.writeSync(1, ${JSON.stringify(answer)});`);
        const error = await refusal({ script: lying }, sound, "xdp_pass");
        assert.equal(error.code, "INVALID_ARGUMENT");
        assert.match(error.message, /crashed on this object \(exit status 0\)/);
    });

for (const [where, fd] of [
    ["standard output", 1],
    ["standard error", 2],
] as const)
    test(`OneThatNeverStopsWritingTo ${where} is stopped, and the daemon does not keep what it wrote`, async () => {
        const talking = script(`const lines = Buffer.alloc(1 << 20, "x"); for (;;) fs.writeSync(${fd}, lines);`);
        const error = await refusal({ script: talking, timeoutMs: 3000 }, sound, "xdp_pass");
        if (fd === 1) assert.match(error.message, /crashed on this object \(SIGKILL\)/);
        else assert.equal(error.code, "DEADLINE_EXCEEDED");
        assert.ok(String(error.cause ?? "").length <= 64 << 10);
    });

test("OneWhoseHeapIsFullIsToldAsOutOfMemory", async () => {
    // RLIMIT_DATA as the loader's, but smaller: the machine of this test keeps its memory
    const eating = script(`
        const { libc } = await import(${ffi});
        const limit = Buffer.alloc(16);
        for (const at of [0, 8]) limit.writeBigUInt64LE(400n << 20n, at);
        if (libc.setrlimit(2, limit) !== 0) process.exit(9);
        const kept: unknown[] = [];
        for (;;) kept.push(Array.from({ length: 1000 }, () => ({ kept })));
    `);
    const error = await refusal({ script: eating, timeoutMs: 20_000 }, sound, "xdp_pass");
    assert.equal(error.code, "RESOURCE_EXHAUSTED", `${error.message} ${String(error.cause).slice(0, 300)}`);
    assert.match(error.message, /^load xdp_pass: the loader process ran out of memory/);
});

test("TheRealOneStopsAtItsMemoryLimit", async t => {
    // 1.5 GiB in all, were there no limit
    const hungry = craftHungryObject(384, 4 << 20);
    const started = performance.now();
    const error = await refusal({}, hungry, "eat_0");
    t.diagnostic(`${error.message} (${Math.round(performance.now() - started)} ms)`);
    assert.equal(error.code, "RESOURCE_EXHAUSTED");
    assert.match(error.message, /ENOMEM|out of memory/);
});

test("TheRealOneLoadsTheSameFunctionsWhereTheyAreFew", async () => {
    const error = await refusal({}, craftHungryObject(2, 4096), "eat_0");
    // read by libbpf, then refused for what it is: nothing but exits
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.match(error.log ?? "", /unreachable insn 1/);
});

test("AnObjectThatCrashesLibbpfKillsTheLoaderAlone", async t => {
    const error = await refusal({}, craftCrashingObject(sound), "xdp_pass");
    t.diagnostic(error.message);
    assert.equal(error.code, "INVALID_ARGUMENT");
    // libbpf 1.6 and those mended by a distribution refuse it
    assert.match(error.message, /crashed on this object \((SIGSEGV|SIGBUS)\)|^open the object/);
    const loader = new Loader();
    const asked = request("xdp_pass");
    assert.equal((await loader.load(asked, sound)).programs.length, 1, "the next load works");
    loader.stop();
    bpffs.remove(asked.folder);
});

test("TheVerifiersWholeLogIsKept", async () => {
    const { code, log = "", message } = await refusal({}, fixtureObject("xdp_big_log"), "xdp_big_log");
    assert.equal(code, "INVALID_ARGUMENT");
    assert.match(message, /^the verifier refused program xdp_big_log: EACCES$/);
    assert.ok(log.length > 1 << 20, `${log.length} bytes`);
    const lines = log.trimEnd().split("\n");
    assert.match(lines.slice(0, 4).join("\n"), /^0: R1=ctx/m, "the beginning");
    assert.match(lines.slice(-4).join("\n"), /invalid access to packet, off=64 size=1/, "the reason");
    assert.match(lines.at(-1) ?? "", /^processed \d+ insns \(limit 1000000\)/, "the end");
    // nothing is missing in between: every pass of the loop is there
    assert.ok(lines.filter(line => /^\d+: \(a5\)|^\d+: \(b5\)|if [rw]\d+ [!<>=]/.test(line)).length >= 2000);
});

test("TheVerifiersReasonIsKeptForEachRefusal", async () => {
    const object = fixtureObject("xdp_reject");
    for (const [name, reason] of [
        ["reject_out_of_bounds", /invalid access to packet/],
        ["reject_null", /R\d invalid mem access 'scalar'/],
        ["reject_endless", /BPF program is too large|infinite loop|too complex/],
    ] as const) {
        const error = await refusal({}, object, name);
        assert.match(error.message, new RegExp(`^the verifier refused program ${name}: E[A-Z0-9]+$`));
        assert.match(error.log ?? "", reason);
    }
});

test("ASpareThatDiedIsReplacedByTheNextLoad", async () => {
    const loader = new Loader();
    loader.warm();
    const children = () =>
        fs.readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    const [spare] = children();
    assert.ok(spare !== undefined);
    process.kill(spare, "SIGKILL");
    const asked = request("xdp_pass");
    assert.equal((await loader.load(asked, sound)).programs.length, 1);
    loader.stop();
    bpffs.remove(asked.folder);
    await assertGone(children());
});
