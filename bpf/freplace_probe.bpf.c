// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The smallest program that could replace a stub of the XDP dispatcher: whether it loads is what a probe asks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int probe(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
