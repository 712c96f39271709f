// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fixtureProgram } from "../../../test/fixtures/objects.ts";
import { BpfmanError } from "../../model/error.ts";
import { Executable } from "./executable.ts";

const sound = fs.readFileSync(fixtureProgram("probed"));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-elf-"));
process.on("exit", () => fs.rmSync(dir, { recursive: true, force: true }));

function withFile<T>(bytes: Uint8Array, work: (executable: Executable) => T): T {
    const file = path.join(dir, "x");
    fs.writeFileSync(file, bytes);
    const fd = fs.openSync(file, "r");
    try {
        return work(new Executable(fd, "/bin/x"));
    } finally {
        fs.closeSync(fd);
    }
}

const goName = "main.(*Server).Handle";

test("a function is found where nm and readelf say that it is", () => {
    const symbols = execFileSync("nm", [fixtureProgram("probed")], { encoding: "utf8" });
    const address = Number.parseInt(/^(\S+) T main\.\(/m.exec(symbols)?.[1] ?? "", 16);
    const segments = execFileSync("readelf", ["-lW", fixtureProgram("probed")], { encoding: "utf8" });
    const [, offset, start] = /LOAD +(0x\S+) (0x\S+) 0x\S+ 0x\S+ 0x\S+ R E/.exec(segments) ?? [];
    const found = withFile(sound, executable => executable.find(goName, true));
    assert.equal(found.offset, address - Number(start) + Number(offset));
    assert.ok(found.sizeBytes > 0);
    assert.ok(withFile(sound, executable => executable.isCode(found.offset)));
    assert.ok(!withFile(sound, executable => executable.isCode(0)));
});

test("a missing function is answered with near names, to whom they may be told", () => {
    const refused = (namesAreTold: boolean): BpfmanError => {
        try {
            withFile(sound, executable => executable.find("main.(*Server).Handel", namesAreTold));
        } catch (error) {
            assert.ok(error instanceof BpfmanError);
            return error;
        }
        return assert.fail("found");
    };
    const near = 'function "main.(*Server).Handel" not found in /bin/x; did you mean: main.(*Server).Handle?';
    assert.equal(refused(true).message, near);
    assert.equal(refused(false).message, 'function "main.(*Server).Handel" not found in /bin/x');
});

test("a stripped file says so, and keeps what it exports", () => {
    const stripped = path.join(dir, "stripped");
    execFileSync("strip", ["-o", stripped, fixtureProgram("probed")]);
    const find = () => withFile(fs.readFileSync(stripped), executable => executable.find(goName, true));
    assert.throws(find, (error: unknown) => error instanceof BpfmanError && /stripped/.test(error.hint ?? ""));
});

test("indirect functions are refused, versioned names are found without the version", () => {
    const folders = ["/lib64", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"];
    const libc = folders.map(folder => `${folder}/libc.so.6`).find(file => fs.existsSync(file));
    assert.ok(libc, "this machine's libc is found");
    withFile(fs.readFileSync(libc), executable => {
        assert.throws(() => executable.find("strlen", true), /strlen is an indirect function/);
        assert.ok(executable.find("getenv", true).offset > 0);
        // an old version of it is no indirect function, and is not what programs of today call
        assert.throws(() => executable.find("memcpy", true), /memcpy is an indirect function/);
    });
});

test("what is no executable is refused in one sentence", () => {
    const patched = (change: (bytes: Buffer) => void): Buffer => {
        const bytes = Buffer.from(sound);
        change(bytes);
        return bytes;
    };
    const cases: [Uint8Array, RegExp][] = [
        [new Uint8Array(0), /lies outside/],
        [Buffer.alloc(64), /no ELF file/],
        [patched(bytes => bytes.writeUInt8(1, 4)), /64-bit/],
        [patched(bytes => bytes.writeUInt16LE(8, 18)), /another kind of processor/],
        [patched(bytes => bytes.writeUInt16LE(1, 16)), /neither an executable nor/],
        [patched(bytes => bytes.writeUInt16LE(0, 56)), /no program headers/],
        [patched(bytes => bytes.writeBigUInt64LE(2n ** 63n, 32)), /program header table lies outside/],
        [patched(bytes => bytes.writeBigUInt64LE(2n ** 64n - 8n, 40)), /section header table lies outside/],
        [sound.subarray(0, 200), /lies outside/],
    ];
    for (const [bytes, message] of cases)
        assert.throws(
            () => withFile(bytes, () => undefined),
            (error: unknown) => {
                assert.ok(error instanceof BpfmanError);
                assert.equal(error.code, "INVALID_ARGUMENT");
                assert.match(error.message, message);
                return true;
            },
        );
});

test("bytes changed at random are refused or read, and nothing else", () => {
    // a fixed seed: the same bytes each time
    let state = 12345;
    const random = (below: number): number => {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        return state % below;
    };
    for (let round = 0; round < 300; round += 1) {
        const bytes = Buffer.from(sound);
        for (let change = 0; change < 8; change += 1) {
            // mostly in the headers, where it hurts
            const at = round % 2 === 0 ? random(1024) : bytes.length - 1 - random(4096);
            bytes.writeUInt8(random(256), at);
        }
        try {
            withFile(bytes, executable => executable.find(goName, true));
        } catch (error) {
            assert.ok(error instanceof BpfmanError, String(error));
        }
    }
});
