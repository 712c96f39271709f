// SPDX-License-Identifier: Apache-2.0
// Objects that must never reach libbpf: what the check before it says of them, and that one of them really kills it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { checkObject } from "../../daemon/kernel/elf/elf.ts";
import { BpfmanError } from "../../daemon/model/error.ts";
import { craftCrashingObject } from "../fixtures/crash-object.ts";
import { fixtureObject, fixtureObjectWithoutBtf } from "../fixtures/objects.ts";

function refusal(bytes: Uint8Array): string {
    try {
        checkObject(bytes);
    } catch (error) {
        assert.ok(error instanceof BpfmanError, String(error));
        assert.equal(error.code, "INVALID_ARGUMENT");
        assert.ok(!error.message.includes("\n") && error.message.length < 300, "it is one sentence");
        return error.message;
    }
    throw new assert.AssertionError({ message: "the object was accepted" });
}

const ffi = pathToFileURL(`${import.meta.dirname}/../../daemon/kernel/ffi.ts`).href;
/** Opens what comes on standard input with libbpf itself. */
const opener = `
import { readFileSync } from "node:fs";
import { libbpf } from ${JSON.stringify(ffi)};
const bytes = readFileSync(0);
const object = libbpf.openMem(bytes, bytes.length, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0));
console.log(object === null ? "refused" : "opened", libbpf.versionString());
`;

function openInChild(bytes: Uint8Array) {
    // no core dump of what is meant to die
    const command = `ulimit -c 0; exec "$0" --input-type=module -e "$1"`;
    return spawnSync("sh", ["-c", command, process.execPath, opener], { input: bytes, encoding: "utf8" });
}

describe("objects that are none", () => {
    const cases: [string, Uint8Array, RegExp][] = [
        ["an empty file", Buffer.alloc(0), /^not an ELF object: it is empty$/],
        ["zeroes", Buffer.alloc(4096), /^not an ELF object: it looks like unknown data$/],
        ["a shell script", Buffer.from("#!/bin/sh\n"), /a script/],
        ["this program's own manifest", readFileSync("package.json"), /JSON/],
        ["the interpreter that runs this test", readFileSync(process.execPath).subarray(0, 1 << 20), /not for BPF/],
    ];
    for (const [what, bytes, expected] of cases) {
        it(`says what it got: ${what}`, () => assert.match(refusal(bytes), expected));
    }

    it("refuses random bytes, with the magic number of ELF before them too", () => {
        for (let round = 0; round < 200; round += 1) {
            const bytes = randomBytes(1 + 37 * round);
            refusal(bytes);
            refusal(Buffer.concat([Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1), bytes]));
        }
    });

    it("refuses an object cut off at any byte", () => {
        const object = fixtureObjectWithoutBtf("xdp_count");
        for (let length = 0; length < object.length; length += 1) refusal(object.subarray(0, length));
    });
});

describe("the object of CVE-2025-29481", () => {
    const crashing = craftCrashingObject(fixtureObject("xdp_pass"));

    it("is refused, and the reason is the function that lies outside of its section", () => {
        assert.match(refusal(crashing), /^broken eBPF object: function xdp_pass at byte \d+ .* leaves its section xdp/);
    });

    it("would kill a process that opens it with a libbpf that has the fault", t => {
        const sound = openInChild(fixtureObject("xdp_pass"));
        assert.match(sound.stdout, /^opened/, sound.stderr);
        const { signal, stdout, stderr } = openInChild(crashing);
        t.diagnostic(`${sound.stdout.trim().replace("opened ", "libbpf ")}: ${signal ?? stdout.trim()}`);
        // fixed in libbpf 1.6; a distribution may have mended an older one
        assert.ok(signal === "SIGSEGV" || signal === "SIGBUS" || stdout.startsWith("refused"), stdout + stderr);
    });
});

describe("sound objects of others", () => {
    const folder = "/usr/lib/x86_64-linux-gnu/bpf";
    const names = ["xdp-dispatcher", "xdpdump_bpf", "xdpfilt_alw_all", "xsk_def_xdp_prog"];
    const present = names.filter(name => existsSync(`${folder}/${name}.o`));
    it("are read: those of xdp-tools", { skip: present.length > 0 ? false : "xdp-tools is not installed" }, () => {
        for (const name of present) {
            const elf = checkObject(readFileSync(`${folder}/${name}.o`));
            assert.ok(elf.functions.length > 0, name);
            assert.ok(elf.license !== "", name);
        }
    });
});
