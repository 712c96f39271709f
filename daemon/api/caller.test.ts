// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { callerOf, describeCaller, nameInPasswd, parseLoginUid } from "./caller.ts";

test("the kernel names the process at the other end", async () => {
    const directory = mkdtempSync(join(tmpdir(), "bpfman-caller-"));
    const path = join(directory, "s");
    const server = createServer().listen(path);
    await once(server, "listening");
    const program = `require("node:net").connect(${JSON.stringify(path)}).on("close", () => {})`;
    const child = spawn(process.execPath, ["-e", program], { stdio: "inherit" });
    const [socket]: Socket[] = await once(server, "connection");
    assert.ok(socket);
    const caller = callerOf(socket);
    assert.equal(caller?.pid, child.pid);
    assert.equal(caller?.uid, process.getuid?.());
    assert.equal(caller?.gid, process.getgid?.());
    socket.destroy();
    assert.equal(callerOf(socket), undefined);
    await once(child, "exit");
    server.close();
    rmSync(directory, { recursive: true });
});

test("an unset login is none", () => {
    assert.equal(parseLoginUid("4294967295"), undefined);
    assert.equal(parseLoginUid("1000"), 1000);
    assert.equal(parseLoginUid("0\n"), 0);
    for (const text of ["", "-1", "x", "99999999999"]) assert.equal(parseLoginUid(text), undefined, text);
});

test("a caller is described by who is behind it", () => {
    const describe = (uid: number, loginUid: number | undefined) =>
        describeCaller({ uid, gid: 0, pid: 1, loginUid }, id => (id === 1000 ? "admin" : undefined));
    assert.equal(describe(0, undefined), "root");
    assert.equal(describe(0, 0), "root");
    assert.equal(describe(1000, undefined), "uid 1000");
    assert.equal(describe(1000, 1000), "uid 1000");
    assert.equal(describe(0, 1000), "admin (uid 1000) through root");
    assert.equal(describe(0, 1001), "uid 1001 through root");
    assert.equal(describe(1001, 0), "root (uid 0) through uid 1001");
});

test("a name is found by its uid", () => {
    const passwd = "root:x:0:0:root:/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\nbroken\n";
    assert.equal(nameInPasswd(passwd, 1000), "admin");
    assert.equal(nameInPasswd(passwd, 100), undefined);
});
