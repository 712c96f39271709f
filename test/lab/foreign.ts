// SPDX-License-Identifier: Apache-2.0
// A program and links of somebody else: loaded by bpftool and pinned in a bpffs of its own. Whatever the daemon does,
// they must be there afterwards.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as bpf from "../../daemon/kernel/bpf.ts";
import { check } from "../../daemon/kernel/errors.ts";
import { Fd } from "../../daemon/kernel/fd.ts";
import { libc } from "../../daemon/kernel/ffi.ts";
import { NetThread } from "../../daemon/kernel/net/net-thread.ts";
import { fixtureObject } from "../fixtures/objects.ts";
import type { Wire } from "./namespaces.ts";

/** A number from the kernel that tests also use where an id of ours is asked for. */
interface Pinned {
    readonly id: number;
    readonly pin: string;
}

export class Foreign implements Disposable {
    readonly #dir: string;
    readonly #fs: string;
    readonly program: Pinned & { readonly tag: string };
    readonly #links: Pinned[] = [];

    /** type: as bpftool names it (xdp, classifier) */
    constructor(fixture: string, type: string) {
        this.#dir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-foreign-"));
        this.#fs = path.join(this.#dir, "fs");
        fs.mkdirSync(this.#fs);
        check(libc.mount("bpf", this.#fs, "bpf", 0, "mode=0700"), "mount a bpffs");
        const object = path.join(this.#dir, "foreign.o");
        fs.writeFileSync(object, fixtureObject(fixture));
        const pin = path.join(this.#fs, "program");
        execFileSync("bpftool", ["prog", "load", object, pin, "type", type], { stdio: "pipe" });
        using fd = bpf.openPin(pin);
        const { id, tag } = bpf.programIdentity(fd);
        this.program = { id, tag, pin };
    }

    /** Attaches it to the wire's interface by a pinned link; tcx at the head of ingress. */
    async attach(wire: Wire, kind: "xdp" | "tcx"): Promise<Pinned> {
        const net = new NetThread();
        try {
            const { interfaces } = await net.call(wire.netns, { op: "interfaces" });
            const ifindex = interfaces.find(({ name }) => name === wire.interface)?.ifindex ?? 0;
            using program = bpf.openPin(this.program.pin);
            const number = program.number;
            const result =
                kind === "xdp"
                    ? await net.call(wire.netns, {
                          op: "create-xdp-link",
                          program: number,
                          ifindex,
                          flags: bpf.xdpFlag.driver,
                      })
                    : await net.call(wire.netns, {
                          op: "create-tcx-link",
                          program: number,
                          ifindex,
                          attachType: bpf.attachType.tcxIngress,
                          place: { flags: bpf.tcxFlag.before, relativeFd: 0, revision: 0n },
                      });
            using fd = new Fd(check(result, `attach to ${wire.interface}`));
            const link = { id: bpf.linkInfo(fd).id, pin: path.join(this.#fs, `link_${this.#links.length}`) };
            bpf.pin(fd, link.pin);
            this.#links.push(link);
            return link;
        } finally {
            await net.stop();
        }
    }

    /** The program and each link are the ones they were, and every link is attached. */
    assertUntouched(): void {
        using program = bpf.openPin(this.program.pin);
        const { id, tag } = bpf.programIdentity(program);
        assert.deepEqual({ id, tag }, { id: this.program.id, tag: this.program.tag });
        for (const { id: linkId, pin } of this.#links) {
            using link = bpf.openPin(pin);
            const info = bpf.linkInfo(link);
            assert.equal(info.id, linkId);
            assert.equal(info.programId, this.program.id);
            assert.notEqual(info.ifindex, 0, `link ${linkId} is attached to nothing`);
        }
    }

    [Symbol.dispose](): void {
        libc.umount(this.#fs, 0);
        fs.rmSync(this.#dir, { recursive: true, force: true });
    }
}
