// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sets the mark of packets, as firewall rules and routing rules (fwmark) read it, and lets the chain go on.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/* In the machine's own byte order: --global mark=2a000000 is 42 where that is little endian. */
const volatile __u32 mark = 42;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} marked SEC(".maps");

SEC("tc")
int marker(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&marked, &key);

	skb->mark = mark;
	if (count)
		(*count)++;
	return TC_ACT_PIPE;
}

char _license[] SEC("license") = "Dual BSD/GPL";
