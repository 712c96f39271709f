// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attachTypeName, attachTypes, linkTypeName, mapTypeName, programTypeName } from "../enums.ts";
import { checkType, sectionFacts } from "./sections.ts";

describe("sectionFacts", () => {
    it("loads XDP and TC programs with attach type 0", () => {
        for (const section of ["xdp", "xdp.frags", "xdp/name", "tc", "tc/ingress", "classifier/x", "tcx/egress"]) {
            assert.equal(sectionFacts(section)?.attachType, 0, section);
        }
    });

    it("keeps the attach type of XDP programs for devmaps and cpumaps, which attach to no interface", () => {
        for (const [section, attach, frags] of [
            ["xdp/devmap", attachTypes.xdp_devmap, false],
            ["xdp.frags/cpumap", attachTypes.xdp_cpumap, true],
        ] as const) {
            const facts = sectionFacts(section);
            assert.equal(facts?.attachType, attach);
            assert.equal(facts?.onInterface, false);
            assert.equal(facts?.frags, frags);
            assert.equal(facts?.type, "xdp");
        }
        assert.equal(sectionFacts("xdp")?.onInterface, true);
    });

    it("knows libbpf's names of other types", () => {
        const cases: [string, string, string][] = [
            ["kprobe/do_unlinkat", "kprobe", "cgroup_inet_ingress"],
            ["kprobe.session/x", "kprobe", "trace_kprobe_session"],
            ["uprobe.multi.s//bin/sh:main", "kprobe", "trace_uprobe_multi"],
            ["tp/syscalls/sys_enter_openat", "tracepoint", "cgroup_inet_ingress"],
            ["fentry/vfs_read", "tracing", "trace_fentry"],
            ["fentry.s/vfs_read", "tracing", "trace_fentry"],
            ["lsm.s/bpf", "lsm", "lsm_mac"],
            ["netkit/peer", "sched_cls", "netkit_peer"],
            ["cgroup/connect_unix", "cgroup_sock_addr", "cgroup_unix_connect"],
            ["cgroup/getsockopt", "cgroup_sockopt", "cgroup_getsockopt"],
            ["sk_skb/stream_verdict", "sk_skb", "sk_skb_stream_verdict"],
            ["netfilter", "netfilter", "netfilter"],
            ["struct_ops.s/x", "struct_ops", "cgroup_inet_ingress"],
            ["?xdp", "xdp", "cgroup_inet_ingress"],
        ];
        for (const [section, program, attach] of cases) {
            const facts = sectionFacts(section);
            assert.ok(facts, section);
            assert.equal(programTypeName(facts.progType), program, section);
            assert.equal(attachTypeName(facts.attachType), attach, section);
        }
        assert.equal(sectionFacts("fentry.s/vfs_read")?.sleepable, true);
        assert.equal(sectionFacts("fentry/vfs_read")?.sleepable, false);
    });

    it("knows nothing of names that only begin like one", () => {
        for (const section of ["xdp_prog", "xdp/", "tcx", "tcx/ingress2", "socket1", "kprobes", "", "?", ".text"]) {
            assert.equal(sectionFacts(section), undefined, section);
        }
    });
});

describe("checkType", () => {
    it("accepts what the section says and what it may stand for", () => {
        for (const [section, wanted] of [
            ["xdp", "xdp"],
            ["xdp.frags", "xdp"],
            ["tc", "tc"],
            ["classifier", "tcx"],
            ["classifier/name", "tc"],
            ["tc/egress", "tcx"],
            ["tcx/ingress", "tcx"],
            ["tp/sched/sched_switch", "tracepoint"],
            ["kretprobe/vfs_read", "kretprobe"],
            ["uprobe.s", "uprobe"],
            ["fexit.s/vfs_read", "fexit"],
            ["lsm/file_open", "lsm"],
            ["raw_tp/sys_enter", "raw_tracepoint"],
            ["sockops", "cgroup"],
            ["cgroup/connect_unix", "cgroup"],
            ["cgroup_skb/egress", "cgroup"],
        ] as const) {
            assert.equal(checkType(section, wanted), undefined, `${section} ${wanted}`);
        }
    });

    it("says what the section implies", () => {
        assert.equal(
            checkType("xdp", "tc"),
            'program type mismatch: caller specified tc but ELF section "xdp" implies xdp',
        );
        assert.equal(
            checkType("tcx/ingress", "tc"),
            'program type mismatch: caller specified tc but ELF section "tcx/ingress" implies tcx',
        );
        assert.match(checkType("kprobe/x", "xdp") ?? "", /implies kprobe$/);
    });

    it("says what an unknown section should be called", () => {
        assert.equal(
            checkType("xdp_foo", "xdp"),
            'ELF section "xdp_foo" stands for no program type; an xdp program belongs in "xdp" or "xdp.frags"',
        );
    });
});

describe("enum names", () => {
    it("have the kernel's numbers", () => {
        assert.equal(programTypeName(3), "sched_cls");
        assert.equal(programTypeName(32), "netfilter");
        assert.equal(mapTypeName(27), "ringbuf");
        assert.equal(mapTypeName(33), "arena");
        assert.equal(linkTypeName(11), "tcx");
        assert.equal(attachTypeName(37), "xdp");
        assert.equal(attachTypeName(57), "trace_uprobe_session");
    });

    it("say the number of what a newer kernel has", () => {
        assert.equal(programTypeName(45), "type 45");
        assert.equal(mapTypeName(-1), "type -1");
    });
});
