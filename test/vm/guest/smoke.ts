// SPDX-License-Identifier: Apache-2.0
// Whether the guest is what the tests in it count on. Runs in the VM only.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, statfsSync } from "node:fs";
import { release } from "node:os";
import { test } from "node:test";

const bpffsMagic = 0xcafe4a11;
const tracefsMagic = 0x74726163;
const cgroup2Magic = 0x63677270;

test("the guest runs another kernel than the host, with BTF", () => {
    assert.equal(release(), process.env["GUEST_RELEASE"]);
    assert.equal(readFileSync("/sys/kernel/btf/vmlinux").readUInt16LE(0), 0xeb9f);
});

test("bpffs, tracefs and cgroup2 are mounted", () => {
    assert.equal(statfsSync("/sys/fs/bpf").type, bpffsMagic);
    assert.equal(statfsSync("/sys/kernel/tracing").type, tracefsMagic);
    assert.equal(statfsSync("/sys/fs/cgroup").type, cgroup2Magic);
});

test("network namespaces with a veth pair pass packets, and freplace loads", () => {
    const ip = (args: string): void => {
        execFileSync("ip", args.split(" "));
    };
    ip("netns add smoke");
    ip("link add smoke0 type veth peer name smoke1 netns smoke");
    ip("address add 192.0.2.1/24 dev smoke0");
    ip("link set smoke0 up");
    ip("-n smoke address add 192.0.2.2/24 dev smoke1");
    ip("-n smoke link set smoke1 up");
    try {
        execFileSync("ping", ["-c", "3", "-i", "0.05", "-W", "5", "192.0.2.2"]);
        // libxdp attaches also a lone program as an extension of its dispatcher
        const object = globSync("/usr/lib{,64,/x86_64-linux-gnu}/bpf/xdpfilt_alw_all.o")[0] ?? "xdpfilt_alw_all.o";
        execFileSync("xdp-loader", ["load", "-m", "skb", "smoke0", object]);
        const programs = JSON.parse(execFileSync("bpftool", ["-j", "prog", "show"], { encoding: "utf8" })) as {
            type: string;
            name: string;
        }[];
        assert.deepEqual(
            programs.filter(program => program.type === "ext").map(program => program.name),
            ["xdpfilt_alw_all"],
        );
    } finally {
        execFileSync("xdp-loader", ["unload", "-a", "smoke0"]);
        ip("netns del smoke");
    }
});
