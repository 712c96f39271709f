// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Drops IPv4 packets by their source address: one that is set at load, and those in a map that may change at any time.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* In the order of the wire: --global source=0a7b0003 is 10.123.0.3. All zero: only the map is asked. */
const volatile __u8 source[4] = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32);
	__type(value, __u64);
} dropped SEC(".maps");

static __always_inline int is_source(__be32 address)
{
	const __u8 *byte = (const __u8 *)&address;

	return address && byte[0] == source[0] && byte[1] == source[1] && byte[2] == source[2] && byte[3] == source[3];
}

SEC("xdp")
int block(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	__u64 first = 0;
	__u64 *count;
	__be32 address;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	address = ip->saddr;
	if (is_source(address))
		bpf_map_update_elem(&dropped, &address, &first, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&dropped, &address);
	if (!count)
		/* also where the map is full */
		return is_source(address) ? XDP_DROP : XDP_PASS;
	__sync_fetch_and_add(count, 1);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
