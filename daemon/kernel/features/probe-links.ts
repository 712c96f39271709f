// SPDX-License-Identifier: Apache-2.0
// Kinds of links, each probed by one that can't come to be: nothing is attached.
import { attachTypes, programTypeNumbers } from "../enums.ts";
import { Fd } from "../fd.ts";
import { address, errnoName } from "../ffi.ts";
import { createLink, loadProgram, type ProgramProbe, queryPrograms } from "./probe.ts";
import { type Answer, answer, is, needs, no, type Probe, programAnswer, yes } from "./probe-answer.ts";

const noFd = -1;
const noInterface = 0x7fffffff;

/** A link to a target that is not there: a kernel that knows the kind fails on the target, another on the kind. */
function link(
    name: string,
    since: string,
    probe: ProgramProbe,
    failsWith: string,
    target = noFd,
    rest?: (attr: Buffer) => void,
): Probe {
    return {
        name: `link/${name}`,
        since,
        run() {
            const loaded = loadProgram(probe);
            if (loaded.result < 0) return programAnswer(loaded);
            using fd = new Fd(loaded.result);
            const result = createLink(fd, target, probe.attachType ?? 0, rest);
            return is(result, failsWith) ? yes : answer(result);
        },
    };
}

function interfaceLink(name: string, since: string, attachType: number, option?: string): Probe {
    const run = (): Answer => {
        const result = queryPrograms(noInterface, attachType);
        return is(result, "ENODEV") ? yes : answer(result);
    };
    return { name: `link/${name}`, since, run, ...needs(option) };
}

/** Whether TC chains can be held by a TCX link: undefined, or why not, one sentence. */
export function probeTcx(): string | undefined {
    const result = queryPrograms(noInterface, attachTypes.tcx_ingress);
    return is(result, "ENODEV") ? undefined : `this kernel has no TCX (${errnoName(result)})`;
}

const root = Buffer.from("/\0");
const oneOffset = Buffer.alloc(8);
const { kprobe, tracepoint, cgroup_skb, sk_lookup } = programTypeNumbers;
const kprobeMulti = { type: kprobe, attachType: attachTypes.trace_kprobe_multi };
const uprobeMulti = { type: kprobe, attachType: attachTypes.trace_uprobe_multi };

export const linkProbes: readonly Probe[] = [
    {
        // net/core/dev.c answers EINVAL for a wrong interface as for an unknown kind; but it is never left out of a build
        name: "link/xdp",
        since: "5.9",
        run: ({ kernelBtf }) =>
            kernelBtf?.names("BPF_LINK_TYPE_XDP") === true
                ? yes
                : no("EINVAL", kernelBtf === undefined ? "The kernel has no BTF." : ""),
    },
    interfaceLink("tcx", "6.6", attachTypes.tcx_ingress, "CONFIG_NET_XGRESS"),
    interfaceLink("netkit", "6.7", attachTypes.netkit_primary, "CONFIG_NETKIT"),
    link("perf_event", "5.15", { type: tracepoint, attachType: attachTypes.perf_event }, "EBADF"),
    {
        ...link("kprobe_multi", "5.18", kprobeMulti, "EFAULT", 0, attr => {
            attr.writeUInt32LE(1, 20);
            // an array of names at an address where nothing is
            attr.writeBigUInt64LE(8n, 24);
        }),
        option: "CONFIG_FPROBE",
    },
    {
        // the folder / is no file that could be probed: libbpf asks the same way (probe_uprobe_multi_link)
        ...link("uprobe_multi", "6.6", uprobeMulti, "EBADF", 0, attr => {
            attr.writeBigUInt64LE(address(root), 16);
            attr.writeBigUInt64LE(address(oneOffset), 24);
            attr.writeUInt32LE(1, 48);
        }),
        option: "CONFIG_UPROBES",
    },
    { ...link("cgroup", "5.7", { type: cgroup_skb }, "EBADF"), option: "CONFIG_CGROUP_BPF" },
    link("netns", "5.8", { type: sk_lookup, attachType: attachTypes.sk_lookup }, "EBADF"),
];
