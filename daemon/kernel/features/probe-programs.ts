// SPDX-License-Identifier: Apache-2.0
// Program types and helpers, each probed by a program of two instructions.
import { btfKind } from "../btf/vmlinux-btf.ts";
import { attachTypes, programTypeNumbers } from "../enums.ts";
import { Fd } from "../fd.ts";
import { errnoName } from "../ffi.ts";
import { instruction, loadProgram, type ProgramProbe, probeBtfId } from "./probe.ts";
import { type Answer, answer, type Bench, needs, no, type Probe, programAnswer, yes } from "./probe-answer.ts";

const BPF_F_SLEEPABLE = 1 << 4;

type ProgramTypeName = keyof typeof programTypeNumbers;

function program(since: string, type: ProgramTypeName, more: Partial<ProgramProbe> = {}, option?: string): Probe {
    const run = (): Answer => programAnswer(loadProgram({ type: programTypeNumbers[type], ...more }));
    return { name: `program/${type}`, since, run, ...needs(option) };
}

/** A program for a function, hook or trace point of the kernel that is known by its BTF id. */
function kernelTarget(name: string, since: string, target: string, type: ProgramTypeName, attachType: number): Probe {
    return {
        name: `program/${name}`,
        since,
        run({ kernelBtf, ids }) {
            if (kernelBtf === undefined) return no("ENOENT", "The kernel has no BTF.");
            const attachBtfId = ids.get(target);
            if (attachBtfId === undefined) {
                return no("ENOENT", `The kernel's BTF has no ${target}.`);
            }
            return programAnswer(loadProgram({ type: programTypeNumbers[type], attachType, attachBtfId }));
        },
    };
}

/** what the probes aim at in the kernel's BTF */
export const kernelTargets = {
    bpf_fentry_test1: btfKind.function,
    bpf_lsm_bpf: btfKind.function,
    bpf_iter_task: btfKind.function,
    btf_trace_sched_switch: btfKind.typedef,
} as const;

/** freplace: a program with a stub, and one that would replace the stub. */
function probeExt({ btf }: Bench): Answer {
    if (btf === undefined) return no("EINVAL", "The kernel takes no BTF of programs.");
    const code = [instruction.callSubprogram(1), instruction.exit, instruction.returnZero, instruction.exit].flat();
    const functions = [0, probeBtfId.main, 2, probeBtfId.stub];
    const target = loadProgram({ type: programTypeNumbers.xdp, instructions: code, btf, functions });
    if (target.result < 0) return programAnswer(target);
    using attachProgram = new Fd(target.result);
    const attachBtfId = probeBtfId.stub;
    const own = [0, probeBtfId.main];
    return programAnswer(
        loadProgram({ type: programTypeNumbers.ext, btf, functions: own, attachProgram, attachBtfId }),
    );
}

/** Without a target the kernel gets as far as asking for one. */
function probeStructOps(): Answer {
    const { result } = loadProgram({ type: programTypeNumbers.struct_ops });
    return errnoName(result) === "ENOTSUPP" ? yes : answer(result);
}

export const programProbes: readonly Probe[] = [
    program("3.19", "socket_filter"),
    program("4.1", "kprobe", {}, "CONFIG_BPF_EVENTS"),
    program("4.1", "sched_cls"),
    program("4.1", "sched_act"),
    program("4.7", "tracepoint", {}, "CONFIG_BPF_EVENTS"),
    program("4.8", "xdp"),
    program("4.9", "perf_event", {}, "CONFIG_BPF_EVENTS"),
    program("4.10", "cgroup_skb", {}, "CONFIG_CGROUP_BPF"),
    program("4.10", "cgroup_sock", { attachType: attachTypes.cgroup_inet_sock_create }, "CONFIG_CGROUP_BPF"),
    program("4.10", "lwt_in", {}, "CONFIG_LWTUNNEL_BPF"),
    program("4.10", "lwt_out", {}, "CONFIG_LWTUNNEL_BPF"),
    program("4.10", "lwt_xmit", {}, "CONFIG_LWTUNNEL_BPF"),
    program("4.13", "sock_ops", { attachType: attachTypes.cgroup_sock_ops }),
    program("4.14", "sk_skb"),
    program("4.15", "cgroup_device", { attachType: attachTypes.cgroup_device }, "CONFIG_CGROUP_BPF"),
    program("4.17", "sk_msg", { attachType: attachTypes.sk_msg_verdict }),
    program("4.17", "raw_tracepoint", {}, "CONFIG_BPF_EVENTS"),
    program("4.17", "cgroup_sock_addr", { attachType: attachTypes.cgroup_inet4_connect }, "CONFIG_CGROUP_BPF"),
    program("4.18", "lwt_seg6local", {}, "CONFIG_IPV6_SEG6_BPF"),
    program("4.18", "lirc_mode2", { attachType: attachTypes.lirc_mode2 }, "CONFIG_BPF_LIRC_MODE2"),
    program("4.19", "sk_reuseport"),
    program("4.20", "flow_dissector", { attachType: attachTypes.flow_dissector }),
    program("5.2", "cgroup_sysctl", { attachType: attachTypes.cgroup_sysctl }, "CONFIG_CGROUP_BPF"),
    program("5.2", "raw_tracepoint_writable", {}, "CONFIG_BPF_EVENTS"),
    program("5.3", "cgroup_sockopt", { attachType: attachTypes.cgroup_getsockopt }, "CONFIG_CGROUP_BPF"),
    program("5.9", "sk_lookup", { attachType: attachTypes.sk_lookup }),
    program("5.14", "syscall", { flags: BPF_F_SLEEPABLE }),
    program("6.4", "netfilter", { attachType: attachTypes.netfilter }, "CONFIG_NETFILTER_BPF_LINK"),
    kernelTarget("fentry", "5.5", "bpf_fentry_test1", "tracing", attachTypes.trace_fentry),
    kernelTarget("fexit", "5.5", "bpf_fentry_test1", "tracing", attachTypes.trace_fexit),
    kernelTarget("tp_btf", "5.5", "btf_trace_sched_switch", "tracing", attachTypes.trace_raw_tp),
    kernelTarget("iter", "5.8", "bpf_iter_task", "tracing", attachTypes.trace_iter),
    { ...kernelTarget("lsm", "5.7", "bpf_lsm_bpf", "lsm", attachTypes.lsm_mac), option: "CONFIG_BPF_LSM" },
    { name: "program/ext", since: "5.6", run: probeExt },
    { name: "program/struct_ops", since: "5.6", option: "CONFIG_BPF_JIT", run: probeStructOps },
];

/** The verifier names a helper that it does not know, or not for this type; else it complains of the arguments. */
function helper(since: string, type: "xdp" | "sched_cls", name: string, number: number): Probe {
    return {
        name: `helper/${type}/${name}`,
        since,
        run() {
            const instructions = [...instruction.call(number), ...instruction.exit];
            const { result, log } = loadProgram({ type: programTypeNumbers[type], instructions });
            const unknown = /unknown func|invalid func|cannot use helper/.test(log);
            if (result >= 0) return answer(result);
            return unknown || log === "" ? answer(result) : yes;
        },
    };
}

export const helperProbes: readonly Probe[] = [
    helper("4.10", "xdp", "bpf_xdp_adjust_head", 44),
    helper("4.18", "xdp", "bpf_xdp_adjust_tail", 65),
    helper("5.18", "xdp", "bpf_xdp_get_buff_len", 188),
    helper("5.18", "xdp", "bpf_xdp_load_bytes", 189),
    helper("4.2", "xdp", "bpf_tail_call", 12),
    helper("5.17", "xdp", "bpf_loop", 181),
    helper("4.2", "sched_cls", "bpf_tail_call", 12),
    helper("5.10", "sched_cls", "bpf_redirect_peer", 155),
];
