// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseServeOptions } from "./options.ts";

test("without options everything is where the system keeps it", () => {
    assert.deepEqual(parseServeOptions([], {}), {
        help: false,
        runtimeDir: "/run/bpfman",
        stateDir: "/var/lib/bpfman",
        imageCacheDir: "/var/cache/bpfman",
        socketPath: "/run/bpfman-sock/bpfman.sock",
        config: { path: "/etc/bpfman/bpfman.toml", named: false },
        log: { level: undefined, components: new Map() },
        idleTimeoutMs: undefined,
    });
});

test("another runtime directory holds its own socket, and a named socket beats all", () => {
    assert.equal(parseServeOptions(["--runtime-dir", "/tmp/a/"], {}).socketPath, "/tmp/a/bpfman.sock");
    assert.equal(parseServeOptions(["--runtime-dir=/tmp/a"], {}).runtimeDir, "/tmp/a");
    const environment = { BPFMAN_SOCKET_PATH: "/tmp/env.sock" };
    assert.equal(parseServeOptions(["--runtime-dir", "/tmp/a"], environment).socketPath, "/tmp/env.sock");
    assert.equal(parseServeOptions(["--socket-path=/tmp/b"], environment).socketPath, "/tmp/b");
    assert.equal(parseServeOptions([], { BPFMAN_SOCKET_PATH: "" }).socketPath, "/run/bpfman-sock/bpfman.sock");
});

test("values are taken behind a space or an equals sign", () => {
    const options = parseServeOptions(
        ["--idle-timeout=30", "--config", "/tmp/c=d.toml", "--csi-support", "--log", "debug", "--lock-timeout=5s"],
        {},
    );
    assert.equal(options.idleTimeoutMs, 30_000);
    const log = (spec: string) => parseServeOptions(["--log", spec], {}).log;
    assert.deepEqual(options.log, { level: "debug", components: new Map() });
    assert.deepEqual(log("api=debug,WARNING"), { level: "warn", components: new Map([["api", "debug"]]) });
    assert.deepEqual(log("store=err"), { level: undefined, components: new Map([["store", "error"]]) });
    assert.deepEqual(options.config, { path: "/tmp/c=d.toml", named: true });
});

test("what can't be meant is refused by name", () => {
    const cases: [string[], RegExp][] = [
        [["--nothing"], /^unknown option --nothing$/],
        [["--nothing=1"], /^unknown option --nothing$/],
        [["-x"], /^unknown option -x$/],
        [["start"], /^unexpected argument start$/],
        [["--runtime-dir"], /^--runtime-dir needs a value$/],
        [["--runtime-dir="], /^--runtime-dir needs a value$/],
        [["--runtime-dir", "run"], /^--runtime-dir needs an absolute path$/],
        [["--socket-path", "x.sock"], /^--socket-path needs an absolute path$/],
        [["--socket-path", `/${"x".repeat(107)}`], /at most 107 bytes/],
        [["--csi-support=1"], /^--csi-support takes no value$/],
        [["--log", "loud"], /^--log needs trace, debug, info, warn or error, not loud$/],
        [["--log", "info,store=loud"], /not store=loud$/],
        [["--idle-timeout", "-1"], /whole seconds/],
        [["--idle-timeout", "1.5"], /whole seconds/],
        [["--idle-timeout", "99999999"], /whole seconds/],
    ];
    for (const [argv, message] of cases) assert.throws(() => parseServeOptions(argv, {}), { message });
});
