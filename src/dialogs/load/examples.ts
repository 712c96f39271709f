// SPDX-License-Identifier: Apache-2.0
// What fields show while they are empty: names that are the same in every language.
export const examples = {
    image: "quay.io/bpfman-bytecode/xdp_pass:latest",
    tracepoint: "sched/sched_switch",
    rawTracepoint: "sched_switch",
    kernelFunction: "do_unlinkat",
    securityHook: "file_open",
    cgroup: "system.slice/httpd.service",
    file: "/usr/bin/bash",
    symbol: "readline",
} as const;
