// SPDX-License-Identifier: Apache-2.0
// What an ELF section name says of the programs in it. A table of our own, because the installed libbpf may be older
// than the object (1.1 opens "tcx/ingress" as type 0). The names are those of section_defs[] in libbpf 1.7's
// libbpf.c, with its rules: a plain entry matches exactly, "kprobe+" matches "kprobe" and "kprobe/…".
import type { ProgramType } from "../../model/hooks.ts";
import { attachTypes, programTypeNumbers } from "../enums.ts";

export interface SectionFacts {
    /** bpfman's word; undefined: nothing this daemon loads */
    readonly type: ProgramType | undefined;
    /** other words that such a program may be loaded as */
    readonly otherTypes: readonly ProgramType[];
    /** the word for people: xdp, tc, kprobe, "socket filter" … */
    readonly kind: string;
    /** enum bpf_prog_type */
    readonly progType: number;
    /** expected_attach_type to load with */
    readonly attachType: number;
    /** asks for multi-buffer XDP: BPF_F_XDP_HAS_FRAGS */
    readonly frags: boolean;
    readonly sleepable: boolean;
    /** runs at a network interface; false for XDP programs of a devmap or cpumap entry */
    readonly onInterface: boolean;
}

interface Rule extends SectionFacts {
    readonly pattern: string;
}

type KernelType = keyof typeof programTypeNumbers;
type KernelAttachType = keyof typeof attachTypes;

interface Extras {
    readonly attach?: KernelAttachType;
    readonly type?: ProgramType;
    readonly otherTypes?: readonly ProgramType[];
    readonly frags?: boolean;
    readonly sleepable?: boolean;
    readonly onInterface?: boolean;
}

function rule(pattern: string, progType: KernelType, kind: string, extras: Extras = {}): Rule {
    return {
        pattern,
        kind,
        progType: programTypeNumbers[progType],
        attachType: extras.attach === undefined ? 0 : attachTypes[extras.attach],
        type: extras.type,
        otherTypes: extras.otherTypes ?? [],
        frags: extras.frags ?? false,
        sleepable: extras.sleepable ?? false,
        onInterface: extras.onInterface ?? (progType === "xdp" || progType === "sched_cls"),
    };
}

// Attach type 0 for XDP at an interface and for every SCHED_CLS, whatever libbpf would set: the kernel refuses to mix
// attach types in one PROG_ARRAY and in BPF_LINK_UPDATE, and attaches programs loaded with 0 just as well.
// What follows a "/" after tc, classifier and xdp is a name given by older loaders and says nothing.
const tc: Extras = { type: "tc", otherTypes: ["tcx"] };
const xdpMap = { type: "xdp", onInterface: false } as const;
const rules: readonly Rule[] = [
    rule("xdp.frags/devmap", "xdp", "xdp devmap", { ...xdpMap, attach: "xdp_devmap", frags: true }),
    rule("xdp/devmap", "xdp", "xdp devmap", { ...xdpMap, attach: "xdp_devmap" }),
    rule("xdp.frags/cpumap", "xdp", "xdp cpumap", { ...xdpMap, attach: "xdp_cpumap", frags: true }),
    rule("xdp/cpumap", "xdp", "xdp cpumap", { ...xdpMap, attach: "xdp_cpumap" }),
    rule("xdp.frags+", "xdp", "xdp", { type: "xdp", frags: true }),
    rule("xdp+", "xdp", "xdp", { type: "xdp" }),

    rule("tcx/ingress", "sched_cls", "tcx", { type: "tcx" }),
    rule("tcx/egress", "sched_cls", "tcx", { type: "tcx" }),
    rule("tc+", "sched_cls", "tc", tc),
    rule("classifier+", "sched_cls", "tc", tc),
    rule("action", "sched_act", "tc action"),
    rule("netkit/primary", "sched_cls", "netkit", { attach: "netkit_primary" }),
    rule("netkit/peer", "sched_cls", "netkit", { attach: "netkit_peer" }),

    rule("kprobe+", "kprobe", "kprobe", { type: "kprobe" }),
    rule("kretprobe+", "kprobe", "kretprobe", { type: "kretprobe" }),
    rule("uprobe+", "kprobe", "uprobe", { type: "uprobe" }),
    rule("uprobe.s+", "kprobe", "uprobe", { type: "uprobe", sleepable: true }),
    rule("uretprobe+", "kprobe", "uretprobe", { type: "uretprobe" }),
    rule("uretprobe.s+", "kprobe", "uretprobe", { type: "uretprobe", sleepable: true }),
    rule("kprobe.multi+", "kprobe", "kprobe multi", { attach: "trace_kprobe_multi" }),
    rule("kretprobe.multi+", "kprobe", "kretprobe multi", { attach: "trace_kprobe_multi" }),
    rule("kprobe.session+", "kprobe", "kprobe session", { attach: "trace_kprobe_session" }),
    rule("uprobe.multi+", "kprobe", "uprobe multi", { attach: "trace_uprobe_multi" }),
    rule("uprobe.multi.s+", "kprobe", "uprobe multi", { attach: "trace_uprobe_multi", sleepable: true }),
    rule("uretprobe.multi+", "kprobe", "uretprobe multi", { attach: "trace_uprobe_multi" }),
    rule("uretprobe.multi.s+", "kprobe", "uretprobe multi", { attach: "trace_uprobe_multi", sleepable: true }),
    rule("uprobe.session+", "kprobe", "uprobe session", { attach: "trace_uprobe_session" }),
    rule("uprobe.session.s+", "kprobe", "uprobe session", { attach: "trace_uprobe_session", sleepable: true }),
    rule("ksyscall+", "kprobe", "ksyscall"),
    rule("kretsyscall+", "kprobe", "kretsyscall"),
    rule("usdt+", "kprobe", "usdt"),
    rule("usdt.s+", "kprobe", "usdt", { sleepable: true }),

    rule("tracepoint+", "tracepoint", "tracepoint", { type: "tracepoint" }),
    rule("tp+", "tracepoint", "tracepoint", { type: "tracepoint" }),
    rule("raw_tracepoint+", "raw_tracepoint", "raw tracepoint", { type: "raw_tracepoint" }),
    rule("raw_tp+", "raw_tracepoint", "raw tracepoint", { type: "raw_tracepoint" }),
    rule("raw_tracepoint.w+", "raw_tracepoint_writable", "writable raw tracepoint"),
    rule("raw_tp.w+", "raw_tracepoint_writable", "writable raw tracepoint"),
    rule("tp_btf+", "tracing", "tp_btf", { attach: "trace_raw_tp" }),
    rule("fentry+", "tracing", "fentry", { type: "fentry", attach: "trace_fentry" }),
    rule("fentry.s+", "tracing", "fentry", { type: "fentry", attach: "trace_fentry", sleepable: true }),
    rule("fexit+", "tracing", "fexit", { type: "fexit", attach: "trace_fexit" }),
    rule("fexit.s+", "tracing", "fexit", { type: "fexit", attach: "trace_fexit", sleepable: true }),
    rule("fmod_ret+", "tracing", "fmod_ret", { attach: "modify_return" }),
    rule("fmod_ret.s+", "tracing", "fmod_ret", { attach: "modify_return", sleepable: true }),
    rule("iter+", "tracing", "iterator", { attach: "trace_iter" }),
    rule("iter.s+", "tracing", "iterator", { attach: "trace_iter", sleepable: true }),
    rule("freplace+", "ext", "freplace"),
    rule("lsm+", "lsm", "lsm", { type: "lsm", attach: "lsm_mac" }),
    rule("lsm.s+", "lsm", "lsm", { type: "lsm", attach: "lsm_mac", sleepable: true }),
    rule("lsm_cgroup+", "lsm", "lsm cgroup", { attach: "lsm_cgroup" }),
    rule("struct_ops+", "struct_ops", "struct_ops"),
    rule("struct_ops.s+", "struct_ops", "struct_ops", { sleepable: true }),
    rule("perf_event", "perf_event", "perf event", { type: "perf_event" }),
    rule("syscall", "syscall", "syscall", { sleepable: true }),

    rule("socket", "socket_filter", "socket filter"),
    rule("sk_reuseport/migrate", "sk_reuseport", "sk_reuseport", { attach: "sk_reuseport_select_or_migrate" }),
    rule("sk_reuseport", "sk_reuseport", "sk_reuseport", { attach: "sk_reuseport_select" }),
    rule("sk_lookup", "sk_lookup", "sk_lookup", { attach: "sk_lookup" }),
    rule("sk_msg", "sk_msg", "sk_msg", { attach: "sk_msg_verdict" }),
    rule("sk_skb", "sk_skb", "sk_skb"),
    rule("sk_skb/stream_parser", "sk_skb", "sk_skb", { attach: "sk_skb_stream_parser" }),
    rule("sk_skb/stream_verdict", "sk_skb", "sk_skb", { attach: "sk_skb_stream_verdict" }),
    rule("sk_skb/verdict", "sk_skb", "sk_skb", { attach: "sk_skb_verdict" }),
    rule("sockops", "sock_ops", "sockops", { type: "cgroup", attach: "cgroup_sock_ops" }),
    rule("flow_dissector", "flow_dissector", "flow dissector", { attach: "flow_dissector" }),
    rule("lirc_mode2", "lirc_mode2", "lirc_mode2", { attach: "lirc_mode2" }),
    rule("netfilter", "netfilter", "netfilter", { attach: "netfilter" }),
    rule("lwt_in", "lwt_in", "lwt_in"),
    rule("lwt_out", "lwt_out", "lwt_out"),
    rule("lwt_xmit", "lwt_xmit", "lwt_xmit"),
    rule("lwt_seg6local", "lwt_seg6local", "lwt_seg6local"),

    rule("cgroup_skb/ingress", "cgroup_skb", "cgroup skb", { type: "cgroup", attach: "cgroup_inet_ingress" }),
    rule("cgroup_skb/egress", "cgroup_skb", "cgroup skb", { type: "cgroup", attach: "cgroup_inet_egress" }),
    rule("cgroup/skb", "cgroup_skb", "cgroup skb"),
    rule("cgroup/sock_create", "cgroup_sock", "cgroup sock", { type: "cgroup", attach: "cgroup_inet_sock_create" }),
    rule("cgroup/sock_release", "cgroup_sock", "cgroup sock", { type: "cgroup", attach: "cgroup_inet_sock_release" }),
    rule("cgroup/sock", "cgroup_sock", "cgroup sock", { type: "cgroup", attach: "cgroup_inet_sock_create" }),
    rule("cgroup/post_bind4", "cgroup_sock", "cgroup sock", { type: "cgroup", attach: "cgroup_inet4_post_bind" }),
    rule("cgroup/post_bind6", "cgroup_sock", "cgroup sock", { type: "cgroup", attach: "cgroup_inet6_post_bind" }),
    ...cgroupSockAddr(),
    rule("cgroup/sysctl", "cgroup_sysctl", "cgroup sysctl", { type: "cgroup", attach: "cgroup_sysctl" }),
    rule("cgroup/getsockopt", "cgroup_sockopt", "cgroup sockopt", { type: "cgroup", attach: "cgroup_getsockopt" }),
    rule("cgroup/setsockopt", "cgroup_sockopt", "cgroup sockopt", { type: "cgroup", attach: "cgroup_setsockopt" }),
    rule("cgroup/dev", "cgroup_device", "cgroup device", { type: "cgroup", attach: "cgroup_device" }),
];

function cgroupSockAddr(): Rule[] {
    const hooks: readonly (readonly [string, KernelAttachType])[] = [
        ["bind4", "cgroup_inet4_bind"],
        ["bind6", "cgroup_inet6_bind"],
        ["connect4", "cgroup_inet4_connect"],
        ["connect6", "cgroup_inet6_connect"],
        ["connect_unix", "cgroup_unix_connect"],
        ["sendmsg4", "cgroup_udp4_sendmsg"],
        ["sendmsg6", "cgroup_udp6_sendmsg"],
        ["sendmsg_unix", "cgroup_unix_sendmsg"],
        ["recvmsg4", "cgroup_udp4_recvmsg"],
        ["recvmsg6", "cgroup_udp6_recvmsg"],
        ["recvmsg_unix", "cgroup_unix_recvmsg"],
        ["getpeername4", "cgroup_inet4_getpeername"],
        ["getpeername6", "cgroup_inet6_getpeername"],
        ["getpeername_unix", "cgroup_unix_getpeername"],
        ["getsockname4", "cgroup_inet4_getsockname"],
        ["getsockname6", "cgroup_inet6_getsockname"],
        ["getsockname_unix", "cgroup_unix_getsockname"],
    ];
    return hooks.map(([hook, attach]) =>
        rule(`cgroup/${hook}`, "cgroup_sock_addr", `cgroup ${hook.replace(/(?:[46]|_unix)$/, "")}`, {
            type: "cgroup",
            attach,
        }),
    );
}

function matches(pattern: string, name: string): boolean {
    if (!pattern.endsWith("+")) return name === pattern;
    const stem = pattern.slice(0, -1);
    return name === stem || (name.startsWith(`${stem}/`) && name.length > stem.length + 1);
}

/** undefined: the name stands for no program type. A leading "?" (libbpf: do not load by default) is skipped. */
export function sectionFacts(section: string): SectionFacts | undefined {
    const name = section.startsWith("?") ? section.slice(1) : section;
    return rules.find(({ pattern }) => matches(pattern, name));
}

const sectionsFor: Readonly<Record<ProgramType, string>> = {
    xdp: 'an xdp program belongs in "xdp" or "xdp.frags"',
    tc: 'a tc program belongs in "tc" or "classifier"',
    tcx: 'a tcx program belongs in "tcx/ingress" or "tcx/egress"',
    tracepoint: 'a tracepoint program belongs in "tracepoint" or "tp/GROUP/NAME"',
    kprobe: 'a kprobe program belongs in "kprobe"',
    kretprobe: 'a kretprobe program belongs in "kretprobe"',
    uprobe: 'a uprobe program belongs in "uprobe"',
    uretprobe: 'a uretprobe program belongs in "uretprobe"',
    fentry: 'a fentry program belongs in "fentry/FUNCTION"',
    fexit: 'a fexit program belongs in "fexit/FUNCTION"',
    lsm: 'an lsm program belongs in "lsm/HOOK"',
    perf_event: 'a perf_event program belongs in "perf_event"',
    raw_tracepoint: 'a raw_tracepoint program belongs in "raw_tp/NAME"',
    cgroup: 'a cgroup program belongs in "cgroup_skb/ingress", "cgroup/connect4", "cgroup/dev" or the like',
};

/** Whether a program in this section can be loaded as the wanted type: undefined, or the sentence that says why not. */
export function checkType(section: string, wanted: ProgramType): string | undefined {
    const facts = sectionFacts(section);
    if (facts === undefined) {
        return `ELF section "${section}" stands for no program type; ${sectionsFor[wanted]}`;
    }
    if (facts.type === wanted || facts.otherTypes.includes(wanted)) return undefined;
    return `program type mismatch: caller specified ${wanted} but ELF section "${section}" implies ${facts.type ?? facts.kind}`;
}
